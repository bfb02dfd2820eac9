// SPDX-License-Identifier: Apache-2.0
/* Columns whose values follow from each other: an id from the last one of its counter, a start
 * from that of the sibling before, a parent from the tree's order. */
#include <string.h>

#include "collector/traces/segment/reader.h"
#include "lib/ring/span_id.h"

/* Origins of rows [first, first + count). */
static uint32_t *get_origins(struct group *g, uint32_t first, uint32_t count)
{
    return group_u32(g, g->one[SECTION_ORIGIN], first, count, g->origin_count, &g->scratch);
}

uint32_t *group_row_process(struct group *g, struct group_part part, struct arena *arena)
{
    const uint32_t *process = group_u32(g, g->one[SECTION_ORIGIN_PROCESS], 0, g->origin_count,
                                        g->process_count, &g->scratch);
    const uint32_t *origin = get_origins(g, part.row, part.rows);
    uint32_t *to = arena_alloc(arena, part.rows * sizeof *to);
    if (g->error || !to)
        return group_no_memory(g);
    for (uint32_t i = 0; i < part.rows; i++)
        to[i] = process[origin[i]];
    return to;
}

/* ---- span ids ---------------------------------------------------------------------------- */

/* Ids depend on those before, so all rows up to the part are gone through. */
uint64_t *group_span_ids(struct group *g, struct group_part part, struct arena *arena)
{
    uint32_t end = part.row + part.rows, delta = 0, whole = 0;
    uint32_t deltas = end, wholes = end;
    if (g->one[SECTION_SPAN_DELTA] != SECTION_NONE &&
        g->sections[g->one[SECTION_SPAN_DELTA]].count < deltas)
        deltas = g->sections[g->one[SECTION_SPAN_DELTA]].count;
    if (g->one[SECTION_SPAN_ID] != SECTION_NONE &&
        g->sections[g->one[SECTION_SPAN_ID]].count < wholes)
        wholes = g->sections[g->one[SECTION_SPAN_ID]].count;
    const uint32_t *origin = get_origins(g, 0, end);
    const uint64_t *first =
        group_u64(g, g->one[SECTION_ORIGIN_FIRST], 0, g->origin_count, &g->scratch);
    uint64_t *last = first ? arena_copy(&g->scratch, first, g->origin_count * sizeof *last) : NULL;
    const uint64_t *d = group_u64(g, g->one[SECTION_SPAN_DELTA], 0, deltas, &g->scratch);
    const uint64_t *w = group_u64(g, g->one[SECTION_SPAN_ID], 0, wholes, &g->scratch);
    uint64_t *to = arena_alloc(arena, part.rows * sizeof *to);
    if (g->error || !last || !to)
        return group_no_memory(g);
    for (uint32_t row = 0; row < end; row++) {
        uint64_t id;
        if (first[origin[row]] == 0) {
            if (whole == wholes)
                return group_damaged(g, g->one[SECTION_SPAN_ID], "it has too few values");
            id = w[whole++];
        } else {
            if (delta == deltas)
                return group_damaged(g, g->one[SECTION_SPAN_DELTA], "it has too few values");
            id = last[origin[row]] += (uint64_t)unzigzag(d[delta++]);
            id = row >= part.row ? span_id_mix(id) : 0;
        }
        if (row >= part.row)
            to[row - part.row] = id;
    }
    return to;
}

/* ---- parents ----------------------------------------------------------------------------- */

static bool undo_levels(const uint32_t *levels, uint32_t rows, uint32_t *above, uint32_t *to)
{
    uint32_t depth = 0;
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t up = row ? levels[row - 1] : 0;
        if (up > depth)
            return false;
        depth -= up;
        to[row] = depth ? row - above[depth - 1] : 0;
        above[depth++] = row;
    }
    return true;
}

static uint32_t *distances_by_levels(struct group *g, struct group_part part, uint32_t *to)
{
    uint32_t section = g->one[SECTION_PARENT_LEVELS];
    const uint32_t *levels = group_u32(g, section, part.row - part.trace, part.rows - part.traces,
                                       SEGMENT_GROUP_ROWS_MAX, &g->scratch);
    uint32_t *above = arena_alloc(&g->scratch, part.rows * sizeof *above);
    if (!levels || !above)
        return group_no_memory(g);
    for (uint32_t t = part.trace; t < part.trace + part.traces; t++) {
        uint32_t at = g->traces[t].row - part.row;
        if (!undo_levels(levels + at - (t - part.trace), g->traces[t].count, above, to + at))
            return group_damaged(g, section, "a parent is above its trace");
    }
    return to;
}

uint32_t *group_distances(struct group *g, struct group_part part, struct arena *arena)
{
    uint32_t section = g->one[SECTION_PARENT_DISTANCE];
    if (section == SECTION_NONE) {
        uint32_t *to = arena_alloc(arena, part.rows * sizeof *to);
        return to ? distances_by_levels(g, part, to) : group_no_memory(g);
    }
    uint32_t *to = group_u32(g, section, part.row, part.rows, UINT64_C(1) << 32, arena);
    for (uint32_t t = part.trace; to && t < part.trace + part.traces; t++) {
        uint64_t before = t == 0 ? g->entry->cut_rows : 0;
        uint32_t at = g->traces[t].row - part.row;
        for (uint32_t i = 0; i < g->traces[t].count; i++) {
            if (to[at + i] > before + i)
                return group_damaged(g, section, "a parent is before its trace");
        }
    }
    return to;
}

uint64_t *group_parent_ids(struct group *g, struct group_part part, const uint32_t *distances,
                           const uint64_t *span_ids, struct arena *arena)
{
    uint32_t section = g->one[SECTION_PARENT_ID];
    uint32_t count = section == SECTION_NONE ? 0 : g->sections[section].count;
    const uint64_t *gap = group_u64(g, g->one[SECTION_PARENT_GAP], 0, count, &g->scratch);
    const uint64_t *id = group_u64(g, section, 0, count, &g->scratch);
    uint64_t *to = arena_alloc(arena, part.rows * sizeof *to), row = 0;
    if (g->error || !to)
        return group_no_memory(g);
    for (uint32_t i = 0; i < part.rows; i++)
        to[i] = distances[i] && distances[i] <= i ? span_ids[i - distances[i]] : 0;
    for (uint32_t i = 0; i < count; i++, row++) {
        if (gap[i] >= g->entry->bounds.rows - row)
            return group_damaged(g, g->one[SECTION_PARENT_GAP], "a row is beyond the last");
        row += gap[i];
        if (row >= part.row && row - part.row < part.rows)
            to[row - part.row] = id[i];
    }
    return to;
}

/* ---- starts ------------------------------------------------------------------------------ */

static const uint64_t *trace_starts(struct group *g, struct group_part part)
{
    if (g->one[SECTION_TRACE_START] != SECTION_NONE)
        return group_u64(g, g->one[SECTION_TRACE_START], part.trace, part.traces, &g->scratch);
    uint64_t *start =
        group_u64(g, g->one[SECTION_TRACE_START_HI], part.trace, part.traces, &g->scratch);
    for (uint32_t i = 0; start && i < part.traces; i++)
        start[i] += g->traces[part.trace + i].id.hi;
    return start;
}

uint64_t *group_starts(struct group *g, struct group_part part, const uint32_t *distances,
                       struct arena *arena)
{
    const uint64_t *top = trace_starts(g, part);
    const uint64_t *delta = group_u64(g, g->one[SECTION_START], part.row - part.trace,
                                      part.rows - part.traces, &g->scratch);
    uint64_t *base = arena_alloc(&g->scratch, part.rows * sizeof *base);
    uint64_t *to = arena_alloc(arena, part.rows * sizeof *to);
    if (g->error || !base || !to)
        return group_no_memory(g);
    for (uint32_t t = 0; t < part.traces; t++) {
        uint32_t row = g->traces[part.trace + t].row - part.row;
        uint32_t end = row + g->traces[part.trace + t].count;
        uint64_t last = top[t];
        to[row] = base[row] = last;
        for (row++; row < end; row++) {
            /* in the same trace, or it was refused with the distances */
            bool below = distances[row] && distances[row] <= row;
            uint64_t *from = below ? &base[row - distances[row]] : &last;
            to[row] = base[row] = *from += *delta++;
        }
    }
    return to;
}
