// SPDX-License-Identifier: Apache-2.0
/* and, or, unless: at each step by whether the other side has a series of the same signature. */
#include "collector/query/promql/engine/signature.h"

#include "collector/query/promql/engine/nodes.h"

/* For each signature, at which steps it is there. */
struct presence {
    struct labels_index index;
    uint32_t capacity;
    uint8_t **steps;
};

static uint8_t *steps_of(struct evaluation *ev, struct presence *p, const struct promql_expr *e,
                         const struct labels *labels, size_t steps)
{
    bool added;
    uint32_t at = signature_add(ev, &p->index, &e->binary.matching, labels, &added);
    if (at >= p->capacity) {
        uint8_t **grown = evaluation_calloc(ev, p->index.capacity, sizeof(uint8_t *));
        for (uint32_t i = 0; i < p->capacity; i++)
            grown[i] = p->steps[i];
        p->steps = grown;
        p->capacity = p->index.capacity;
    }
    if (added)
        p->steps[at] = evaluation_calloc(ev, steps, 1);
    return p->steps[at];
}

static void note(struct evaluation *ev, struct presence *p, const struct promql_expr *e,
                 const struct column *c)
{
    uint8_t *steps = steps_of(ev, p, e, &c->labels, c->count);
    for (size_t i = 0; i < c->count; i++)
        steps[i] |= is_present(c->value[i]);
}

struct set {
    struct stream stream;
    struct stream *of;
    struct presence other;
};

/* Removes the samples whose signature is there, or is not. */
static void filter(struct evaluation *ev, struct presence *p, const struct promql_expr *e,
                   struct column *c, bool keep_present)
{
    const uint8_t *steps = steps_of(ev, p, e, &c->labels, c->count);
    for (size_t i = 0; i < c->count; i++) {
        if (steps[i] == keep_present)
            continue;
        c->value[i] = absent();
        if (c->histogram)
            c->histogram[i] = NULL;
    }
}

static bool next_in_set(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct set *set = (struct set *)s;
    if (!stream_next(ev, set->of, out))
        return false;
    filter(ev, &set->other, s->expr, out, s->expr->binary.op == PROMQL_AND);
    return true;
}

static struct stream *or_open(struct evaluation *ev, const struct promql_expr *e,
                              const struct grid *grid)
{
    struct presence left = {0};
    struct column_list all = stream_collect(ev, stream_open(ev, e->args[0], grid));
    for (size_t i = 0; i < all.count; i++)
        note(ev, &left, e, all.list[i]);
    struct column_list right = stream_collect(ev, stream_open(ev, e->args[1], grid));
    for (size_t i = 0; i < right.count; i++) {
        filter(ev, &left, e, right.list[i], false);
        if (!column_is_empty(right.list[i]))
            column_list_add(ev, &all, right.list[i]);
    }
    merge_same_labels(ev, &all);
    return stream_of_list(ev, e, grid, all);
}

OPENS(set_open)
{
    if (e->binary.op == PROMQL_OR)
        return or_open(ev, e, grid);
    struct set *s = evaluation_calloc(ev, 1, sizeof *s);
    s->stream = (struct stream){next_in_set, e, *grid};
    struct stream *right = stream_open(ev, e->args[1], grid);
    struct column *c = column_create(ev, grid->count, true);
    while (stream_next(ev, right, c))
        note(ev, &s->other, e, c);
    s->of = stream_open(ev, e->args[0], grid);
    return &s->stream;
}
