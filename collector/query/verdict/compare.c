// SPDX-License-Identifier: Apache-2.0
#include "collector/query/verdict/compare.h"

#include <math.h>
#include <stdlib.h>

#include "collector/query/verdict/mann_whitney.h"

/* Intervals alone must be surer than those that stand beside a test on all requests: a p99 of few
 * requests jumps about, and would hide what the requests together show. */
#define P_MOST               0.01
#define DELTA_LEAST          0.33
#define P_MOST_WITH_REQUESTS 0.05
#define DELTA_WITH_REQUESTS  0.2

static const struct {
    const char *name;
    double quantile; /* 0: it is none */
    double part;     /* the least change, as a part of what was before */
    double absolute; /* ... or so much, where that is more */
    bool neutral;    /* more of it is neither better nor worse */
} measures[MEASURES] = {
    [MEASURE_P50] = {"p50_seconds", 0.5, 0.05, 0.00002, false},
    [MEASURE_P99] = {"p99_seconds", 0.99, 0.10, 0.00005, false},
    [MEASURE_ERROR_RATE] = {"error_rate", 0, 0.20, 0.001, false},
    [MEASURE_RATE] = {"requests_per_second", 0, 0.10, 0, true},
    [MEASURE_CPU] = {"cpu_cores_per_process", 0, 0.10, 0.001, false},
    [MEASURE_MEMORY] = {"resident_bytes_per_process", 0, 0.05, 1 << 20, false},
};

const char *measure_name(enum measure m)
{
    return measures[m].name;
}

const char *change_name(enum change c)
{
    static const char *const names[] = {"unknown", "none", "better", "worse", "different"};
    return names[c];
}

/* ---- one side ---------------------------------------------------------------------------- */

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Without what is no number; sorted. */
static size_t tidy(double *values, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            values[kept++] = values[i];
    qsort(values, kept, sizeof *values, by_value);
    return kept;
}

static double median(const double *sorted, size_t count)
{
    if (count == 0)
        return NAN;
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

/* ---- all requests ------------------------------------------------------------------------ */

/* Whether the part of the requests after that stay below the quantile before is still q. That part
 * has a variance of q(1 - q)/n, and so has what the quantile before cuts off of its own side. */
static int compare_requests(double q, const struct histogram *before, const struct histogram *after,
                            struct arena *arena, struct comparison *out, double *p)
{
    *p = 1;
    if (!(before->count > 0) || !(after->count > 0))
        return 0;
    size_t most = histogram_list_most(before), other = histogram_list_most(after);
    struct histogram_bucket *scratch =
        arena_alloc(arena, ((most > other ? most : other) + 1) * sizeof *scratch);
    if (!scratch)
        return -1;
    out->before = histogram_quantile(before, q, scratch);
    out->after = histogram_quantile(after, q, scratch);
    double part = histogram_fraction(after, -INFINITY, out->before, scratch);
    double variance = q * (1 - q) * (1 / before->count + 1 / after->count);
    *p = normal_p((part - q) / sqrt(variance));
    return 0;
}

/* ---- the verdict ------------------------------------------------------------------------- */

static bool matters(enum measure m, double before, double after)
{
    double least = fabs(before) * measures[m].part;
    if (least < measures[m].absolute)
        least = measures[m].absolute;
    return fabs(after - before) > least;
}

/* `p_requests` below 0: there is no test on requests. */
static bool is_certain(const struct comparison *c, double p_intervals, double p_requests)
{
    if (p_requests < 0)
        return p_intervals <= P_MOST && fabs(c->delta) >= DELTA_LEAST;
    return p_requests <= P_MOST && p_intervals <= P_MOST_WITH_REQUESTS &&
           fabs(c->delta) >= DELTA_WITH_REQUESTS;
}

static enum change judge(const struct comparison *c, double p_intervals, double p_requests)
{
    if (c->before_count < COMPARE_INTERVALS_LEAST || c->after_count < COMPARE_INTERVALS_LEAST)
        return CHANGE_UNKNOWN;
    bool agree = (c->delta > 0) == (c->after > c->before);
    if (!is_certain(c, p_intervals, p_requests) || !agree ||
        !matters(c->measure, c->before, c->after))
        return CHANGE_NONE;
    if (measures[c->measure].neutral)
        return CHANGE_DIFFERENT;
    return c->after > c->before ? CHANGE_WORSE : CHANGE_BETTER;
}

int compare(enum measure m, const struct compare_side *before, const struct compare_side *after,
            struct arena *arena, struct comparison *out)
{
    struct mann_whitney ranks;
    double p_requests = -1;
    *out = (struct comparison){.measure = m,
                               .before_count = tidy(before->values, before->count),
                               .after_count = tidy(after->values, after->count)};
    out->before = median(before->values, out->before_count);
    out->after = median(after->values, out->after_count);
    if (mann_whitney(before->values, out->before_count, after->values, out->after_count, &ranks))
        return -1;
    if (measures[m].quantile > 0 && before->requests && after->requests &&
        compare_requests(measures[m].quantile, before->requests, after->requests, arena, out,
                         &p_requests) != 0)
        return -1;
    double p = ranks.p > p_requests ? ranks.p : p_requests;
    out->delta = ranks.delta;
    out->confidence = 1 - p;
    out->ratio = out->before == 0 ? NAN : out->after / out->before;
    out->change = judge(out, ranks.p, p_requests);
    return 0;
}
