// SPDX-License-Identifier: Apache-2.0
/* What a segment tells of the whole: losses, names, processes, continued traces, bytes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/traces/segment/losses.h"
#include "collector/traces/segment/reader.h"
#include "collector/traces/segment/roster.h"

enum { SCRATCH_BYTES = 1 << 16 };

static size_t rows_of(const struct segment *s, enum table_kind kind)
{
    size_t rows = 0;
    for (uint32_t i = 0; i < s->footer.table_count; i++)
        rows += s->footer.tables[i].kind == kind ? s->footer.tables[i].count : 0;
    return rows;
}

/* Calls `read` for each part of a table. */
static int read_parts(struct segment *s, enum table_kind kind, struct arena *arena,
                      int (*read)(void *context, struct table_reader *r, uint32_t count),
                      void *context)
{
    int error = SEGMENT_OK;
    for (uint32_t i = 0; i < s->footer.table_count && !error; i++) {
        const struct table_entry *t = &s->footer.tables[i];
        if (t->kind != kind)
            continue;
        const uint8_t *bytes = segment_table(s, t, arena, &error);
        if (!bytes)
            return error;
        struct table_reader r = {{bytes, bytes + t->length, false}, arena, SEGMENT_OK};
        error = segment_table_error(s, t, read(context, &r, t->count));
    }
    return error;
}

/* ---- losses ------------------------------------------------------------------------------ */

static int read_losses(void *context, struct table_reader *r, uint32_t count)
{
    struct segment_loss **next = context;
    int error = losses_get(r, count, *next);
    *next += count;
    return error;
}

int segment_losses(struct segment *s, struct arena *arena, struct segment_loss **losses,
                   size_t *count)
{
    *count = rows_of(s, TABLE_LOSSES);
    *losses = arena_alloc(arena, *count * sizeof **losses);
    struct segment_loss *next = *losses;
    int error = next ? read_parts(s, TABLE_LOSSES, arena, read_losses, &next) : SEGMENT_ENOMEM;
    if (error)
        *count = 0;
    return error;
}

/* ---- names ------------------------------------------------------------------------------- */

struct name_lists {
    struct segment_service *services;
    struct segment_operation *operations;
    size_t service_count, operation_count;
};

/* The writer makes one part of each. */
static int read_services(void *context, struct table_reader *r, uint32_t count)
{
    struct name_lists *lists = context;
    if (lists->services)
        return SEGMENT_EDAMAGED;
    lists->service_count = count;
    return roster_get_services(r, count, &lists->services);
}

static int read_operations(void *context, struct table_reader *r, uint32_t count)
{
    struct name_lists *lists = context;
    if (lists->operations)
        return SEGMENT_EDAMAGED;
    lists->operation_count = count;
    return roster_get_operations(r, count, lists->service_count, &lists->operations);
}

int segment_names(struct segment *s, struct arena *arena, struct segment_service **services,
                  size_t *service_count, struct segment_operation **operations,
                  size_t *operation_count)
{
    struct name_lists lists = {0};
    int error = read_parts(s, TABLE_SERVICES, arena, read_services, &lists);
    if (!error)
        error = read_parts(s, TABLE_OPERATIONS, arena, read_operations, &lists);
    if (error)
        lists = (struct name_lists){0};
    *services = lists.services;
    *service_count = lists.service_count;
    *operations = lists.operations;
    *operation_count = lists.operation_count;
    return error;
}

/* ---- continued traces -------------------------------------------------------------------- */

static int read_continued(void *context, struct table_reader *r, uint32_t count)
{
    struct trace_id **next = context;
    const uint64_t *hi = table_get_numbers(r, count), *lo = table_get_numbers(r, count);
    if (!hi || !lo)
        return r->error;
    for (uint32_t i = 0; i < count; i++)
        *(*next)++ = (struct trace_id){hi[i], lo[i]};
    return SEGMENT_OK;
}

int segment_continued(struct segment *s, struct trace_id **ids, size_t *count)
{
    struct arena arena;
    arena_init(&arena, SCRATCH_BYTES);
    *count = rows_of(s, TABLE_CONTINUED);
    *ids = malloc((*count + 1) * sizeof **ids);
    struct trace_id *next = *ids;
    int error =
        next ? read_parts(s, TABLE_CONTINUED, &arena, read_continued, &next) : SEGMENT_ENOMEM;
    arena_fini(&arena);
    if (error) {
        free(*ids);
        *ids = NULL;
        *count = 0;
    }
    return error;
}

/* ---- processes --------------------------------------------------------------------------- */

/* Joins what parts hold: processes, their attributes, and the strings of these. */
struct joining {
    struct process_set *set;
    struct process_part *parts; /* read so far */
    uint32_t *string_first;     /* in the set, of each part */
    uint32_t part_count;
    struct arena *arena;
};

static int read_part(struct segment *s, uint32_t number, struct joining *j)
{
    int error;
    const struct table_entry *t = &s->footer.tables[s->first_processes + number];
    const uint8_t *bytes = segment_table(s, t, j->arena, &error);
    if (!bytes)
        return error;
    struct process_part *part = &j->parts[j->part_count];
    error = process_part_get(bytes, t->length, t->count, j->arena, part);
    if (error)
        return segment_table_error(s, t, error);
    if (part->string_count > UINT32_MAX - j->set->string_count)
        return segment_table_error(s, t, SEGMENT_EDAMAGED);
    j->string_first[j->part_count++] = j->set->string_count;
    j->set->string_count += part->string_count;
    return SEGMENT_OK;
}

static int join_strings(struct joining *j)
{
    struct batch_str *to = arena_alloc(j->arena, j->set->string_count * sizeof *to);
    if (!to)
        return SEGMENT_ENOMEM;
    for (uint32_t i = 0; i < j->part_count; i++)
        memcpy(to + j->string_first[i], j->parts[i].strings, j->parts[i].string_count * sizeof *to);
    j->set->strings = to;
    return SEGMENT_OK;
}

struct resource_columns {
    uint32_t *key;
    uint8_t *type;
    uint64_t *value;
    uint32_t count;
};

static void join_attributes(struct resource_columns *to, const struct process_part *part,
                            uint32_t string_first, struct batch_process_view *p)
{
    uint32_t first = p->attribute_first;
    p->attribute_first = to->count;
    for (uint32_t i = first; i < first + p->attribute_count; i++, to->count++) {
        uint8_t type = part->resource.type[i];
        bool is_string = type == VALUE_STRING || type == VALUE_BYTES;
        to->key[to->count] = part->resource.key[i] + string_first;
        to->type[to->count] = type;
        to->value[to->count] = part->resource.value[i] + (is_string ? string_first : 0);
    }
}

/* The processes themselves, once their parts are read. */
static int join_processes(struct joining *j, const uint64_t *numbers, uint32_t count)
{
    struct resource_columns to = {0};
    uint64_t attributes = 0;
    uint32_t part = 0;
    for (uint32_t i = 0; i < j->part_count; i++)
        attributes += j->parts[i].resource.count;
    to.key = arena_alloc(j->arena, attributes * sizeof *to.key);
    to.type = arena_alloc(j->arena, attributes);
    to.value = arena_alloc(j->arena, attributes * sizeof *to.value);
    j->set->list = arena_alloc(j->arena, count * sizeof *j->set->list);
    if (!to.key || !to.type || !to.value || !j->set->list)
        return SEGMENT_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 &&
            numbers[i] / SEGMENT_PROCESSES_A_PART != numbers[i - 1] / SEGMENT_PROCESSES_A_PART)
            part++;
        struct batch_process_view *p = &j->set->list[i];
        *p = j->parts[part].list[numbers[i] % SEGMENT_PROCESSES_A_PART];
        join_attributes(&to, &j->parts[part], j->string_first[part], p);
    }
    j->set->count = count;
    j->set->resource = (struct batch_attributes){to.count, to.key, to.type, to.value};
    return SEGMENT_OK;
}

int segment_load_processes(struct segment *s, const uint64_t *numbers, uint32_t count,
                           struct arena *arena, struct process_set *set)
{
    struct joining j = {.set = set, .arena = arena};
    uint32_t most = s->process_parts < count ? s->process_parts : count;
    *set = (struct process_set){0};
    j.parts = arena_alloc(arena, most * sizeof *j.parts);
    j.string_first = arena_alloc(arena, most * sizeof *j.string_first);
    if (!j.parts || !j.string_first)
        return SEGMENT_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t part = numbers[i] / SEGMENT_PROCESSES_A_PART;
        if (part >= s->process_parts || (i > 0 && numbers[i] <= numbers[i - 1]) ||
            numbers[i] % SEGMENT_PROCESSES_A_PART >=
                s->footer.tables[s->first_processes + part].count)
            return segment_note_damage(s, "process %" PRIu64 ": there is none", numbers[i]);
        if (i > 0 && part == numbers[i - 1] / SEGMENT_PROCESSES_A_PART)
            continue;
        int error = read_part(s, (uint32_t)part, &j);
        if (error)
            return error;
    }
    int error = join_strings(&j);
    return error ? error : join_processes(&j, numbers, count);
}

int segment_processes(struct segment *s, struct arena *arena, struct block_processes *processes)
{
    struct process_set set;
    uint32_t count = (uint32_t)rows_of(s, TABLE_PROCESSES);
    uint64_t *numbers = arena_alloc(arena, count * sizeof *numbers);
    *processes = (struct block_processes){0};
    if (!numbers)
        return SEGMENT_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = i;
    int error = segment_load_processes(s, numbers, count, arena, &set);
    if (error)
        return error;
    struct batch_attributes *resource = arena_alloc(arena, sizeof *resource);
    if (!resource)
        return SEGMENT_ENOMEM;
    *resource = set.resource;
    *processes = (struct block_processes){set.list, set.count, resource, set.strings};
    return SEGMENT_OK;
}

/* ---- bytes ------------------------------------------------------------------------------- */

static void tell_group(struct group *g, void (*each)(void *, const char *, uint64_t), void *context)
{
    static const char *const scopes[BLOCK_SCOPES] = {"", "event ", "link "};
    const struct batch_str *strings = group_strings(g, &g->arena);
    char name[128];
    each(context, "directory", g->entry->directory_length);
    for (uint32_t i = 0; i < g->section_count && strings; i++) {
        const struct section *section = &g->sections[i];
        if (section->kind == SECTION_VALUES)
            snprintf(name, sizeof name, "%sattribute %.*s", scopes[section->scope],
                     (int)(strings[section->key].length < 64 ? strings[section->key].length : 64),
                     strings[section->key].bytes);
        else
            snprintf(name, sizeof name, "%s%s", scopes[section->scope],
                     section_name(section->kind));
        each(context, name, section->length);
    }
}

int segment_bytes_by_column(struct segment *s,
                            void (*each)(void *context, const char *column, uint64_t bytes),
                            void *context)
{
    int error = SEGMENT_OK;
    for (uint32_t i = 0; i < s->footer.summary.groups && !error; i++) {
        struct group g;
        error = group_open(&g, s, i, false);
        if (!error)
            tell_group(&g, each, context);
        error = error ? error : g.error;
        group_close(&g);
    }
    for (uint32_t i = 0; i < s->footer.table_count; i++)
        each(context, table_name(s->footer.tables[i].kind), s->footer.tables[i].length);
    each(context, "header and footer",
         SEGMENT_HEADER_BYTES + SEGMENT_TRAILER_BYTES + SEGMENT_SUMMARY_BYTES +
             (uint64_t)s->footer.summary.groups * SEGMENT_GROUP_ENTRY_BYTES +
             (uint64_t)s->footer.table_count * SEGMENT_TABLE_ENTRY_BYTES);
    return error;
}
