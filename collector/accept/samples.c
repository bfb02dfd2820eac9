// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/samples.h"

#include <stdio.h>

/* ---- an agent's batch -------------------------------------------------------------------- */

struct resolved {
    series_ref ref;          /* 0: refused */
    enum series_refusal why; /* that counted one of its samples */
    bool has_more;           /* further ones are to be counted */
};

/* Of each series of the batch. A reference is asked for once. */
static struct resolved *resolve_series(struct series_store *s, const struct batch *b,
                                       struct arena *arena)
{
    struct resolved *list = arena_calloc(arena, b->samples.series_count, sizeof *list);
    for (uint32_t i = 0; list && i < b->samples.series_count; i++) {
        struct label room[LABELS_MAX];
        struct labels labels = {room, 0};
        batch_series_labels(b, i, room, &labels); /* none, if too many: refused as such */
        list[i].ref = series_store_resolve(s, &labels, &list[i].why);
    }
    return list;
}

static void refuse_row(struct series_store *s, struct resolved *of)
{
    if (of->has_more)
        series_store_refuse(s, of->why, 1);
    of->has_more = true;
}

static void describe_metrics(struct series_store *s, const struct batch *b)
{
    for (uint32_t i = 0; i < b->samples.metric_count; i++) {
        const struct batch_metric_view *m = &b->samples.metrics[i];
        struct series_metadata metadata = {m->name, m->help, m->unit, m->type};
        series_store_describe(s, &metadata);
    }
}

/* Our buckets are numbered by their lower bound, Prometheus' by their upper one. A scale below its
 * coarsest schema, -4, needs a limit of buckets that no agent sets: the store refuses it. */
static bool make_histogram(const struct batch *b, const struct batch_histogram_view *from,
                           struct arena *arena, struct histogram *to)
{
    uint32_t count = from->positive + from->negative;
    int32_t *index = arena_alloc(arena, count * sizeof *index);
    double *value = arena_alloc(arena, count * sizeof *value);
    if (!index || !value)
        return false;
    double sum_of_counts = (double)from->zeros;
    for (uint32_t i = 0; i < count; i++) {
        index[i] = b->samples.bucket[from->first + i] + 1;
        value[i] = (double)b->samples.bucket_count[from->first + i];
        sum_of_counts += value[i];
    }
    *to = (struct histogram){
        .schema = (int8_t)from->scale,
        .zero_count = (double)from->zeros,
        .count = sum_of_counts + (double)from->not_finite,
        .sum = from->sum,
        .positive = {from->positive, index, value},
        .negative = {from->negative, index + from->positive, value + from->positive},
    };
    return true;
}

static void append_row(struct series_store *s, const struct batch *b, uint32_t row, series_ref ref,
                       struct arena *arena)
{
    const struct batch_samples *rows = &b->samples;
    struct series_sample sample = {
        .unix_ms = rows->unix_ms[row], .kind = rows->kind[row], .value = rows->value[row]};
    struct histogram h;
    if (rows->histogram[row] != BATCH_NONE) {
        if (!make_histogram(b, &rows->histograms[rows->histogram[row]], arena, &h)) {
            series_store_refuse(s, SERIES_REFUSED_MEMORY, 1);
            return;
        }
        sample.histogram = &h;
    }
    series_store_append(s, ref, &sample);
}

static void append_exemplar(struct series_store *s, const struct batch *b, uint32_t i,
                            series_ref ref)
{
    const struct batch_samples *rows = &b->samples;
    char trace[33], span[17];
    snprintf(trace, sizeof trace, "%016llx%016llx", (unsigned long long)rows->exemplar_trace_hi[i],
             (unsigned long long)rows->exemplar_trace_lo[i]);
    snprintf(span, sizeof span, "%016llx", (unsigned long long)rows->exemplar_span_id[i]);
    const struct label labels[] = {{{"span_id", 7}, {span, 16}}, {{"trace_id", 8}, {trace, 32}}};
    struct exemplar e = {
        .labels = {labels, 2},
        .value = rows->exemplar_value[i],
        .unix_ms = rows->exemplar_unix_ms[i],
    };
    series_store_exemplar(s, ref, &e);
}

void samples_append_batch(struct series_store *s, const struct batch *b, struct arena *arena)
{
    const struct batch_samples *rows = &b->samples;
    struct resolved *list = resolve_series(s, b, arena);
    if (!list) {
        series_store_refuse(s, SERIES_REFUSED_MEMORY, rows->count);
        return;
    }
    describe_metrics(s, b);
    for (uint32_t i = 0; i < rows->count; i++) {
        struct resolved *of = &list[rows->series_of[i]];
        if (of->ref)
            append_row(s, b, i, of->ref, arena);
        else
            refuse_row(s, of);
    }
    for (uint32_t i = 0; i < rows->exemplar_count; i++) {
        series_ref ref = list[rows->exemplar_series[i]].ref;
        if (ref)
            append_exemplar(s, b, i, ref);
    }
}

/* ---- remote write ------------------------------------------------------------------------ */

static void append_remote_series(struct series_store *s, const struct remote_write *w,
                                 const struct remote_series *r)
{
    enum series_refusal why;
    uint64_t samples = (uint64_t)r->sample_count + r->histogram_count;
    series_ref ref = series_store_resolve(s, &r->labels, &why);
    if (!ref) {
        series_store_refuse(s, why, samples > 1 ? samples - 1 : 0);
        return;
    }
    series_store_append_floats(s, ref, SAMPLE_VALUE, w->sample_unix_ms + r->sample_first,
                               w->sample_value + r->sample_first, r->sample_count);
    for (uint32_t i = r->histogram_first; i < r->histogram_first + r->histogram_count; i++) {
        const struct histogram *h = &w->histograms[i];
        struct series_sample sample = {.unix_ms = w->histogram_unix_ms[i],
                                       .kind = sample_is_stale(h->sum) ? SAMPLE_STALE
                                                                       : SAMPLE_HISTOGRAM,
                                       .value = h->sum,
                                       .histogram = h};
        series_store_append(s, ref, &sample);
    }
    for (uint32_t i = r->exemplar_first; i < r->exemplar_first + r->exemplar_count; i++) {
        const struct remote_exemplar *from = &w->exemplars[i];
        struct exemplar e = {from->labels, from->value, from->unix_ms};
        series_store_exemplar(s, ref, &e);
    }
}

void samples_append_remote(struct series_store *s, const struct remote_write *w)
{
    for (uint32_t i = 0; i < w->series_count; i++)
        append_remote_series(s, w, &w->series[i]);
    for (uint32_t i = 0; i < w->metadata_count; i++) {
        const struct remote_metadata *m = &w->metadata[i];
        struct series_metadata metadata = {m->metric, m->help, m->unit, m->type};
        series_store_describe(s, &metadata);
    }
}
