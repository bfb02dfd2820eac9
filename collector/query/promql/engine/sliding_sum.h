// SPDX-License-Identifier: Apache-2.0
/* Sums of windows that slide over the samples of a series. Each sample is added about twice,
 * however many windows it is in, and nothing is ever subtracted: rounding is compensated as in a
 * sum that is made anew. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_SLIDING_SUM_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_SLIDING_SUM_H

#include "collector/query/promql/engine/evaluation.h"
#include "collector/query/promql/engine/kahan.h"

struct sliding_sum;

struct sliding_sum *sliding_sum_create(struct evaluation *ev);
/* Of samples [first, end) of `value`, the whole of a series with the number `series`; of one series
 * neither ever falls. False where the sum is not finite: it is to be made in the samples' order. */
bool sliding_sum(struct evaluation *ev, struct sliding_sum *s, uint64_t series, const double *value,
                 size_t first, size_t end, struct kahan *out);

#endif
