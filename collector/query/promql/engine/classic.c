// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/engine/classic.h"

#include <stdlib.h>
#include <string.h>

bool classic_bound(struct batch_str le, double *upper)
{
    char text[64], *end;
    if (le.length == 0 || le.length >= sizeof text || le.bytes[0] == ' ')
        return false;
    memcpy(text, le.bytes, le.length);
    text[le.length] = 0;
    *upper = strtod(text, &end);
    return *end == 0 && end != text;
}

static int compare_upper(const void *a, const void *b)
{
    double x = ((const struct classic_bucket *)a)->upper;
    double y = ((const struct classic_bucket *)b)->upper;
    return (x > y) - (x < y);
}

/* Sorts and makes one of those with the same bound. How many are left; 0: the last is not +Inf. */
static size_t prepare(struct classic_bucket *b, size_t count)
{
    size_t kept = 0;
    qsort(b, count, sizeof *b, compare_upper);
    if (count == 0 || b[count - 1].upper != INFINITY)
        return 0;
    for (size_t i = 1; i < count; i++) {
        if (b[i].upper == b[kept].upper)
            b[kept].count += b[i].count;
        else
            b[++kept] = b[i];
    }
    return kept + 1;
}

static bool almost_equal(double a, double b)
{
    double size = fabs(a) + fabs(b), difference = fabs(a - b);
    if (a == 0 || b == 0 || size < 2.2250738585072014e-308)
        return difference < 1e-12 * 2.2250738585072014e-308;
    return difference / fmin(size, 1.7976931348623157e308) < 1e-12;
}

/* Counts never fall from bucket to bucket: what rounding did is mended, more than that is told. */
static bool force_monotonic(struct classic_bucket *b, size_t count, struct monotonicity *widest)
{
    bool forced = false;
    double before = b[0].count;
    for (size_t i = 1; i < count; i++) {
        double now = b[i].count;
        if (now == before)
            continue;
        if (almost_equal(now, before) || now < before) {
            if (!almost_equal(now, before)) {
                if (!forced)
                    widest->from = b[i].upper;
                widest->to = b[i].upper;
                if (before - now > widest->difference || !forced)
                    widest->difference = before - now;
                forced = true;
            }
            b[i].count = before;
            continue;
        }
        before = now;
    }
    return forced;
}

double classic_quantile(struct classic_bucket *b, size_t count, double q, bool *forced,
                        struct monotonicity *widest)
{
    *forced = false;
    if (isnan(q))
        return NAN;
    if (q < 0 || q > 1)
        return q < 0 ? -INFINITY : INFINITY;
    count = prepare(b, count);
    if (count == 0)
        return NAN;
    *forced = force_monotonic(b, count, widest);
    if (count < 2 || b[count - 1].count == 0 || isnan(b[count - 1].count))
        return NAN;
    double rank = q * b[count - 1].count;
    size_t at = 0;
    while (at < count - 1 && !(b[at].count >= rank))
        at++;
    if (at == count - 1)
        return b[count - 2].upper;
    if (at == 0 && b[0].upper <= 0)
        return b[0].upper;
    double lower = at > 0 ? b[at - 1].upper : 0, below = at > 0 ? b[at - 1].count : 0;
    return lower + (b[at].upper - lower) * ((rank - below) / (b[at].count - below));
}

double classic_fraction(struct classic_bucket *b, size_t count, double lower, double upper,
                        struct histogram_bucket *scratch)
{
    count = prepare(b, count);
    if (count == 0)
        return NAN;
    for (size_t i = 0; i < count; i++) {
        scratch[i] = (struct histogram_bucket){i ? b[i - 1].upper : -INFINITY, b[i].upper,
                                               b[i].count - (i ? b[i - 1].count : 0), false};
        if (i == 0 && b[0].upper > 0)
            scratch[0].lower = 0;
    }
    return histogram_bucket_fraction(scratch, count, b[count - 1].count, lower, upper);
}
