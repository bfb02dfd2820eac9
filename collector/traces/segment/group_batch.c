// SPDX-License-Identifier: Apache-2.0
/* Rows of a group as a batch: a trace that was asked for, with the strings and processes alone
 * that it uses, or the whole group for merging, with all of them.
 *
 * Everything that the batch refers to is in the caller's arena; what is read on the way is the
 * group's and goes with it. */
#include <string.h>

#include "collector/traces/segment/group_batch.h"

/* ---- strings ----------------------------------------------------------------------------- */

uint32_t making_add_string(struct making *m, struct renumber *r, uint32_t number)
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
        column[i] = making_string(m, &m->strings, column[i]);
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
        key[i] = making_string(m, &m->process_strings, set->resource.key[i]);
        value[i] = set->resource.value[i];
        if (type[i] == VALUE_STRING || type[i] == VALUE_BYTES)
            value[i] = making_string(m, &m->process_strings, (uint32_t)value[i]);
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

uint32_t *making_strings(struct making *m, enum section_kind kind, uint32_t first, uint32_t count)
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
    b->status_message = making_strings(m, SECTION_STATUS_MESSAGE, part.row, part.rows);
    b->tracestate = making_strings(m, SECTION_TRACESTATE, part.row, part.rows);
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
        making_details(&m);
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
