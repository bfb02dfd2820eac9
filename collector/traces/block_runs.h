// SPDX-License-Identifier: Apache-2.0
/* What the files of a block over runs share: block_runs.c (making it), block_runs_columns.c
 * (columns, dictionaries, events, links), block_runs_attributes.c. Belongs to one thread. */
#ifndef WEFT_COLLECTOR_TRACES_BLOCK_RUNS_H
#define WEFT_COLLECTOR_TRACES_BLOCK_RUNS_H

#include "collector/traces/block.h"
#include "collector/traces/run.h"

struct runs_source { /* a batch, and where its strings and processes begin in the block's */
    const struct batch *batch;
    uint32_t strings, processes;
};

struct runs_place { /* of a row */
    uint32_t source, row;
};

struct runs_block {
    struct block block; /* first: providers cast */
    struct arena arena;
    struct runs_source *sources;
    uint32_t source_count;
    struct runs_place *places;
    uint32_t *parents;
    const uint64_t *u64[BLOCK_U64S];
    const uint32_t *u32[BLOCK_U32S];
    const uint8_t *u8[BLOCK_U8S];
    struct block_strings *strings;
    struct block_processes *processes;
    struct block_events *events;
    struct block_links *links;
    struct runs_attribute *attributes;
    /* What block_of_own_runs took over. */
    struct span_run *own_runs;
    uint32_t *own_first;
    struct arena own_batches;
};

static inline void *runs_need(struct runs_block *b, size_t count, size_t bytes)
{
    void *memory = arena_calloc(&b->arena, count ? count : 1, bytes);
    if (!memory)
        b->block.error = BLOCK_ENOMEM;
    return memory;
}

static inline const struct batch *runs_batch_of(const struct runs_block *b, uint32_t row)
{
    return b->sources[b->places[row].source].batch;
}

/* A batch's index of a string as the block's; the empty string is one for all. */
static inline uint32_t runs_string_of(const struct runs_source *s, uint64_t index)
{
    return index ? s->strings + (uint32_t)index : 0;
}

static inline uint32_t runs_count_strings(const struct runs_block *b)
{
    if (b->source_count == 0)
        return 1;
    const struct runs_source *last = &b->sources[b->source_count - 1];
    return last->strings + last->batch->string_count;
}

/* The provider's calls (block.h). */
const uint64_t *runs_u64(struct block *block, enum block_u64 column);
const uint32_t *runs_u32(struct block *block, enum block_u32 column);
const uint8_t *runs_u8(struct block *block, enum block_u8 column);
const struct block_strings *runs_strings(struct block *block);
const struct block_processes *runs_processes(struct block *block);
const struct block_events *runs_events(struct block *block);
const struct block_links *runs_links(struct block *block);
const struct block_attribute *runs_attribute(struct block *block, enum block_scope scope,
                                             const void *key, size_t length);
const uint32_t *runs_attribute_rows(struct block *block, const struct block_attribute *a);
const uint32_t *runs_attribute_items(struct block *block, const struct block_attribute *a);
bool runs_keys(struct block *block, enum block_scope scope,
               void (*each)(void *context, struct batch_str key), void *context);

#endif
