// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "collector/traces/segment/group_batch.h"

/* ---- attributes -------------------------------------------------------------------------- */

/* A scope's columns as far as the part needs them. */
struct cursor {
    uint64_t *values;
    uint32_t next, count, key;
    uint8_t type;
};

/* Adds to `uses` how often items of each shape are among so many. */
static bool count_shapes(struct making *m, enum block_scope scope, uint32_t first, uint32_t count,
                         uint32_t *uses)
{
    const uint32_t *shape = group_item_shapes(m->g, scope, first, count, &m->g->scratch);
    for (uint32_t i = 0; shape && i < count; i++)
        uses[shape[i]]++;
    return shape != NULL;
}

/* The sum over each column, saturated: only sections' counts are right ones. */
static uint64_t *count_values(struct making *m, enum block_scope scope, const uint32_t *uses)
{
    const struct group_shapes *s = group_shapes(m->g, scope);
    uint64_t *sums = arena_calloc(&m->g->scratch, m->g->value_count[scope] + 1, sizeof *sums);
    if (!sums)
        return group_no_memory(m->g);
    for (uint32_t i = 0; i < s->count; i++) {
        for (uint32_t k = s->first[i]; uses[i] && k < s->first[i + 1]; k++)
            sums[s->column[k]] += uses[i];
    }
    return sums;
}

static bool check_values(struct making *m, uint32_t section, const struct cursor *c)
{
    uint64_t limit = c->type == VALUE_BOOL ? 2 : m->g->string_count;
    if (c->type == VALUE_INT || c->type == VALUE_DOUBLE)
        return true;
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->values[i] >= limit) {
            group_damaged(m->g, section, "a number is out of its bounds");
            return false;
        }
    }
    return true;
}

/* Reads of each column what the part needs: behind the values of items before it. */
static struct cursor *open_cursors(struct making *m, enum block_scope scope)
{
    struct group *g = m->g;
    const struct group_shapes *s = group_shapes(g, scope);
    uint32_t *before = arena_calloc(&g->scratch, s->count, sizeof *before);
    uint32_t *within = arena_calloc(&g->scratch, s->count, sizeof *within);
    struct cursor *cursors = arena_calloc(&g->scratch, g->value_count[scope] + 1, sizeof *cursors);
    if (!before || !within || !cursors)
        return group_no_memory(g);
    if (!count_shapes(m, scope, 0, m->first[scope], before) ||
        !count_shapes(m, scope, m->first[scope], m->items[scope], within))
        return NULL;
    const uint64_t *skip = count_values(m, scope, before), *need = count_values(m, scope, within);
    for (uint32_t i = 0; skip && need && i < g->value_count[scope]; i++) {
        uint32_t section = g->values[scope] + i;
        const struct section *values = &g->sections[section];
        if (skip[i] > values->count || need[i] > values->count - skip[i])
            return group_damaged(g, section, "it has too few values");
        cursors[i] = (struct cursor){.type = values->type, .count = (uint32_t)need[i]};
        if (need[i] == 0)
            continue;
        cursors[i].key = making_string(m, &m->strings, values->key);
        cursors[i].values =
            group_u64(g, section, (uint32_t)skip[i], (uint32_t)need[i], &g->scratch);
        if (!cursors[i].values || !check_values(m, section, &cursors[i]))
            return NULL;
    }
    return g->error ? NULL : cursors;
}

struct attribute_columns {
    uint32_t *key;
    uint8_t *type;
    uint64_t *value;
    uint32_t count;
};

static void put_attribute(struct making *m, struct attribute_columns *to, struct cursor *c)
{
    uint64_t value = c->values[c->next++];
    if (c->type == VALUE_STRING || c->type == VALUE_BYTES)
        value = making_string(m, &m->strings, (uint32_t)value);
    to->key[to->count] = c->key;
    to->type[to->count] = c->type;
    to->value[to->count++] = value;
}

static void make_scope(struct making *m, enum block_scope scope, struct attribute_columns *to,
                       struct cursor *cursors)
{
    struct group *g = m->g;
    uint32_t *first = *m->attribute_first[scope], *count = *m->attribute_count[scope];
    const struct group_shapes *s = group_shapes(g, scope);
    const uint32_t *shape =
        group_item_shapes(g, scope, m->first[scope], m->items[scope], &g->scratch);
    for (uint32_t i = 0; shape && i < m->items[scope]; i++) {
        first[i] = to->count;
        count[i] = s->first[shape[i] + 1] - s->first[shape[i]];
        for (uint32_t k = s->first[shape[i]]; k < s->first[shape[i] + 1]; k++)
            put_attribute(m, to, &cursors[s->column[k]]);
    }
}

static void make_attributes(struct making *m)
{
    struct group *g = m->g;
    struct cursor *cursors[BLOCK_SCOPES] = {0};
    struct attribute_columns to = {0};
    uint64_t total = 0;
    for (enum block_scope scope = BLOCK_SPAN; m->details && scope < BLOCK_SCOPES; scope++) {
        const struct group_shapes *s = group_shapes(g, scope);
        if (!s || s->count == 0 || m->items[scope] == 0)
            continue;
        cursors[scope] = open_cursors(m, scope);
        for (uint32_t i = 0; cursors[scope] && i < g->value_count[scope]; i++)
            total += cursors[scope][i].count;
    }
    to.key = arena_alloc(m->arena, total * sizeof *to.key);
    to.type = arena_alloc(m->arena, total);
    to.value = arena_alloc(m->arena, total * sizeof *to.value);
    if (g->error || !to.key || !to.type || !to.value) {
        group_no_memory(g);
        return;
    }
    for (enum block_scope scope = BLOCK_SPAN; scope < BLOCK_SCOPES; scope++) {
        if (cursors[scope])
            make_scope(m, scope, &to, cursors[scope]);
    }
    m->batch->attributes = (struct batch_attributes){to.count, to.key, to.type, to.value};
}

/* ---- events, links ----------------------------------------------------------------------- */

/* How many each row of the part has, where they begin in it, and in the group. */
static void place_items(struct making *m, enum block_scope scope, enum section_kind counts,
                        uint32_t **first, uint32_t **count)
{
    struct group *g = m->g;
    uint32_t items = m->details ? group_items(g, scope) : 0, section = g->one[counts];
    uint64_t at = 0;
    *first = arena_alloc(m->arena, m->part.rows * sizeof **first);
    *count = group_u32(g, m->details ? section : SECTION_NONE, m->part.row, m->part.rows,
                       (uint64_t)items + 1, m->arena);
    bool has_items = m->details && section != SECTION_NONE;
    const uint32_t *before =
        group_u32(g, section, 0, has_items ? m->part.row : 0, (uint64_t)items + 1, &g->scratch);
    if (g->error || !*first) {
        group_no_memory(g);
        return;
    }
    for (uint32_t i = 0; has_items && i < m->part.row; i++)
        at += before[i];
    m->first[scope] = (uint32_t)at;
    for (uint32_t i = 0; i < m->part.rows; i++) {
        (*first)[i] = (uint32_t)at - m->first[scope];
        at += (*count)[i];
    }
    if (at > items)
        group_damaged(g, section, "it has too large values");
    else
        m->items[scope] = (uint32_t)at - m->first[scope];
}

static void make_events(struct making *m)
{
    struct group *g = m->g;
    struct batch *b = m->batch;
    place_items(m, BLOCK_EVENT, SECTION_EVENTS, &b->event_first, &b->event_count);
    uint32_t first = m->first[BLOCK_EVENT], count = m->items[BLOCK_EVENT];
    b->events = count;
    b->event_name = making_strings(m, SECTION_EVENT_NAME, first, count);
    b->event_unix_ns = group_u64(g, g->one[SECTION_EVENT_TIME], first, count, m->arena);
    for (uint32_t row = 0; !g->error && row < m->part.rows; row++) {
        for (uint32_t i = 0; i < b->event_count[row]; i++)
            b->event_unix_ns[b->event_first[row] + i] += b->start_unix_ns[row];
    }
    b->event_attribute_first = arena_calloc(m->arena, count, sizeof(uint32_t));
    b->event_attribute_count = arena_calloc(m->arena, count, sizeof(uint32_t));
}

static void make_links(struct making *m)
{
    struct group *g = m->g;
    struct batch *b = m->batch;
    place_items(m, BLOCK_LINK, SECTION_LINKS, &b->link_first, &b->link_count);
    uint32_t first = m->first[BLOCK_LINK], count = m->items[BLOCK_LINK];
    b->links = count;
    b->link_trace_hi = group_u64(g, g->one[SECTION_LINK_TRACE_HI], first, count, m->arena);
    b->link_trace_lo = group_u64(g, g->one[SECTION_LINK_TRACE_LO], first, count, m->arena);
    b->link_span_id = group_u64(g, g->one[SECTION_LINK_SPAN_ID], first, count, m->arena);
    b->link_attribute_first = arena_calloc(m->arena, count, sizeof(uint32_t));
    b->link_attribute_count = arena_calloc(m->arena, count, sizeof(uint32_t));
}

void making_details(struct making *m)
{
    struct group *g = m->g;
    struct batch *b = m->batch;
    m->first[BLOCK_SPAN] = m->part.row;
    m->items[BLOCK_SPAN] = m->part.rows;
    b->attribute_first = arena_calloc(m->arena, m->part.rows, sizeof(uint32_t));
    b->attribute_count = arena_calloc(m->arena, m->part.rows, sizeof(uint32_t));
    make_events(m);
    make_links(m);
    m->attribute_first[BLOCK_SPAN] = &b->attribute_first;
    m->attribute_count[BLOCK_SPAN] = &b->attribute_count;
    m->attribute_first[BLOCK_EVENT] = &b->event_attribute_first;
    m->attribute_count[BLOCK_EVENT] = &b->event_attribute_count;
    m->attribute_first[BLOCK_LINK] = &b->link_attribute_first;
    m->attribute_count[BLOCK_LINK] = &b->link_attribute_count;
    for (int scope = 0; scope < BLOCK_SCOPES; scope++) {
        if (!*m->attribute_first[scope] || !*m->attribute_count[scope])
            group_no_memory(g);
    }
    if (!g->error)
        make_attributes(m);
}
