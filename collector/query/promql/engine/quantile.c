// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/engine/quantile.h"

#include <math.h>
#include <stdlib.h>

static int compare_values(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    if (isnan(x) || isnan(y))
        return isnan(y) - isnan(x);
    return (x > y) - (x < y);
}

double quantile_of(double *values, size_t count, double q)
{
    if (count == 0 || isnan(q))
        return NAN;
    if (q < 0 || q > 1)
        return q < 0 ? -INFINITY : INFINITY;
    qsort(values, count, sizeof *values, compare_values);
    double rank = q * (double)(count - 1), lower = floor(rank), weight = rank - lower;
    size_t at = (size_t)lower, above = at + 1 < count ? at + 1 : count - 1;
    return values[at] * (1 - weight) + values[above] * weight;
}
