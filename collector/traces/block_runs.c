// SPDX-License-Identifier: Apache-2.0
/* A block over runs of batches. Its dictionary is the batches' dictionaries end to end (equal
 * strings may be there more often than once), its processes likewise: so a column is made by
 * adding a batch's base to its indices, and nothing is looked up. */
#include "collector/traces/block_runs.h"

#include <stdlib.h>

#include "collector/hash.h"
#include "collector/traces/order.h"

static void runs_close(struct block *block)
{
    struct runs_block *b = (struct runs_block *)block;
    arena_fini(&b->arena);
    arena_fini(&b->own_batches);
    free(b->own_runs);
    free(b->own_first);
    free(b);
}

static const struct block_provider provider = {
    runs_u64,
    runs_u32,
    runs_u8,
    runs_strings,
    runs_processes,
    runs_attribute,
    runs_attribute_rows,
    runs_attribute_items,
    runs_events,
    runs_links,
    runs_keys,
    runs_close,
};

/* ---- making it --------------------------------------------------------------------------- */

struct making {
    struct runs_block *b;
    const struct span_run *runs;
    const uint32_t *first;
    uint32_t traces;
    uint32_t *slots; /* batch → source + 1 */
    size_t mask;
    struct order order;
    struct order_span *spans; /* of one trace */
    struct runs_place *arrived;
};

static uint32_t source_of(struct making *m, const struct batch *batch)
{
    struct runs_block *b = m->b;
    for (uint64_t at = hash_words((uintptr_t)batch, 2);; at++) {
        uint32_t *slot = &m->slots[at & m->mask];
        if (*slot && b->sources[*slot - 1].batch == batch)
            return *slot - 1;
        if (*slot)
            continue;
        struct runs_source *s = &b->sources[b->source_count];
        *s = (struct runs_source){.batch = batch};
        if (b->source_count > 0) {
            const struct runs_source *last = s - 1;
            s->strings = last->strings + last->batch->string_count - 1;
            s->processes = last->processes + last->batch->process_count;
        }
        return (*slot = ++b->source_count) - 1;
    }
}

static void collect(struct making *m, const struct span_run *run, uint32_t *count)
{
    const struct batch *batch = run->batch;
    uint32_t source = source_of(m, batch);
    for (uint32_t row = run->row; row < run->row + run->count; row++) {
        m->arrived[*count] = (struct runs_place){source, row};
        m->spans[(*count)++] = (struct order_span){
            .span_id = batch->span_id[row],
            .parent_id = batch->parent_id[row],
            .start_unix_ns = batch->start_unix_ns[row],
            .process = order_process(batch->processes[batch->process[row]].uuid),
            .status = batch->status[row],
        };
    }
}

static int put_trace(struct making *m, uint32_t trace, struct block_trace *out)
{
    struct runs_block *b = m->b;
    uint32_t count = 0, row = b->block.rows;
    for (uint32_t i = m->first[trace]; i < m->first[trace + 1]; i++)
        collect(m, &m->runs[i], &count);
    if (count == 0 || order_trace(&m->order, m->spans, count) != 0)
        return count == 0 ? 0 : -1;
    const struct span_run *run = &m->runs[m->first[trace]];
    struct trace_id id = {run->batch->trace_hi[run->row], run->batch->trace_lo[run->row]};
    *out = (struct block_trace){id, row, m->order.count};
    for (uint32_t i = 0; i < m->order.count; i++) {
        b->places[row + i] = m->arrived[m->order.span[i]];
        uint32_t parent = m->order.parent[i];
        b->parents[row + i] = parent == ORDER_NONE ? BLOCK_NONE : row + parent;
    }
    b->block.rows += m->order.count;
    b->block.trace_count++;
    return 0;
}

static int fill(struct making *m)
{
    uint64_t rows = 0, most = 1;
    uint32_t runs = m->first[m->traces];
    for (uint32_t trace = 0; trace < m->traces; trace++) {
        uint64_t count = 0;
        for (uint32_t i = m->first[trace]; i < m->first[trace + 1]; i++)
            count += m->runs[i].count;
        rows += count;
        most = count > most ? count : most;
    }
    if (rows >= BLOCK_NONE)
        return -1;
    struct runs_block *b = m->b;
    size_t slots = hash_slots(runs);
    m->mask = slots - 1;
    m->slots = calloc(slots, sizeof *m->slots);
    m->spans = malloc(most * sizeof *m->spans);
    m->arrived = malloc(most * sizeof *m->arrived);
    b->sources = runs_need(b, runs, sizeof *b->sources);
    b->places = runs_need(b, rows, sizeof *b->places);
    b->parents = runs_need(b, rows, sizeof *b->parents);
    struct block_trace *traces = runs_need(b, m->traces, sizeof *traces);
    if (!m->slots || !m->spans || !m->arrived || b->block.error)
        return -1;
    b->block.traces = traces;
    for (uint32_t trace = 0; trace < m->traces; trace++) {
        if (put_trace(m, trace, &traces[b->block.trace_count]) != 0)
            return -1;
    }
    return 0;
}

struct block *block_of_runs(const struct span_run *runs, const uint32_t *first, uint32_t traces)
{
    struct runs_block *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->block.provider = &provider;
    arena_init(&b->arena, 64 << 10);
    struct making m = {.b = b, .runs = runs, .first = first, .traces = traces};
    int result = fill(&m);
    free(m.slots);
    free(m.spans);
    free(m.arrived);
    order_fini(&m.order);
    if (result == 0)
        return &b->block;
    runs_close(&b->block);
    return NULL;
}

struct block *block_of_own_runs(struct span_run *runs, uint32_t *first, uint32_t traces,
                                struct arena *arena)
{
    struct arena none;
    if (!arena)
        arena_init(arena = &none, 0);
    struct block *block = block_of_runs(runs, first, traces);
    if (!block) {
        free(runs);
        free(first);
        arena_fini(arena);
        return NULL;
    }
    struct runs_block *b = (struct runs_block *)block;
    b->own_runs = runs;
    b->own_first = first;
    b->own_batches = *arena;
    arena_init(arena, arena->block_bytes);
    return block;
}

uint32_t block_runs_row(const struct block *b, uint32_t row)
{
    return ((const struct runs_block *)b)->places[row].row;
}
