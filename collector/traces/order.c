// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "collector/hash.h"
#include "lib/model/span.h"

struct by_start {
    uint64_t start_unix_ns;
    uint32_t row;
};

/* Spans without copies are rows here, in order of arrival, until they are put in order. */
struct order_scratch {
    uint32_t capacity;
    struct order_span *rows;
    uint32_t *source; /* row → index in the spans given */
    uint32_t *parent; /* row → row */
    uint8_t *row_flags;
    struct by_start *sorted;
    uint32_t *first_child, *next_sibling;
    uint32_t *slots; /* row + 1 */
    size_t slot_capacity, mask;
    uint32_t *place; /* row → where it stands in the order */
    /* The results. */
    uint32_t *out_span, *out_parent;
    uint8_t *out_flags;
};

/* ---- memory ------------------------------------------------------------------------------ */

static void scratch_free(struct order_scratch *s)
{
    free(s->rows);
    free(s->source);
    free(s->parent);
    free(s->row_flags);
    free(s->sorted);
    free(s->first_child);
    free(s->next_sibling);
    free(s->slots);
    free(s->place);
    free(s->out_span);
    free(s->out_parent);
    free(s->out_flags);
}

static bool scratch_alloc(struct order_scratch *s, uint32_t capacity)
{
    size_t n = capacity;
    s->capacity = capacity;
    s->slot_capacity = hash_slots(n);
    s->rows = malloc(n * sizeof *s->rows);
    s->source = malloc(n * sizeof *s->source);
    s->parent = malloc(n * sizeof *s->parent);
    s->row_flags = malloc(n);
    s->sorted = malloc(n * sizeof *s->sorted);
    s->first_child = malloc(n * sizeof *s->first_child);
    s->next_sibling = malloc(n * sizeof *s->next_sibling);
    s->slots = malloc(s->slot_capacity * sizeof *s->slots);
    s->place = malloc(n * sizeof *s->place);
    s->out_span = malloc(n * sizeof *s->out_span);
    s->out_parent = malloc(n * sizeof *s->out_parent);
    s->out_flags = malloc(n);
    return s->rows && s->source && s->parent && s->row_flags && s->sorted && s->first_child &&
           s->next_sibling && s->slots && s->place && s->out_span && s->out_parent && s->out_flags;
}

static struct order_scratch *make_room(struct order *o, uint32_t count)
{
    if (o->scratch && o->scratch->capacity >= count)
        return o->scratch;
    order_fini(o);
    struct order_scratch *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    o->scratch = s;
    uint64_t capacity = count < 64 ? 64 : (uint64_t)count + count / 4;
    if (!scratch_alloc(s, capacity < ORDER_NONE ? (uint32_t)capacity : count))
        order_fini(o);
    return o->scratch;
}

void order_fini(struct order *o)
{
    if (o->scratch)
        scratch_free(o->scratch);
    free(o->scratch);
    *o = (struct order){0};
}

/* The table is as large as this trace needs, not as the largest did. */
static void clear_slots(struct order_scratch *s, uint32_t count)
{
    size_t slots = hash_slots(count);
    s->mask = slots - 1;
    memset(s->slots, 0, slots * sizeof *s->slots);
}

/* ---- one row for each span --------------------------------------------------------------- */

static unsigned rank_of(uint8_t status)
{
    return status == SPAN_IN_FLIGHT ? 0 : status == SPAN_DIED ? 1 : 2;
}

static bool same_span(const struct order_span *a, const struct order_span *b)
{
    return a->span_id == b->span_id && a->start_unix_ns == b->start_unix_ns &&
           a->process == b->process;
}

static uint32_t drop_copies(struct order_scratch *s, const struct order_span *spans, uint32_t count)
{
    uint32_t rows = 0;
    clear_slots(s, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct order_span *span = &spans[i];
        uint64_t at = hash_words(span->span_id, span->start_unix_ns + span->process);
        uint32_t slot;
        while ((slot = s->slots[at & s->mask]) != 0 && !same_span(&s->rows[slot - 1], span))
            at++;
        if (!slot) {
            s->rows[rows] = *span;
            s->source[rows] = i;
            s->slots[at & s->mask] = ++rows;
        } else if (rank_of(span->status) > rank_of(s->rows[slot - 1].status)) {
            s->rows[slot - 1] = *span;
            s->source[slot - 1] = i;
        }
    }
    return rows;
}

/* ---- parents ----------------------------------------------------------------------------- */

static bool is_earlier(const struct by_start *a, const struct by_start *b)
{
    return a->start_unix_ns != b->start_unix_ns ? a->start_unix_ns < b->start_unix_ns
                                                : a->row < b->row;
}

static int compare_starts(const void *left, const void *right)
{
    return is_earlier(left, right) ? -1 : is_earlier(right, left);
}

static void insertion_sort(struct by_start *list, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct by_start moving = list[i];
        uint32_t at = i;
        for (; at > 0 && is_earlier(&moving, &list[at - 1]); at--)
            list[at] = list[at - 1];
        list[at] = moving;
    }
}

static void sort_by_start(struct order_scratch *s, uint32_t count)
{
    enum { FEW = 48 };
    bool sorted = true;
    for (uint32_t i = 0; i < count; i++) {
        s->sorted[i] = (struct by_start){s->rows[i].start_unix_ns, i};
        sorted = sorted && (i == 0 || s->sorted[i - 1].start_unix_ns <= s->sorted[i].start_unix_ns);
    }
    if (sorted)
        return;
    if (count <= FEW)
        insertion_sort(s->sorted, count);
    else
        qsort(s->sorted, count, sizeof *s->sorted, compare_starts);
}

/* The slot of a span id, or the free one where it belongs. */
static uint32_t *id_slot(const struct order_scratch *s, uint64_t span_id)
{
    for (uint64_t at = hash_words(span_id, 1);; at++) {
        uint32_t *slot = &s->slots[at & s->mask];
        if (!*slot || s->rows[*slot - 1].span_id == span_id)
            return slot;
    }
}

static void index_ids(struct order_scratch *s, uint32_t count)
{
    clear_slots(s, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = s->sorted[i].row;
        uint32_t *slot = id_slot(s, s->rows[row].span_id);
        s->row_flags[row] = *slot ? ORDER_DUPLICATE : 0;
        if (!*slot)
            *slot = row + 1;
    }
}

static void link_parents(struct order_scratch *s, uint32_t count)
{
    for (uint32_t row = 0; row < count; row++) {
        uint64_t parent_id = s->rows[row].parent_id;
        uint32_t slot = parent_id ? *id_slot(s, parent_id) : 0;
        s->parent[row] = slot ? slot - 1 : ORDER_NONE;
        if (parent_id && !slot)
            s->row_flags[row] |= ORDER_ORPHAN;
    }
}

/* `at` is in a circle. */
static void cut_circle(struct order_scratch *s, uint32_t at)
{
    uint32_t first = at;
    for (uint32_t row = s->parent[at]; row != at; row = s->parent[row]) {
        if (s->rows[row].start_unix_ns < s->rows[first].start_unix_ns)
            first = row;
    }
    s->parent[first] = ORDER_NONE;
    s->row_flags[first] |= ORDER_CYCLE;
}

/* Walks up from every row; `seen` is 1 + the walk that passed a row first, so that a walk which
 * meets itself has gone round, and one which meets another need go no further. */
static void cut_circles(struct order_scratch *s, uint32_t count)
{
    uint32_t *seen = s->first_child; /* not in use yet */
    memset(seen, 0, count * sizeof *seen);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;
        while (at != ORDER_NONE && !seen[at]) {
            seen[at] = i + 1;
            at = s->parent[at];
        }
        if (at != ORDER_NONE && seen[at] == i + 1)
            cut_circle(s, at);
    }
}

/* ---- order ------------------------------------------------------------------------------- */

static void link_children(struct order_scratch *s, uint32_t count)
{
    memset(s->first_child, 0xff, count * sizeof *s->first_child); /* ORDER_NONE */
    for (uint32_t i = count; i-- > 0;) { /* the latest first, each put before the others */
        uint32_t row = s->sorted[i].row, parent = s->parent[row];
        s->next_sibling[row] = ORDER_NONE;
        if (parent == ORDER_NONE)
            continue;
        s->next_sibling[row] = s->first_child[parent];
        s->first_child[parent] = row;
    }
}

static void put(struct order_scratch *s, uint32_t row, uint32_t place)
{
    uint32_t parent = s->parent[row];
    s->place[row] = place;
    s->out_span[place] = s->source[row];
    s->out_parent[place] = parent == ORDER_NONE ? ORDER_NONE : s->place[parent];
    s->out_flags[place] = s->row_flags[row];
}

/* Puts `top` and all below it; the next free place. */
static uint32_t walk_down(struct order_scratch *s, uint32_t top, uint32_t place)
{
    uint32_t at = top;
    for (;;) {
        put(s, at, place++);
        if (s->first_child[at] != ORDER_NONE) {
            at = s->first_child[at];
            continue;
        }
        while (at != top && s->next_sibling[at] == ORDER_NONE)
            at = s->parent[at];
        if (at == top)
            return place;
        at = s->next_sibling[at];
    }
}

static void put_in_order(struct order_scratch *s, uint32_t count)
{
    uint32_t place = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = s->sorted[i].row;
        if (s->parent[row] == ORDER_NONE)
            place = walk_down(s, row, place);
    }
}

int order_trace(struct order *o, const struct order_span *spans, uint32_t count)
{
    if (count == ORDER_NONE)
        return -1;
    struct order_scratch *s = make_room(o, count);
    if (!s)
        return -1;
    o->count = drop_copies(s, spans, count);
    sort_by_start(s, o->count);
    index_ids(s, o->count);
    link_parents(s, o->count);
    cut_circles(s, o->count);
    link_children(s, o->count);
    put_in_order(s, o->count);
    o->span = s->out_span;
    o->parent = s->out_parent;
    o->flags = s->out_flags;
    return 0;
}
