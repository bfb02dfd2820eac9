// SPDX-License-Identifier: Apache-2.0
#include "collector/query/tree.h"

#include <stdlib.h>
#include <string.h>

#include "collector/hash.h"
#include "lib/model/span.h"

/* What is needed only while building. */
struct work {
    struct order_span *spans;
    struct tree_node *arrived;
    uint32_t count;
    uint32_t *process_slots;
    size_t process_mask;
    struct order order;
};

/* ---- processes --------------------------------------------------------------------------- */

static uint32_t *process_slot(const struct tree *t, const struct work *w, const uint8_t uuid[16])
{
    for (uint64_t at = hash_bytes(uuid, 16);; at++) {
        uint32_t *slot = &w->process_slots[at & w->process_mask];
        if (!*slot || memcmp(t->processes[*slot - 1].view->uuid, uuid, 16) == 0)
            return slot;
    }
}

static int grow_processes(struct tree *t, struct work *w)
{
    uint32_t capacity = t->process_capacity ? t->process_capacity * 2 : 8;
    struct tree_process *bigger = realloc(t->processes, capacity * sizeof *bigger);
    if (!bigger)
        return -1;
    t->processes = bigger;
    t->process_capacity = capacity;
    size_t slots = hash_slots(capacity);
    free(w->process_slots);
    w->process_slots = calloc(slots, sizeof *w->process_slots);
    if (!w->process_slots)
        return -1;
    w->process_mask = slots - 1;
    for (uint32_t i = 0; i < t->process_count; i++)
        *process_slot(t, w, t->processes[i].view->uuid) = i + 1;
    return 0;
}

/* TREE_NONE when memory is out. */
static uint32_t learn_process(struct tree *t, struct work *w, const struct batch *batch,
                              uint32_t process)
{
    if (t->process_count == t->process_capacity && grow_processes(t, w) != 0)
        return TREE_NONE;
    const struct batch_process_view *view = &batch->processes[process];
    uint32_t *slot = process_slot(t, w, view->uuid);
    if (!*slot) {
        t->processes[t->process_count] = (struct tree_process){.batch = batch, .view = view};
        *slot = ++t->process_count;
    }
    return *slot - 1;
}

/* ---- nodes ------------------------------------------------------------------------------- */

static int add_run(struct tree *t, struct work *w, const struct span_run *run)
{
    const struct batch *b = run->batch;
    uint32_t last = TREE_NONE, process = 0;
    for (uint32_t row = run->row; row < run->row + run->count; row++) {
        if (b->process[row] != last) {
            last = b->process[row];
            process = learn_process(t, w, b, last);
            if (process == TREE_NONE)
                return -1;
        }
        w->arrived[w->count] = (struct tree_node){b, row, process, TREE_NONE, 0};
        w->spans[w->count++] = (struct order_span){
            .span_id = b->span_id[row],
            .parent_id = b->parent_id[row],
            .start_unix_ns = b->start_unix_ns[row],
            .process = process,
            .status = b->status[row],
        };
    }
    return 0;
}

static void put_in_order(struct tree *t, const struct work *w)
{
    t->count = w->order.count;
    for (uint32_t i = 0; i < t->count; i++) {
        t->nodes[i] = w->arrived[w->order.span[i]];
        t->nodes[i].parent = w->order.parent[i];
        t->nodes[i].flags = w->order.flags[i];
    }
}

static void sum_up(struct tree *t)
{
    t->start_unix_ns = UINT64_MAX;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct tree_node *n = &t->nodes[i];
        const struct batch *b = n->batch;
        uint64_t start = b->start_unix_ns[n->row], end;
        if (__builtin_add_overflow(start, b->duration_ns[n->row], &end))
            end = UINT64_MAX;
        if (start < t->start_unix_ns)
            t->start_unix_ns = start;
        if (end > t->end_unix_ns)
            t->end_unix_ns = end;
        t->errors += b->status[n->row] == SPAN_ERROR;
        t->died += b->status[n->row] == SPAN_DIED;
        t->in_flight += b->status[n->row] == SPAN_IN_FLIGHT;
        t->orphans += (n->flags & TREE_ORPHAN) != 0;
        t->cycles += (n->flags & TREE_CYCLE) != 0;
        t->processes[n->process].spans++;
        if (b->parent_id[n->row] == 0) {
            t->roots++;
            if (t->root == TREE_NONE)
                t->root = i;
        }
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

static int build(struct tree *t, struct work *w, const struct span_run *runs, size_t run_count)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < run_count; i++)
        rows += runs[i].count;
    if (rows == 0)
        return 0;
    if (rows >= TREE_NONE)
        return -1;
    w->spans = malloc(rows * sizeof *w->spans);
    w->arrived = malloc(rows * sizeof *w->arrived);
    if (!w->spans || !w->arrived)
        return -1;
    for (size_t i = 0; i < run_count; i++) {
        if (add_run(t, w, &runs[i]) != 0)
            return -1;
    }
    if (order_trace(&w->order, w->spans, w->count) != 0)
        return -1;
    t->nodes = malloc(w->order.count * sizeof *t->nodes);
    if (!t->nodes)
        return -1;
    put_in_order(t, w);
    sum_up(t);
    return 0;
}

int tree_build(struct tree *t, const struct span_run *runs, size_t run_count)
{
    *t = (struct tree){.root = TREE_NONE};
    struct work w = {0};
    int result = build(t, &w, runs, run_count);
    free(w.spans);
    free(w.arrived);
    free(w.process_slots);
    order_fini(&w.order);
    if (result != 0)
        tree_fini(t);
    return result;
}

void tree_fini(struct tree *t)
{
    free(t->nodes);
    free(t->processes);
    *t = (struct tree){.root = TREE_NONE};
}
