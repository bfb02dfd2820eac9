// SPDX-License-Identifier: Apache-2.0
/* Series once they are counted: what functions answer with, arithmetic between them, thresholds,
 * topk() and bottomk(). */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_SERIES_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_SERIES_H

#include "collector/query/traceql/engine/table.h"

/* A list that is the arena's. */
struct series_list {
    uint32_t count;
    struct traceql_timeseries *list;
};

struct series_shape {
    struct arena *arena;
    uint64_t step_ns;
    uint32_t steps;
    size_t limit_bytes;      /* of the arena; 0: none */
    bool failed, over_limit; /* memory is out, or beyond the limit */
};

void *series_alloc(struct series_shape *s, size_t count, size_t bytes);

/* What a function makes of its table. `names`: of the by() fields. The table's buckets are sorted
 * by it. */
struct series_list series_of_table(struct series_shape *s, struct table *t,
                                   const struct traceql_metrics *m, const struct batch_str *names);

/* Series with the same labels are joined; one without labels joins with each of the other side;
 * what finds no partner goes. A missing value counts as 0; what is divided by 0 is missing. */
struct series_list series_arithmetic(struct series_shape *s, enum traceql_op op,
                                     struct series_list left, struct series_list right);
/* Points that do not pass become NaN; series without a point go. Durations are in seconds. */
struct series_list series_threshold(struct series_shape *s, enum traceql_op op,
                                    const struct traceql_value *value, struct series_list list);
/* At each step the `limit` greatest (or least) values stay, equal ones by their labels. */
struct series_list series_top(struct series_shape *s, bool greatest, int64_t limit,
                              struct series_list list);

/* By labels. */
int series_order(const void *left, const void *right);

#endif
