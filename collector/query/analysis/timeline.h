// SPDX-License-Identifier: Apache-2.0
/* A tree on the time axis: start and end of each span, corrected by the skew that was estimated,
 * and what is below each span sorted by its end, the last first. What critical path and self time
 * are read from. */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_TIMELINE_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_TIMELINE_H

#include "collector/query/analysis/skew.h"

struct timeline_span {
    uint64_t start_unix_ns, end_unix_ns;
    uint32_t node;
};

struct timeline_list {
    const struct timeline_span *spans; /* the last end first; of equal ends the earlier start */
    uint32_t count;
};

struct timeline {
    uint64_t *start_unix_ns, *end_unix_ns; /* of each node; the end is never before the start */
    struct timeline_span *spans;           /* all nodes but one's own, grouped by parent */
    uint32_t *first;                       /* in `spans`, of each node; [count] the top level */
};

/* `skew` may be NULL. O(n log n). -1 when memory is out; then there is nothing to free. */
int timeline_build(struct timeline *l, const struct tree *t, const struct skew *skew);
void timeline_fini(struct timeline *l);

/* The children of `node`; of TREE_NONE: the top level. */
struct timeline_list timeline_below(const struct timeline *l, const struct tree *t, uint32_t node);

/* For each node: its duration less the time in which any child ran. */
void timeline_self_ns(const struct timeline *l, const struct tree *t, uint64_t *self_ns);

#endif
