// SPDX-License-Identifier: Apache-2.0
/* A block: complete traces, one after the other, each in the order of its tree (order.h), with
 * columns that are made when they are asked for. It is the form in which questions scan spans,
 * wherever these live:
 *
 *   segment/       a row group of a segment: only the columns asked for are unpacked
 *   block_runs.c   runs of batches: the head, and traces that lie in several places
 *
 * Everything that an accessor returns lives as long as the block, and is the same at each call.
 * An accessor returns NULL (or false) when memory is out or the segment is damaged, and
 * `error` tells which; a block with an error stays so. A block is used by one thread.
 */
#ifndef WEFT_COLLECTOR_TRACES_BLOCK_H
#define WEFT_COLLECTOR_TRACES_BLOCK_H

#include <stdbool.h>

#include "lib/codec/batch.h"

#define BLOCK_NONE UINT32_MAX

/* Columns of 64-bit numbers, one a row. */
enum block_u64 { BLOCK_START, BLOCK_DURATION, BLOCK_SPAN_ID, BLOCK_PARENT_ID, BLOCK_U64S };
/* Of 32-bit numbers. NAME, STATUS_MESSAGE and TRACESTATE index the block's strings, PROCESS its
 * processes. PARENT is the parent's row, always smaller than the row itself; BLOCK_NONE: a root,
 * an orphan (PARENT_ID is not 0 then), or where a circle was cut. */
enum block_u32 {
    BLOCK_NAME,
    BLOCK_STATUS_MESSAGE,
    BLOCK_TRACESTATE,
    BLOCK_PROCESS,
    BLOCK_PARENT,
    BLOCK_U32S
};
/* Of bytes: enum span_kind, enum span_status, SPAN_FLAG_*, a count. */
enum block_u8 { BLOCK_KIND, BLOCK_STATUS, BLOCK_FLAGS, BLOCK_DROPPED_ATTRIBUTES, BLOCK_U8S };

struct block_trace {
    struct trace_id id;
    uint32_t row, count;
};

struct block_strings {
    const struct batch_str *list; /* [0] is the empty string */
    uint32_t count;
    bool sorted; /* bytewise, a shorter prefix first, without equals. Else equals may be there */
};

/* Processes with their resource attributes, whose keys and STRING or BYTES values index
 * `strings` (not the block's own). A process may be there twice. */
struct block_processes {
    const struct batch_process_view *list;
    uint32_t count;
    const struct batch_attributes *resource;
    const struct batch_str *strings;
};

enum block_scope { BLOCK_SPAN, BLOCK_EVENT, BLOCK_LINK, BLOCK_SCOPES };

/* All values under one key in one scope: in the order of rows; within a row as the span has
 * them (a key may be there twice), or as its events or links follow each other. */
struct block_attribute {
    uint32_t count;
    const uint8_t *type;   /* enum value_type */
    const uint64_t *value; /* as in batch_attribute; STRING and BYTES index the block's strings */
    void *rows;            /* the provider's */
};

/* Events and links, in the order of rows. */
struct block_events {
    uint32_t count;
    const uint32_t *row, *name; /* name: the block's strings */
    const uint64_t *unix_ns;
};
struct block_links {
    uint32_t count;
    const uint32_t *row;
    const uint64_t *trace_hi, *trace_lo, *span_id;
};

enum block_error { BLOCK_OK, BLOCK_ENOMEM, BLOCK_EDAMAGED, BLOCK_EIO };

struct block;

struct block_provider {
    const uint64_t *(*u64)(struct block *b, enum block_u64 column);
    const uint32_t *(*u32)(struct block *b, enum block_u32 column);
    const uint8_t *(*u8)(struct block *b, enum block_u8 column);
    const struct block_strings *(*strings)(struct block *b);
    const struct block_processes *(*processes)(struct block *b);
    /* Empty where no span has the key: only the first of its values' rows are found out later. */
    const struct block_attribute *(*attribute)(struct block *b, enum block_scope scope,
                                               const void *key, size_t length);
    const uint32_t *(*attribute_rows)(struct block *b, const struct block_attribute *a);
    /* For EVENT and LINK: the index in block_events or block_links of each value. */
    const uint32_t *(*attribute_items)(struct block *b, const struct block_attribute *a);
    const struct block_events *(*events)(struct block *b);
    const struct block_links *(*links)(struct block *b);
    /* Every key of a scope, once or more often. */
    bool (*keys)(struct block *b, enum block_scope scope,
                 void (*each)(void *context, struct batch_str key), void *context);
    void (*close)(struct block *b);
};

struct block {
    const struct block_provider *provider;
    enum block_error error;
    uint32_t rows;
    const struct block_trace *traces; /* one after the other, from row 0 to `rows` */
    uint32_t trace_count;
};

static inline const uint64_t *block_u64(struct block *b, enum block_u64 column)
{
    return b->provider->u64(b, column);
}
static inline const uint32_t *block_u32(struct block *b, enum block_u32 column)
{
    return b->provider->u32(b, column);
}
static inline const uint8_t *block_u8(struct block *b, enum block_u8 column)
{
    return b->provider->u8(b, column);
}
static inline const struct block_strings *block_strings(struct block *b)
{
    return b->provider->strings(b);
}
static inline const struct block_processes *block_processes(struct block *b)
{
    return b->provider->processes(b);
}
static inline const struct block_attribute *block_attribute(struct block *b, enum block_scope scope,
                                                            const void *key, size_t length)
{
    return b->provider->attribute(b, scope, key, length);
}
/* The row of each value, ascending. Costs more than the values: ask when one of them matters. */
static inline const uint32_t *block_attribute_rows(struct block *b, const struct block_attribute *a)
{
    return b->provider->attribute_rows(b, a);
}
static inline const uint32_t *block_attribute_items(struct block *b,
                                                    const struct block_attribute *a)
{
    return b->provider->attribute_items(b, a);
}
static inline const struct block_events *block_events(struct block *b)
{
    return b->provider->events(b);
}
static inline const struct block_links *block_links(struct block *b)
{
    return b->provider->links(b);
}
static inline bool block_keys(struct block *b, enum block_scope scope,
                              void (*each)(void *context, struct batch_str key), void *context)
{
    return b->provider->keys(b, scope, each, context);
}
static inline void block_close(struct block **b)
{
    if (*b)
        (*b)->provider->close(*b);
    *b = NULL;
}

/* What is known of rows without a look at them: whether a scan may pass by a block. */
struct block_bounds {
    uint32_t rows, traces;
    uint64_t bytes; /* to be read for all columns */
    uint64_t start_min_unix_ns, start_max_unix_ns, end_max_unix_ns;
    uint64_t duration_min_ns, duration_max_ns;
    uint8_t kinds, statuses; /* a bit for each that occurs */
};

/* A block over traces given as runs, which stay the caller's and must outlive it. The runs of
 * trace i are runs[first[i]] to runs[first[i + 1]], first[traces] the end. NULL: no memory. */
struct span_run;
struct block *block_of_runs(const struct span_run *runs, const uint32_t *first, uint32_t traces);
/* Which row of its batch a row of such a block is. */
uint32_t block_runs_row(const struct block *b, uint32_t row);
/* The same, and the block takes over what it stands on: the malloc'ed lists, and the arena (which
 * is left empty; may be NULL) with the batches in it. Also where it fails. */
struct block *block_of_own_runs(struct span_run *runs, uint32_t *first, uint32_t traces,
                                struct arena *arena);

#endif
