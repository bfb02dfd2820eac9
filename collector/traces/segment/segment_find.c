// SPDX-License-Identifier: Apache-2.0
/* A trace by its id: the footer tells the only group where it can begin to end, the filter
 * whether it is there. */
#include "collector/traces/segment/filter.h"
#include "collector/traces/segment/reader.h"

static int compare(struct trace_id a, struct trace_id b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return (a.lo > b.lo) - (a.lo < b.lo);
}

/* The last group whose first trace is not behind `id`; false: there is none. */
static bool last_group(const struct segment *s, struct trace_id id, uint32_t *group)
{
    uint32_t low = 0, high = s->footer.summary.groups;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(s->footer.groups[middle].first, id) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    *group = low - 1;
    return low > 0;
}

static bool group_may_have(const struct segment *s, uint32_t group, struct trace_id id)
{
    const struct group_entry *g = &s->footer.groups[group];
    return filter_may_have(s->filter + (size_t)g->filter_line * FILTER_LINE_BYTES,
                           filter_lines(g->bounds.traces), id);
}

bool segment_may_have(const struct segment *s, struct trace_id id)
{
    uint32_t group;
    return last_group(s, id, &group) && group_may_have(s, group, id);
}

/* The group's rows of the trace; false: none. */
static bool find_part(const struct group *g, struct trace_id id, struct group_part *part)
{
    uint32_t low = 0, high = g->block.trace_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct block_trace *t = &g->traces[middle];
        int order = compare(t->id, id);
        if (order == 0) {
            *part = (struct group_part){middle, 1, t->row, t->count};
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static int find_in_group(struct segment *s, uint32_t number, struct trace_id id, bool details,
                         struct arena *arena, struct span_run *run)
{
    struct group g;
    struct group_part part;
    struct batch *batch;
    const uint32_t *parents;
    *run = (struct span_run){0};
    int error = group_open(&g, s, number, false);
    if (!error && find_part(&g, id, &part)) {
        error = group_to_batch(&g, part, details, false, arena, &batch, &parents);
        if (!error)
            *run = (struct span_run){batch, 0, batch->span_count, s, number};
    }
    group_close(&g);
    return error;
}

bool segment_cuts(const struct segment *s, struct trace_id id)
{
    uint32_t group;
    return last_group(s, id, &group) && s->footer.groups[group].cut_rows > 0 &&
           compare(s->footer.groups[group].first, id) == 0;
}

int segment_find(struct segment *s, struct trace_id id, bool details, struct arena *arena,
                 struct span_run **runs, size_t *count)
{
    uint32_t last, first;
    *runs = NULL;
    *count = 0;
    if (!last_group(s, id, &last) || !group_may_have(s, last, id))
        return SEGMENT_OK;
    for (first = last; first > 0 && s->footer.groups[first].cut_rows > 0 &&
                       compare(s->footer.groups[first].first, id) == 0;
         first--)
        ;
    struct span_run *list = arena_alloc(arena, (last - first + 1) * sizeof *list);
    if (!list)
        return SEGMENT_ENOMEM;
    for (uint32_t i = first; i <= last; i++) {
        int error = find_in_group(s, i, id, details, arena, &list[*count]);
        if (error)
            return error;
        *count += list[*count].count > 0;
    }
    *runs = list;
    return SEGMENT_OK;
}

int segment_find_details(const struct span_run *run, struct arena *arena, struct span_run *details)
{
    const struct batch *b = run->batch;
    if (run->count == 0) {
        *details = *run;
        return SEGMENT_OK;
    }
    struct trace_id id = {b->trace_hi[run->row], b->trace_lo[run->row]};
    int error = find_in_group(run->segment, run->group, id, true, arena, details);
    if (!error && details->count != b->span_count)
        error = segment_note_damage(run->segment, "group %u: it is not what it was", run->group);
    details->row = run->row;
    details->count = run->count;
    return error;
}
