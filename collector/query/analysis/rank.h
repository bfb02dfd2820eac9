// SPDX-License-Identifier: Apache-2.0
/* How slow is a span among its like? The durations of each operation (service, name, kind) as a
 * histogram, fed with many trees; then the rank of a span in it.
 *
 * What has not ended by itself (died, in flight) is not in the histograms: its duration is not
 * known, only that it is at least so long. It may be ranked all the same.
 * Memory: at most `operations` histograms of at most 1280 buckets.
 */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_RANK_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_RANK_H

#include "collector/query/analysis/operations.h"
#include "collector/query/tree.h"
#include "lib/model/exphist.h"

struct rank {
    struct operations operations;
    struct exphist *durations; /* in ns, of each operation; [0]: of those beyond the bound */
    uint32_t capacity;
};

void rank_init(struct rank *r, uint32_t operations);
void rank_fini(struct rank *r);
/* -1 when memory is out: some of it may be counted. */
int rank_add(struct rank *r, const struct tree *t);
/* The part (0 to 1) of the spans of its operation that took less time, and how many spans that
 * is known from; -1 where none is. */
double rank_of(const struct rank *r, const struct tree *t, uint32_t node, uint64_t *among);

#endif
