// SPDX-License-Identifier: Apache-2.0
#include "collector/query/tree.h"

#include <stdlib.h>
#include <string.h>

#include "collector/hash.h"

struct by_start {
    uint64_t start_unix_ns;
    uint32_t node;
};

/* What is needed only while building. */
struct work {
    uint32_t *slots; /* of the hash table in use: node + 1 */
    size_t mask;
    struct by_start *sorted;
    uint32_t *first_child, *next_sibling;
    uint32_t *process_slots;
    size_t process_mask;
};

static uint64_t start_of(const struct tree_node *n)
{
    return n->batch->start_unix_ns[n->row];
}

static uint64_t id_of(const struct tree_node *n)
{
    return n->batch->span_id[n->row];
}

static unsigned rank_of(const struct batch *b, uint32_t row)
{
    return b->status[row] == SPAN_IN_FLIGHT ? 0 : b->status[row] == SPAN_DIED ? 1 : 2;
}

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
static uint32_t learn_process(struct tree *t, struct work *w, const struct span_run *run,
                              uint32_t process)
{
    if (t->process_count == t->process_capacity && grow_processes(t, w) != 0)
        return TREE_NONE;
    const struct batch_process_view *view = &run->batch->processes[process];
    uint32_t *slot = process_slot(t, w, view->uuid);
    if (!*slot) {
        t->processes[t->process_count] =
            (struct tree_process){.batch = run->batch, .view = view, .agent = run->agent};
        *slot = ++t->process_count;
    }
    return *slot - 1;
}

/* ---- one node for each span -------------------------------------------------------------- */

static bool same_span(const struct tree_node *a, const struct tree_node *b)
{
    return id_of(a) == id_of(b) && start_of(a) == start_of(b) && a->process == b->process;
}

static void add_node(struct tree *t, struct work *w, struct tree_node node)
{
    uint64_t at = hash_words(id_of(&node), start_of(&node) + node.process);
    for (uint32_t slot; (slot = w->slots[at & w->mask]) != 0; at++) {
        struct tree_node *known = &t->nodes[slot - 1];
        if (!same_span(known, &node))
            continue;
        if (rank_of(node.batch, node.row) > rank_of(known->batch, known->row))
            *known = node;
        return;
    }
    t->nodes[t->count++] = node;
    w->slots[at & w->mask] = t->count;
}

static int add_run(struct tree *t, struct work *w, const struct span_run *run)
{
    uint32_t last = TREE_NONE, process = 0;
    for (uint32_t row = run->row; row < run->row + run->count; row++) {
        uint32_t here = run->batch->process[row];
        if (here != last) {
            process = learn_process(t, w, run, here);
            if (process == TREE_NONE)
                return -1;
            last = here;
        }
        add_node(t, w, (struct tree_node){run->batch, row, process, TREE_NONE, 0});
    }
    return 0;
}

/* ---- parents ----------------------------------------------------------------------------- */

static int earlier(const void *left, const void *right)
{
    const struct by_start *a = left, *b = right;
    if (a->start_unix_ns != b->start_unix_ns)
        return a->start_unix_ns < b->start_unix_ns ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

static void sort_by_start(const struct tree *t, struct work *w)
{
    bool sorted = true;
    for (uint32_t i = 0; i < t->count; i++) {
        w->sorted[i] = (struct by_start){start_of(&t->nodes[i]), i};
        sorted = sorted && (i == 0 || w->sorted[i - 1].start_unix_ns <= w->sorted[i].start_unix_ns);
    }
    if (!sorted)
        qsort(w->sorted, t->count, sizeof *w->sorted, earlier);
}

/* The slot of a span id or of the free place where it belongs. */
static uint32_t *id_slot(const struct tree *t, const struct work *w, uint64_t span_id)
{
    for (uint64_t at = hash_words(span_id, 1);; at++) {
        uint32_t *slot = &w->slots[at & w->mask];
        if (!*slot || id_of(&t->nodes[*slot - 1]) == span_id)
            return slot;
    }
}

static void index_ids(struct tree *t, struct work *w)
{
    memset(w->slots, 0, (w->mask + 1) * sizeof *w->slots);
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t node = w->sorted[i].node;
        uint32_t *slot = id_slot(t, w, id_of(&t->nodes[node]));
        if (*slot)
            t->nodes[node].flags |= TREE_DUPLICATE;
        else
            *slot = node + 1;
    }
}

static void link_parents(struct tree *t, struct work *w)
{
    for (uint32_t i = 0; i < t->count; i++) {
        struct tree_node *n = &t->nodes[i];
        uint64_t parent_id = n->batch->parent_id[n->row];
        if (parent_id == 0)
            continue;
        uint32_t slot = *id_slot(t, w, parent_id);
        if (slot)
            n->parent = slot - 1;
        else
            n->flags |= TREE_ORPHAN;
    }
}

/* `at` is in a circle. */
static void cut_circle(struct tree *t, uint32_t at)
{
    uint32_t first = at;
    for (uint32_t i = t->nodes[at].parent; i != at; i = t->nodes[i].parent) {
        if (start_of(&t->nodes[i]) < start_of(&t->nodes[first]))
            first = i;
    }
    t->nodes[first].parent = TREE_NONE;
    t->nodes[first].flags |= TREE_CYCLE;
}

/* Walks up from every node; `seen[i]` is 1 + the walk that passed i first, so that a walk which
 * meets itself has gone round, and one which meets another need go no further. */
static void cut_circles(struct tree *t, struct work *w)
{
    uint32_t *seen = w->first_child; /* not in use yet */
    memset(seen, 0, t->count * sizeof *seen);
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t at = i;
        while (at != TREE_NONE && !seen[at]) {
            seen[at] = i + 1;
            at = t->nodes[at].parent;
        }
        if (at != TREE_NONE && seen[at] == i + 1)
            cut_circle(t, at);
    }
}

/* ---- order ------------------------------------------------------------------------------- */

static void link_children(const struct tree *t, struct work *w)
{
    memset(w->first_child, 0xff, t->count * sizeof *w->first_child); /* TREE_NONE */
    for (uint32_t i = t->count; i-- > 0;) { /* the latest first, each put before the others */
        uint32_t node = w->sorted[i].node, parent = t->nodes[node].parent;
        if (parent == TREE_NONE)
            continue;
        w->next_sibling[node] = w->first_child[parent];
        w->first_child[parent] = node;
    }
}

/* Appends `top` and all below it to the order. */
static uint32_t walk_down(struct tree *t, const struct work *w, uint32_t top, uint32_t place)
{
    uint32_t at = top;
    for (;;) {
        t->order[place++] = at;
        if (w->first_child[at] != TREE_NONE) {
            at = w->first_child[at];
            continue;
        }
        while (at != top && w->next_sibling[at] == TREE_NONE)
            at = t->nodes[at].parent;
        if (at == top)
            return place;
        at = w->next_sibling[at];
    }
}

static void put_in_order(struct tree *t, const struct work *w)
{
    uint32_t place = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t node = w->sorted[i].node;
        if (t->nodes[node].parent == TREE_NONE)
            place = walk_down(t, w, node, place);
    }
}

static void sum_up(struct tree *t)
{
    t->start_unix_ns = UINT64_MAX;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct tree_node *n = &t->nodes[t->order[i]];
        const struct batch *b = n->batch;
        uint64_t end;
        if (__builtin_add_overflow(start_of(n), b->duration_ns[n->row], &end))
            end = UINT64_MAX;
        if (start_of(n) < t->start_unix_ns)
            t->start_unix_ns = start_of(n);
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
                t->root = t->order[i];
        }
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

static int work_init(struct tree *t, struct work *w, size_t rows)
{
    size_t slots = hash_slots(rows);
    w->mask = slots - 1;
    w->slots = calloc(slots, sizeof *w->slots);
    w->sorted = malloc(rows * sizeof *w->sorted);
    w->first_child = malloc(rows * sizeof *w->first_child);
    w->next_sibling = malloc(rows * sizeof *w->next_sibling);
    t->nodes = malloc(rows * sizeof *t->nodes);
    t->order = malloc(rows * sizeof *t->order);
    return w->slots && w->sorted && w->first_child && w->next_sibling && t->nodes && t->order ? 0
                                                                                              : -1;
}

static void work_fini(struct work *w)
{
    free(w->slots);
    free(w->sorted);
    free(w->first_child);
    free(w->next_sibling);
    free(w->process_slots);
}

static int build(struct tree *t, struct work *w, const struct span_run *runs, size_t run_count)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < run_count; i++)
        rows += runs[i].count;
    if (rows == 0)
        return 0;
    if (rows >= TREE_NONE || work_init(t, w, rows) != 0)
        return -1;
    for (size_t i = 0; i < run_count; i++) {
        if (add_run(t, w, &runs[i]) != 0)
            return -1;
    }
    sort_by_start(t, w);
    index_ids(t, w);
    link_parents(t, w);
    cut_circles(t, w);
    link_children(t, w);
    put_in_order(t, w);
    sum_up(t);
    return 0;
}

int tree_build(struct tree *t, const struct span_run *runs, size_t run_count)
{
    *t = (struct tree){.root = TREE_NONE};
    struct work w = {0};
    int result = build(t, &w, runs, run_count);
    work_fini(&w);
    if (result != 0)
        tree_fini(t);
    return result;
}

void tree_fini(struct tree *t)
{
    free(t->nodes);
    free(t->order);
    free(t->processes);
    *t = (struct tree){.root = TREE_NONE};
}
