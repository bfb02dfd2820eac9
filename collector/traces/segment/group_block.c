// SPDX-License-Identifier: Apache-2.0
/* A group as a block: each column is read and unpacked when it is asked for, and kept. */
#include <stdlib.h>
#include <string.h>

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
    struct block_processes *processes;
    struct group_attribute *attributes;
    struct block_events *events;
    struct block_links *links;
};

static struct group_block *of(struct block *b)
{
    return (struct group_block *)b;
}

/* What every accessor ends with: scratch memory goes back, an error shows. */
static const void *end(struct group_block *gb, const void *result)
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
    struct group_block *gb = of(b);
    if (!gb->u64[column] && !gb->group.error)
        gb->u64[column] = make_u64(gb, column);
    return end(gb, gb->u64[column]);
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
        return group_row_process(g, group_all(g), &g->arena);
    case BLOCK_PARENT:
        return make_parents(gb);
    case BLOCK_U32S:
        break;
    }
    return NULL;
}

static const uint32_t *column_u32(struct block *b, enum block_u32 column)
{
    struct group_block *gb = of(b);
    if (!gb->u32[column] && !gb->group.error)
        gb->u32[column] = make_u32(gb, column);
    return end(gb, gb->u32[column]);
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
    struct group_block *gb = of(b);
    if (!gb->u8[column] && !gb->group.error)
        gb->u8[column] = make_u8(gb, column);
    return end(gb, gb->u8[column]);
}

/* ---- strings, processes ------------------------------------------------------------------ */

static const struct block_strings *get_strings(struct block *b)
{
    struct group_block *gb = of(b);
    const struct batch_str *list = group_strings(&gb->group, &gb->group.arena);
    gb->strings = (struct block_strings){list, gb->group.string_count, true};
    return end(gb, list ? &gb->strings : NULL);
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

static const struct block_processes *get_processes(struct block *b)
{
    struct group_block *gb = of(b);
    if (!gb->processes && !gb->group.error)
        gb->processes = make_processes(&gb->group);
    return end(gb, gb->processes);
}

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

static const struct block_attribute *get_attribute(struct block *b, enum block_scope scope,
                                                   const void *key, size_t length)
{
    struct group_block *gb = of(b);
    struct group *g = &gb->group;
    const struct batch_str *strings = group_strings(g, &g->arena);
    if (!strings)
        return end(gb, NULL);
    uint32_t number = strings_find(strings, g->string_count, key, length);
    struct group_attribute *a = gb->attributes;
    while (a && (a->key != number || a->scope != scope))
        a = a->next;
    if (!a)
        a = make_attribute(gb, scope, number);
    return end(gb, a ? &a->public : NULL);
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

static const uint32_t *get_attribute_items(struct block *b, const struct block_attribute *a)
{
    struct group_block *gb = of(b);
    return end(gb, gb->group.error ? NULL : find_items(gb, a->rows));
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
    const uint64_t *start = column_u64(&g->block, BLOCK_START);
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

static const struct block_events *get_events(struct block *b)
{
    struct group_block *gb = of(b);
    if (!gb->events && !gb->group.error)
        gb->events = make_events(gb);
    return end(gb, gb->events);
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

static const struct block_links *get_links(struct block *b)
{
    struct group_block *gb = of(b);
    if (!gb->links && !gb->group.error)
        gb->links = make_links(gb);
    return end(gb, gb->links);
}

static const uint32_t *get_attribute_rows(struct block *b, const struct block_attribute *public)
{
    struct group_block *gb = of(b);
    struct group_attribute *a = public->rows;
    const uint32_t *items = gb->group.error ? NULL : find_items(gb, a);
    if (!items || a->scope == BLOCK_SPAN)
        return end(gb, items);
    const uint32_t *row = a->scope == BLOCK_EVENT ? get_event_rows(gb) : get_link_rows(gb);
    if (!a->rows && row) {
        a->rows = arena_alloc(&gb->group.arena, public->count * sizeof *a->rows);
        for (uint32_t i = 0; a->rows && i < public->count; i++)
            a->rows[i] = row[items[i]];
    }
    return end(gb, a->rows);
}

/* ---- the whole --------------------------------------------------------------------------- */

static bool tell_keys(struct block *b, enum block_scope scope,
                      void (*each)(void *context, struct batch_str key), void *context)
{
    struct group_block *gb = of(b);
    struct group *g = &gb->group;
    const struct batch_str *strings = group_strings(g, &g->arena);
    for (uint32_t i = 0; strings && i < g->value_count[scope]; i++) {
        const struct section *s = &g->sections[g->values[scope] + i];
        if (i == 0 || s->key != s[-1].key)
            each(context, strings[s->key]);
    }
    return end(gb, strings) != NULL;
}

static void close_block(struct block *b)
{
    group_close(&of(b)->group);
    free(b);
}

static const struct block_provider provider = {
    .u64 = column_u64,
    .u32 = column_u32,
    .u8 = column_u8,
    .strings = get_strings,
    .processes = get_processes,
    .attribute = get_attribute,
    .attribute_rows = get_attribute_rows,
    .attribute_items = get_attribute_items,
    .events = get_events,
    .links = get_links,
    .keys = tell_keys,
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
        end(gb, NULL);
    return &gb->group.block;
}
