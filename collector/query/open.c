// SPDX-License-Identifier: Apache-2.0
#include "collector/query/open.h"

#include <stdlib.h>
#include <string.h>

#include "collector/hash.h"

static struct trace_id id_of(const struct span_run *run)
{
    return (struct trace_id){run->batch->trace_hi[run->row], run->batch->trace_lo[run->row]};
}

static int by_id(const void *left, const void *right)
{
    struct trace_id a = id_of(left), b = id_of(right);
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return a.lo < b.lo ? -1 : a.lo > b.lo;
}

static void collect_runs(struct open_index *o, const struct inflight_hold *hold)
{
    for (size_t i = 0; i < hold->count; i++) {
        const struct inflight_snapshot *s = hold->snapshots[i];
        for (uint32_t row = 0; row < s->batch->span_count; row++)
            o->runs[o->run_count++] = (struct span_run){.batch = s->batch, .row = row, .count = 1};
    }
    if (o->run_count > 1)
        qsort(o->runs, o->run_count, sizeof *o->runs, by_id);
}

static void add_trace(struct open_index *o, size_t first, size_t end)
{
    struct open_trace t = {id_of(&o->runs[first]), UINT64_MAX, first, end - first};
    for (size_t i = first; i < end; i++) {
        uint64_t start = o->runs[i].batch->start_unix_ns[o->runs[i].row];
        t.start_unix_ns = start < t.start_unix_ns ? start : t.start_unix_ns;
    }
    o->traces[o->trace_count++] = t;
    uint64_t at = hash_words(t.id.hi, t.id.lo);
    while (o->slots[at & o->mask])
        at++;
    o->slots[at & o->mask] = (uint32_t)o->trace_count;
}

static void collect_traces(struct open_index *o)
{
    size_t first = 0;
    for (size_t i = 1; i <= o->run_count; i++) {
        if (i == o->run_count || by_id(&o->runs[i], &o->runs[first]) != 0) {
            add_trace(o, first, i);
            first = i;
        }
    }
}

int open_index_init(struct open_index *o, const struct inflight_hold *hold)
{
    *o = (struct open_index){0};
    size_t rows = 0;
    for (size_t i = 0; i < hold->count; i++)
        rows += hold->snapshots[i]->batch->span_count;
    size_t slots = hash_slots(rows);
    o->runs = malloc((rows + 1) * sizeof *o->runs);
    o->traces = malloc((rows + 1) * sizeof *o->traces);
    o->slots = calloc(slots, sizeof *o->slots);
    o->mask = slots - 1;
    if (!o->runs || !o->traces || !o->slots) {
        open_index_fini(o);
        return -1;
    }
    collect_runs(o, hold);
    if (o->run_count > 0)
        collect_traces(o);
    return 0;
}

void open_index_fini(struct open_index *o)
{
    free(o->runs);
    free(o->traces);
    free(o->slots);
    *o = (struct open_index){0};
}

static const struct open_trace *find_open(const struct open_index *o, struct trace_id id)
{
    if (o->trace_count == 0)
        return NULL;
    for (uint64_t at = hash_words(id.hi, id.lo);; at++) {
        uint32_t slot = o->slots[at & o->mask];
        if (!slot)
            return NULL;
        const struct open_trace *t = &o->traces[slot - 1];
        if (t->id.hi == id.hi && t->id.lo == id.lo)
            return t;
    }
}

int open_index_gather(const struct open_index *o, const struct store_hold *hold, struct trace_id id,
                      bool details, struct arena *arena, struct span_run **runs, size_t *count)
{
    if (store_find(hold, id, details, arena, runs, count) != 0)
        return -1;
    const struct open_trace *open = find_open(o, id);
    if (!open)
        return 0;
    struct span_run *both = realloc(*runs, (*count + open->count) * sizeof *both);
    if (!both) {
        free(*runs);
        *runs = NULL;
        return -1;
    }
    memcpy(both + *count, o->runs + open->first, open->count * sizeof *both);
    *runs = both;
    *count += open->count;
    return 0;
}
