// SPDX-License-Identifier: Apache-2.0
/* A group as a block: each column is read and unpacked when it is asked for, and kept. */
#include <stdlib.h>
#include <string.h>

#include "collector/traces/segment/group_block.h"

const void *group_block_end(struct group_block *gb, const void *result)
{
    struct group *g = &gb->group;
    arena_reset(&g->scratch);
    if (!g->error && result)
        return result;
    group_no_memory(g);
    g->block.error = g->error == SEGMENT_EDAMAGED ? BLOCK_EDAMAGED
                     : g->error == SEGMENT_EIO    ? BLOCK_EIO
                                                  : BLOCK_ENOMEM;
    return NULL;
}

/* ---- strings, processes ------------------------------------------------------------------ */

static const struct block_strings *get_strings(struct block *b)
{
    struct group_block *gb = group_block_of(b);
    const struct batch_str *list = group_strings(&gb->group, &gb->group.arena);
    gb->strings = (struct block_strings){list, gb->group.string_count, true};
    return group_block_end(gb, list ? &gb->strings : NULL);
}

static struct block_processes *make_processes(struct group *g)
{
    struct process_set set;
    const uint64_t *numbers = group_processes(g, &g->scratch);
    struct block_processes *p = arena_alloc(&g->arena, sizeof *p);
    struct batch_attributes *resource = arena_alloc(&g->arena, sizeof *resource);
    if (!numbers || !p || !resource)
        return NULL;
    int error = segment_load_processes(g->segment, numbers, g->process_count, &g->arena, &set);
    if (error) {
        g->error = error;
        return NULL;
    }
    *resource = set.resource;
    *p = (struct block_processes){set.list, set.count, resource, set.strings};
    return p;
}

/* The segment's processes, which all its blocks share. Where these are damaged, those of the
 * group alone may yet be readable. */
static const struct block_processes *hold_processes(struct group_block *gb)
{
    int error;
    if (gb->processes)
        return gb->processes;
    gb->processes = segment_hold_processes(gb->group.segment, &error);
    gb->shares_processes = gb->processes != NULL;
    if (error == SEGMENT_EDAMAGED)
        gb->processes = make_processes(&gb->group);
    else if (error && !gb->group.error)
        gb->group.error = error;
    return gb->processes;
}

static const struct block_processes *get_processes(struct block *b)
{
    struct group_block *gb = group_block_of(b);
    return group_block_end(gb, gb->group.error ? NULL : hold_processes(gb));
}

static uint32_t *make_row_processes(struct group_block *gb)
{
    struct group *g = &gb->group;
    const struct block_processes *p = hold_processes(gb);
    const uint64_t *numbers = p ? group_processes(g, &g->scratch) : NULL;
    uint32_t *process = numbers ? group_row_process(g, group_all(g), &g->arena) : NULL;
    if (!process || !gb->shares_processes)
        return process;
    for (uint32_t i = 0; i < g->process_count; i++) {
        if (numbers[i] >= p->count)
            return group_damaged(g, g->one[SECTION_PROCESS], "a process is not in the table");
    }
    for (uint32_t i = 0; i < g->block.rows; i++)
        process[i] = (uint32_t)numbers[process[i]];
    return process;
}

/* ---- columns of rows --------------------------------------------------------------------- */

static const uint32_t *get_distances(struct group_block *gb)
{
    if (!gb->distances)
        gb->distances = group_distances(&gb->group, group_all(&gb->group), &gb->group.arena);
    return gb->distances;
}

static const uint64_t *get_span_ids(struct group_block *gb)
{
    struct group *g = &gb->group;
    if (!gb->u64[BLOCK_SPAN_ID])
        gb->u64[BLOCK_SPAN_ID] = group_span_ids(g, group_all(g), &g->arena);
    return gb->u64[BLOCK_SPAN_ID];
}

static uint64_t *make_u64(struct group_block *gb, enum block_u64 column)
{
    struct group *g = &gb->group;
    struct group_part all = group_all(g);
    if (column == BLOCK_DURATION)
        return group_u64(g, g->one[SECTION_DURATION], 0, all.rows, &g->arena);
    if (column == BLOCK_SPAN_ID)
        return group_span_ids(g, all, &g->arena);
    const uint32_t *distances = get_distances(gb);
    if (!distances)
        return NULL;
    if (column == BLOCK_START)
        return group_starts(g, all, distances, &g->arena);
    const uint64_t *span_ids = get_span_ids(gb);
    return span_ids ? group_parent_ids(g, all, distances, span_ids, &g->arena) : NULL;
}

static const uint64_t *column_u64(struct block *b, enum block_u64 column)
{
    struct group_block *gb = group_block_of(b);
    if (!gb->u64[column] && !gb->group.error)
        gb->u64[column] = make_u64(gb, column);
    return group_block_end(gb, gb->u64[column]);
}

static const uint32_t *get_class(struct group_block *gb)
{
    struct group *g = &gb->group;
    const struct group_classes *c = group_classes(g);
    if (!gb->class && c)
        gb->class = group_u32(g, g->one[SECTION_CLASS], 0, g->block.rows, c->count, &g->arena);
    return gb->class;
}

static uint32_t *make_names(struct group_block *gb)
{
    struct group *g = &gb->group;
    const uint32_t *class = get_class(gb);
    uint32_t *to = class ? arena_alloc(&g->arena, g->block.rows * sizeof *to) : NULL;
    for (uint32_t i = 0; to && i < g->block.rows; i++)
        to[i] = g->classes->name[class[i]];
    return to;
}

static uint32_t *make_parents(struct group_block *gb)
{
    struct group *g = &gb->group;
    const uint32_t *distances = get_distances(gb);
    uint32_t *to = distances ? arena_alloc(&g->arena, g->block.rows * sizeof *to) : NULL;
    for (uint32_t i = 0; to && i < g->block.rows; i++)
        to[i] = distances[i] && distances[i] <= i ? i - distances[i] : BLOCK_NONE;
    return to;
}

static uint32_t *make_u32(struct group_block *gb, enum block_u32 column)
{
    struct group *g = &gb->group;
    switch (column) {
    case BLOCK_NAME:
        return make_names(gb);
    case BLOCK_STATUS_MESSAGE:
        return group_u32(g, g->one[SECTION_STATUS_MESSAGE], 0, g->block.rows, g->string_count,
                         &g->arena);
    case BLOCK_TRACESTATE:
        return group_u32(g, g->one[SECTION_TRACESTATE], 0, g->block.rows, g->string_count,
                         &g->arena);
    case BLOCK_PROCESS:
        return make_row_processes(gb);
    case BLOCK_PARENT:
        return make_parents(gb);
    case BLOCK_U32S:
        break;
    }
    return NULL;
}

static const uint32_t *column_u32(struct block *b, enum block_u32 column)
{
    struct group_block *gb = group_block_of(b);
    if (!gb->u32[column] && !gb->group.error)
        gb->u32[column] = make_u32(gb, column);
    return group_block_end(gb, gb->u32[column]);
}

static uint8_t *make_u8(struct group_block *gb, enum block_u8 column)
{
    struct group *g = &gb->group;
    if (column == BLOCK_STATUS || column == BLOCK_DROPPED_ATTRIBUTES)
        return group_u8(g, g->one[column == BLOCK_STATUS ? SECTION_STATUS : SECTION_DROPPED], 0,
                        g->block.rows, UINT8_MAX + 1, &g->arena);
    const uint32_t *class = get_class(gb);
    uint8_t *to = class ? arena_alloc(&g->arena, g->block.rows) : NULL;
    if (!to)
        return NULL;
    const uint8_t *from = column == BLOCK_KIND ? g->classes->kind : g->classes->flags;
    for (uint32_t i = 0; i < g->block.rows; i++)
        to[i] = from[class[i]];
    return to;
}

static const uint8_t *column_u8(struct block *b, enum block_u8 column)
{
    struct group_block *gb = group_block_of(b);
    if (!gb->u8[column] && !gb->group.error)
        gb->u8[column] = make_u8(gb, column);
    return group_block_end(gb, gb->u8[column]);
}

/* ---- the whole --------------------------------------------------------------------------- */

static void close_block(struct block *b)
{
    if (group_block_of(b)->shares_processes)
        segment_release_processes(group_block_of(b)->group.segment);
    group_close(&group_block_of(b)->group);
    free(b);
}

static const struct block_provider provider = {
    .u64 = column_u64,
    .u32 = column_u32,
    .u8 = column_u8,
    .strings = get_strings,
    .processes = get_processes,
    .attribute = group_block_attribute,
    .attribute_rows = group_block_attribute_rows,
    .attribute_items = group_block_attribute_items,
    .events = group_block_events,
    .links = group_block_links,
    .keys = group_block_keys,
    .close = close_block,
};

struct block *segment_group(struct segment *s, uint32_t i)
{
    struct group_block *gb = calloc(1, sizeof *gb);
    if (!gb)
        return NULL;
    int error = group_open(&gb->group, s, i, false);
    gb->group.block.provider = &provider;
    if (error == SEGMENT_ENOMEM) {
        close_block(&gb->group.block);
        return NULL;
    }
    if (error)
        group_block_end(gb, NULL);
    return &gb->group.block;
}
