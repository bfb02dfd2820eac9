// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/diff.h"

#include <math.h>
#include <stdlib.h>

#include "collector/query/analysis/dense.h"
#include "collector/query/analysis/node.h"

struct diff_accumulated {
    struct diff_sum side[DIFF_SIDES];
    uint64_t trace; /* the number of the one seen last, to count a trace once */
    uint64_t trace_critical_ns;
};

void diff_init(struct diff *d, enum diff_by by, uint32_t limit)
{
    *d = (struct diff){.by = by};
    operations_init(&d->operations, limit);
    pairs_init(&d->paths, limit);
}

void diff_fini(struct diff *d)
{
    uint32_t limit = d->operations.limit;
    operations_fini(&d->operations);
    pairs_fini(&d->paths);
    free(d->sums);
    diff_init(d, d->by, limit);
}

static uint32_t key_count(const struct diff *d)
{
    return d->by == DIFF_BY_PATH ? d->paths.count : d->operations.count;
}

/* PAIR_NONE (which is OPERATION_NONE) when memory is out. `paths` has the keys of the nodes
 * before this one. */
static uint32_t learn_key(struct diff *d, const struct tree *t, uint32_t node, uint32_t *paths)
{
    uint32_t operation = operations_learn_node(&d->operations, t, node);
    if (operation == OPERATION_NONE || d->by == DIFF_BY_OPERATION)
        return operation;
    uint32_t parent = t->nodes[node].parent;
    uint32_t above = parent == TREE_NONE ? PAIR_NONE : paths[parent];
    bool rest = operation == OPERATION_REST || above == PAIR_REST;
    paths[node] = rest ? PAIR_REST : pairs_learn(&d->paths, above, operation);
    return paths[node];
}

static void count_trace(struct diff_accumulated *a, enum diff_side side, uint64_t trace)
{
    if (a->trace == trace)
        return;
    a->trace = trace;
    a->trace_critical_ns = 0;
    a->side[side].traces++;
}

static int add_nodes(struct diff *d, enum diff_side side, const struct tree *t,
                     const struct critical_path *p, struct trace_id id, const uint64_t *self_ns,
                     uint32_t *paths)
{
    uint64_t trace = d->traces[DIFF_A] + d->traces[DIFF_B]; /* from 1 on */
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t key = learn_key(d, t, i, paths);
        if (key == OPERATION_NONE)
            return -1;
        struct diff_accumulated *covered =
            dense_cover(d->sums, &d->capacity, key_count(d) + 1, sizeof *covered);
        if (!covered)
            return -1;
        d->sums = covered;
        struct diff_accumulated *a = &d->sums[key];
        struct diff_sum *s = &a->side[side];
        count_trace(a, side, trace);
        s->spans++;
        s->errors += node_status(t, i) == SPAN_ERROR;
        s->died += node_status(t, i) == SPAN_DIED;
        s->self_ns += self_ns[i];
        s->total_ns += tree_duration_ns(t, i);
        s->critical_ns += p->critical_ns[i];
        a->trace_critical_ns += p->critical_ns[i];
        if (s->spans == 1 || a->trace_critical_ns > s->exemplar_critical_ns) {
            s->exemplar = id;
            s->exemplar_critical_ns = a->trace_critical_ns;
        }
    }
    return 0;
}

int diff_add(struct diff *d, enum diff_side side, const struct tree *t, const struct timeline *l,
             const struct critical_path *p, struct trace_id id)
{
    uint64_t *self_ns = malloc(((size_t)t->count + 1) * sizeof *self_ns);
    uint32_t *paths = malloc(((size_t)t->count + 1) * sizeof *paths);
    int result = self_ns && paths ? 0 : -1;
    if (result == 0) {
        timeline_self_ns(l, t, self_ns);
        d->traces[side]++;
        d->total_ns[side] += p->total_ns;
        result = add_nodes(d, side, t, p, id, self_ns, paths);
    }
    free(self_ns);
    free(paths);
    return result;
}

/* ---- rows -------------------------------------------------------------------------------- */

static double average(uint64_t sum, uint64_t traces)
{
    return traces > 0 ? (double)sum / (double)traces : 0;
}

static struct diff_row row_of(const struct diff *d, uint32_t key)
{
    struct diff_row row = {.key = key};
    const struct diff_sum *a = &d->sums[key].side[DIFF_A], *b = &d->sums[key].side[DIFF_B];
    row.side[DIFF_A] = *a;
    row.side[DIFF_B] = *b;
    uint64_t traces_a = d->traces[DIFF_A], traces_b = d->traces[DIFF_B];
    row.critical_change_ns = average(b->critical_ns, traces_b) - average(a->critical_ns, traces_a);
    row.self_change_ns = average(b->self_ns, traces_b) - average(a->self_ns, traces_a);
    row.spans_change = average(b->spans, traces_b) - average(a->spans, traces_a);
    return row;
}

static int larger_first(double a, double b)
{
    return (fabs(b) > fabs(a)) - (fabs(b) < fabs(a));
}

static int what_matters_first(const void *left, const void *right)
{
    const struct diff_row *a = left, *b = right;
    int order = larger_first(a->critical_change_ns, b->critical_change_ns);
    if (order == 0)
        order = larger_first(a->self_change_ns, b->self_change_ns);
    if (order == 0)
        order = larger_first(a->spans_change, b->spans_change);
    return order ? order : (a->key > b->key) - (a->key < b->key);
}

struct diff_row *diff_rows(const struct diff *d, uint32_t *count)
{
    struct diff_row *rows = malloc(((size_t)d->capacity + 1) * sizeof *rows);
    *count = 0;
    if (!rows)
        return NULL;
    for (uint32_t key = 0; key < d->capacity; key++) {
        const struct diff_sum *sides = d->sums[key].side;
        if (sides[DIFF_A].spans + sides[DIFF_B].spans > 0)
            rows[(*count)++] = row_of(d, key);
    }
    if (*count > 1)
        qsort(rows, *count, sizeof *rows, what_matters_first);
    return rows;
}

const struct operation *diff_operation(const struct diff *d, uint32_t key)
{
    if (d->by == DIFF_BY_OPERATION)
        return &d->operations.list[key];
    return &d->operations.list[key == PAIR_REST ? OPERATION_REST : d->paths.list[key].right];
}
