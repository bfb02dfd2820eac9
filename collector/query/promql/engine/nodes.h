// SPDX-License-Identifier: Apache-2.0
/* How each form of expression becomes a stream; called by stream_open. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_NODES_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_NODES_H

#include "collector/query/promql/engine/evaluation.h"

#define OPENS(name)                                                                                \
    struct stream *name(struct evaluation *ev, const struct promql_expr *e, const struct grid *grid)

OPENS(selector_open);
OPENS(timestamp_open);  /* of a selector: the times of its samples */
OPENS(range_call_open); /* functions over a range vector */
OPENS(math_open);       /* abs, clamp, round … each value by itself */
OPENS(calendar_open);
OPENS(histogram_value_open);    /* histogram_count, _sum, _avg, _stddev, _stdvar */
OPENS(histogram_quantile_open); /* histogram_quantile, histogram_quantiles, histogram_fraction */
OPENS(label_replace_open);
OPENS(label_join_open);
OPENS(absent_open);
OPENS(absent_over_time_open);
OPENS(sort_open);
OPENS(info_open);
OPENS(aggregation_open);
OPENS(top_open); /* topk, bottomk, limitk */
OPENS(limit_ratio_open);
OPENS(quantile_open); /* the aggregation */
OPENS(count_values_open);
OPENS(unary_open);
OPENS(scalar_operand_open); /* a scalar on one side */
OPENS(matched_open);        /* vectors on both sides */
OPENS(set_open);            /* and, or, unless */

/* Matchers with their patterns compiled. */
struct matcher *selector_matchers(struct evaluation *ev, const struct promql_expr *e);
/* A selector's samples at each step, in `out`; `times` (may be NULL): when each was taken. */
void selector_fill(struct evaluation *ev, const struct promql_expr *e, const struct grid *grid,
                   const struct points *points, struct column *out, int64_t *times);
/* From when to when a selector of this plan reads for a grid; `lookback` before, `ahead` behind. */
struct span {
    int64_t from_ms, to_ms;
};
struct span selector_span(const struct node_plan *plan, const struct grid *grid,
                          int64_t lookback_ms);

#endif
