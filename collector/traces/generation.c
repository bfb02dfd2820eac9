// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/generation.h"

#include <stdlib.h>
#include <string.h>

#include "collector/hash.h"

enum { ARENA_BLOCK_BYTES = 1 << 20, TRACES_LEAST = 256 };

static int slots_init(struct generation *g, size_t traces)
{
    size_t count = hash_slots(traces);
    g->slots = malloc(count * sizeof *g->slots);
    if (!g->slots)
        return -1;
    memset(g->slots, 0xff, count * sizeof *g->slots); /* HEAD_NONE */
    g->slot_mask = (uint32_t)(count - 1);
    return 0;
}

struct generation *generation_create(uint64_t number, size_t expected_traces)
{
    struct generation *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->number = number;
    g->references = 1;
    g->bounds.start_min_unix_ns = g->bounds.duration_min_ns = UINT64_MAX;
    arena_init(&g->arena, ARENA_BLOCK_BYTES);
    if (expected_traces < TRACES_LEAST)
        expected_traces = TRACES_LEAST;
    if (names_init(&g->names) != 0 || slots_init(g, expected_traces) != 0)
        generation_destroy(&g);
    return g;
}

void generation_destroy(struct generation **place)
{
    struct generation *g = *place;
    if (!g)
        return;
    names_fini(&g->names);
    arena_fini(&g->arena);
    free(g->batches);
    free(g->runs);
    free(g->traces);
    free(g->continued);
    free(g->slots);
    free(g);
    *place = NULL;
}

uint64_t generation_bytes(const struct generation *g)
{
    return sizeof *g + g->arena.total_bytes + names_bytes(&g->names) +
           (uint64_t)g->batch_capacity * sizeof *g->batches +
           (uint64_t)g->run_capacity * sizeof *g->runs +
           (uint64_t)g->trace_capacity * sizeof *g->traces +
           (uint64_t)g->continued_capacity * sizeof *g->continued +
           ((uint64_t)g->slot_mask + 1) * sizeof *g->slots;
}

/* Grows by a quarter, so that little of the memory bound lies idle. */
static int make_room(void *array, uint32_t *capacity, uint64_t needed, size_t item)
{
    if (needed <= *capacity)
        return 0;
    uint64_t more = *capacity + *capacity / 4 + 64;
    if (more < needed)
        more = needed;
    if (more >= HEAD_NONE)
        return -1;
    void **place = array;
    void *bigger = realloc(*place, more * item);
    if (!bigger)
        return -1;
    *place = bigger;
    *capacity = (uint32_t)more;
    return 0;
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static void put_slot(struct generation *g, uint64_t hash, uint32_t index)
{
    uint64_t at = hash;
    while (g->slots[at & g->slot_mask].index != HEAD_NONE)
        at++;
    g->slots[at & g->slot_mask] = (struct head_slot){tag_of(hash), index};
}

static int grow_slots(struct generation *g, uint64_t traces)
{
    if (traces * 2 <= (uint64_t)g->slot_mask + 1)
        return 0;
    struct head_slot *old = g->slots;
    if (slots_init(g, traces) != 0) {
        g->slots = old;
        return -1;
    }
    for (uint32_t i = 0; i < g->trace_count; i++)
        put_slot(g, generation_hash(g->traces[i].id), i);
    free(old);
    return 0;
}

/* How many runs, and at most how many new traces, a batch brings. */
static uint32_t count_runs(const struct batch *b)
{
    uint32_t runs = b->span_count > 0;
    for (uint32_t i = 1; i < b->span_count; i++)
        runs += b->trace_hi[i] != b->trace_hi[i - 1] || b->trace_lo[i] != b->trace_lo[i - 1];
    return runs;
}

int generation_reserve(struct generation *g, const struct batch *batch)
{
    uint32_t runs = count_runs(batch);
    if (make_room(&g->batches, &g->batch_capacity, (uint64_t)g->batch_count + 1,
                  sizeof *g->batches) != 0 ||
        make_room(&g->runs, &g->run_capacity, (uint64_t)g->run_count + runs, sizeof *g->runs) !=
            0 ||
        make_room(&g->traces, &g->trace_capacity, (uint64_t)g->trace_count + runs,
                  sizeof *g->traces) != 0 ||
        make_room(&g->continued, &g->continued_capacity, (uint64_t)g->continued_count + runs,
                  sizeof *g->continued) != 0 ||
        grow_slots(g, (uint64_t)g->trace_count + runs) != 0)
        return -1;
    return names_begin(&g->names, batch);
}

uint64_t generation_hash(struct trace_id id)
{
    return hash_words(id.hi, id.lo);
}

struct head_trace *generation_find(const struct generation *g, struct trace_id id, uint64_t hash)
{
    uint32_t tag = tag_of(hash);
    for (uint64_t at = hash;; at++) {
        struct head_slot slot = g->slots[at & g->slot_mask];
        if (slot.index == HEAD_NONE)
            return NULL;
        if (slot.tag != tag)
            continue;
        struct head_trace *t = &g->traces[slot.index];
        if (t->id.lo == id.lo && t->id.hi == id.hi)
            return t;
    }
}

/* Rows [row, end) of a batch. */
static struct catalog_window window_of(const struct batch *b, uint32_t row, uint32_t end)
{
    struct catalog_window w = {b->start_unix_ns[row], 0};
    for (; row < end; row++) {
        uint64_t start = b->start_unix_ns[row], finish;
        if (__builtin_add_overflow(start, b->duration_ns[row], &finish))
            finish = UINT64_MAX;
        w.from_unix_ns = start < w.from_unix_ns ? start : w.from_unix_ns;
        w.to_unix_ns = finish > w.to_unix_ns ? finish : w.to_unix_ns;
    }
    return w;
}

static bool is_in_past(struct trace_id id, uint64_t hash, struct catalog_window window,
                       const struct generation_past *past)
{
    for (unsigned i = 0; i < past->count; i++) {
        if (generation_find(past->generations[i], id, hash))
            return true;
    }
    return edition_may_have(past->segments, past->segments->count, id, window);
}

static struct head_trace *find_or_add(struct generation *g, const struct batch *b, uint32_t row,
                                      uint32_t end, const struct generation_past *past)
{
    struct trace_id id = {b->trace_hi[row], b->trace_lo[row]};
    uint64_t hash = generation_hash(id);
    struct head_trace *t = generation_find(g, id, hash);
    if (t)
        return t;
    put_slot(g, hash, g->trace_count);
    t = &g->traces[g->trace_count++];
    *t = (struct head_trace){.id = id, .first_run = HEAD_NONE, .last_run = HEAD_NONE};
    if (is_in_past(id, hash, window_of(b, row, end), past))
        g->continued[g->continued_count++] = id;
    return t;
}

static void add_run(struct generation *g, struct head_trace *t, uint32_t batch, uint32_t row,
                    uint32_t count)
{
    uint32_t run = g->run_count++;
    g->runs[run] = (struct head_run){batch, row, count, HEAD_NONE};
    if (t->last_run == HEAD_NONE)
        t->first_run = run;
    else
        g->runs[t->last_run].next = run;
    t->last_run = run;
    t->spans += count;
}

static void widen_bounds(struct block_bounds *bounds, const struct batch *b, uint32_t row)
{
    uint64_t start = b->start_unix_ns[row], duration = b->duration_ns[row], end;
    if (__builtin_add_overflow(start, duration, &end))
        end = UINT64_MAX;
    if (start < bounds->start_min_unix_ns)
        bounds->start_min_unix_ns = start;
    if (start > bounds->start_max_unix_ns)
        bounds->start_max_unix_ns = start;
    if (end > bounds->end_max_unix_ns)
        bounds->end_max_unix_ns = end;
    if (duration < bounds->duration_min_ns)
        bounds->duration_min_ns = duration;
    if (duration > bounds->duration_max_ns)
        bounds->duration_max_ns = duration;
    bounds->kinds |= (uint8_t)(1U << b->kind[row]);
    bounds->statuses |= (uint8_t)(1U << b->status[row]);
}

static void sum_up(struct generation *g, const struct batch *b)
{
    struct block_bounds bounds = g->bounds; /* in registers for the walk */
    for (uint32_t row = 0; row < b->span_count; row++) {
        widen_bounds(&bounds, b, row);
        names_span(&g->names, b, row);
    }
    g->bounds = bounds;
    g->bounds.rows += b->span_count;
    g->spans += b->span_count;
}

void generation_index(struct generation *g, const struct batch *b, const char *agent,
                      const struct generation_past *past)
{
    uint32_t batch = g->batch_count++;
    g->batches[batch] = (struct head_batch){b, agent, b->loss_count};
    uint32_t row = 0;
    while (row < b->span_count) {
        struct trace_id id = {b->trace_hi[row], b->trace_lo[row]};
        uint32_t end = row + 1;
        while (end < b->span_count && b->trace_lo[end] == id.lo && b->trace_hi[end] == id.hi)
            end++;
        struct head_trace *t = find_or_add(g, b, row, end, past);
        add_run(g, t, batch, row, end - row);
        row = end;
    }
    sum_up(g, b);
    g->bounds.traces = g->trace_count;
}
