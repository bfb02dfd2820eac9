// SPDX-License-Identifier: Apache-2.0
/* A group's directory is checked as a whole when it is opened: every section is of a known kind,
 * they fill the group, their counts agree with each other and are within bounds. So what is
 * decoded later needs but to agree with its count. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "collector/traces/segment/reader.h"
#include "lib/ring/span_id.h"

enum { ARENA_BYTES = 1 << 14, COUNTER_BITS = 20 };

/* ---- errors ------------------------------------------------------------------------------ */

void *group_damaged(struct group *g, uint32_t section, const char *what)
{
    const struct group_entry *e = g->entry;
    if (g->error)
        return NULL;
    g->error = SEGMENT_EDAMAGED;
    if (section == SECTION_NONE) {
        segment_note_damage(g->segment, "group %u at byte %" PRIu64 ": %s", g->number, e->offset,
                            what);
    } else {
        const struct section *s = &g->sections[section];
        static const char *const scopes[BLOCK_SCOPES] = {"", "event ", "link "};
        segment_note_damage(g->segment, "group %u, column \"%s%s\" at byte %" PRIu64 ": %s",
                            g->number, scopes[s->scope], section_name(s->kind),
                            e->offset + s->offset, what);
    }
    return NULL;
}

void *group_no_memory(struct group *g)
{
    if (!g->error)
        g->error = SEGMENT_ENOMEM;
    return NULL;
}

/* What a decoder said of a section. */
static void *section_error(struct group *g, uint32_t section, int error)
{
    if (error == ENCODING_ENOMEM)
        return group_no_memory(g);
    return group_damaged(g, section, "it contradicts itself");
}

/* ---- bytes ------------------------------------------------------------------------------- */

static uint8_t *read_bytes(struct group *g, uint64_t offset, size_t length)
{
    uint8_t *bytes = arena_alloc(&g->arena, length + BITS_PADDING);
    if (!bytes)
        return group_no_memory(g);
    memset(bytes + length, 0, BITS_PADDING);
    int error = segment_read(g->segment, g->entry->offset + offset, bytes, length);
    if (error == SEGMENT_EDAMAGED)
        return group_damaged(g, SECTION_NONE, "the file ends in it");
    if (error && !g->error)
        g->error = error;
    return error ? NULL : bytes;
}

/* A section's bytes, checked. */
static const uint8_t *section_bytes(struct group *g, uint32_t section)
{
    const struct section *s = &g->sections[section];
    if (g->error || g->bytes[section])
        return g->error ? NULL : g->bytes[section];
    const uint8_t *bytes = read_bytes(g, s->offset, s->length);
    if (!bytes)
        return NULL;
    if (XXH3_64bits(bytes, s->length) != s->checksum)
        return group_damaged(g, section, "its checksum does not hold");
    return g->bytes[section] = bytes;
}

/* Reads sections [first, end) at once. */
static void read_sections(struct group *g, uint32_t first, uint32_t end)
{
    if (g->error || first == end)
        return;
    uint64_t begin = g->sections[first].offset,
             length = g->sections[end - 1].offset + g->sections[end - 1].length - begin;
    const uint8_t *bytes = read_bytes(g, begin, length);
    for (uint32_t i = first; bytes && i < end; i++) {
        const struct section *s = &g->sections[i];
        const uint8_t *at = bytes + (s->offset - begin);
        if (XXH3_64bits(at, s->length) != s->checksum) {
            group_damaged(g, i, "its checksum does not hold");
            return;
        }
        g->bytes[i] = at;
    }
}

/* ---- columns ----------------------------------------------------------------------------- */

uint64_t *group_u64(struct group *g, uint32_t section, uint32_t first, uint32_t count,
                    struct arena *arena)
{
    if (g->error)
        return NULL;
    uint64_t *values = arena_alloc(arena, count * sizeof *values);
    if (!values)
        return group_no_memory(g);
    if (section == SECTION_NONE)
        return memset(values, 0, count * sizeof *values);
    const struct section *s = &g->sections[section];
    const uint8_t *bytes = section_bytes(g, section);
    if (!bytes)
        return NULL;
    if (first > s->count || count > s->count - first)
        return group_damaged(g, section, "it has too few values");
    int error = encoding_get(bytes, s->length, s->count, first, count, values);
    return error ? section_error(g, section, error) : values;
}

uint32_t *group_u32(struct group *g, uint32_t section, uint32_t first, uint32_t count,
                    uint64_t limit, struct arena *arena)
{
    uint32_t *narrow = g->error ? NULL : arena_alloc(arena, count * sizeof *narrow);
    if (!narrow)
        return group_no_memory(g);
    if (section == SECTION_NONE && limit > 0)
        return memset(narrow, 0, count * sizeof *narrow);
    const uint64_t *values = group_u64(g, section, first, count, &g->scratch);
    uint64_t most = 0;
    for (uint32_t i = 0; values && i < count; i++) {
        most = values[i] > most ? values[i] : most;
        narrow[i] = (uint32_t)values[i];
    }
    if (values && count > 0 && most >= limit)
        return group_damaged(g, section, "a number is out of its bounds");
    return values ? narrow : NULL;
}

uint8_t *group_u8(struct group *g, uint32_t section, uint32_t first, uint32_t count, uint64_t limit,
                  struct arena *arena)
{
    uint8_t *narrow = g->error ? NULL : arena_alloc(arena, count);
    if (!narrow)
        return group_no_memory(g);
    if (section == SECTION_NONE)
        return memset(narrow, 0, count);
    const uint64_t *values = group_u64(g, section, first, count, &g->scratch);
    uint64_t most = 0;
    for (uint32_t i = 0; values && i < count; i++) {
        most = values[i] > most ? values[i] : most;
        narrow[i] = (uint8_t)values[i];
    }
    if (values && most >= limit)
        return group_damaged(g, section, "a number is out of its bounds");
    return values ? narrow : NULL;
}

const struct batch_str *group_strings(struct group *g, struct arena *arena)
{
    struct batch_str *list;
    uint32_t section = g->one[SECTION_STRINGS];
    if (g->error)
        return NULL;
    if (g->strings && arena == &g->arena)
        return g->strings;
    const uint8_t *bytes = section_bytes(g, section);
    if (!bytes)
        return NULL;
    int error = strings_get(bytes, g->sections[section].length, g->string_count, arena, &list);
    if (error)
        return section_error(g, section, error);
    if (arena == &g->arena)
        g->strings = list;
    return list;
}

const struct group_classes *group_classes(struct group *g)
{
    struct group_classes c = {0};
    if (g->classes || g->error)
        return g->error ? NULL : g->classes;
    c.count = g->sections[g->one[SECTION_CLASS_NAME]].count;
    c.name = group_u32(g, g->one[SECTION_CLASS_NAME], 0, c.count, g->string_count, &g->arena);
    c.kind = group_u8(g, g->one[SECTION_CLASS_KIND], 0, c.count, UINT8_MAX + 1, &g->arena);
    c.flags = group_u8(g, g->one[SECTION_CLASS_FLAGS], 0, c.count, UINT8_MAX + 1, &g->arena);
    uint32_t shapes = g->shape[BLOCK_SPAN][1];
    if (g->shape[BLOCK_SPAN][0] == SECTION_NONE && shapes != SECTION_NONE)
        c.shape = group_u32(g, g->one[SECTION_CLASS_SHAPE], 0, c.count, g->sections[shapes].count,
                            &g->arena);
    if (g->error)
        return NULL;
    g->classes = arena_copy(&g->arena, &c, sizeof c);
    return g->classes ? g->classes : group_no_memory(g);
}

uint64_t *group_processes(struct group *g, struct arena *arena)
{
    return group_u64(g, g->one[SECTION_PROCESS], 0, g->process_count, arena);
}

/* ---- the directory ----------------------------------------------------------------------- */

/* Files a section under its kind; false: it cannot stand here. */
static bool place_section(struct group *g, uint32_t i)
{
    const struct section *s = &g->sections[i];
    if (s->kind == 0 || s->kind >= SECTION_KINDS || s->scope >= BLOCK_SCOPES || s->count == 0)
        return false;
    if (s->kind == SECTION_VALUES) {
        const struct section *before = i > 0 ? s - 1 : NULL;
        bool follows = before && before->kind == SECTION_VALUES && before->scope == s->scope;
        if (s->type >= VALUE_TYPES || (!follows && g->value_count[s->scope]) ||
            (follows &&
             (before->key > s->key || (before->key == s->key && before->type >= s->type))))
            return false;
        if (g->value_count[s->scope]++ == 0)
            g->values[s->scope] = i;
        return true;
    }
    uint32_t *place = s->kind == SECTION_SHAPE         ? &g->shape[s->scope][0]
                      : s->kind == SECTION_SHAPE_SIZE  ? &g->shape[s->scope][1]
                      : s->kind == SECTION_SHAPE_VALUE ? &g->shape[s->scope][2]
                                                       : &g->one[s->kind];
    if (*place != SECTION_NONE || (s->scope != BLOCK_SPAN && place == &g->one[s->kind]))
        return false;
    *place = i;
    return true;
}

static bool read_entries(struct group *g, const uint8_t *bytes)
{
    uint64_t offset = g->entry->directory_length;
    for (uint32_t i = 0; i < g->section_count; i++, bytes += SEGMENT_SECTION_ENTRY_BYTES) {
        struct section *s = &g->sections[i];
        *s = section_read(bytes);
        s->offset = offset;
        if (s->length > g->entry->bounds.bytes - offset || !place_section(g, i))
            return false;
        offset += s->length;
    }
    return offset == g->entry->bounds.bytes;
}

static uint32_t count_of(const struct group *g, uint32_t section)
{
    return section == SECTION_NONE ? 0 : g->sections[section].count;
}

/* A section has so many values, if it is there. */
static bool has(const struct group *g, enum section_kind kind, uint32_t count)
{
    return g->one[kind] == SECTION_NONE || g->sections[g->one[kind]].count == count;
}

static bool must_have(const struct group *g, enum section_kind kind, uint32_t count)
{
    return g->one[kind] != SECTION_NONE && g->sections[g->one[kind]].count == count;
}

static bool ids_agree(const struct group *g)
{
    uint32_t rows = g->block.rows, traces = g->block.trace_count;
    bool whole = g->one[SECTION_TRACE_LO] != SECTION_NONE;
    bool in_levels = g->one[SECTION_PARENT_DISTANCE] == SECTION_NONE;
    return must_have(g, SECTION_TRACE_HI, traces) && has(g, SECTION_TRACE_LO, traces) &&
           has(g, SECTION_TRACE_LO_BLOCK, traces) && has(g, SECTION_TRACE_LO_COUNT, traces) &&
           (whole || (g->one[SECTION_TRACE_LO_BLOCK] != SECTION_NONE &&
                      g->one[SECTION_TRACE_LO_COUNT] != SECTION_NONE)) &&
           has(g, SECTION_TRACE_ROWS, traces) && has(g, SECTION_TRACE_START, traces) &&
           has(g, SECTION_TRACE_START_HI, traces) && g->process_count > 0 &&
           g->process_count <= rows && g->origin_count > 0 && g->origin_count <= rows &&
           has(g, SECTION_ORIGIN_FIRST, g->origin_count) && has(g, SECTION_ORIGIN, rows) &&
           count_of(g, g->one[SECTION_SPAN_DELTA]) <= rows &&
           count_of(g, g->one[SECTION_SPAN_ID]) <= rows &&
           (in_levels ? rows == traces || must_have(g, SECTION_PARENT_LEVELS, rows - traces)
                      : must_have(g, SECTION_PARENT_DISTANCE, rows)) &&
           count_of(g, g->one[SECTION_PARENT_ID]) <= rows &&
           has(g, SECTION_PARENT_GAP, count_of(g, g->one[SECTION_PARENT_ID]));
}

static bool rows_agree(const struct group *g)
{
    uint32_t rows = g->block.rows, classes = count_of(g, g->one[SECTION_CLASS_NAME]);
    return has(g, SECTION_START, rows - g->block.trace_count) && has(g, SECTION_DURATION, rows) &&
           has(g, SECTION_CLASS, rows) && classes > 0 && classes <= rows &&
           has(g, SECTION_CLASS_KIND, classes) && has(g, SECTION_CLASS_FLAGS, classes) &&
           has(g, SECTION_CLASS_SHAPE, classes) && has(g, SECTION_STATUS, rows) &&
           has(g, SECTION_STATUS_MESSAGE, rows) && has(g, SECTION_TRACESTATE, rows) &&
           has(g, SECTION_DROPPED, rows) && has(g, SECTION_EVENTS, rows) &&
           has(g, SECTION_LINKS, rows) && has(g, SECTION_EVENT_TIME, g->event_count) &&
           has(g, SECTION_LINK_TRACE_HI, g->link_count) &&
           has(g, SECTION_LINK_TRACE_LO, g->link_count);
}

static bool attributes_agree(const struct group *g)
{
    uint64_t items = (uint64_t)g->event_count + g->link_count;
    for (int scope = 0; scope < BLOCK_SCOPES; scope++) {
        const uint32_t *shape = g->shape[scope];
        uint32_t count = group_items(g, scope);
        if ((shape[0] != SECTION_NONE && g->sections[shape[0]].count != count) ||
            count_of(g, shape[1]) > count ||
            (g->value_count[scope] > 0 && shape[1] == SECTION_NONE))
            return false;
        for (uint32_t i = 0; i < g->value_count[scope]; i++) {
            const struct section *s = &g->sections[g->values[scope] + i];
            items += s->count;
            if (s->key >= g->string_count)
                return false;
        }
        items += count_of(g, shape[2]);
    }
    /* Attributes of shapes are fewer than those of items, so twice as many suffices for both. */
    return items <= 2 * (uint64_t)SEGMENT_GROUP_ITEMS_MAX;
}

static bool directory_agrees(struct group *g)
{
    g->string_count = count_of(g, g->one[SECTION_STRINGS]);
    g->event_count = count_of(g, g->one[SECTION_EVENT_NAME]);
    g->link_count = count_of(g, g->one[SECTION_LINK_SPAN_ID]);
    g->process_count = count_of(g, g->one[SECTION_PROCESS]);
    g->origin_count = count_of(g, g->one[SECTION_ORIGIN_PROCESS]);
    return g->string_count > 0 && g->string_count <= SEGMENT_GROUP_STRINGS_MAX && ids_agree(g) &&
           rows_agree(g) && attributes_agree(g);
}

static void read_directory(struct group *g)
{
    const uint8_t *bytes = read_bytes(g, 0, g->entry->directory_length);
    g->section_count = g->entry->directory_length / SEGMENT_SECTION_ENTRY_BYTES;
    if (!bytes)
        return;
    if (XXH3_64bits(bytes, g->entry->directory_length) != g->entry->directory_checksum) {
        group_damaged(g, SECTION_NONE, "its directory's checksum does not hold");
        return;
    }
    g->sections = arena_alloc(&g->arena, g->section_count * sizeof *g->sections);
    g->bytes = arena_calloc(&g->arena, g->section_count, sizeof *g->bytes);
    if (!g->sections || !g->bytes)
        group_no_memory(g);
    else if (!read_entries(g, bytes) || !directory_agrees(g))
        group_damaged(g, SECTION_NONE, "its directory contradicts itself");
}

/* ---- traces ------------------------------------------------------------------------------ */

static const uint64_t *trace_lows(struct group *g)
{
    uint32_t count = g->block.trace_count;
    if (g->one[SECTION_TRACE_LO] != SECTION_NONE)
        return group_u64(g, g->one[SECTION_TRACE_LO], 0, count, &g->scratch);
    const uint64_t *block = group_u64(g, g->one[SECTION_TRACE_LO_BLOCK], 0, count, &g->scratch);
    uint64_t *low = group_u64(g, g->one[SECTION_TRACE_LO_COUNT], 0, count, &g->scratch);
    for (uint32_t i = 0; block && low && i < count; i++)
        low[i] = span_id_mix(block[i] << COUNTER_BITS | low[i]);
    return low;
}

static void read_traces(struct group *g)
{
    uint32_t count = g->block.trace_count, row = 0;
    const uint64_t *hi = group_u64(g, g->one[SECTION_TRACE_HI], 0, count, &g->scratch);
    const uint64_t *lo = trace_lows(g);
    const uint32_t *rows =
        group_u32(g, g->one[SECTION_TRACE_ROWS], 0, count, SEGMENT_GROUP_ROWS_MAX, &g->scratch);
    g->traces = arena_alloc(&g->arena, count * sizeof *g->traces);
    if (g->error || !g->traces) {
        group_no_memory(g);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i] >= g->block.rows - row) {
            group_damaged(g, SECTION_NONE, "its traces have more rows than it");
            return;
        }
        g->traces[i] = (struct block_trace){{hi[i], lo[i]}, row, rows[i] + 1};
        row += rows[i] + 1;
    }
    if (row != g->block.rows)
        group_damaged(g, SECTION_NONE, "its traces have fewer rows than it");
    g->block.traces = g->traces;
}

/* ---- open -------------------------------------------------------------------------------- */

int group_open(struct group *g, struct segment *s, uint32_t number, bool whole)
{
    *g = (struct group){.segment = s, .number = number, .entry = &s->footer.groups[number]};
    arena_init(&g->arena, ARENA_BYTES);
    arena_init(&g->scratch, ARENA_BYTES);
    g->block.rows = g->entry->bounds.rows;
    g->block.trace_count = g->entry->bounds.traces;
    memset(g->one, 0xff, sizeof g->one);
    memset(g->shape, 0xff, sizeof g->shape);
    read_directory(g);
    if (whole && !g->error)
        read_sections(g, 0, g->section_count);
    if (!g->error)
        read_traces(g);
    if (g->error)
        g->block.rows = g->block.trace_count = 0;
    arena_reset(&g->scratch);
    return g->error;
}

void group_close(struct group *g)
{
    arena_fini(&g->arena);
    arena_fini(&g->scratch);
}

struct group_part group_all(const struct group *g)
{
    return (struct group_part){0, g->block.trace_count, 0, g->block.rows};
}
