// SPDX-License-Identifier: Apache-2.0
/*   1. clocks: hosts
 *   2. samples: an interval for each call between two clocks
 *   3. edges: an offset for each two clocks that called each other
 *   4. the surest edges that connect all that can be connected, and the offsets along these */
#include "collector/query/analysis/skew.h"

#include <stdlib.h>

#include "collector/hash.h"
#include "collector/query/analysis/marzullo.h"
#include "collector/query/analysis/node.h"

struct sample { /* clock b less clock a lies in [least, most]; a < b */
    uint32_t a, b;
    struct interval interval;
};

struct edge {
    uint32_t a, b, pairs;
    struct consensus offset;
};

struct work {
    struct sample *samples;
    uint32_t sample_count;
    struct edge *edges;
    uint32_t edge_count;
    uint32_t *set;        /* of each clock: which others it is connected to */
    uint32_t *first_edge; /* of each clock: index + 1 in `next_edge` */
    uint32_t *next_edge;  /* two for each edge */
    uint32_t *queue;
    bool *reached;
};

/* ---- 1: clocks --------------------------------------------------------------------------- */

static void learn_clock(struct skew *s, const struct tree *t, uint32_t process, uint32_t *slots,
                        size_t mask)
{
    struct batch_str host = t->processes[process].view->host;
    uint32_t *slot = NULL;
    for (uint64_t at = hash_bytes(host.bytes, host.length); host.length > 0; at++) {
        slot = &slots[at & mask];
        if (!*slot)
            break;
        if (batch_str_equal(s->clocks[*slot - 1].host, host)) {
            s->clock_of[process] = *slot - 1;
            return;
        }
    }
    s->clocks[s->clock_count] =
        (struct skew_clock){.host = host, .process = process, .against = SKEW_NONE};
    s->clock_of[process] = s->clock_count++;
    if (slot)
        *slot = s->clock_count;
}

static int learn_clocks(struct skew *s, const struct tree *t)
{
    size_t slot_count = hash_slots(t->process_count);
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    s->clocks = calloc(t->process_count + 1, sizeof *s->clocks);
    s->clock_of = calloc(t->process_count + 1, sizeof *s->clock_of);
    bool have = slots && s->clocks && s->clock_of;
    for (uint32_t i = 0; have && i < t->process_count; i++)
        learn_clock(s, t, i, slots, slot_count - 1);
    free(slots);
    return have ? 0 : -1;
}

/* ---- 2: samples -------------------------------------------------------------------------- */

static int64_t difference(uint64_t a, uint64_t b)
{
    const uint64_t most = UINT64_C(1) << 61; /* 73 years: sums of a few stay in range */
    uint64_t apart = a > b ? a - b : b - a;
    int64_t clamped = (int64_t)(apart < most ? apart : most);
    return a > b ? clamped : -clamped;
}

static struct interval bounds(const struct tree *t, uint32_t client, uint32_t server)
{
    uint64_t c0 = tree_start_unix_ns(t, client), s0 = tree_start_unix_ns(t, server);
    uint64_t waited = tree_duration_ns(t, client), worked = tree_duration_ns(t, server);
    struct interval i = {INTERVAL_OPEN_LEAST, difference(s0, c0)};
    bool nests = node_kind(t, client) == SPAN_CLIENT && node_kind(t, server) == SPAN_SERVER &&
                 node_ended(t, client) && node_ended(t, server) && worked <= waited;
    if (nests) /* s1 - c1 */
        i.least = i.most - difference(waited, worked);
    return i;
}

static int gather_samples(struct work *w, const struct skew *s, const struct tree *t)
{
    w->samples = malloc((t->count + 1) * sizeof *w->samples);
    if (!w->samples)
        return -1;
    for (uint32_t node = 0; node < t->count; node++) {
        uint32_t parent = t->nodes[node].parent;
        if (parent == TREE_NONE)
            continue;
        uint32_t a = s->clock_of[t->nodes[parent].process];
        uint32_t b = s->clock_of[t->nodes[node].process];
        if (a == b)
            continue;
        struct interval i = bounds(t, parent, node);
        w->samples[w->sample_count++] =
            a < b ? (struct sample){a, b, i} : (struct sample){b, a, interval_negated(i)};
    }
    return 0;
}

/* ---- 3: edges ---------------------------------------------------------------------------- */

static int by_clocks(const void *left, const void *right)
{
    const struct sample *x = left, *y = right;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

static int make_edges(struct work *w)
{
    w->edges = malloc((w->sample_count + 1) * sizeof *w->edges);
    struct interval *intervals = malloc((w->sample_count + 1) * sizeof *intervals);
    int result = w->edges && intervals ? 0 : -1;
    if (result == 0 && w->sample_count > 1)
        qsort(w->samples, w->sample_count, sizeof *w->samples, by_clocks);
    for (uint32_t from = 0, to; result == 0 && from < w->sample_count; from = to) {
        for (to = from; to < w->sample_count && by_clocks(&w->samples[from], &w->samples[to]) == 0;
             to++)
            intervals[to - from] = w->samples[to].interval;
        struct edge *e = &w->edges[w->edge_count++];
        *e = (struct edge){.a = w->samples[from].a, .b = w->samples[from].b, .pairs = to - from};
        result = marzullo(intervals, e->pairs, &e->offset);
    }
    free(intervals);
    return result;
}

/* ---- 4: offsets -------------------------------------------------------------------------- */

static int surest_first(const void *left, const void *right)
{
    const struct edge *x = left, *y = right;
    if (x->offset.agreeing != y->offset.agreeing)
        return x->offset.agreeing > y->offset.agreeing ? -1 : 1;
    if (x->offset.uncertainty != y->offset.uncertainty)
        return x->offset.uncertainty < y->offset.uncertainty ? -1 : 1;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

static uint32_t set_of(struct work *w, uint32_t clock)
{
    while (w->set[clock] != clock) {
        w->set[clock] = w->set[w->set[clock]];
        clock = w->set[clock];
    }
    return clock;
}

static void link_edge(struct work *w, uint32_t clock, uint32_t end)
{
    w->next_edge[end] = w->first_edge[clock];
    w->first_edge[clock] = end + 1;
}

/* Kruskal's: the surest edges, as long as they close no circle. */
static int choose_edges(struct work *w, uint32_t clocks)
{
    w->set = malloc(clocks * sizeof *w->set);
    w->first_edge = calloc(clocks, sizeof *w->first_edge);
    w->queue = malloc(clocks * sizeof *w->queue);
    w->reached = calloc(clocks, sizeof *w->reached);
    w->next_edge = malloc(2 * (w->edge_count + 1) * sizeof *w->next_edge);
    if (!w->set || !w->first_edge || !w->queue || !w->next_edge || !w->reached)
        return -1;
    for (uint32_t i = 0; i < clocks; i++)
        w->set[i] = i;
    if (w->edge_count > 1)
        qsort(w->edges, w->edge_count, sizeof *w->edges, surest_first);
    for (uint32_t i = 0; i < w->edge_count; i++) {
        uint32_t a = set_of(w, w->edges[i].a), b = set_of(w, w->edges[i].b);
        if (a == b)
            continue;
        w->set[a] = b;
        link_edge(w, w->edges[i].a, 2 * i);
        link_edge(w, w->edges[i].b, 2 * i + 1);
    }
    return 0;
}

static uint64_t saturated_sum(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* Long chains of wild offsets must not wrap. */
static int64_t bounded_sum(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? a : sum;
}

static void set_offset(struct skew *s, uint32_t from, const struct edge *e)
{
    bool forward = e->a == from;
    struct skew_clock *base = &s->clocks[from], *clock = &s->clocks[forward ? e->b : e->a];
    clock->against = from;
    clock->offset_ns = bounded_sum(base->offset_ns, forward ? e->offset.value : -e->offset.value);
    clock->uncertainty_ns = saturated_sum(base->uncertainty_ns, e->offset.uncertainty);
    clock->pairs = e->pairs;
    clock->agreeing = e->offset.agreeing;
    s->corrected = s->corrected || clock->offset_ns != 0;
}

/* Over all that is connected with `origin`, which stays as it is. */
static void carry_offsets(struct skew *s, struct work *w, uint32_t origin)
{
    uint32_t taken = 0, count = 0;
    w->queue[count++] = origin;
    w->reached[origin] = true;
    while (taken < count) {
        uint32_t clock = w->queue[taken++];
        for (uint32_t end = w->first_edge[clock]; end; end = w->next_edge[end - 1]) {
            const struct edge *e = &w->edges[(end - 1) / 2];
            uint32_t other = e->a == clock ? e->b : e->a;
            if (w->reached[other])
                continue;
            w->reached[other] = true;
            set_offset(s, clock, e);
            w->queue[count++] = other;
        }
    }
}

/* The root's clock is right by definition; among hosts without a connection to it, the clock of
 * the span that is shown first. */
static void set_offsets(struct skew *s, struct work *w, const struct tree *t)
{
    if (t->root != TREE_NONE)
        carry_offsets(s, w, s->clock_of[t->nodes[t->root].process]);
    for (uint32_t node = 0; node < t->count; node++) {
        uint32_t clock = s->clock_of[t->nodes[node].process];
        if (!w->reached[clock])
            carry_offsets(s, w, clock);
    }
}

static int estimate(struct skew *s, struct work *w, const struct tree *t)
{
    if (learn_clocks(s, t) != 0)
        return -1;
    if (s->clock_count < 2)
        return 0;
    if (gather_samples(w, s, t) != 0 || make_edges(w) != 0 || choose_edges(w, s->clock_count) != 0)
        return -1;
    set_offsets(s, w, t);
    return 0;
}

int skew_estimate(struct skew *s, const struct tree *t)
{
    *s = (struct skew){0};
    struct work w = {0};
    int result = estimate(s, &w, t);
    free(w.samples);
    free(w.edges);
    free(w.set);
    free(w.first_edge);
    free(w.next_edge);
    free(w.queue);
    free(w.reached);
    if (result != 0)
        skew_fini(s);
    return result;
}

void skew_fini(struct skew *s)
{
    free(s->clocks);
    free(s->clock_of);
    *s = (struct skew){0};
}

uint64_t skew_start_unix_ns(const struct skew *s, const struct tree *t, uint32_t node)
{
    uint64_t start = tree_start_unix_ns(t, node);
    if (!s || !s->corrected)
        return start;
    int64_t offset = s->clocks[s->clock_of[t->nodes[node].process]].offset_ns;
    uint64_t moved;
    if (offset >= 0)
        return start > (uint64_t)offset ? start - (uint64_t)offset : 0;
    return __builtin_add_overflow(start, -(uint64_t)offset, &moved) ? UINT64_MAX : moved;
}
