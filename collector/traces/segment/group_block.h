// SPDX-License-Identifier: Apache-2.0
/* What a group keeps as a block: shared by group_block.c, which has the columns of rows, and
 * group_block_details.c, which has attributes, events and links. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_GROUP_BLOCK_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_GROUP_BLOCK_H

#include "collector/traces/segment/reader.h"

/* Values under one key, and what was found out of them later. */
struct group_attribute {
    struct block_attribute public;
    struct group_attribute *next;
    enum block_scope scope;
    uint32_t key;             /* of the strings; UINT32_MAX: no such key */
    uint32_t first, sections; /* of the scope's VALUES */
    uint32_t *rows, *items;
};

struct group_block {
    struct group group;
    uint64_t *u64[BLOCK_U64S];
    uint32_t *u32[BLOCK_U32S];
    uint8_t *u8[BLOCK_U8S];
    uint32_t *distances;
    uint32_t *class;
    uint32_t *item_shapes[BLOCK_SCOPES];
    uint32_t *event_rows, *link_rows;
    struct block_strings strings;
    const struct block_processes *processes;
    bool shares_processes; /* with the segment's other blocks */
    struct group_attribute *attributes;
    struct block_events *events;
    struct block_links *links;
};

static inline struct group_block *group_block_of(struct block *b)
{
    return (struct group_block *)b;
}

/* What every accessor ends with: scratch memory goes back, an error shows. Returns the result, or
 * NULL if there is an error. */
const void *group_block_end(struct group_block *gb, const void *result);

/* Accessors of the provider (collector/traces/block.h). */
const struct block_attribute *group_block_attribute(struct block *b, enum block_scope scope,
                                                    const void *key, size_t length);
const uint32_t *group_block_attribute_rows(struct block *b, const struct block_attribute *a);
const uint32_t *group_block_attribute_items(struct block *b, const struct block_attribute *a);
const struct block_events *group_block_events(struct block *b);
const struct block_links *group_block_links(struct block *b);
bool group_block_keys(struct block *b, enum block_scope scope,
                      void (*each)(void *context, struct batch_str key), void *context);

#endif
