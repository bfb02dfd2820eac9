// SPDX-License-Identifier: Apache-2.0
/* Operators between two instant vectors.
 *
 * The side that has one series for each signature (the right one, but for group_right) is
 * collected; the other is taken in series by series. At each step a signature may have one series
 * on the one side, and, where neither group_left nor group_right is written, one on the many side
 * as well. */
#include <stdlib.h>

#include "collector/query/promql/engine/element.h"
#include "collector/query/promql/engine/nodes.h"
#include "collector/query/promql/engine/signature.h"
#include "collector/query/promql/print.h"

#define NOBODY UINT32_MAX

/* One signature. */
struct group {
    uint32_t first;   /* of the one side's columns; NOBODY */
    bool several;     /* columns, at different steps */
    uint32_t *at;     /* which one at each step, where there are several */
    uint8_t *matched; /* steps at which the many side was there */
};

struct duplicate {
    uint32_t a, b; /* columns of the one side; a NOBODY: none */
    uint32_t group;
};

struct match {
    const struct promql_expr *e;
    const struct promql_matching *m;
    const struct grid *grid;
    bool swapped; /* the many side is the right one */
    bool fills_one, fills_many;
    double one_fill, many_fill;
    struct column_list ones, results;
    struct labels_index signatures;
    struct group *groups;
    uint32_t group_capacity;
    struct duplicate *duplicates; /* for each step; NULL: there are none */
};

/* ---- the one side ------------------------------------------------------------------------ */

static struct group *group_of(struct evaluation *ev, struct match *m, const struct labels *labels)
{
    bool added;
    uint32_t at = signature_add(ev, &m->signatures, m->m, labels, &added);
    if (at >= m->group_capacity) {
        struct group *grown = evaluation_calloc(ev, m->signatures.capacity, sizeof *grown);
        for (uint32_t i = 0; i < m->group_capacity; i++)
            grown[i] = m->groups[i];
        m->groups = grown;
        m->group_capacity = m->signatures.capacity;
    }
    if (added)
        m->groups[at].first = NOBODY;
    return &m->groups[at];
}

static void note_duplicate(struct evaluation *ev, struct match *m, size_t step, uint32_t a,
                           uint32_t b, uint32_t group)
{
    if (!m->duplicates) {
        m->duplicates = evaluation_calloc(ev, m->grid->count, sizeof *m->duplicates);
        for (size_t i = 0; i < m->grid->count; i++)
            m->duplicates[i].a = NOBODY;
    }
    if (m->duplicates[step].a == NOBODY)
        m->duplicates[step] = (struct duplicate){a, b, group};
}

static void begin_several(struct evaluation *ev, struct match *m, struct group *g)
{
    const struct column *first = m->ones.list[g->first];
    g->several = true;
    g->at = evaluation_alloc(ev, m->grid->count * sizeof *g->at);
    for (size_t i = 0; i < m->grid->count; i++)
        g->at[i] = is_present(first->value[i]) ? g->first : NOBODY;
}

static void add_one(struct evaluation *ev, struct match *m, uint32_t index)
{
    const struct column *c = m->ones.list[index];
    struct group *g = group_of(ev, m, &c->labels);
    if (g->first == NOBODY) {
        g->first = index;
        return;
    }
    if (!g->several)
        begin_several(ev, m, g);
    for (size_t i = 0; i < c->count; i++) {
        if (!is_present(c->value[i]))
            continue;
        if (g->at[i] != NOBODY)
            note_duplicate(ev, m, i, g->at[i], index, (uint32_t)(g - m->groups));
        g->at[i] = index;
    }
}

static _Noreturn void fail_duplicate(struct evaluation *ev, const struct match *m,
                                     const struct duplicate *d)
{
    const struct labels *a = &m->ones.list[d->a]->labels, *b = &m->ones.list[d->b]->labels;
    bool turned = labels_compare(a, b) > 0;
    struct buffer text = {0};
    promql_print_labels(&text, &m->signatures.keys[d->group]);
    buffer_printf(&text, " on the %s hand-side of the operation: [", m->swapped ? "left" : "right");
    promql_print_labels(&text, turned ? b : a);
    buffer_text(&text, ", ");
    promql_print_labels(&text, turned ? a : b);
    const char *said = arena_copy(ev->arena, buffer_cstring(&text), text.length + 1);
    buffer_fini(&text);
    evaluation_fail(ev, PROMQL_FAILED,
                    "found duplicate series for the match group %s];many-to-many matching not "
                    "allowed: matching labels must be unique on one side",
                    said ? said : "");
}

static uint32_t one_at(const struct match *m, const struct group *g, size_t step)
{
    if (g->several)
        return g->at[step];
    return g->first != NOBODY && is_present(m->ones.list[g->first]->value[step]) ? g->first
                                                                                 : NOBODY;
}

/* ---- results ----------------------------------------------------------------------------- */

static struct labels result_labels(struct evaluation *ev, const struct match *m,
                                   const struct labels *many, const struct labels *one)
{
    struct labelset s;
    labelset_begin(&s, many);
    if (m->e->binary.op <= PROMQL_ATAN2)
        labelset_drop_metadata(&s);
    if (m->m->cardinality == PROMQL_ONE_TO_ONE) {
        if (m->m->on)
            labelset_keep(&s, &m->m->names);
        else
            labelset_drop(&s, &m->m->names);
    }
    for (uint32_t i = 0; i < m->m->include.count; i++)
        labelset_set(ev, &s, m->m->include.list[i], labels_get(one, m->m->include.list[i]));
    return labelset_finish(ev, &s);
}

/* Columns of one series of the many side: one, or one for each partner where labels are included.
 */
struct pairs {
    const struct column *many;
    struct pair {
        uint32_t one;
        struct column *result;
        struct pair *next;
    } * list;
};

static struct column *result_of(struct evaluation *ev, struct match *m, struct pairs *p,
                                uint32_t one)
{
    uint32_t key = m->m->include.count ? one : 0;
    for (struct pair *pair = p->list; pair; pair = pair->next)
        if (pair->one == key)
            return pair->result;
    struct labelset signature;
    signature_of(&signature, m->m, &p->many->labels);
    struct labels filled = labelset_view(&signature);
    struct pair *pair = evaluation_alloc(ev, sizeof *pair);
    struct column *c = column_create(ev, m->grid->count, false);
    column_clear(c);
    c->labels = result_labels(ev, m, &p->many->labels,
                              one == NOBODY ? &filled : &m->ones.list[one]->labels);
    c->drop_name = m->e->binary.to_bool || p->many->drop_name;
    *pair = (struct pair){key, c, p->list};
    p->list = pair;
    column_list_add(ev, &m->results, c);
    return c;
}

static void put_result(struct evaluation *ev, struct match *m, struct pairs *p, size_t step,
                       struct sample many, struct sample one, uint32_t partner, struct group *g)
{
    struct sample result = {0, NULL};
    struct sample left = m->swapped ? one : many, right = m->swapped ? many : one;
    enum element_answer answer = element_operation(ev, m->e, left, right, ev->arena, &result);
    if (answer == ELEMENT_NONE)
        return;
    if (m->m->cardinality == PROMQL_ONE_TO_ONE && g->matched[step])
        evaluation_fail(ev, PROMQL_FAILED,
                        "multiple matches for labels: many-to-one matching must be explicit "
                        "(group_left/group_right)");
    g->matched[step] = 1;
    bool to_bool = m->e->binary.to_bool;
    if (answer == ELEMENT_FALSE && !to_bool)
        return;
    struct column *c = result_of(ev, m, p, partner);
    if (to_bool)
        c->value[step] = answer == ELEMENT_KEEP;
    else if (result.histogram)
        column_put_histogram(ev, c, step, histogram_copy(ev->arena, result.histogram));
    else
        c->value[step] = result.value;
}

static struct sample sample_at(const struct column *c, size_t step)
{
    return (struct sample){c->value[step], column_histogram(c, step)};
}

static void add_many(struct evaluation *ev, struct match *m, const struct column *c)
{
    struct pairs pairs = {c, NULL};
    struct group *g = group_of(ev, m, &c->labels);
    if (!g->matched)
        g->matched = evaluation_calloc(ev, m->grid->count, 1);
    for (size_t i = 0; i < c->count; i++) {
        if (!is_present(c->value[i]))
            continue;
        if (m->duplicates && m->duplicates[i].a != NOBODY)
            fail_duplicate(ev, m, &m->duplicates[i]);
        uint32_t partner = one_at(m, g, i);
        if (partner == NOBODY && !m->fills_one)
            continue;
        struct sample one = {m->one_fill, NULL};
        if (partner != NOBODY)
            one = sample_at(m->ones.list[partner], i);
        put_result(ev, m, &pairs, i, sample_at(c, i), one, partner, g);
    }
}

/* The one side's samples that found nobody. */
static void fill_many(struct evaluation *ev, struct match *m)
{
    for (uint32_t one = 0; one < m->ones.count; one++) {
        struct column *c = m->ones.list[one];
        struct group *g = group_of(ev, m, &c->labels);
        struct labelset signature;
        signature_of(&signature, m->m, &c->labels);
        struct column many = {.labels = labelset_view(&signature)};
        struct pairs pairs = {&many, NULL};
        if (!g->matched)
            g->matched = evaluation_calloc(ev, m->grid->count, 1);
        for (size_t i = 0; i < c->count; i++)
            if (is_present(c->value[i]) && !g->matched[i] && one_at(m, g, i) == one)
                put_result(ev, m, &pairs, i, (struct sample){m->many_fill, NULL}, sample_at(c, i),
                           one, g);
    }
}

static void take_fills(struct match *m)
{
    const struct promql_matching *of = m->m;
    m->fills_one = of->fills_right;
    m->one_fill = of->fill_right;
    m->fills_many = of->fills_left;
    m->many_fill = of->fill_left;
}

OPENS(matched_open)
{
    struct match m = {.e = e, .m = &e->binary.matching, .grid = grid};
    m.swapped = m.m->cardinality == PROMQL_ONE_TO_MANY;
    take_fills(&m);
    m.ones = stream_collect(ev, stream_open(ev, e->args[m.swapped ? 0 : 1], grid));
    for (uint32_t i = 0; i < m.ones.count; i++)
        add_one(ev, &m, i);
    struct stream *many = stream_open(ev, e->args[m.swapped ? 1 : 0], grid);
    struct column *c = column_create(ev, grid->count, true);
    while (stream_next(ev, many, c))
        add_many(ev, &m, c);
    if (m.fills_many)
        fill_many(ev, &m);
    merge_same_labels(ev, &m.results);
    return stream_of_list(ev, e, grid, m.results);
}
