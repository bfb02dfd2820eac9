// SPDX-License-Identifier: Apache-2.0
/* Histograms, as their source counts them and as deltas. */
#include <math.h>

#include "collector/series/append_internal.h"

enum { BUCKETS_MAX = 16384 };

static bool indices_rise(const struct histogram_buckets *b)
{
    for (uint32_t i = 1; i < b->count; i++)
        if (b->index[i] <= b->index[i - 1])
            return false;
    return true;
}

static bool bounds_rise(const struct histogram *h)
{
    for (uint32_t i = 0; i < h->custom_count; i++)
        if (isnan(h->custom[i]) || (i > 0 && h->custom[i] <= h->custom[i - 1]))
            return false;
    return true;
}

bool series_histogram_is_good(const struct histogram *h)
{
    uint64_t buckets = (uint64_t)h->positive.count + h->negative.count;
    if (buckets > BUCKETS_MAX || !indices_rise(&h->positive) || !indices_rise(&h->negative))
        return false;
    if (!histogram_is_custom(h))
        return h->schema >= HISTOGRAM_SCHEMA_LEAST && h->schema <= HISTOGRAM_SCHEMA_MOST &&
               h->custom_count == 0 && h->zero_threshold >= 0;
    return h->custom_count <= BUCKETS_MAX && bounds_rise(h) && h->negative.count == 0 &&
           h->zero_count == 0;
}

static int keep_histogram(struct series_store *s, struct head_series *series)
{
    if (series->histogram)
        return 0;
    series->histogram = calloc(1, sizeof *series->histogram);
    if (!series->histogram)
        return -1;
    s->head.histogram_bytes += running_histogram_bytes(series->histogram);
    return 0;
}

enum series_refusal series_append_histogram(struct series_store *s, struct head_series *series,
                                            uint32_t number, int64_t unix_ms,
                                            const struct histogram *h)
{
    struct sample p = {unix_ms, h->sum, h, true};
    if (series_is_too_old(s, unix_ms))
        return series_refuse(s, SERIES_REFUSED_OLD);
    if (series->has_samples && unix_ms <= series->last_ms)
        return series_taken(s, series, series_append_late(s, series, number, &p));
    if (keep_histogram(s, series) != 0)
        return series_refuse(s, SERIES_REFUSED_MEMORY);
    int error = series_append_front(s, series, number, &p);
    if (error == 0) {
        series->is_histogram = true;
        series->runs->counts = false;
    }
    return series_taken(s, series, error);
}

/* What the sum becomes, in s->total. Where the delta does not go with it, it begins anew. */
static int add_up(struct series_store *s, const struct head_series *series,
                  const struct histogram *delta)
{
    bool fits = false;
    if (series->has_samples && series->is_histogram) {
        if (running_histogram_set(&s->total, &series->histogram->h) != 0 ||
            running_histogram_add(&s->total, delta, &fits) != 0)
            return -1;
        s->total.h.reset = HISTOGRAM_RESET_UNKNOWN;
    }
    if (fits)
        return 0;
    if (running_histogram_set(&s->total, delta) != 0)
        return -1;
    s->total.h.reset = series->has_samples ? HISTOGRAM_RESET : HISTOGRAM_RESET_UNKNOWN;
    return 0;
}

/* The sum of values may be infinite, as values may; but not by adding finite ones. */
static bool overflows(const struct histogram *total, const struct head_series *series,
                      const struct histogram *delta)
{
    bool was_finite = !series->is_histogram || isfinite(series->histogram->h.sum);
    return !isfinite(total->count) || !isfinite(total->zero_count) ||
           (!isfinite(total->sum) && isfinite(delta->sum) && was_finite);
}

static int append_empty(struct series_store *s, struct head_series *series, uint32_t number,
                        const struct series_sample *sample)
{
    struct histogram empty = *sample->histogram;
    empty.positive.count = empty.negative.count = 0;
    empty.zero_count = empty.count = empty.sum = 0;
    empty.reset = HISTOGRAM_RESET_UNKNOWN;
    struct sample p = {series_delta_begin(s, sample), 0, &empty, true};
    return series_append_front(s, series, number, &p);
}

enum series_refusal series_append_histogram_delta(struct series_store *s,
                                                  struct head_series *series, uint32_t number,
                                                  const struct series_sample *sample)
{
    if (!(sample->histogram->count >= 0) || isinf(sample->histogram->count))
        return series_refuse(s, SERIES_REFUSED_SAMPLE);
    if (keep_histogram(s, series) != 0 || add_up(s, series, sample->histogram) != 0)
        return series_refuse(s, SERIES_REFUSED_MEMORY);
    if (overflows(&s->total.h, series, sample->histogram))
        return series_refuse(s, SERIES_REFUSED_SAMPLE);
    if (!series->has_samples && append_empty(s, series, number, sample) != 0)
        return series_refuse(s, SERIES_REFUSED_MEMORY);
    struct sample p = {series_delta_time(s, series, sample->unix_ms), s->total.h.sum, &s->total.h,
                       true};
    int error = series_append_front(s, series, number, &p);
    if (error == 0)
        series->is_histogram = series->runs->counts = true;
    return series_taken(s, series, error);
}
