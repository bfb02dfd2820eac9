// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/batch_samples.h"

#include <math.h>
#include <stdlib.h>

#include "lib/codec/batch_builder.h"

/* ---- what samples are of ----------------------------------------------------------------- */

uint32_t batch_metric(struct batch_builder *b, uint32_t name, enum metric_type type, uint32_t unit,
                      uint32_t help)
{
    struct column *column = &b->columns[COLUMN_METRICS];
    column_put(column, name);
    column_put(column, type);
    column_put(column, unit);
    column_put(column, help);
    return b->metrics++;
}

static void put_pairs(struct column *column, const uint32_t *pairs, uint32_t count)
{
    column_put(column, count);
    for (uint32_t i = 0; i < 2 * count; i++)
        column_put(column, pairs[i]);
}

uint32_t batch_label_set(struct batch_builder *b, const uint32_t *pairs, uint32_t count)
{
    put_pairs(&b->columns[COLUMN_LABEL_SETS], pairs, count);
    return b->label_sets++;
}

uint32_t batch_series(struct batch_builder *b, uint32_t metric, uint32_t label_set,
                      const uint32_t *pairs, uint32_t count)
{
    struct column *column = &b->columns[COLUMN_SERIES];
    column_put(column, metric);
    column_put(column, (uint32_t)(label_set + 1)); /* BATCH_NONE becomes 0 */
    put_pairs(column, pairs, count);
    return b->series++;
}

/* ---- rows -------------------------------------------------------------------------------- */

static void put_row(struct batch_builder *b, uint32_t series, int64_t unix_ms)
{
    column_put_signed(&b->columns[COLUMN_SAMPLE_SERIES],
                      (int64_t)series - (int64_t)(int32_t)b->last_series - 1);
    column_put_signed(&b->columns[COLUMN_SAMPLE_TIME], unix_ms - b->last_sample_ms);
    b->last_series = series;
    b->last_sample_ms = unix_ms;
    b->samples++;
}

/* A whole number that comes back the same from an integer: not -0. */
static bool is_integer(double value)
{
    return fabs(value) <= 0x1p53 && value == (double)(int64_t)value &&
           !(value == 0 && signbit(value));
}

void batch_sample(struct batch_builder *b, uint32_t series, int64_t unix_ms, enum sample_kind kind,
                  double value)
{
    bool integer = kind == SAMPLE_STALE || is_integer(value);
    put_row(b, series, unix_ms);
    column_put(&b->columns[COLUMN_SAMPLE_KIND], (uint64_t)kind << 1 | integer);
    if (kind == SAMPLE_STALE)
        return;
    if (integer)
        column_put_signed(&b->columns[COLUMN_SAMPLE_INT], (int64_t)value);
    else
        column_put_double(&b->columns[COLUMN_SAMPLE_DOUBLE], value);
}

static uint32_t put_range(struct column *column, const struct exphist_range *r)
{
    uint32_t put = 0;
    int32_t last = 0;
    for (uint32_t i = 0; i < r->used; i++) {
        if (r->counts[i] == 0)
            continue;
        int32_t index = r->first + (int32_t)i;
        column_put_signed(column, (int64_t)index - last);
        column_put(column, r->counts[i]);
        last = index;
        put++;
    }
    return put;
}

void batch_histogram(struct batch_builder *b, uint32_t series, int64_t unix_ms,
                     enum sample_kind kind, const struct exphist *h)
{
    struct column *buckets = &b->columns[COLUMN_HISTOGRAM_BUCKETS];
    struct column *head = &b->columns[COLUMN_HISTOGRAM_HEAD];
    struct column *numbers = &b->columns[COLUMN_HISTOGRAM_NUMBERS];
    put_row(b, series, unix_ms);
    column_put(&b->columns[COLUMN_SAMPLE_KIND], (uint64_t)kind << 1);
    uint32_t positive = put_range(buckets, &h->positive);
    uint32_t negative = put_range(buckets, &h->negative);
    column_put_signed(head, h->scale);
    column_put(head, h->zeros);
    column_put(head, h->not_finite);
    column_put(head, positive);
    column_put(head, negative);
    column_put_double(numbers, h->sum);
    column_put_double(numbers, h->min);
    column_put_double(numbers, h->max);
}

void batch_exemplar(struct batch_builder *b, uint32_t series, int64_t unix_ms, double value,
                    struct trace_id trace_id, uint64_t span_id)
{
    uint64_t ids[3] = {htobe64(trace_id.hi), htobe64(trace_id.lo), htobe64(span_id)};
    column_put(&b->columns[COLUMN_EXEMPLAR_SERIES], series);
    column_put_signed(&b->columns[COLUMN_EXEMPLAR_TIME], unix_ms - b->last_exemplar_ms);
    column_put_double(&b->columns[COLUMN_EXEMPLAR_VALUE], value);
    column_put_bytes(&b->columns[COLUMN_EXEMPLAR_IDS], ids, sizeof ids);
    b->last_exemplar_ms = unix_ms;
}

/* ---- labels of what was decoded ---------------------------------------------------------- */

static uint32_t copy_labels(const struct batch *b, const struct batch_label_range *from,
                            struct label *out)
{
    const struct batch_samples *s = &b->samples;
    for (uint32_t i = 0; i < from->count; i++)
        out[i] = (struct label){b->strings[s->label_names[from->first + i]],
                                b->strings[s->label_values[from->first + i]]};
    return from->count;
}

/* Of labels with one name the one that was given last stays; empty ones go. `out` is sorted by
 * name, in which equal names stand in their order: so an insertion sort, which series this short
 * want. */
static void insert_label(struct label *out, uint32_t *count, struct label label)
{
    uint32_t at = *count;
    while (at > 0 && batch_str_compare(out[at - 1].name, label.name) > 0)
        at--;
    if (at > 0 && batch_str_equal(out[at - 1].name, label.name)) {
        out[at - 1] = label;
        return;
    }
    memmove(out + at + 1, out + at, (*count - at) * sizeof *out);
    out[at] = label;
    ++*count;
}

static uint32_t drop_empty(struct label *labels, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (labels[i].value.length > 0)
            labels[kept++] = labels[i];
    return kept;
}

bool batch_series_labels(const struct batch *b, uint32_t series, struct label out[LABELS_MAX],
                         struct labels *labels)
{
    const struct batch_series_view *s = &b->samples.series[series];
    struct label given[LABELS_MAX];
    if (s->shared.count > LABELS_MAX || s->own.count > LABELS_MAX ||
        s->shared.count + s->own.count + 1 > LABELS_MAX)
        return false;
    uint32_t n = copy_labels(b, &s->shared, given), count = 0;
    n += copy_labels(b, &s->own, given + n);
    given[n++] =
        (struct label){{LABEL_METRIC, sizeof LABEL_METRIC - 1}, b->samples.metrics[s->metric].name};
    for (uint32_t i = 0; i < n; i++)
        insert_label(out, &count, given[i]);
    *labels = (struct labels){out, drop_empty(out, count)};
    return true;
}
