// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "lib/model/metric.h"
#include "lib/prom/remote_write_internal.h"

static struct batch_str text_of(const struct wire *bytes)
{
    return (struct batch_str){(const char *)bytes->next, (uint32_t)(bytes->end - bytes->next)};
}

/* ---- labels ------------------------------------------------------------------------------ */

static void add_label(struct remote_decoder *d, struct wire w)
{
    struct wire_field f;
    struct label *label = &d->labels[d->label_count];
    *label = (struct label){{"", 0}, {"", 0}};
    while (wire_next(&w, &f)) {
        if (f.type != WIRE_BYTES)
            continue;
        if (f.number == 1)
            label->name = text_of(&f.bytes);
        else if (f.number == 2)
            label->value = text_of(&f.bytes);
    }
    remote_write_finish(d, &w);
    if (label->name.length == 0 || label->name.length > LABEL_NAME_BYTES_MAX ||
        label->value.length > LABEL_VALUE_BYTES_MAX)
        remote_write_fail(d, REMOTE_WRITE_ELABELS);
    d->label_count += label->value.length > 0;
}

/* What was added since `first`, sorted: mostly it came so. */
static struct labels finish_labels(struct remote_decoder *d, uint32_t first)
{
    struct label *items = d->labels + first;
    uint32_t count = d->label_count - first;
    bool sorted = true;
    for (uint32_t i = 1; i < count && sorted; i++)
        sorted = batch_str_compare(items[i - 1].name, items[i].name) < 0;
    if (!sorted) {
        qsort(items, count, sizeof *items, label_compare_names);
        for (uint32_t i = 1; i < count; i++)
            if (batch_str_equal(items[i - 1].name, items[i].name))
                remote_write_fail(d, REMOTE_WRITE_ELABELS);
    }
    if (count > LABELS_MAX)
        remote_write_fail(d, REMOTE_WRITE_ELABELS);
    return (struct labels){items, count};
}

/* ---- samples and exemplars --------------------------------------------------------------- */

static void add_sample(struct remote_decoder *d, struct wire w)
{
    struct wire_field f;
    uint32_t at = d->out->sample_count++;
    d->out->sample_unix_ms[at] = 0;
    d->out->sample_value[at] = 0;
    while (wire_next(&w, &f)) {
        if (f.number == 1 && f.type == WIRE_FIXED64)
            d->out->sample_value[at] = number_of_bits(f.value);
        else if (f.number == 2 && f.type == WIRE_VARINT)
            d->out->sample_unix_ms[at] = (int64_t)f.value;
    }
    remote_write_finish(d, &w);
}

static void add_exemplar(struct remote_decoder *d, struct wire w)
{
    struct wire_field f;
    struct remote_exemplar *e = &d->out->exemplars[d->out->exemplar_count++];
    uint32_t first = d->label_count;
    *e = (struct remote_exemplar){0};
    while (wire_next(&w, &f)) {
        if (f.number == EXEMPLAR_LABELS && f.type == WIRE_BYTES)
            add_label(d, f.bytes);
        else if (f.number == EXEMPLAR_VALUE && f.type == WIRE_FIXED64)
            e->value = number_of_bits(f.value);
        else if (f.number == EXEMPLAR_TIMESTAMP && f.type == WIRE_VARINT)
            e->unix_ms = (int64_t)f.value;
    }
    remote_write_finish(d, &w);
    e->labels = finish_labels(d, first);
}

/* ---- series and metadata ----------------------------------------------------------------- */

/* Labels first, wherever they stand: exemplars have some too. */
static void add_series(struct remote_decoder *d, struct wire series)
{
    struct remote_write *out = d->out;
    struct remote_series *s = &out->series[out->series_count++];
    uint32_t first = d->label_count;
    struct wire_field f;
    for (struct wire w = series; wire_next(&w, &f);)
        if (f.number == SERIES_LABELS && f.type == WIRE_BYTES)
            add_label(d, f.bytes);
    s->labels = finish_labels(d, first);
    if (s->labels.count == 0)
        remote_write_fail(d, REMOTE_WRITE_ELABELS);
    s->sample_first = out->sample_count;
    s->histogram_first = out->histogram_count;
    s->exemplar_first = out->exemplar_count;
    for (struct wire w = series; wire_next(&w, &f) && !d->error;) {
        if (f.type != WIRE_BYTES)
            continue;
        if (f.number == SERIES_SAMPLES)
            add_sample(d, f.bytes);
        else if (f.number == SERIES_HISTOGRAMS)
            remote_write_histogram(d, f.bytes);
        else if (f.number == SERIES_EXEMPLARS)
            add_exemplar(d, f.bytes);
    }
    s->sample_count = out->sample_count - s->sample_first;
    s->histogram_count = out->histogram_count - s->histogram_first;
    s->exemplar_count = out->exemplar_count - s->exemplar_first;
}

/* MetricMetadata's numbers of types to ours. */
static unsigned metadata_type(uint64_t type)
{
    static const uint8_t types[] = {METRIC_UNKNOWN,   METRIC_COUNTER,         METRIC_GAUGE,
                                    METRIC_HISTOGRAM, METRIC_GAUGE_HISTOGRAM, METRIC_SUMMARY,
                                    METRIC_INFO,      METRIC_STATESET};
    return type < sizeof types ? types[type] : METRIC_UNKNOWN;
}

static void add_metadata(struct remote_decoder *d, struct wire w)
{
    struct wire_field f;
    struct remote_metadata *m = &d->out->metadata[d->out->metadata_count++];
    while (wire_next(&w, &f)) {
        if (f.number == 1 && f.type == WIRE_VARINT)
            m->type = metadata_type(f.value);
        else if (f.number == 2 && f.type == WIRE_BYTES)
            m->metric = text_of(&f.bytes);
        else if (f.number == 4 && f.type == WIRE_BYTES)
            m->help = text_of(&f.bytes);
        else if (f.number == 5 && f.type == WIRE_BYTES)
            m->unit = text_of(&f.bytes);
    }
    remote_write_finish(d, &w);
}

void remote_write_fill(struct remote_decoder *d, struct wire request)
{
    struct wire_field f;
    while (wire_next(&request, &f) && !d->error) {
        if (f.type != WIRE_BYTES)
            continue;
        if (f.number == REQUEST_TIMESERIES)
            add_series(d, f.bytes);
        else if (f.number == REQUEST_METADATA)
            add_metadata(d, f.bytes);
    }
}
