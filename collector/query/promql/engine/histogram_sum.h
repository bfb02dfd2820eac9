// SPDX-License-Identifier: Apache-2.0
/* Sums and means of histograms, with what rounding loses, and what is to be told of them. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_HISTOGRAM_SUM_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_HISTOGRAM_SUM_H

#include "collector/query/promql/engine/evaluation.h"

struct histogram_sum {
    struct histogram *sum, *lost; /* sum NULL: there was none yet */
    double count;
    bool mean, moving; /* of a mean that moves: its sum would overflow */
    bool mixed;        /* exponential and custom buckets: there is no sum */
    bool reset_seen, no_reset_seen;
    struct histogram_notes notes;
};

void histogram_sum_add(struct evaluation *ev, struct histogram_sum *s, const struct histogram *h,
                       struct arena *arena);
/* NULL where there is none. The sum is not to be added to any more. */
struct histogram *histogram_sum_finish(struct evaluation *ev, struct histogram_sum *s,
                                       struct arena *arena);
/* Tells collisions of resets, and that bounds were reconciled. */
void histogram_sum_annotate(struct evaluation *ev, const struct histogram_sum *s,
                            struct language_place at);

#endif
