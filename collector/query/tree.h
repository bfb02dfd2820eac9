// SPDX-License-Identifier: Apache-2.0
/* A trace as a tree, made of whatever has arrived of it (traces/order.h says how copies,
 * duplicate ids, orphans and circles are treated). A tree points into batches, which the caller
 * keeps alive. */
#ifndef WEFT_COLLECTOR_QUERY_TREE_H
#define WEFT_COLLECTOR_QUERY_TREE_H

#include <stdbool.h>

#include "collector/traces/order.h"
#include "collector/traces/run.h"

#define TREE_NONE ORDER_NONE

enum tree_flag {
    TREE_ORPHAN = ORDER_ORPHAN,
    TREE_DUPLICATE = ORDER_DUPLICATE,
    TREE_CYCLE = ORDER_CYCLE,
};

struct tree_node {
    const struct batch *batch;
    uint32_t row;
    uint32_t process; /* in `processes` */
    uint32_t parent;  /* in `nodes`, before this one; TREE_NONE at the top level */
    uint8_t flags;
};

struct tree_process {
    const struct batch *batch; /* that `view` belongs to */
    const struct batch_process_view *view;
    uint32_t spans;
};

struct tree {
    struct tree_node *nodes; /* in the order in which they are shown */
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

static inline uint64_t tree_start_unix_ns(const struct tree *t, uint32_t node)
{
    return t->nodes[node].batch->start_unix_ns[t->nodes[node].row];
}
static inline uint64_t tree_duration_ns(const struct tree *t, uint32_t node)
{
    return t->nodes[node].batch->duration_ns[t->nodes[node].row];
}

/* One root, and every span's parent is there. */
static inline bool tree_complete(const struct tree *t)
{
    return t->roots == 1 && t->orphans == 0 && t->cycles == 0;
}

#endif
