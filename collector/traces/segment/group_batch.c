// SPDX-License-Identifier: Apache-2.0
/* Rows of a group as a batch: a trace that was asked for, with the strings and processes alone
 * that it uses, or the whole group for merging, with all of them.
 *
 * Everything that the batch refers to is in the caller's arena; what is read on the way is the
 * group's and goes with it. */
#include <string.h>

#include "collector/traces/segment/reader.h"

/* How numbers of one dictionary become those of the batch. */
struct renumber {
    const struct batch_str *from;
    uint32_t *to; /* + 1, 0: not in the batch yet; NULL: all are there, from `base` on */
    uint32_t base;
};

struct making {
    struct group *g;
    struct group_part part;
    bool details, all;
    struct arena *arena;
    struct batch *batch;
    uint32_t string_capacity;
    struct renumber strings, process_strings;
    uint32_t first[BLOCK_SCOPES], items[BLOCK_SCOPES]; /* the part's items */
    uint32_t **attribute_first[BLOCK_SCOPES], **attribute_count[BLOCK_SCOPES];
};

/* ---- strings ----------------------------------------------------------------------------- */

static uint32_t add_string(struct making *m, struct renumber *r, uint32_t number)
{
    struct batch *b = m->batch;
    if (r->from[number].length == 0)
        return 0;
    if (b->string_count == m->string_capacity) {
        uint32_t capacity = m->string_capacity ? m->string_capacity * 2 : 64;
        struct batch_str *grown = arena_alloc(m->arena, capacity * sizeof *grown);
        if (!grown) {
            group_no_memory(m->g);
            return 0;
        }
        if (b->string_count)
            memcpy(grown, b->strings, b->string_count * sizeof *grown);
        b->strings = grown;
        m->string_capacity = capacity;
    }
    struct batch_str s = r->from[number];
    s.bytes = arena_copy(m->arena, s.bytes, s.length);
    if (!s.bytes)
        group_no_memory(m->g);
    b->strings[b->string_count] = s;
    r->to[number] = b->string_count + 1;
    return b->string_count++;
}

static inline uint32_t renumbered(struct making *m, struct renumber *r, uint32_t number)
{
    if (!r->to)
        return r->base + number;
    return r->to[number] ? r->to[number] - 1 : add_string(m, r, number);
}

/* The dictionary, and room for the strings of processes behind it. */
static void begin_strings(struct making *m)
{
    struct group *g = m->g;
    struct batch *b = m->batch;
    const struct batch_str *list = group_strings(g, m->all ? m->arena : &g->arena);
    m->strings.from = list;
    if (!list)
        return;
    if (m->all) {
        b->strings = (struct batch_str *)list; /* in our arena, and not the group's */
        b->string_count = g->string_count;
        return;
    }
    m->strings.to = arena_calloc(&g->arena, g->string_count, sizeof *m->strings.to);
    b->strings = arena_alloc(m->arena, 64 * sizeof *b->strings);
    if (!m->strings.to || !b->strings) {
        group_no_memory(g);
        return;
    }
    m->string_capacity = 64;
    b->strings[b->string_count++] = (struct batch_str){"", 0};
    m->strings.to[0] = 1;
}

static void renumber_column(struct making *m, uint32_t *column, uint32_t count)
{
    if (!m->strings.to)
        return;
    for (uint32_t i = 0; i < count; i++)
        column[i] = renumbered(m, &m->strings, column[i]);
}

/* ---- processes --------------------------------------------------------------------------- */

/* Only those that rows use, ascending; rows then index these. */
static uint64_t *used_processes(struct making *m, uint32_t *count)
{
    struct group *g = m->g;
    uint32_t *process = m->batch->process;
    uint64_t *numbers = group_processes(g, &g->arena);
    uint32_t *place = arena_calloc(&g->arena, g->process_count, sizeof *place);
    if (!numbers || !place)
        return group_no_memory(g);
    *count = g->process_count;
    if (m->all)
        return numbers;
    for (uint32_t i = 0; i < m->part.rows; i++)
        place[process[i]] = 1;
    *count = 0;
    for (uint32_t i = 0; i < g->process_count; i++) {
        if (!place[i])
            continue;
        numbers[*count] = numbers[i];
        place[i] = (*count)++;
    }
    for (uint32_t i = 0; i < m->part.rows; i++)
        process[i] = place[process[i]];
    return numbers;
}

/* All strings of the processes behind the group's, or those that are used. */
static void begin_process_strings(struct making *m, const struct process_set *set)
{
    struct batch *b = m->batch;
    m->process_strings.from = set->strings;
    if (!m->all) {
        m->process_strings.to =
            arena_calloc(&m->g->arena, set->string_count, sizeof *m->process_strings.to);
        if (!m->process_strings.to)
            group_no_memory(m->g);
        return;
    }
    uint64_t count = (uint64_t)b->string_count + set->string_count;
    struct batch_str *both =
        count <= UINT32_MAX ? arena_alloc(m->arena, count * sizeof *both) : NULL;
    if (!both) {
        group_no_memory(m->g);
        return;
    }
    memcpy(both, b->strings, b->string_count * sizeof *both);
    memcpy(both + b->string_count, set->strings, set->string_count * sizeof *both);
    m->process_strings.base = b->string_count;
    b->strings = both;
    b->string_count = (uint32_t)count;
}

static void copy_string(struct making *m, struct batch_str *s)
{
    s->bytes = arena_copy(m->arena, s->bytes, s->length);
    if (!s->bytes)
        group_no_memory(m->g);
}

static void copy_process(struct making *m, struct batch_process_view *p)
{
    struct batch_str *strings[] = {&p->host,     &p->service, &p->version,
                                   &p->instance, &p->cell,    &p->agent};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        copy_string(m, strings[i]);
}

static void make_resource(struct making *m, const struct process_set *set)
{
    uint32_t count = set->resource.count;
    uint32_t *key = arena_alloc(m->arena, count * sizeof *key);
    uint8_t *type = arena_copy(m->arena, set->resource.type, count);
    uint64_t *value = arena_alloc(m->arena, count * sizeof *value);
    if (!key || !type || !value) {
        group_no_memory(m->g);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        key[i] = renumbered(m, &m->process_strings, set->resource.key[i]);
        value[i] = set->resource.value[i];
        if (type[i] == VALUE_STRING || type[i] == VALUE_BYTES)
            value[i] = renumbered(m, &m->process_strings, (uint32_t)value[i]);
    }
    m->batch->resource = (struct batch_attributes){count, key, type, value};
}

static void make_processes(struct making *m)
{
    struct group *g = m->g;
    struct process_set set;
    uint32_t count = 0;
    const uint64_t *numbers = used_processes(m, &count);
    if (!numbers)
        return;
    /* What all of it is wanted of is read into the caller's arena, and not copied. */
    int error =
        segment_load_processes(g->segment, numbers, count, m->all ? m->arena : &g->arena, &set);
    if (error) {
        g->error = error;
        return;
    }
    begin_process_strings(m, &set);
    struct batch_process_view *list = arena_copy(m->arena, set.list, count * sizeof *list);
    if (g->error || !list) {
        group_no_memory(g);
        return;
    }
    for (uint32_t i = 0; i < count && !m->all; i++)
        copy_process(m, &list[i]);
    make_resource(m, &set);
    m->batch->processes = list;
    m->batch->process_count = count;
}

/* ---- rows -------------------------------------------------------------------------------- */

static uint32_t *get_strings(struct making *m, enum section_kind kind, uint32_t first,
                             uint32_t count)
{
    struct group *g = m->g;
    uint32_t *column = group_u32(g, g->one[kind], first, count, g->string_count, m->arena);
    if (column)
        renumber_column(m, column, count);
    return column;
}

static void make_classes(struct making *m)
{
    struct group *g = m->g;
    struct batch *b = m->batch;
    const struct group_classes *c = group_classes(g);
    const uint32_t *class =
        c ? group_u32(g, g->one[SECTION_CLASS], m->part.row, m->part.rows, c->count, &g->scratch)
          : NULL;
    b->name = arena_alloc(m->arena, m->part.rows * sizeof *b->name);
    b->kind = arena_alloc(m->arena, m->part.rows);
    b->flags = arena_alloc(m->arena, m->part.rows);
    if (!class || !b->name || !b->kind || !b->flags) {
        group_no_memory(g);
        return;
    }
    for (uint32_t i = 0; i < m->part.rows; i++) {
        b->name[i] = c->name[class[i]];
        b->kind[i] = c->kind[class[i]];
        b->flags[i] = c->flags[class[i]];
    }
    renumber_column(m, b->name, m->part.rows);
}

static void make_trace_ids(struct making *m)
{
    struct batch *b = m->batch;
    b->trace_hi = arena_alloc(m->arena, m->part.rows * sizeof *b->trace_hi);
    b->trace_lo = arena_alloc(m->arena, m->part.rows * sizeof *b->trace_lo);
    if (!b->trace_hi || !b->trace_lo) {
        group_no_memory(m->g);
        return;
    }
    for (uint32_t t = m->part.trace; t < m->part.trace + m->part.traces; t++) {
        const struct block_trace *trace = &m->g->traces[t];
        uint32_t at = trace->row - m->part.row;
        for (uint32_t i = 0; i < trace->count; i++) {
            b->trace_hi[at + i] = trace->id.hi;
            b->trace_lo[at + i] = trace->id.lo;
        }
    }
}

/* Parents as rows of their traces, of which a cut one has rows before the group. */
static const uint32_t *make_parents(struct making *m, const uint32_t *distances)
{
    struct group *g = m->g;
    uint32_t *parents = arena_alloc(m->arena, m->part.rows * sizeof *parents);
    if (!parents)
        return group_no_memory(g);
    for (uint32_t t = m->part.trace; t < m->part.trace + m->part.traces; t++) {
        uint32_t at = g->traces[t].row - m->part.row;
        uint32_t before = t == 0 ? (uint32_t)g->entry->cut_rows : 0;
        for (uint32_t i = 0; i < g->traces[t].count; i++)
            parents[at + i] = distances[at + i] ? before + i - distances[at + i] : BLOCK_NONE;
    }
    return parents;
}

static void make_rows(struct making *m, const uint32_t **parents)
{
    struct group *g = m->g;
    struct batch *b = m->batch;
    struct group_part part = m->part;
    const uint32_t *distances = group_distances(g, part, &g->arena);
    if (!distances)
        return;
    *parents = make_parents(m, distances);
    make_trace_ids(m);
    b->span_count = part.rows;
    b->span_id = group_span_ids(g, part, m->arena);
    if (!b->span_id)
        return;
    b->parent_id = group_parent_ids(g, part, distances, b->span_id, m->arena);
    b->start_unix_ns = group_starts(g, part, distances, m->arena);
    b->duration_ns = group_u64(g, g->one[SECTION_DURATION], part.row, part.rows, m->arena);
    b->process = group_row_process(g, part, m->arena);
    make_classes(m);
    b->status = group_u8(g, g->one[SECTION_STATUS], part.row, part.rows, UINT8_MAX + 1, m->arena);
    b->dropped_attributes =
        group_u8(g, g->one[SECTION_DROPPED], part.row, part.rows, UINT8_MAX + 1, m->arena);
    b->status_message = get_strings(m, SECTION_STATUS_MESSAGE, part.row, part.rows);
    b->tracestate = get_strings(m, SECTION_TRACESTATE, part.row, part.rows);
}

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
        cursors[i].key = renumbered(m, &m->strings, values->key);
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
        value = renumbered(m, &m->strings, (uint32_t)value);
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
    b->event_name = get_strings(m, SECTION_EVENT_NAME, first, count);
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

static void make_details(struct making *m)
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

/* ---- all --------------------------------------------------------------------------------- */

int group_to_batch(struct group *g, struct group_part part, bool details, bool all,
                   struct arena *arena, struct batch **batch, const uint32_t **parents)
{
    struct making m = {.g = g, .part = part, .details = details, .all = all, .arena = arena};
    *batch = m.batch = arena_calloc(arena, 1, sizeof **batch);
    if (!m.batch)
        group_no_memory(g);
    if (!g->error)
        begin_strings(&m);
    if (!g->error)
        make_rows(&m, parents);
    if (!g->error)
        make_processes(&m);
    if (!g->error)
        make_details(&m);
    arena_reset(&g->scratch);
    return g->error;
}

int segment_group_batch(struct segment *s, uint32_t i, struct arena *arena, struct batch **batch,
                        const uint32_t **parents)
{
    struct group g;
    int error = group_open(&g, s, i, true);
    if (!error)
        error = group_to_batch(&g, group_all(&g), true, true, arena, batch, parents);
    group_close(&g);
    return error;
}
