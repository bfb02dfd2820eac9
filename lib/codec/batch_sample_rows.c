// SPDX-License-Identifier: Apache-2.0
/* Decoding what a batch holds of samples: tables, rows, histograms, exemplars. */
#include <math.h>
#include <string.h>

#include "lib/codec/batch_decode.h"

enum { METRIC_NUMBERS = 4, HISTOGRAM_NUMBERS = 5, HISTOGRAM_DOUBLES = 3 };

/* ---- tables ------------------------------------------------------------------------------ */

static int decode_metrics(struct decoder *d)
{
    struct batch *b = d->batch;
    struct column_reader *column = &d->columns[COLUMN_METRICS];
    size_t count = column_count_varints(column) / METRIC_NUMBERS;
    b->samples.metrics = arena_alloc(d->samples_arena, count * sizeof *b->samples.metrics);
    if (!b->samples.metrics)
        return BATCH_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct batch_metric_view *m = &b->samples.metrics[i];
        m->name = b->strings[column_get_below(column, b->string_count)];
        m->type = (uint8_t)column_get_below(column, METRIC_TYPES);
        m->unit = b->strings[column_get_below(column, b->string_count)];
        m->help = b->strings[column_get_below(column, b->string_count)];
    }
    b->samples.metric_count = (uint32_t)count;
    return BATCH_OK;
}

/* Where the pairs of all label sets and series are put. */
struct pairs {
    uint32_t count, capacity;
};

/* n, and n pairs. */
static struct batch_label_range get_pairs(struct decoder *d, struct column_reader *column,
                                          struct pairs *pairs)
{
    struct batch_samples *s = &d->batch->samples;
    uint32_t n = column_get_below(column, (uint64_t)(pairs->capacity - pairs->count) + 1);
    struct batch_label_range range = {pairs->count, n};
    for (uint32_t i = 0; i < n && !column->bad; i++) {
        s->label_names[pairs->count] = column_get_below(column, d->batch->string_count);
        s->label_values[pairs->count++] = column_get_below(column, d->batch->string_count);
    }
    return range;
}

static int decode_series(struct decoder *d)
{
    struct batch_samples *s = &d->batch->samples;
    struct column_reader *sets = &d->columns[COLUMN_LABEL_SETS];
    struct column_reader *series = &d->columns[COLUMN_SERIES];
    size_t set_numbers = column_count_varints(sets), numbers = column_count_varints(series);
    struct pairs pairs = {.capacity = (uint32_t)((set_numbers + numbers) / 2)};
    struct batch_label_range *ranges = arena_alloc(d->scratch, set_numbers * sizeof *ranges);
    s->label_names = arena_alloc(d->samples_arena, pairs.capacity * sizeof(uint32_t));
    s->label_values = arena_alloc(d->samples_arena, pairs.capacity * sizeof(uint32_t));
    s->series = arena_alloc(d->samples_arena, numbers / 3 * sizeof *s->series);
    if (!ranges || !s->label_names || !s->label_values || !s->series)
        return BATCH_ENOMEM;
    uint32_t set_count = 0;
    while (column_left(sets) && !sets->bad)
        ranges[set_count++] = get_pairs(d, sets, &pairs);
    while (column_left(series) && !series->bad) {
        if (s->series_count == numbers / 3)
            return BATCH_ECOLUMNS;
        struct batch_series_view *v = &s->series[s->series_count++];
        v->metric = column_get_below(series, s->metric_count);
        uint32_t set = column_get_below(series, (uint64_t)set_count + 1);
        v->shared = set ? ranges[set - 1] : (struct batch_label_range){0, 0};
        v->own = get_pairs(d, series, &pairs);
    }
    return BATCH_OK;
}

/* ---- rows -------------------------------------------------------------------------------- */

/* Before any memory is taken for rows: each takes at least a byte in each of these. */
static bool samples_are_plausible(const struct decoder *d)
{
    static const enum batch_column per_row[] = {COLUMN_SAMPLE_SERIES, COLUMN_SAMPLE_TIME,
                                                COLUMN_SAMPLE_KIND};
    for (size_t i = 0; i < sizeof per_row / sizeof *per_row; i++) {
        if (column_left(&d->columns[per_row[i]]) < d->batch->samples.count)
            return false;
    }
    return true;
}

static bool alloc_samples(struct decoder *d)
{
    struct batch_samples *s = &d->batch->samples;
    size_t n = s->count;
    s->series_of = arena_alloc(d->samples_arena, n * sizeof *s->series_of);
    s->unix_ms = arena_alloc(d->samples_arena, n * sizeof *s->unix_ms);
    s->kind = arena_alloc(d->samples_arena, n);
    s->value = arena_alloc(d->samples_arena, n * sizeof *s->value);
    s->histogram = arena_alloc(d->samples_arena, n * sizeof *s->histogram);
    return s->series_of && s->unix_ms && s->kind && s->value && s->histogram;
}

static void decode_places(struct decoder *d)
{
    struct batch_samples *s = &d->batch->samples;
    struct column_reader series = d->columns[COLUMN_SAMPLE_SERIES];
    struct column_reader times = d->columns[COLUMN_SAMPLE_TIME];
    uint64_t at = UINT64_MAX, unix_ms = 0; /* modulo 2^64, as hostile sums may be anything */
    for (uint32_t i = 0; i < s->count; i++) {
        at += (uint64_t)column_get_signed(&series) + 1;
        if (at >= s->series_count)
            series.bad = true;
        unix_ms += (uint64_t)column_get_signed(&times);
        s->series_of[i] = (uint32_t)at;
        s->unix_ms[i] = (int64_t)unix_ms;
    }
    d->columns[COLUMN_SAMPLE_SERIES] = series;
    d->columns[COLUMN_SAMPLE_TIME] = times;
}

static double get_value(struct decoder *d, unsigned kind, bool integer)
{
    if (kind == SAMPLE_STALE)
        return NAN;
    return integer ? (double)column_get_signed(&d->columns[COLUMN_SAMPLE_INT])
                   : column_get_double(&d->columns[COLUMN_SAMPLE_DOUBLE]);
}

/* Kinds, and the values of all but histograms, which are counted. */
static void decode_values(struct decoder *d)
{
    struct batch_samples *s = &d->batch->samples;
    struct column_reader *kinds = &d->columns[COLUMN_SAMPLE_KIND];
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t word = column_get_below(kinds, SAMPLE_KINDS * 2);
        unsigned kind = word >> 1;
        s->kind[i] = (uint8_t)kind;
        if (kind == SAMPLE_HISTOGRAM || kind == SAMPLE_HISTOGRAM_DELTA) {
            s->histogram[i] = s->histogram_count++;
        } else {
            s->histogram[i] = BATCH_NONE;
            s->value[i] = get_value(d, kind, word & 1);
        }
    }
}

/* ---- histograms -------------------------------------------------------------------------- */

/* Rising, each with a count. */
static uint32_t get_buckets(struct decoder *d, uint32_t at, uint32_t count)
{
    struct batch_samples *s = &d->batch->samples;
    struct column_reader *column = &d->columns[COLUMN_HISTOGRAM_BUCKETS];
    int64_t last = 0;
    for (uint32_t i = 0; i < count && !column->bad; i++) {
        int64_t step = column_get_signed(column), index = 0;
        if ((i > 0 && step <= 0) || __builtin_add_overflow(last, step, &index) ||
            index < INT32_MIN || index >= INT32_MAX)
            column->bad = true;
        last = index;
        s->bucket[at + i] = (int32_t)index;
        s->bucket_count[at + i] = column_get(column);
    }
    return at + count;
}

static bool decode_histogram(struct decoder *d, struct batch_histogram_view *h, uint32_t *at,
                             uint32_t capacity)
{
    struct column_reader *head = &d->columns[COLUMN_HISTOGRAM_HEAD];
    struct column_reader *numbers = &d->columns[COLUMN_HISTOGRAM_NUMBERS];
    int64_t scale = column_get_signed(head);
    h->scale = (int32_t)scale;
    h->zeros = column_get(head);
    h->not_finite = column_get(head);
    h->first = *at;
    h->positive = column_get_below(head, (uint64_t)(capacity - *at) + 1);
    h->negative = column_get_below(head, (uint64_t)(capacity - *at) - h->positive + 1);
    h->sum = column_get_double(numbers);
    h->min = column_get_double(numbers);
    h->max = column_get_double(numbers);
    if (head->bad || scale < EXPHIST_SCALE_LEAST || scale > EXPHIST_SCALE)
        return false;
    *at = get_buckets(d, *at, h->positive);
    *at = get_buckets(d, *at, h->negative);
    return true;
}

static int decode_histograms(struct decoder *d)
{
    struct batch_samples *s = &d->batch->samples;
    size_t heads = column_count_varints(&d->columns[COLUMN_HISTOGRAM_HEAD]) / HISTOGRAM_NUMBERS;
    size_t doubles = column_left(&d->columns[COLUMN_HISTOGRAM_NUMBERS]) / sizeof(double);
    size_t capacity = column_count_varints(&d->columns[COLUMN_HISTOGRAM_BUCKETS]) / 2;
    if (s->histogram_count != heads || doubles / HISTOGRAM_DOUBLES != heads)
        return BATCH_ECOLUMNS;
    s->histograms = arena_alloc(d->samples_arena, heads * sizeof *s->histograms);
    s->bucket = arena_alloc(d->samples_arena, capacity * sizeof *s->bucket);
    s->bucket_count = arena_alloc(d->samples_arena, capacity * sizeof *s->bucket_count);
    if (!s->histograms || !s->bucket || !s->bucket_count)
        return BATCH_ENOMEM;
    uint32_t at = 0;
    for (size_t i = 0; i < heads; i++) {
        if (!decode_histogram(d, &s->histograms[i], &at, (uint32_t)capacity))
            return BATCH_ECOLUMNS;
    }
    for (uint32_t i = 0; i < s->count; i++)
        if (s->histogram[i] != BATCH_NONE)
            s->value[i] = s->histograms[s->histogram[i]].sum;
    return BATCH_OK;
}

/* ---- exemplars --------------------------------------------------------------------------- */

static bool alloc_exemplars(struct decoder *d, size_t n)
{
    struct batch_samples *s = &d->batch->samples;
    s->exemplar_series = arena_alloc(d->samples_arena, n * sizeof *s->exemplar_series);
    s->exemplar_unix_ms = arena_alloc(d->samples_arena, n * sizeof *s->exemplar_unix_ms);
    s->exemplar_value = arena_alloc(d->samples_arena, n * sizeof *s->exemplar_value);
    s->exemplar_trace_hi = arena_alloc(d->samples_arena, n * sizeof *s->exemplar_trace_hi);
    s->exemplar_trace_lo = arena_alloc(d->samples_arena, n * sizeof *s->exemplar_trace_lo);
    s->exemplar_span_id = arena_alloc(d->samples_arena, n * sizeof *s->exemplar_span_id);
    s->exemplar_count = (uint32_t)n;
    return s->exemplar_series && s->exemplar_unix_ms && s->exemplar_value && s->exemplar_trace_hi &&
           s->exemplar_trace_lo && s->exemplar_span_id;
}

static int decode_exemplars(struct decoder *d)
{
    struct batch_samples *s = &d->batch->samples;
    struct column_reader *ids = &d->columns[COLUMN_EXEMPLAR_IDS];
    size_t n = column_left(ids) / LINK_ID_BYTES;
    uint64_t unix_ms = 0;
    if (!alloc_exemplars(d, n))
        return BATCH_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        unix_ms += (uint64_t)column_get_signed(&d->columns[COLUMN_EXEMPLAR_TIME]);
        s->exemplar_series[i] =
            column_get_below(&d->columns[COLUMN_EXEMPLAR_SERIES], s->series_count);
        s->exemplar_unix_ms[i] = (int64_t)unix_ms;
        s->exemplar_value[i] = column_get_double(&d->columns[COLUMN_EXEMPLAR_VALUE]);
        s->exemplar_trace_hi[i] = __builtin_bswap64(column_get_fixed(ids, sizeof(uint64_t)));
        s->exemplar_trace_lo[i] = __builtin_bswap64(column_get_fixed(ids, sizeof(uint64_t)));
        s->exemplar_span_id[i] = __builtin_bswap64(column_get_fixed(ids, sizeof(uint64_t)));
    }
    return BATCH_OK;
}

int decode_samples(struct decoder *d)
{
    int error;
    if (!samples_are_plausible(d))
        return BATCH_ECOLUMNS;
    if ((error = decode_metrics(d)) || (error = decode_series(d)))
        return error;
    if (!alloc_samples(d))
        return BATCH_ENOMEM;
    decode_places(d);
    decode_values(d);
    if ((error = decode_histograms(d)))
        return error;
    return decode_exemplars(d);
}
