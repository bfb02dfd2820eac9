// SPDX-License-Identifier: Apache-2.0
/* What the benchmarks share: a clock, medians, and how a figure is printed. */
#ifndef WEFT_BENCH_MEASURE_H
#define WEFT_BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double measure_clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline double measure_wall_ns(void)
{
    return measure_clock_ns(CLOCK_MONOTONIC);
}

static inline double measure_cpu_ns(void)
{
    return measure_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static inline int measure_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts `values`. `share` 0.5 is the median. */
static inline double measure_quantile(double *values, size_t count, double share)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, measure_compare);
    return values[(size_t)(share * (double)(count - 1) + 0.5)];
}

#endif
