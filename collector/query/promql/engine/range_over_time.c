// SPDX-License-Identifier: Apache-2.0
/* The functions whose names end in _over_time, and what is fitted to the samples of a window. */
#include <string.h>

#include "collector/query/promql/engine/annotations.h"
#include "collector/query/promql/engine/histogram_sum.h"
#include "collector/query/promql/engine/kahan.h"
#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/quantile.h"
#include "collector/query/promql/engine/range.h"
#include "collector/query/promql/engine/sliding_sum.h"

/* False where there are no floats; histograms beside them are ignored, and that is told. */
static bool only_floats(struct evaluation *ev, const struct range_call *c, const struct window *w,
                        size_t least)
{
    if (w->count > 0 && w->histogram_count > 0)
        annotate_ignored_in_range(ev, range_place(c), metric_name(&c->labels));
    return w->count >= least;
}

/* ---- sum, avg ---------------------------------------------------------------------------- */

static bool histogram_total(struct evaluation *ev, const struct range_call *c,
                            const struct window *w, struct sample *out)
{
    struct histogram_sum sum = {.mean = c->id == PROMQL_FN_AVG_OVER_TIME};
    for (size_t i = 0; i < w->histogram_count; i++)
        histogram_sum_add(ev, &sum, w->histogram[i], c->arena);
    if (sum.mixed)
        annotate_mixed_schemas(ev, range_place(c), metric_name(&c->labels));
    else
        histogram_sum_annotate(ev, &sum, range_place(c));
    out->histogram = histogram_sum_finish(ev, &sum, c->arena);
    return out->histogram;
}

/* Of fewer samples a sum is as soon made anew. */
enum { SLIDING_LEAST = 8 };

static double mean_of(const struct window *w)
{
    struct kahan_mean mean = {0};
    for (size_t i = 0; i < w->count; i++)
        kahan_mean_add(&mean, w->value[i]);
    return kahan_mean(&mean);
}

static double sum_of(const struct window *w)
{
    struct kahan sum = {0, 0};
    for (size_t i = 0; i < w->count; i++)
        kahan_add(&sum, w->value[i]);
    return kahan_total(&sum);
}

RANGE_FUNCTION(range_sum)
{
    if (w->count > 0 && w->histogram_count > 0) {
        annotate_mixed(ev, range_place(c), metric_name(&c->labels));
        return false;
    }
    if (w->count == 0)
        return histogram_total(ev, c, w, out);
    bool mean = c->id == PROMQL_FN_AVG_OVER_TIME;
    double n = (double)w->count;
    struct kahan sum;
    if (w->count >= SLIDING_LEAST && sliding_sum(ev, c->sums, c->series, w->value - w->first,
                                                 w->first, w->first + w->count, &sum))
        out->value = mean ? sum.sum / n + sum.lost / n : kahan_total(&sum);
    else
        out->value = mean ? mean_of(w) : sum_of(w);
    return true;
}

/* ---- min, max ---------------------------------------------------------------------------- */

/* Samples that may still become a window's extreme: each is further from it than the one before.
 * Each sample enters and leaves once, however many windows it is in. */
struct extremes {
    uint64_t series; /* whose samples these are */
    size_t begin, end, capacity;
    size_t taken;     /* samples up to here have been looked at */
    uint32_t *sample; /* positions, rising */
};

struct extremes *extremes_create(struct evaluation *ev)
{
    return evaluation_calloc(ev, 1, sizeof(struct extremes));
}

static void slide(struct evaluation *ev, struct extremes *x, const struct window *w, bool most)
{
    const double *value = w->value - w->first; /* of the whole series */
    size_t end = w->first + w->count;
    if (x->taken < w->first) {
        x->begin = x->end = 0;
        x->taken = w->first;
    }
    if (end - x->taken > x->capacity - x->end) {
        uint32_t *bigger = evaluation_alloc(ev, 2 * end * sizeof *bigger);
        if (x->end > x->begin)
            memcpy(bigger, x->sample + x->begin, (x->end - x->begin) * sizeof *bigger);
        x->end -= x->begin;
        x->begin = 0;
        x->sample = bigger;
        x->capacity = 2 * end;
    }
    for (; x->taken < end; x->taken++) {
        double v = value[x->taken];
        if (isnan(v))
            continue;
        while (x->end > x->begin &&
               (most ? value[x->sample[x->end - 1]] <= v : value[x->sample[x->end - 1]] >= v))
            x->end--;
        x->sample[x->end++] = (uint32_t)x->taken;
    }
    while (x->begin < x->end && x->sample[x->begin] < w->first)
        x->begin++;
}

/* Of equal ones the times are the last's. */
RANGE_FUNCTION(range_extreme)
{
    bool most = c->id == PROMQL_FN_MAX_OVER_TIME || c->id == PROMQL_FN_TS_OF_MAX_OVER_TIME;
    struct extremes *x = c->extremes;
    if (!only_floats(ev, c, w, 1))
        return false;
    if (x->series != c->series) {
        x->series = c->series;
        x->begin = x->end = x->taken = 0;
    }
    slide(ev, x, w, most);
    size_t at = x->begin < x->end ? x->sample[x->begin] - w->first : w->count - 1;
    out->value = c->id == PROMQL_FN_MAX_OVER_TIME || c->id == PROMQL_FN_MIN_OVER_TIME
                     ? w->value[at]
                     : (double)w->unix_ms[at] / 1000;
    return true;
}

/* ---- first, last, count, present --------------------------------------------------------- */

static bool edge_sample(struct evaluation *ev, const struct range_call *c, const struct window *w,
                        bool last, struct sample *out, int64_t *at)
{
    size_t f = last ? w->count - 1 : 0, h = last ? w->histogram_count - 1 : 0;
    bool is_float = w->histogram_count == 0 ||
                    (w->count > 0 && (last ? w->unix_ms[f] > w->histogram_unix_ms[h]
                                           : w->unix_ms[f] < w->histogram_unix_ms[h]));
    *at = is_float ? w->unix_ms[f] : w->histogram_unix_ms[h];
    if (is_float)
        out->value = w->value[f];
    else
        out->histogram = evaluation_need(ev, histogram_copy(c->arena, w->histogram[h]));
    return true;
}

RANGE_FUNCTION(range_edge)
{
    int64_t at;
    switch (c->id) {
    case PROMQL_FN_COUNT_OVER_TIME:
        out->value = (double)(w->count + w->histogram_count);
        return true;
    case PROMQL_FN_FIRST_OVER_TIME:
    case PROMQL_FN_LAST_OVER_TIME:
        return edge_sample(ev, c, w, c->id == PROMQL_FN_LAST_OVER_TIME, out, &at);
    case PROMQL_FN_TS_OF_FIRST_OVER_TIME:
    case PROMQL_FN_TS_OF_LAST_OVER_TIME:
        edge_sample(ev, c, w, c->id == PROMQL_FN_TS_OF_LAST_OVER_TIME, out, &at);
        *out = (struct sample){(double)at / 1000, NULL};
        return true;
    default: /* present_over_time, absent_over_time */
        out->value = 1;
        return true;
    }
}

/* ---- spread ------------------------------------------------------------------------------ */

static double variance(const struct window *w)
{
    struct kahan mean = {0, 0}, sum = {0, 0};
    for (size_t i = 0; i < w->count; i++) {
        double difference = w->value[i] - (mean.sum + mean.lost);
        kahan_add(&mean, difference / (double)(i + 1));
        kahan_add(&sum, difference * (w->value[i] - (mean.sum + mean.lost)));
    }
    return (sum.sum + sum.lost) / (double)w->count;
}

static double median_deviation(double *values, size_t count)
{
    double median = quantile_of(values, count, 0.5);
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i]))
            return NAN;
        values[i] = fabs(values[i] - median);
    }
    return quantile_of(values, count, 0.5);
}

struct spread_values {
    size_t capacity;
    double *list;
};

struct spread_values *spread_values_create(struct evaluation *ev)
{
    return evaluation_calloc(ev, 1, sizeof(struct spread_values));
}

/* The window's values, to be sorted; until the next window. */
static double *copy_values(struct evaluation *ev, struct spread_values *v, const struct window *w)
{
    if (w->count > v->capacity) {
        v->capacity = 2 * w->count;
        v->list = evaluation_alloc(ev, v->capacity * sizeof *v->list);
    }
    memcpy(v->list, w->value, w->count * sizeof *v->list);
    return v->list;
}

RANGE_FUNCTION(range_spread)
{
    if (c->id == PROMQL_FN_QUANTILE_OVER_TIME && w->count > 0)
        annotate_quantile(ev, c->stream.expr->args[0]->place, c->arguments[0][c->step]);
    if (!only_floats(ev, c, w, 1))
        return false;
    if (c->id == PROMQL_FN_STDVAR_OVER_TIME || c->id == PROMQL_FN_STDDEV_OVER_TIME) {
        double v = variance(w);
        out->value = c->id == PROMQL_FN_STDDEV_OVER_TIME ? sqrt(v) : v;
        return true;
    }
    double *values = copy_values(ev, c->values, w);
    out->value = c->id == PROMQL_FN_MAD_OVER_TIME
                     ? median_deviation(values, w->count)
                     : quantile_of(values, w->count, c->arguments[0][c->step]);
    return true;
}

/* ---- lines ------------------------------------------------------------------------------- */

struct line {
    double slope, at; /* the value at the time asked for */
};

static struct line fit(const struct window *w, int64_t origin_ms)
{
    struct kahan x = {0, 0}, y = {0, 0}, xy = {0, 0}, xx = {0, 0};
    double n = (double)w->count;
    bool constant = true;
    for (size_t i = 0; i < w->count; i++) {
        double seconds = (double)(w->unix_ms[i] - origin_ms) / 1000;
        constant &= w->value[i] == w->value[0];
        kahan_add(&x, seconds);
        kahan_add(&y, w->value[i]);
        kahan_add(&xy, seconds * w->value[i]);
        kahan_add(&xx, seconds * seconds);
    }
    if (constant)
        return isinf(w->value[0]) ? (struct line){NAN, NAN} : (struct line){0, w->value[0]};
    double sx = x.sum + x.lost, sy = y.sum + y.lost;
    double covariance = xy.sum + xy.lost - sx * sy / n;
    double slope = covariance / (xx.sum + xx.lost - sx * sx / n);
    return (struct line){slope, sy / n - slope * sx / n};
}

static double smooth(struct evaluation *ev, const struct range_call *c, const struct window *w)
{
    double factor = c->arguments[0][c->step], trend_factor = c->arguments[1][c->step];
    if (!(factor > 0 && factor < 1))
        evaluation_fail(ev, PROMQL_FAILED,
                        "invalid smoothing factor. Expected: 0 < sf < 1, got: %f", factor);
    if (!(trend_factor > 0 && trend_factor < 1))
        evaluation_fail(ev, PROMQL_FAILED, "invalid trend factor. Expected: 0 < tf < 1, got: %f",
                        trend_factor);
    double before = 0, level = w->value[0], trend = w->value[1] - w->value[0];
    for (size_t i = 1; i < w->count; i++) {
        if (i > 1)
            trend = trend_factor * (level - before) + (1 - trend_factor) * trend;
        double next = factor * w->value[i] + (1 - factor) * (level + trend);
        before = level;
        level = next;
    }
    return level;
}

RANGE_FUNCTION(range_line)
{
    if (!only_floats(ev, c, w, 2))
        return false;
    if (c->id == PROMQL_FN_DERIV) {
        out->value = fit(w, w->unix_ms[0]).slope;
    } else if (c->id == PROMQL_FN_PREDICT_LINEAR) {
        struct line l = fit(w, w->at_ms);
        out->value = l.slope * c->arguments[0][c->step] + l.at;
    } else {
        out->value = smooth(ev, c, w);
    }
    return true;
}
