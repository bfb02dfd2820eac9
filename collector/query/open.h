// SPDX-License-Identifier: Apache-2.0
/* The spans in flight as runs by trace, so that a tree can be built from them and from the
 * head's runs alike. Made for one question, from the snapshots that it holds. */
#ifndef WEFT_COLLECTOR_QUERY_OPEN_H
#define WEFT_COLLECTOR_QUERY_OPEN_H

#include "collector/traces/inflight.h"
#include "collector/traces/store.h"

struct open_trace {
    struct trace_id id;
    uint64_t start_unix_ns; /* the earliest of those in flight */
    size_t first, count;    /* in `runs` */
};

struct open_index {
    struct span_run *runs; /* of one row each, by trace */
    size_t run_count;
    struct open_trace *traces; /* by id */
    size_t trace_count;
    uint32_t *slots; /* hash of the id → trace + 1 */
    size_t mask;
};

/* -1 when memory is out. */
int open_index_init(struct open_index *o, const struct inflight_hold *hold);
void open_index_fini(struct open_index *o);

/* The store's runs of a trace (store_find) and those in flight together; *runs is malloc'ed.
 * -1: no memory. */
int open_index_gather(const struct open_index *o, const struct store_hold *hold, struct trace_id id,
                      bool details, struct arena *arena, struct span_run **runs, size_t *count);

#endif
