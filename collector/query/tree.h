// SPDX-License-Identifier: Apache-2.0
/* A trace's tree, built from whatever has arrived of it.
 *
 *   1. Copies of the same span (its process died between writing and forgetting, or it is in
 *      flight in one batch and ended in another) become one: ended beats died beats in flight.
 *   2. Parents are found by span id. Where two different spans have the same id, the earlier
 *      start is the parent and the later is marked a duplicate.
 *   3. A parent that is not here makes an orphan. Parents that lead round in a circle are cut
 *      at the earliest span of the circle. Both stand at the top level, as roots do.
 *   4. Order: parents first, siblings by start.
 *
 * All of it takes O(n log n) whatever the ids are; there is no recursion. A tree points into
 * batches, which the caller keeps alive.
 */
#ifndef WEFT_COLLECTOR_QUERY_TREE_H
#define WEFT_COLLECTOR_QUERY_TREE_H

#include <stdbool.h>

#include "collector/traces/store.h"

enum { TREE_NONE = UINT32_MAX };

enum tree_flag {
    TREE_ORPHAN = 1,    /* its parent is not here */
    TREE_DUPLICATE = 2, /* an equal span id came before it */
    TREE_CYCLE = 4,     /* its parents led back to it: cut here */
};

struct tree_node {
    const struct batch *batch;
    uint32_t row;
    uint32_t process; /* in `processes` */
    uint32_t parent;  /* in `nodes`, TREE_NONE at the top level */
    uint8_t flags;
};

struct tree_process {
    const struct batch *batch; /* that `view` belongs to */
    const struct batch_process_view *view;
    const char *agent;
    uint32_t spans;
};

struct tree {
    struct tree_node *nodes; /* in order of arrival */
    uint32_t *order;         /* indices of nodes, as they are shown */
    uint32_t count;
    struct tree_process *processes;
    uint32_t process_count, process_capacity;
    uint64_t start_unix_ns, end_unix_ns;
    uint32_t errors, died, in_flight;
    uint32_t roots, orphans, cycles;
    uint32_t root; /* the earliest root, TREE_NONE: there is none */
};

/* Builds from runs of one trace. -1 when memory is out; then there is nothing to free. */
int tree_build(struct tree *t, const struct span_run *runs, size_t run_count);
void tree_fini(struct tree *t);

/* One root, and every span's parent is there. */
static inline bool tree_complete(const struct tree *t)
{
    return t->roots == 1 && t->orphans == 0 && t->cycles == 0;
}

#endif
