// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/rank.h"

#include "collector/query/analysis/dense.h"
#include "collector/query/analysis/node.h"

void rank_init(struct rank *r, uint32_t operations)
{
    *r = (struct rank){0};
    operations_init(&r->operations, operations);
}

void rank_fini(struct rank *r)
{
    for (uint32_t i = 0; i < r->capacity; i++)
        exphist_fini(&r->durations[i]);
    free(r->durations);
    operations_fini(&r->operations);
    rank_init(r, r->operations.limit);
}

static int add_node(struct rank *r, const struct tree *t, uint32_t node)
{
    uint32_t operation = operations_learn_node(&r->operations, t, node);
    if (operation == OPERATION_NONE)
        return -1;
    struct exphist *covered =
        dense_cover(r->durations, &r->capacity, r->operations.count, sizeof *covered);
    if (!covered)
        return -1;
    r->durations = covered;
    struct exphist *h = &r->durations[operation];
    if (h->limit == 0)
        exphist_init(h, 0);
    return exphist_add(h, (double)tree_duration_ns(t, node), 1);
}

int rank_add(struct rank *r, const struct tree *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (node_ended(t, i) && add_node(r, t, i) != 0)
            return -1;
    }
    return 0;
}

double rank_of(const struct rank *r, const struct tree *t, uint32_t node, uint64_t *among)
{
    uint32_t operation = operations_find_node(&r->operations, t, node);
    *among = 0;
    if (operation == OPERATION_NONE || operation >= r->capacity)
        return -1;
    const struct exphist *h = &r->durations[operation];
    *among = h->count;
    return h->count > 0 ? exphist_rank(h, (double)tree_duration_ns(t, node)) : -1;
}
