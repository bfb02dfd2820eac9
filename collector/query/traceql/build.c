// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/build.h"

#include <stdio.h>
#include <string.h>

static uint32_t deeper(uint32_t a, uint32_t b)
{
    return (a > b ? a : b) + 1;
}

static bool fits(struct traceql_parser *p, uint32_t depth, struct language_place at)
{
    if (depth <= TRACEQL_DEPTH_MAX)
        return true;
    language_fail_depth(&p->in, at, TRACEQL_DEPTH_MAX);
    return false;
}

static struct language_place span_of(struct language_place a, struct language_place b)
{
    return (struct language_place){a.begin < b.begin ? a.begin : b.begin,
                                   a.end > b.end ? a.end : b.end};
}

/* ---- inside { } -------------------------------------------------------------------------- */

struct traceql_expr *traceql_build_literal(struct traceql_parser *p, struct traceql_value value,
                                           struct language_place at)
{
    struct traceql_expr *e = language_new(&p->in, sizeof *e);
    if (e)
        *e = (struct traceql_expr){.op = TRACEQL_LITERAL, .depth = 1, .place = at, .value = value};
    return e;
}

struct traceql_expr *traceql_build_field(struct traceql_parser *p, struct traceql_field field)
{
    struct traceql_expr *e = language_new(&p->in, sizeof *e);
    if (e)
        *e = (struct traceql_expr){
            .op = TRACEQL_FIELD, .depth = 1, .place = field.place, .field = field};
    return e;
}

/* False where there is no negative of it. */
static bool negate(struct traceql_value *v)
{
    if (v->type == TRACEQL_FLOAT)
        v->number = -v->number;
    else if ((v->type == TRACEQL_INT || v->type == TRACEQL_DURATION) && v->integer != INT64_MIN)
        v->integer = -v->integer;
    else
        return false;
    return true;
}

struct traceql_expr *traceql_build_unary(struct traceql_parser *p, enum traceql_op op,
                                         struct traceql_expr *of, struct language_place at)
{
    if (op == TRACEQL_NEGATE && of->op == TRACEQL_LITERAL && negate(&of->value)) {
        of->place = span_of(at, of->place);
        return of;
    }
    if (!fits(p, of->depth + 1, at))
        return NULL;
    struct traceql_expr *e = language_new(&p->in, sizeof *e);
    if (e)
        *e = (struct traceql_expr){.op = op, .depth = of->depth + 1, .place = at, .left = of};
    return e;
}

static bool is_nil(const struct traceql_expr *e)
{
    return e->op == TRACEQL_LITERAL && e->value.type == TRACEQL_NIL;
}

struct traceql_expr *traceql_build_binary(struct traceql_parser *p, enum traceql_op op,
                                          struct traceql_expr *left, struct traceql_expr *right,
                                          struct language_place at)
{
    if ((op == TRACEQL_EQ || op == TRACEQL_NE) && is_nil(left) != is_nil(right)) {
        struct traceql_expr *of = is_nil(left) ? right : left;
        return traceql_build_unary(p, op == TRACEQL_EQ ? TRACEQL_MISSING : TRACEQL_EXISTS, of, at);
    }
    uint32_t depth = deeper(left->depth, right->depth);
    if (!fits(p, depth, at))
        return NULL;
    struct traceql_expr *e = language_new(&p->in, sizeof *e);
    if (e)
        *e = (struct traceql_expr){op, depth, at, left, right, {0}, {0}};
    return e;
}

/* ---- sets, scalars, series --------------------------------------------------------------- */

bool traceql_build_filter(struct traceql_parser *p, struct traceql_expr *filter,
                          struct language_place at, struct traceql_operand *out)
{
    struct traceql_set *s = language_new(&p->in, sizeof *s);
    if (!s)
        return false;
    s->op = TRACEQL_SET_FILTER;
    s->depth = filter ? filter->depth + 1 : 1;
    s->place = at;
    s->filter = filter;
    *out = (struct traceql_operand){.sort = TRACEQL_SET, .place = at, .set = s};
    return fits(p, s->depth, at);
}

static bool scalar_operand(struct traceql_parser *p, struct traceql_scalar scalar,
                           struct language_place whole, struct traceql_operand *out)
{
    struct traceql_scalar *s = language_new(&p->in, sizeof *s);
    if (!s)
        return false;
    *s = scalar;
    *out = (struct traceql_operand){.sort = TRACEQL_SCALAR, .place = whole, .scalar = s};
    return fits(p, s->depth, s->place);
}

bool traceql_build_number(struct traceql_parser *p, struct traceql_value value, bool negative,
                          struct language_place at, struct traceql_operand *out)
{
    if (negative && !negate(&value)) {
        language_fail_meaning(&p->in, at, "there is no integer that large");
        *out = (struct traceql_operand){.sort = TRACEQL_BROKEN, .place = at};
        return true;
    }
    struct traceql_scalar number = {
        .form = TRACEQL_SCALAR_NUMBER, .depth = 1, .place = at, .value = value};
    return scalar_operand(p, number, at, out);
}

bool traceql_build_aggregate(struct traceql_parser *p, enum traceql_aggregate aggregate,
                             struct traceql_expr *of, struct language_place at,
                             struct traceql_operand *out)
{
    struct traceql_scalar scalar = {.form = TRACEQL_SCALAR_AGGREGATE,
                                    .depth = of ? of->depth + 1 : 1,
                                    .place = at,
                                    .aggregate = aggregate,
                                    .of = of};
    return scalar_operand(p, scalar, at, out);
}

bool traceql_build_metrics(struct traceql_parser *p, const struct traceql_metrics *metrics,
                           struct traceql_operand *out)
{
    struct traceql_series *s = language_new(&p->in, sizeof *s);
    struct traceql_metrics *m = language_new(&p->in, sizeof *m);
    if (!s || !m)
        return false;
    *m = *metrics;
    s->form = TRACEQL_SERIES_METRICS;
    s->depth = m->selection ? m->selection->depth + 1 : 1;
    s->place = m->place;
    s->metrics = m;
    *out = (struct traceql_operand){
        .sort = TRACEQL_METRICS, .place = m->place, .series = s, .open = s};
    return fits(p, s->depth, s->place);
}

bool traceql_build_top(struct traceql_parser *p, enum traceql_series_form form, int64_t limit,
                       struct language_place at, struct traceql_operand *out)
{
    struct traceql_series *s = language_new(&p->in, sizeof *s);
    if (!s)
        return false;
    *s = (struct traceql_series){.form = form, .depth = 1, .place = at, .limit = limit};
    *out = (struct traceql_operand){.sort = TRACEQL_TOP, .place = at, .series = s, .open = s};
    return true;
}

bool traceql_build_group(struct traceql_parser *p, const struct traceql_flow *flow,
                         struct language_place at, struct traceql_operand *out)
{
    const struct traceql_stage *only =
        flow->pipeline && flow->pipeline->count == 1 ? flow->pipeline->first : NULL;
    *out = (struct traceql_operand){.sort = flow->sort, .place = at};
    if (flow->sort == TRACEQL_SERIES) {
        out->series = flow->series;
    } else if (flow->sort == TRACEQL_SCALAR && only) {
        out->scalar = only->left;
    } else if (flow->sort == TRACEQL_SCALAR) {
        struct traceql_scalar scalar = {.form = TRACEQL_SCALAR_PIPELINE,
                                        .depth = flow->pipeline->depth + 1,
                                        .place = at,
                                        .pipeline = flow->pipeline};
        return scalar_operand(p, scalar, at, out);
    } else if (flow->sort == TRACEQL_SET && only && only->form == TRACEQL_STAGE_SET) {
        out->set = only->set;
    } else if (flow->sort == TRACEQL_SET) {
        struct traceql_set *s = language_new(&p->in, sizeof *s);
        if (!s)
            return false;
        s->op = TRACEQL_SET_PIPELINE;
        s->depth = flow->pipeline->depth + 1;
        s->place = at;
        s->pipeline = flow->pipeline;
        out->set = s;
        return fits(p, s->depth, at);
    }
    return true;
}

static bool join_sets(struct traceql_parser *p, const struct traceql_operand *left,
                      const struct traceql_operand *right, enum traceql_set_op op,
                      struct language_place at, struct traceql_operand *out)
{
    struct traceql_set *s = language_new(&p->in, sizeof *s);
    if (!s)
        return false;
    *s = (struct traceql_set){
        op, deeper(left->set->depth, right->set->depth), at, left->set, right->set, NULL, NULL};
    out->sort = TRACEQL_SET;
    out->set = s;
    return fits(p, s->depth, at);
}

static bool join_scalars(struct traceql_parser *p, const struct traceql_operand *left,
                         const struct traceql_operand *right, enum traceql_op op,
                         struct language_place at, struct traceql_operand *out)
{
    if (traceql_op_is_arithmetic(op)) {
        struct traceql_scalar scalar = {.form = TRACEQL_SCALAR_ARITHMETIC,
                                        .depth = deeper(left->scalar->depth, right->scalar->depth),
                                        .place = at,
                                        .op = op,
                                        .left = left->scalar,
                                        .right = right->scalar};
        return scalar_operand(p, scalar, out->place, out);
    }
    struct traceql_stage *s = language_new(&p->in, sizeof *s);
    if (!s)
        return false;
    s->form = TRACEQL_STAGE_CONDITION;
    s->place = at;
    s->op = op;
    s->left = left->scalar;
    s->right = right->scalar;
    out->sort = TRACEQL_CONDITION;
    out->condition = s;
    return true;
}

static bool join_series(struct traceql_parser *p, struct traceql_series joined,
                        struct traceql_operand *out)
{
    struct traceql_series *s = language_new(&p->in, sizeof *s);
    if (!s)
        return false;
    *s = joined;
    s->depth = deeper(s->left->depth, s->right ? s->right->depth : 0);
    out->series = s;
    return fits(p, s->depth, s->place);
}

static const char *sort_name(enum traceql_sort sort)
{
    static const char *const names[] = {
        [TRACEQL_BROKEN] = "",
        [TRACEQL_SET] = "a set of spans",
        [TRACEQL_SCALAR] = "a number",
        [TRACEQL_CONDITION] = "a condition on numbers",
        [TRACEQL_METRICS] = "a metrics function",
        [TRACEQL_TOP] = "topk() or bottomk()",
        [TRACEQL_SERIES] = "series",
    };
    return names[sort];
}

static bool cannot_join(struct traceql_parser *p, const struct traceql_operand *left,
                        const struct traceql_operand *right, const char *op,
                        struct language_place at, struct traceql_operand *out)
{
    bool condition = left->sort == TRACEQL_CONDITION || right->sort == TRACEQL_CONDITION;
    bool metrics = left->sort == TRACEQL_METRICS || right->sort == TRACEQL_METRICS;
    language_fail_meaning(&p->in, at, "\"%s\" cannot join %s and %s%s", op, sort_name(left->sort),
                          sort_name(right->sort),
                          condition ? "; a condition belongs into a pipeline: ({ … } | count() > 2)"
                          : metrics
                              ? "; metrics that are joined stand in parentheses: ({ … } | rate())"
                              : "");
    out->sort = TRACEQL_BROKEN;
    return true;
}

bool traceql_build_joined(struct traceql_parser *p, const struct traceql_operand *left,
                          const struct traceql_operand *right, enum traceql_op op,
                          enum traceql_set_op set_op, struct language_place at,
                          struct traceql_operand *out)
{
    enum traceql_sort l = left->sort, r = right->sort;
    bool compares = traceql_op_is_comparison(op), counts = traceql_op_is_arithmetic(op);
    bool number = r == TRACEQL_SCALAR && right->scalar->form == TRACEQL_SCALAR_NUMBER;
    struct traceql_operand joined = {.sort = TRACEQL_BROKEN,
                                     .place = span_of(left->place, right->place)};
    *out = joined;
    if (l == TRACEQL_BROKEN || r == TRACEQL_BROKEN)
        return true;
    if (l == TRACEQL_SET && r == TRACEQL_SET && set_op != TRACEQL_SET_FILTER)
        return join_sets(p, left, right, set_op, at, out);
    if (l == TRACEQL_SCALAR && r == TRACEQL_SCALAR && (compares || counts))
        return join_scalars(p, left, right, op, at, out);
    if (l >= TRACEQL_METRICS && number && compares) {
        out->sort = l;
        out->open = left->open;
        return join_series(p,
                           (struct traceql_series){.form = TRACEQL_SERIES_THRESHOLD,
                                                   .place = at,
                                                   .op = op,
                                                   .left = left->series,
                                                   .value = right->scalar->value},
                           out);
    }
    if (l == TRACEQL_SERIES && r == TRACEQL_SERIES && counts && op <= TRACEQL_DIV) {
        out->sort = TRACEQL_SERIES;
        return join_series(p,
                           (struct traceql_series){.form = TRACEQL_SERIES_ARITHMETIC,
                                                   .place = at,
                                                   .op = op,
                                                   .left = left->series,
                                                   .right = right->series},
                           out);
    }
    return cannot_join(p, left, right,
                       op == TRACEQL_LITERAL ? traceql_set_op_text(set_op) : traceql_op_text(op),
                       at, out);
}

/* ---- lists ------------------------------------------------------------------------------- */

bool traceql_numbers_add(struct traceql_parser *p, struct traceql_numbers *n, double number)
{
    double *list = language_grow(&p->in, n->list, n->count, &n->capacity, sizeof *list);
    if (!list)
        return false;
    n->list = list;
    list[n->count++] = number;
    return true;
}

bool traceql_fields_add(struct traceql_parser *p, struct traceql_field_list *l,
                        const struct traceql_field *field)
{
    struct traceql_field *list =
        language_grow(&p->in, l->list, l->count, &l->capacity, sizeof *list);
    if (!list)
        return false;
    l->list = list;
    list[l->count++] = *field;
    return true;
}

bool traceql_hints_add(struct traceql_parser *p, struct traceql_hint_list *l,
                       const struct traceql_hint *hint)
{
    struct traceql_hint *list =
        language_grow(&p->in, l->list, l->count, &l->capacity, sizeof *list);
    if (!list)
        return false;
    l->list = list;
    list[l->count++] = *hint;
    return true;
}
