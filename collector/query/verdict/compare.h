// SPDX-License-Identifier: Apache-2.0
/* Whether a measure changed between two times, or two versions: by its values in many short
 * intervals, and for quantiles also by all requests themselves.
 *
 * Said to have changed is only what is certain (p at most 0.01), shows in most intervals (Cliff's
 * delta beyond 0.33) and is large enough to matter (each measure has a least change). Of a quantile
 * the certainty comes from all requests, and the intervals must agree (p at most 0.05, delta beyond
 * 0.2). So a deploy that changes nothing is called so 99 times in 100, however many requests there
 * are; tests/unit/collector/query/verdict counts. */
#ifndef WEFT_COLLECTOR_QUERY_VERDICT_COMPARE_H
#define WEFT_COLLECTOR_QUERY_VERDICT_COMPARE_H

#include <stddef.h>

#include "lib/base/arena.h"
#include "lib/model/histogram.h"

enum measure {
    MEASURE_P50,
    MEASURE_P99,
    MEASURE_ERROR_RATE,
    MEASURE_RATE,
    MEASURE_CPU,
    MEASURE_MEMORY,
    MEASURES
};
/* "p50_seconds", "error_rate" …: with the unit. */
const char *measure_name(enum measure m);

enum change {
    CHANGE_UNKNOWN, /* too few intervals to say */
    CHANGE_NONE,
    CHANGE_BETTER,
    CHANGE_WORSE,
    CHANGE_DIFFERENT, /* of a rate, which is neither good nor bad */
};
const char *change_name(enum change c); /* "unknown", "none", "better", "worse", "different" */

enum { COMPARE_INTERVALS_LEAST = 8 };

struct comparison {
    enum measure measure;
    enum change change;
    size_t before_count, after_count; /* intervals */
    double before, after;             /* of a quantile: of all requests; else the medians */
    double ratio;                     /* after / before; NaN where before is 0 */
    double delta;                     /* Cliff's: how much of the intervals it shows in */
    double confidence;                /* 1 - p, of the less certain test */
};

/* One side: values of its intervals (NaN: none), and for quantiles all its requests. The values are
 * reordered. */
struct compare_side {
    double *values;
    size_t count;
    const struct histogram *requests; /* NULL: there are none */
};

/* 0; -1: no memory. */
int compare(enum measure m, const struct compare_side *before, const struct compare_side *after,
            struct arena *arena, struct comparison *out);

#endif
