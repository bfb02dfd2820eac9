// SPDX-License-Identifier: Apache-2.0
/* A block while one query looks at it: the block's columns, and what follows from them, each made
 * when it is asked for first: where the spans below a span end, how many children it has, its
 * depth; a trace's start, end and root. Memory is the arena's and lasts until it is reset.
 *
 * What fails (memory, a damaged segment) is remembered in `failed`; the answers are NULL or
 * empty from then on, and the block's `error` says why. One thread. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_VIEW_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_VIEW_H

#include "collector/query/traceql/engine/bits.h"
#include "collector/traces/block.h"
#include "lib/base/arena.h"

struct view_trace {
    bool known;
    uint64_t start_unix_ns, end_unix_ns;
};

struct view {
    struct block *block;
    struct arena *arena;
    uint32_t rows, words;
    bool failed, over_limit;
    size_t limit_bytes; /* of the arena; 0: none. Beyond it the view fails, over_limit */
    const struct block_strings *strings; /* NULL: not asked for yet */
    const struct block_processes *processes;
    uint32_t *ends, *children, *depths;
    struct view_trace *traces;
    uint32_t *roots;   /* + 1; 0: not looked for yet */
    uint32_t trace_at; /* where the last row's trace was found */
};

void view_init(struct view *v, struct block *block, struct arena *arena);

/* `count` items, not zeroed; view_zeroed: zeroed. NULL: memory is out, and the view failed. */
void *view_alloc(struct view *v, size_t count, size_t bytes);
void *view_zeroed(struct view *v, size_t count, size_t bytes);
/* A set of no rows, and one of all. */
uint64_t *view_none(struct view *v);
uint64_t *view_every(struct view *v);

const uint64_t *view_u64(struct view *v, enum block_u64 column);
const uint32_t *view_u32(struct view *v, enum block_u32 column);
const uint8_t *view_u8(struct view *v, enum block_u8 column);
const struct block_strings *view_strings(struct view *v);
const struct block_processes *view_processes(struct view *v);
const struct block_attribute *view_attribute(struct view *v, enum block_scope scope,
                                             struct batch_str key);
const uint32_t *view_attribute_rows(struct view *v, const struct block_attribute *a);
const struct block_events *view_events(struct view *v);
const struct block_links *view_links(struct view *v);

/* One item a row: the row behind the last that is below it; its children; how deep it stands (0:
 * at the top of its trace). */
const uint32_t *view_ends(struct view *v);
const uint32_t *view_children(struct view *v);
const uint32_t *view_depths(struct view *v);

/* The index of the row's trace; fast for rows that are near the last one asked for. */
uint32_t view_trace_of(struct view *v, uint32_t row);
/* NULL: failed. */
const struct view_trace *view_trace(struct view *v, uint32_t trace);
/* The row of the earliest span of the trace that has no parent. BLOCK_NONE: it did not arrive (or
 * the view failed). */
uint32_t view_root(struct view *v, uint32_t trace);

#endif
