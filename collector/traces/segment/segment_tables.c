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
    if (*count > SEGMENT_LOSSES_MAX + SEGMENT_LOSS_SUMS_MAX) {
        *count = 0;
        return segment_note_damage(s, "the %s: there are too many", table_name(TABLE_LOSSES));
    }
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

static uint64_t traces_of(const struct segment *s)
{
    uint64_t traces = 0;
    for (uint32_t i = 0; i < s->footer.summary.groups; i++)
        traces += s->footer.groups[i].bounds.traces;
    return traces;
}

int segment_continued(struct segment *s, struct trace_id **ids, size_t *count)
{
    struct arena arena;
    *ids = NULL;
    *count = rows_of(s, TABLE_CONTINUED);
    if (*count > traces_of(s)) {
        *count = 0;
        return segment_note_damage(s, "the %s: there are too many", table_name(TABLE_CONTINUED));
    }
    arena_init(&arena, SCRATCH_BYTES);
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
