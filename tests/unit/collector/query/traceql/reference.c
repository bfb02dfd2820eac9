// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/collector/query/traceql/reference.h"

#include <stdlib.h>
#include <string.h>

#include "collector/traces/order.h"

#define BIT(row) (UINT64_C(1) << (row))

/* ---- the tree ---------------------------------------------------------------------------- */

static bool is_below(const struct reference_trace *t, uint32_t row, uint32_t above)
{
    for (uint32_t p = t->parent[row]; p != ORDER_NONE; p = t->parent[p])
        if (p == above)
            return true;
    return false;
}

static uint32_t depth_of(const struct reference_trace *t, uint32_t row)
{
    uint32_t depth = 0;
    for (uint32_t p = t->parent[row]; p != ORDER_NONE; p = t->parent[p])
        depth++;
    return depth;
}

/* Rows are in the order of the walk: a row is entered after all before it were entered and all of
 * these but its ancestors were left; it is left when all below it were. */
static void number_rows(struct reference_trace *t)
{
    for (uint32_t i = 0; i < t->rows; i++) {
        uint32_t below = 0;
        t->children[i] = 0;
        for (uint32_t other = 0; other < t->rows; other++) {
            below += is_below(t, other, i);
            t->children[i] += t->parent[other] == i;
        }
        t->left[i] = 2 * i + 1 - depth_of(t, i);
        t->right[i] = t->left[i] + 2 * below + 1;
    }
}

void reference_tree(struct reference_trace *t)
{
    struct order order = {0};
    struct order_span spans[REFERENCE_ROWS];
    for (uint32_t i = 0; i < t->arrived; i++) {
        const struct reference_span *s = &t->spans[i];
        spans[i] = (struct order_span){s->id, s->parent_id, s->start_unix_ns, s->process->number,
                                       s->status};
    }
    if (order_trace(&order, spans, t->arrived) != 0)
        abort();
    t->rows = order.count;
    t->start_unix_ns = UINT64_MAX;
    t->end_unix_ns = 0;
    for (uint32_t i = 0; i < order.count; i++) {
        const struct reference_span *s = &t->spans[order.span[i]];
        uint64_t end = s->start_unix_ns + s->duration_ns;
        t->row[i] = s;
        t->parent[i] = order.parent[i];
        t->start_unix_ns =
            s->start_unix_ns < t->start_unix_ns ? s->start_unix_ns : t->start_unix_ns;
        t->end_unix_ns = end > t->end_unix_ns ? end : t->end_unix_ns;
    }
    order_fini(&order);
    number_rows(t);
}

/* ---- sets -------------------------------------------------------------------------------- */

static void run(const struct traceql_pipeline *l, const struct reference_trace *t, uint64_t from,
                struct reference_sets *out);

static uint64_t join(const struct reference_sets *sets)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < sets->count; i++)
        all |= sets->list[i];
    return all;
}

/* Whether `a` on the left side of `a op b` stands so to `b` on the right. */
static bool stands(const struct reference_trace *t, unsigned relation, uint32_t a, uint32_t b)
{
    switch ((enum traceql_set_op)relation) {
    case TRACEQL_SET_CHILD:
        return t->parent[b] == a;
    case TRACEQL_SET_PARENT:
        return t->parent[a] == b;
    case TRACEQL_SET_DESCENDANT:
        return is_below(t, b, a);
    case TRACEQL_SET_ANCESTOR:
        return is_below(t, a, b);
    default:
        return a != b && t->row[a]->parent_id && t->parent[a] == t->parent[b] &&
               t->row[a]->parent_id == t->row[b]->parent_id;
    }
}

static uint64_t relate(const struct reference_trace *t, enum traceql_set_op op, uint64_t left,
                       uint64_t right)
{
    enum { FORMS = TRACEQL_SET_NOT_CHILD - TRACEQL_SET_CHILD };
    unsigned relation = TRACEQL_SET_CHILD + (op - TRACEQL_SET_CHILD) % FORMS;
    uint64_t having = 0, had = 0;
    for (uint32_t a = 0; a < t->rows; a++) {
        for (uint32_t b = 0; b < t->rows; b++) {
            if ((left & BIT(a)) && (right & BIT(b)) && stands(t, relation, a, b)) {
                having |= BIT(b);
                had |= BIT(a);
            }
        }
    }
    if (op < TRACEQL_SET_NOT_CHILD)
        return having;
    return op < TRACEQL_SET_UNION_CHILD ? right & ~having : having | had;
}

static uint64_t set(const struct traceql_set *s, const struct reference_trace *t, uint64_t from)
{
    struct reference_sets sets;
    uint64_t found = 0, left, right;
    if (s->op == TRACEQL_SET_FILTER) {
        for (uint32_t i = 0; i < t->rows; i++)
            if ((from & BIT(i)) && (!s->filter || reference_holds(t, i, s->filter)))
                found |= BIT(i);
        return found;
    }
    if (s->op == TRACEQL_SET_PIPELINE) {
        run(s->pipeline, t, from, &sets);
        return join(&sets);
    }
    left = set(s->left, t, from);
    right = set(s->right, t, from);
    if (s->op == TRACEQL_SET_AND)
        return left && right ? left | right : 0;
    if (s->op == TRACEQL_SET_OR)
        return left | right;
    return relate(t, s->op, left, right);
}

/* ---- conditions -------------------------------------------------------------------------- */

static struct traceql_value whole(enum traceql_type type, int64_t integer)
{
    return (struct traceql_value){.type = type, .integer = integer};
}

static double as_float(struct traceql_value v)
{
    return v.type == TRACEQL_FLOAT ? v.number : (double)v.integer;
}

static struct traceql_value summed(enum traceql_aggregate a, enum traceql_type type,
                                   const struct traceql_value *values, uint32_t count)
{
    double sum = 0;
    int64_t wholes = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += as_float(values[i]);
        wholes += values[i].type == TRACEQL_FLOAT ? 0 : values[i].integer;
    }
    if (a == TRACEQL_AVG && type == TRACEQL_DURATION)
        return whole(type, wholes / (int64_t)count);
    if (a == TRACEQL_AVG)
        return (struct traceql_value){.type = TRACEQL_FLOAT, .number = sum / count};
    if (type != TRACEQL_FLOAT)
        return whole(type, wholes);
    return (struct traceql_value){.type = TRACEQL_FLOAT, .number = sum};
}

static struct traceql_value aggregate(const struct traceql_scalar *s,
                                      const struct reference_trace *t, uint64_t from)
{
    struct traceql_value values[REFERENCE_ROWS], best;
    uint32_t count = 0;
    if (s->aggregate == TRACEQL_COUNT)
        return whole(TRACEQL_INT, __builtin_popcountll(from));
    for (uint32_t i = 0; i < t->rows; i++) {
        if (!(from & BIT(i)))
            continue;
        struct traceql_value v = reference_value(t, i, s->of);
        if (v.type == TRACEQL_INT || v.type == TRACEQL_FLOAT || v.type == TRACEQL_DURATION)
            values[count++] = v;
    }
    if (count == 0)
        return (struct traceql_value){.type = TRACEQL_NIL};
    enum traceql_type type = values[0].type;
    best = values[0];
    for (uint32_t i = 1; i < count; i++) {
        enum traceql_op better = s->aggregate == TRACEQL_MIN ? TRACEQL_LT : TRACEQL_GT;
        type = values[i].type == type ? type : TRACEQL_FLOAT;
        best = reference_compares(better, values[i], best) ? values[i] : best;
    }
    return s->aggregate == TRACEQL_MIN || s->aggregate == TRACEQL_MAX
               ? best
               : summed(s->aggregate, type, values, count);
}

/* *others: the spans of pipelines in it. */
static struct traceql_value scalar(const struct traceql_scalar *s, const struct reference_trace *t,
                                   uint64_t from, uint64_t *others)
{
    struct reference_sets sets = {1, {from}};
    struct traceql_value left;
    switch (s->form) {
    case TRACEQL_SCALAR_NUMBER:
        return s->value;
    case TRACEQL_SCALAR_AGGREGATE:
        return aggregate(s, t, from);
    case TRACEQL_SCALAR_ARITHMETIC:
        left = scalar(s->left, t, from, others);
        return reference_calculate(s->op, left, scalar(s->right, t, from, others));
    case TRACEQL_SCALAR_PIPELINE:
        break;
    }
    run(s->pipeline, t, from, &sets);
    *others |= join(&sets);
    if (sets.count == 0)
        return whole(TRACEQL_INT, 0);
    return scalar(s->pipeline->last->left, t, join(&sets), &(uint64_t){0});
}

static uint64_t condition(const struct traceql_stage *s, const struct reference_trace *t,
                          uint64_t from)
{
    uint64_t others = 0;
    struct traceql_value left = scalar(s->left, t, from, &others);
    struct traceql_value right = scalar(s->right, t, from, &others);
    if (!reference_compares(s->op, left, right))
        return 0;
    return others ? others : from;
}

/* ---- stages ------------------------------------------------------------------------------ */

static void keep(struct reference_sets *out, uint64_t rows)
{
    if (rows)
        out->list[out->count++] = rows;
}

static bool same(struct traceql_value a, struct traceql_value b)
{
    return a.type == b.type && (a.type == TRACEQL_NIL || reference_compares(TRACEQL_EQ, a, b));
}

static void by(const struct traceql_expr *e, const struct reference_trace *t, uint64_t from,
               struct reference_sets *out)
{
    char text[64], other_text[64];
    while (from) {
        uint32_t first = (uint32_t)__builtin_ctzll(from);
        uint64_t group = 0;
        struct traceql_value value = reference_value(t, first, e);
        if (value.type == TRACEQL_STRING && value.text.length < sizeof text)
            value.text.bytes = memcpy(text, value.text.bytes, value.text.length);
        for (uint32_t i = first; i < t->rows; i++) {
            struct traceql_value other = reference_value(t, i, e);
            if (other.type == TRACEQL_STRING && other.text.length < sizeof other_text)
                other.text.bytes = memcpy(other_text, other.text.bytes, other.text.length);
            if ((from & BIT(i)) && same(value, other))
                group |= BIT(i);
        }
        keep(out, group);
        from &= ~group;
    }
}

/* A set in parentheses may be several. */
static void set_stage(const struct traceql_set *s, const struct reference_trace *t, uint64_t from,
                      struct reference_sets *out)
{
    struct reference_sets inner;
    if (s->op != TRACEQL_SET_PIPELINE) {
        keep(out, set(s, t, from));
        return;
    }
    run(s->pipeline, t, from, &inner);
    for (uint32_t i = 0; i < inner.count; i++)
        keep(out, inner.list[i]);
}

static void stage(const struct traceql_stage *s, const struct reference_trace *t,
                  const struct reference_sets *from, struct reference_sets *out)
{
    out->count = 0;
    if (s->form == TRACEQL_STAGE_COALESCE)
        keep(out, join(from));
    for (uint32_t i = 0; i < from->count; i++) {
        if (s->form == TRACEQL_STAGE_SET)
            set_stage(s->set, t, from->list[i], out);
        else if (s->form == TRACEQL_STAGE_CONDITION)
            keep(out, condition(s, t, from->list[i]));
        else if (s->form == TRACEQL_STAGE_BY)
            by(s->by, t, from->list[i], out);
        else if (s->form != TRACEQL_STAGE_COALESCE)
            keep(out, from->list[i]);
    }
}

static void run(const struct traceql_pipeline *l, const struct reference_trace *t, uint64_t from,
                struct reference_sets *out)
{
    out->count = 0;
    keep(out, from);
    for (const struct traceql_stage *s = l->first; s; s = s->next) {
        struct reference_sets before = *out;
        stage(s, t, &before, out);
    }
}

void reference_search(const struct traceql_query *q, const struct reference_trace *t,
                      struct reference_sets *sets)
{
    run(q->pipeline, t, t->rows == REFERENCE_ROWS ? UINT64_MAX : BIT(t->rows) - 1, sets);
}
