// SPDX-License-Identifier: Apache-2.0
/* The critical path: for each moment of the root's time, the one span that the answer was waiting
 * for. Made faster, it would have made the whole faster (until another took its place).
 *
 * Found as Uber's CRISP describes: from a span's end back, the child that ended last is what the
 * span waited for; before that child began, the one that ended last before then; and so on, and
 * the same within each of these children. What no child accounts for is the span's own.
 *
 * A child that overlaps the next one's beginning was not waited for there (the next did not wait
 * for it to end), unless it is by a hundredth of its own time: clocks and bookkeeping.
 * A child that outlives its parent is asynchronous and held nobody up, unless the parent had to
 * wait and gave up: a server under its client, and any child of a parent that failed, died or is
 * in flight. These count up to the parent's end.
 *
 * Orphans in the root's time are taken as if they were the root's own children: somewhere below
 * it they were called. Where there is no root, the path covers all of the trace, top-level spans
 * are the children of nobody, and what none of them accounts for is TREE_NONE's.
 *
 * O(n log n).
 */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_CRITICAL_PATH_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_CRITICAL_PATH_H

#include "collector/query/analysis/timeline.h"

struct critical_segment {
    uint64_t from_unix_ns, to_unix_ns;
    uint32_t node; /* TREE_NONE: of nobody that is known */
};

struct critical_path {
    struct critical_segment *segments; /* without gaps, in time order */
    uint32_t count;
    uint64_t *critical_ns; /* of each node: the sum of its own segments */
    uint64_t total_ns;     /* the root's duration */
    uint64_t unknown_ns;   /* of nobody */
};

/* Of the time of `root`, a node, or of t->root for TREE_NONE. -1 when memory is out; then there
 * is nothing to free. */
int critical_path_build(struct critical_path *p, const struct tree *t, const struct timeline *l,
                        uint32_t root);
void critical_path_fini(struct critical_path *p);

#endif
