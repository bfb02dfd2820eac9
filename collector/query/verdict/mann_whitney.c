// SPDX-License-Identifier: Apache-2.0
#include "collector/query/verdict/mann_whitney.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

struct ranked {
    double value;
    bool of_b;
};

static int by_value(const void *left, const void *right)
{
    double a = ((const struct ranked *)left)->value, b = ((const struct ranked *)right)->value;
    return (a > b) - (a < b);
}

double normal_p(double z)
{
    return erfc(fabs(z) / M_SQRT2);
}

/* The sum of b's ranks, from 1; *ties: the sum of t³ - t over groups of t equal values. */
static double sum_ranks(const struct ranked *all, size_t count, double *ties)
{
    double sum = 0;
    *ties = 0;
    for (size_t i = 0; i < count;) {
        size_t end = i, of_b = 0;
        while (end < count && all[end].value == all[i].value)
            of_b += all[end++].of_b;
        double t = (double)(end - i);
        sum += (double)of_b * ((double)(i + 1) + (double)end) / 2;
        *ties += t * t * t - t;
        i = end;
    }
    return sum;
}

int mann_whitney(const double *a, size_t a_count, const double *b, size_t b_count,
                 struct mann_whitney *out)
{
    size_t count = a_count + b_count;
    *out = (struct mann_whitney){.p = 1};
    if (a_count == 0 || b_count == 0)
        return 0;
    struct ranked *all = malloc(count * sizeof *all);
    if (!all)
        return -1;
    for (size_t i = 0; i < a_count; i++)
        all[i] = (struct ranked){a[i], false};
    for (size_t i = 0; i < b_count; i++)
        all[a_count + i] = (struct ranked){b[i], true};
    qsort(all, count, sizeof *all, by_value);
    double ties, n = (double)a_count, m = (double)b_count, total = (double)count;
    out->u = sum_ranks(all, count, &ties) - m * (m + 1) / 2;
    out->delta = 2 * out->u / (n * m) - 1;
    double variance = n * m / 12 * ((total + 1) - ties / (total * (total - 1)));
    double distance = fabs(out->u - n * m / 2) - 0.5;
    if (variance > 0 && distance > 0)
        out->p = normal_p(distance / sqrt(variance));
    free(all);
    return 0;
}
