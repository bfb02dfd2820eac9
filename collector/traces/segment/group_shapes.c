// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "collector/traces/segment/reader.h"

uint32_t group_items(const struct group *g, enum block_scope scope)
{
    return scope == BLOCK_SPAN    ? g->entry->bounds.rows
           : scope == BLOCK_EVENT ? g->event_count
                                  : g->link_count;
}

const struct group_shapes *group_shapes(struct group *g, enum block_scope scope)
{
    if (g->shapes[scope] || g->error)
        return g->error ? NULL : g->shapes[scope];
    struct group_shapes s = {0};
    uint32_t size_section = g->shape[scope][1], section = g->shape[scope][2];
    uint32_t items = section == SECTION_NONE ? 0 : g->sections[section].count;
    s.count = size_section == SECTION_NONE ? 0 : g->sections[size_section].count;
    const uint32_t *size = group_u32(g, size_section, 0, s.count, (uint64_t)items + 1, &g->scratch);
    uint32_t *first = arena_alloc(&g->arena, (s.count + 1) * sizeof *first), total = 0;
    s.column = group_u32(g, section, 0, items, g->value_count[scope], &g->arena);
    if (g->error || !first)
        return group_no_memory(g);
    for (uint32_t i = 0; i < s.count; i++) {
        first[i] = total;
        if (size[i] > items - total)
            return group_damaged(g, size_section, "shapes have more attributes than there are");
        total += size[i];
    }
    first[s.count] = total;
    s.first = first;
    g->shapes[scope] = arena_copy(&g->arena, &s, sizeof s);
    return g->shapes[scope] ? g->shapes[scope] : group_no_memory(g);
}

uint32_t *group_item_shapes(struct group *g, enum block_scope scope, uint32_t first, uint32_t count,
                            struct arena *arena)
{
    const struct group_shapes *s = group_shapes(g, scope);
    if (!s)
        return NULL;
    if (scope != BLOCK_SPAN || g->shape[scope][0] != SECTION_NONE)
        return group_u32(g, g->shape[scope][0], first, count, s->count, arena);
    const struct group_classes *c = group_classes(g);
    uint32_t *shape = c ? group_u32(g, g->one[SECTION_CLASS], first, count, c->count, arena) : NULL;
    for (uint32_t i = 0; shape && i < count; i++)
        shape[i] = c->shape[shape[i]];
    return shape;
}
