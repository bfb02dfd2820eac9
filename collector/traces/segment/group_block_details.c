// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "collector/traces/segment/group_block.h"

/* ---- attributes -------------------------------------------------------------------------- */

static const uint32_t *get_item_shapes(struct group_block *gb, enum block_scope scope)
{
    struct group *g = &gb->group;
    if (!gb->item_shapes[scope])
        gb->item_shapes[scope] = group_item_shapes(g, scope, 0, group_items(g, scope), &g->arena);
    return gb->item_shapes[scope];
}

/* Strings must be strings of the group. */
static bool check_values(struct group *g, uint32_t section, const uint64_t *values)
{
    const struct section *s = &g->sections[section];
    uint64_t limit = s->type == VALUE_STRING || s->type == VALUE_BYTES ? g->string_count
                     : s->type == VALUE_BOOL                           ? 2
                                                                       : UINT64_MAX;
    uint64_t most = 0;
    if (limit == UINT64_MAX)
        return true;
    for (uint32_t i = 0; i < s->count; i++)
        most = values[i] > most ? values[i] : most;
    if (most >= limit)
        group_damaged(g, section, "a number is out of its bounds");
    return most < limit;
}

/* All values of one of the scope's columns. */
static uint64_t *get_values(struct group *g, uint32_t section, struct arena *arena)
{
    uint64_t *values = group_u64(g, section, 0, g->sections[section].count, arena);
    return values && check_values(g, section, values) ? values : NULL;
}

/* The key has values of one type, as nearly always. */
static bool read_simple(struct group *g, struct group_attribute *a)
{
    uint32_t section = g->values[a->scope] + a->first;
    const struct section *s = &g->sections[section];
    uint8_t *type = arena_alloc(&g->arena, s->count);
    uint64_t *value = get_values(g, section, &g->arena);
    if (!type || !value)
        return false;
    memset(type, s->type, s->count);
    a->public.count = s->count;
    a->public.type = type;
    a->public.value = value;
    return true;
}

/* Goes through the items' shapes and tells of each of the key's values in which item it is, and
 * which of the key's columns has it. */
struct walk {
    uint32_t *item;
    uint8_t *column; /* or NULL */
    uint32_t count, most;
};

static bool walk_items(struct group_block *gb, const struct group_attribute *a, struct walk *w)
{
    struct group *g = &gb->group;
    const struct group_shapes *s = group_shapes(g, a->scope);
    const uint32_t *shape = s ? get_item_shapes(gb, a->scope) : NULL;
    uint32_t items = group_items(g, a->scope);
    uint32_t *most = shape ? arena_calloc(&g->scratch, s->count, sizeof *most) : NULL;
    if (!most)
        return false;
    for (uint32_t i = 0; i < s->count; i++) {
        for (uint32_t k = s->first[i]; k < s->first[i + 1]; k++)
            most[i] += s->column[k] - a->first < a->sections;
    }
    for (uint32_t i = 0; i < items; i++) {
        uint32_t of_shape = most[shape[i]];
        if (of_shape > w->most - w->count)
            return group_damaged(g, g->values[a->scope] + a->first, "it has too few values");
        if (!w->column) {
            for (; of_shape > 0; of_shape--)
                w->item[w->count++] = i;
            continue;
        }
        for (uint32_t k = s->first[shape[i]]; of_shape && k < s->first[shape[i] + 1]; k++) {
            if (s->column[k] - a->first < a->sections) {
                w->column[w->count] = (uint8_t)(s->column[k] - a->first);
                w->item[w->count++] = i;
            }
        }
    }
    if (w->count != w->most)
        return group_damaged(g, g->values[a->scope] + a->first, "it has too many values");
    return true;
}

/* Values of several types under one key: they are put in order. */
static bool read_mixed(struct group_block *gb, struct group_attribute *a)
{
    struct group *g = &gb->group;
    const uint64_t *values[VALUE_TYPES];
    uint32_t next[VALUE_TYPES] = {0}, section = g->values[a->scope] + a->first;
    struct walk w = {0};
    for (uint32_t i = 0; i < a->sections; i++) {
        values[i] = get_values(g, section + i, &g->scratch);
        if (!values[i])
            return false;
        w.most += g->sections[section + i].count;
    }
    w.item = arena_alloc(&g->arena, w.most * sizeof *w.item);
    w.column = arena_alloc(&g->scratch, w.most);
    uint8_t *type = arena_alloc(&g->arena, w.most);
    uint64_t *value = arena_alloc(&g->arena, w.most * sizeof *value);
    if (!w.item || !w.column || !type || !value || !walk_items(gb, a, &w))
        return false;
    for (uint32_t i = 0; i < w.count; i++) {
        uint32_t column = w.column[i];
        if (next[column] == g->sections[section + column].count)
            return group_damaged(g, section + column, "it has too few values");
        type[i] = g->sections[section + column].type;
        value[i] = values[column][next[column]++];
    }
    a->items = w.item;
    a->public.count = w.count;
    a->public.type = type;
    a->public.value = value;
    return true;
}

/* Which of the scope's columns have the key: they follow each other. */
static void find_columns(const struct group *g, struct group_attribute *a)
{
    const struct section *list = g->sections + g->values[a->scope];
    uint32_t low = 0, high = g->value_count[a->scope];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list[middle].key < a->key)
            low = middle + 1;
        else
            high = middle;
    }
    a->first = low;
    while (low < g->value_count[a->scope] && list[low].key == a->key)
        low++;
    a->sections = low - a->first;
}

static struct group_attribute *make_attribute(struct group_block *gb, enum block_scope scope,
                                              uint32_t key)
{
    struct group *g = &gb->group;
    struct group_attribute *a = arena_calloc(&g->arena, 1, sizeof *a);
    if (!a)
        return group_no_memory(g);
    a->scope = scope;
    a->key = key;
    if (key != UINT32_MAX && g->value_count[scope] > 0)
        find_columns(g, a);
    bool read = a->sections == 0 ? true : a->sections == 1 ? read_simple(g, a) : read_mixed(gb, a);
    if (!read)
        return group_no_memory(g); /* where nothing else was the matter */
    a->public.rows = a;
    a->next = gb->attributes;
    gb->attributes = a;
    return a;
}

const struct block_attribute *group_block_attribute(struct block *b, enum block_scope scope,
                                                    const void *key, size_t length)
{
    struct group_block *gb = group_block_of(b);
    struct group *g = &gb->group;
    const struct batch_str *strings = group_strings(g, &g->arena);
    if (!strings)
        return group_block_end(gb, NULL);
    uint32_t number = strings_find(strings, g->string_count, key, length);
    struct group_attribute *a = gb->attributes;
    while (a && (a->key != number || a->scope != scope))
        a = a->next;
    if (!a)
        a = make_attribute(gb, scope, number);
    return group_block_end(gb, a ? &a->public : NULL);
}

static const uint32_t *find_items(struct group_block *gb, struct group_attribute *a)
{
    struct walk w = {.most = a->public.count};
    if (a->items)
        return a->items;
    w.item = arena_alloc(&gb->group.arena, w.most * sizeof *w.item);
    if (!w.item || (w.most > 0 && !walk_items(gb, a, &w)))
        return NULL;
    return a->items = w.item;
}

const uint32_t *group_block_attribute_items(struct block *b, const struct block_attribute *a)
{
    struct group_block *gb = group_block_of(b);
    return group_block_end(gb, gb->group.error ? NULL : find_items(gb, a->rows));
}

/* ---- events, links ----------------------------------------------------------------------- */

/* The row of each item, by how many each row has. */
static uint32_t *spread(struct group *g, enum section_kind counts, uint32_t items)
{
    uint32_t section = g->one[counts], at = 0;
    const uint32_t *count =
        group_u32(g, section, 0, g->block.rows, (uint64_t)items + 1, &g->scratch);
    uint32_t *row = arena_alloc(&g->arena, items * sizeof *row);
    if (!count || !row)
        return group_no_memory(g);
    for (uint32_t i = 0; i < g->block.rows; i++) {
        if (count[i] > items - at)
            return group_damaged(g, section, "it has too large values");
        for (uint32_t k = 0; k < count[i]; k++)
            row[at++] = i;
    }
    return at == items ? row : group_damaged(g, section, "it has too small values");
}

static uint32_t *get_event_rows(struct group_block *gb)
{
    if (!gb->event_rows)
        gb->event_rows = spread(&gb->group, SECTION_EVENTS, gb->group.event_count);
    return gb->event_rows;
}

static uint32_t *get_link_rows(struct group_block *gb)
{
    if (!gb->link_rows)
        gb->link_rows = spread(&gb->group, SECTION_LINKS, gb->group.link_count);
    return gb->link_rows;
}

static struct block_events *make_events(struct group_block *gb)
{
    struct group *g = &gb->group;
    const uint32_t *row = get_event_rows(gb);
    const uint64_t *start = block_u64(&g->block, BLOCK_START);
    const uint32_t *name =
        group_u32(g, g->one[SECTION_EVENT_NAME], 0, g->event_count, g->string_count, &g->arena);
    uint64_t *time = group_u64(g, g->one[SECTION_EVENT_TIME], 0, g->event_count, &g->arena);
    struct block_events *e = arena_alloc(&g->arena, sizeof *e);
    if (!row || !start || !name || !time || !e)
        return NULL;
    for (uint32_t i = 0; i < g->event_count; i++)
        time[i] += start[row[i]];
    *e = (struct block_events){g->event_count, row, name, time};
    return e;
}

const struct block_events *group_block_events(struct block *b)
{
    struct group_block *gb = group_block_of(b);
    if (!gb->events && !gb->group.error)
        gb->events = make_events(gb);
    return group_block_end(gb, gb->events);
}

static struct block_links *make_links(struct group_block *gb)
{
    struct group *g = &gb->group;
    uint32_t count = g->link_count;
    const uint32_t *row = get_link_rows(gb);
    const uint64_t *hi = group_u64(g, g->one[SECTION_LINK_TRACE_HI], 0, count, &g->arena);
    const uint64_t *lo = group_u64(g, g->one[SECTION_LINK_TRACE_LO], 0, count, &g->arena);
    const uint64_t *id = group_u64(g, g->one[SECTION_LINK_SPAN_ID], 0, count, &g->arena);
    struct block_links *l = arena_alloc(&g->arena, sizeof *l);
    if (!row || !hi || !lo || !id || !l)
        return NULL;
    *l = (struct block_links){count, row, hi, lo, id};
    return l;
}

const struct block_links *group_block_links(struct block *b)
{
    struct group_block *gb = group_block_of(b);
    if (!gb->links && !gb->group.error)
        gb->links = make_links(gb);
    return group_block_end(gb, gb->links);
}

const uint32_t *group_block_attribute_rows(struct block *b, const struct block_attribute *public)
{
    struct group_block *gb = group_block_of(b);
    struct group_attribute *a = public->rows;
    const uint32_t *items = gb->group.error ? NULL : find_items(gb, a);
    if (!items || a->scope == BLOCK_SPAN)
        return group_block_end(gb, items);
    const uint32_t *row = a->scope == BLOCK_EVENT ? get_event_rows(gb) : get_link_rows(gb);
    if (!a->rows && row) {
        a->rows = arena_alloc(&gb->group.arena, public->count * sizeof *a->rows);
        for (uint32_t i = 0; a->rows && i < public->count; i++)
            a->rows[i] = row[items[i]];
    }
    return group_block_end(gb, a->rows);
}

/* ---- keys -------------------------------------------------------------------------------- */

bool group_block_keys(struct block *b, enum block_scope scope,
                      void (*each)(void *context, struct batch_str key), void *context)
{
    struct group_block *gb = group_block_of(b);
    struct group *g = &gb->group;
    const struct batch_str *strings = group_strings(g, &g->arena);
    for (uint32_t i = 0; strings && i < g->value_count[scope]; i++) {
        const struct section *s = &g->sections[g->values[scope] + i];
        if (i == 0 || s->key != s[-1].key)
            each(context, strings[s->key]);
    }
    return group_block_end(gb, strings) != NULL;
}
