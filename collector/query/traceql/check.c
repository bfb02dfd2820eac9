// SPDX-License-Identifier: Apache-2.0
/* Whether a query means something. Types are Tempo's: numbers (int, float, duration) compare and
 * calculate with each other, all else only with its own kind; attributes have any type until a
 * span is looked at. The first fault is told, with the parts of the query that do not fit. */
#include <stdio.h>
#include <string.h>

#include "collector/query/traceql/parser.h"
#include "collector/query/traceql/print.h"
#include "lib/regex/regex.h"

/* A part of the query for a message; the caller gives it back by buffer_fini. */
static struct buffer text_of(const struct traceql_expr *e)
{
    struct buffer b = {0};
    traceql_print_expr(&b, e);
    if (b.length > 60) {
        b.length = 57;
        while (b.length > 0 && (b.data[b.length] & 0xc0) == 0x80)
            b.length--;
        buffer_text(&b, "…");
    }
    buffer_cstring(&b);
    return b;
}

static const char *type_name(enum traceql_type type)
{
    static const char *const names[] = {
        [TRACEQL_NIL] = "nil",          [TRACEQL_INT] = "an integer",
        [TRACEQL_FLOAT] = "a number",   [TRACEQL_DURATION] = "a duration",
        [TRACEQL_STRING] = "a string",  [TRACEQL_BOOL] = "true or false",
        [TRACEQL_STATUS] = "a status",  [TRACEQL_KIND] = "a kind",
        [TRACEQL_ANY] = "an attribute",
    };
    return names[type];
}

static bool is_numeric(enum traceql_type type)
{
    return type == TRACEQL_INT || type == TRACEQL_FLOAT || type == TRACEQL_DURATION;
}

static bool fit_together(enum traceql_type a, enum traceql_type b)
{
    return a == b || a == TRACEQL_ANY || b == TRACEQL_ANY || (is_numeric(a) && is_numeric(b));
}

static bool takes(enum traceql_op op, enum traceql_type type)
{
    switch (type) {
    case TRACEQL_ANY:
        return true;
    case TRACEQL_BOOL:
        return op == TRACEQL_AND || op == TRACEQL_OR || op == TRACEQL_EQ || op == TRACEQL_NE;
    case TRACEQL_INT:
    case TRACEQL_FLOAT:
    case TRACEQL_DURATION:
        return traceql_op_is_arithmetic(op) || traceql_op_is_comparison(op);
    case TRACEQL_STRING:
        return traceql_op_is_comparison(op) || op == TRACEQL_RE || op == TRACEQL_NRE;
    default:
        return op == TRACEQL_EQ || op == TRACEQL_NE;
    }
}

/* ---- inside { } -------------------------------------------------------------------------- */

static bool check_expr(struct traceql_parser *p, const struct traceql_expr *e,
                       enum traceql_type *type);

static bool wrong_type(struct traceql_parser *p, struct language_place at, enum traceql_op op,
                       const struct traceql_expr *e, enum traceql_type type)
{
    struct buffer text = text_of(e);
    language_fail_meaning(&p->in, at, "\"%s\" does not work on %s, and %s is %s",
                          traceql_op_text(op), type == TRACEQL_ANY ? "this" : type_name(type),
                          buffer_cstring(&text), type_name(type));
    buffer_fini(&text);
    return false;
}

static bool do_not_fit(struct traceql_parser *p, const struct traceql_expr *e,
                       enum traceql_type left, enum traceql_type right)
{
    struct buffer l = text_of(e->left), r = text_of(e->right);
    language_fail_meaning(&p->in, e->place,
                          "\"%s\" joins values of one kind, but %s is %s and %s is %s",
                          traceql_op_text(e->op), buffer_cstring(&l), type_name(left),
                          buffer_cstring(&r), type_name(right));
    buffer_fini(&l);
    buffer_fini(&r);
    return false;
}

static bool check_pattern(struct traceql_parser *p, const struct traceql_expr *e)
{
    const struct traceql_expr *pattern = e->right;
    if (pattern->op != TRACEQL_LITERAL || pattern->value.type != TRACEQL_STRING) {
        language_fail_meaning(&p->in, pattern->place,
                              "the pattern right of \"%s\" is a string, as in "
                              "name =~ \"GET .*\"",
                              traceql_op_text(e->op));
        return false;
    }
    if (++p->patterns > TRACEQL_PATTERNS_MAX) {
        language_fail_meaning(&p->in, pattern->place, "a query has %d regular expressions at most",
                              TRACEQL_PATTERNS_MAX);
        return false;
    }
    char why[200];
    struct regex *r =
        regex_create(pattern->value.text.bytes, pattern->value.text.length, why, sizeof why);
    if (!r) {
        language_fail_meaning(&p->in, pattern->place, "this is no regular expression: %s", why);
        return false;
    }
    regex_destroy(&r);
    return true;
}

static bool check_binary(struct traceql_parser *p, const struct traceql_expr *e,
                         enum traceql_type *type)
{
    enum traceql_type left, right;
    if (!check_expr(p, e->left, &left) || !check_expr(p, e->right, &right))
        return false;
    if ((left == TRACEQL_NIL || right == TRACEQL_NIL) &&
        !(left == right && (e->op == TRACEQL_EQ || e->op == TRACEQL_NE))) {
        language_fail_meaning(&p->in, e->place, "nil compares by \"=\" and \"!=\" only");
        return false;
    }
    if (!takes(e->op, left))
        return wrong_type(p, e->place, e->op, e->left, left);
    if ((e->op == TRACEQL_RE || e->op == TRACEQL_NRE) && !check_pattern(p, e))
        return false;
    if (!takes(e->op, right))
        return wrong_type(p, e->place, e->op, e->right, right);
    if (!fit_together(left, right))
        return do_not_fit(p, e, left, right);
    *type = !traceql_op_is_arithmetic(e->op)              ? TRACEQL_BOOL
            : left == TRACEQL_INT && right == TRACEQL_INT ? TRACEQL_INT
                                                          : TRACEQL_FLOAT;
    return true;
}

static bool check_unary(struct traceql_parser *p, const struct traceql_expr *e,
                        enum traceql_type *type)
{
    enum traceql_type of;
    bool presence = e->op == TRACEQL_EXISTS || e->op == TRACEQL_MISSING;
    bool is_parent = presence && e->left->op == TRACEQL_FIELD &&
                     e->left->field.scope == TRACEQL_INTRINSIC &&
                     e->left->field.intrinsic == TRACEQL_PARENT;
    *type = TRACEQL_BOOL;
    if (is_parent)
        return true;
    if (!check_expr(p, e->left, &of))
        return false;
    if (presence)
        return true;
    if (e->op == TRACEQL_NOT)
        return of == TRACEQL_BOOL || of == TRACEQL_ANY ||
               wrong_type(p, e->place, e->op, e->left, of);
    *type = of == TRACEQL_ANY ? TRACEQL_FLOAT : of;
    return of == TRACEQL_ANY || is_numeric(of) || wrong_type(p, e->place, e->op, e->left, of);
}

static bool check_field(struct traceql_parser *p, const struct traceql_field *f,
                        enum traceql_type *type)
{
    *type = TRACEQL_ANY;
    if (f->scope != TRACEQL_INTRINSIC)
        return true;
    *type = traceql_intrinsic_type(f->intrinsic);
    if (f->intrinsic != TRACEQL_PARENT)
        return true;
    language_fail_meaning(&p->in, f->place,
                          "\"parent\" only compares with nil; what the parent has is "
                          "parent.x, parent.name, parent.duration and so on");
    return false;
}

static bool check_expr(struct traceql_parser *p, const struct traceql_expr *e,
                       enum traceql_type *type)
{
    switch (e->op) {
    case TRACEQL_LITERAL:
        *type = e->value.type;
        return true;
    case TRACEQL_FIELD:
        return check_field(p, &e->field, type);
    case TRACEQL_NOT:
    case TRACEQL_NEGATE:
    case TRACEQL_EXISTS:
    case TRACEQL_MISSING:
        return check_unary(p, e, type);
    default:
        return check_binary(p, e, type);
    }
}

static bool looks_at_spans(const struct traceql_expr *e)
{
    if (e->op == TRACEQL_LITERAL || e->op == TRACEQL_FIELD)
        return e->op == TRACEQL_FIELD;
    return looks_at_spans(e->left) || (e->right && looks_at_spans(e->right));
}

static bool check_filter(struct traceql_parser *p, const struct traceql_expr *filter)
{
    enum traceql_type type;
    if (!filter)
        return true;
    if (!check_expr(p, filter, &type))
        return false;
    if (type == TRACEQL_BOOL || type == TRACEQL_ANY)
        return true;
    struct buffer text = text_of(filter);
    language_fail_meaning(&p->in, filter->place,
                          "what stands in { } is true or false for each span, but "
                          "%s is %s",
                          buffer_cstring(&text), type_name(type));
    buffer_fini(&text);
    return false;
}

/* ---- sets and scalars -------------------------------------------------------------------- */

static bool check_pipeline(struct traceql_parser *p, const struct traceql_pipeline *l, bool *split);

/* *split: a trace may come out as several sets. */
static bool check_set(struct traceql_parser *p, const struct traceql_set *s, bool *split)
{
    bool left, right;
    *split = false;
    if (s->op == TRACEQL_SET_FILTER)
        return check_filter(p, s->filter);
    if (s->op == TRACEQL_SET_PIPELINE)
        return check_pipeline(p, s->pipeline, split);
    if (!check_set(p, s->left, &left) || !check_set(p, s->right, &right))
        return false;
    if ((!left && !right) || s->op == TRACEQL_SET_AND || s->op == TRACEQL_SET_OR)
        return true;
    language_fail_meaning(&p->in, s->place,
                          "by() makes several sets of one trace, and \"%s\" wants one "
                          "on each side: coalesce() joins them",
                          traceql_set_op_text(s->op));
    return false;
}

static bool check_aggregate(struct traceql_parser *p, const struct traceql_scalar *s)
{
    enum traceql_type type;
    const char *name = traceql_aggregate_name(s->aggregate);
    if (!s->of)
        return true;
    if (!check_expr(p, s->of, &type))
        return false;
    if (type != TRACEQL_ANY && !is_numeric(type)) {
        struct buffer text = text_of(s->of);
        language_fail_meaning(&p->in, s->of->place, "%s() works on numbers, but %s is %s", name,
                              buffer_cstring(&text), type_name(type));
        buffer_fini(&text);
        return false;
    }
    if (looks_at_spans(s->of))
        return true;
    language_fail_meaning(&p->in, s->of->place,
                          "%s() of something that is the same for all spans: name "
                          "a field, as in %s(duration)",
                          name, name);
    return false;
}

static bool check_scalar(struct traceql_parser *p, const struct traceql_scalar *s)
{
    bool split = false;
    switch (s->form) {
    case TRACEQL_SCALAR_NUMBER:
        return true;
    case TRACEQL_SCALAR_AGGREGATE:
        return check_aggregate(p, s);
    case TRACEQL_SCALAR_ARITHMETIC:
        return check_scalar(p, s->left) && check_scalar(p, s->right);
    case TRACEQL_SCALAR_PIPELINE:
        break;
    }
    if (!check_pipeline(p, s->pipeline, &split))
        return false;
    if (split)
        language_fail_meaning(&p->in, s->place,
                              "by() makes several sets of one trace, and each would "
                              "give a number: coalesce() joins them");
    return !split;
}

static bool check_fields(struct traceql_parser *p, const struct traceql_fields *fields)
{
    enum traceql_type type;
    for (uint32_t i = 0; i < fields->count; i++) {
        if (!check_field(p, &fields->list[i], &type))
            return false;
    }
    return true;
}

static bool check_by(struct traceql_parser *p, const struct traceql_expr *by)
{
    enum traceql_type type;
    if (!check_expr(p, by, &type))
        return false;
    if (!looks_at_spans(by))
        language_fail_meaning(&p->in, by->place,
                              "by() of something that is the same for all spans: name "
                              "a field, as in by(resource.service.name)");
    return looks_at_spans(by);
}

static bool check_stage(struct traceql_parser *p, const struct traceql_stage *s, bool *split)
{
    bool splits = false;
    switch (s->form) {
    case TRACEQL_STAGE_SET:
        if (!check_set(p, s->set, &splits))
            return false;
        *split |= splits;
        return true;
    case TRACEQL_STAGE_CONDITION:
        return check_scalar(p, s->left) && check_scalar(p, s->right);
    case TRACEQL_STAGE_BY:
        *split = true;
        return check_by(p, s->by);
    case TRACEQL_STAGE_COALESCE:
        *split = false;
        return true;
    case TRACEQL_STAGE_SELECT:
        return check_fields(p, &s->fields);
    case TRACEQL_STAGE_SCALAR:
        return check_scalar(p, s->left);
    }
    return true;
}

static bool check_pipeline(struct traceql_parser *p, const struct traceql_pipeline *l, bool *split)
{
    *split = false;
    for (const struct traceql_stage *s = l->first; s; s = s->next) {
        if (!check_stage(p, s, split))
            return false;
    }
    return true;
}

/* ---- series ------------------------------------------------------------------------------ */

static bool check_measured(struct traceql_parser *p, const struct traceql_metrics *m)
{
    enum traceql_type type;
    const char *name = traceql_function_name(m->function);
    if (!check_field(p, &m->of, &type))
        return false;
    if (type != TRACEQL_ANY && !is_numeric(type)) {
        language_fail_meaning(&p->in, m->of.place, "%s() works on numbers, but this is %s", name,
                              type_name(type));
        return false;
    }
    for (uint32_t i = 0; i < m->quantile_count; i++) {
        if (!(m->quantiles[i] >= 0 && m->quantiles[i] <= 1)) {
            language_fail_meaning(&p->in, m->place, "quantiles lie between 0 and 1: %g does not",
                                  m->quantiles[i]);
            return false;
        }
    }
    return true;
}

static bool check_compare(struct traceql_parser *p, const struct traceql_metrics *m)
{
    const char *why = NULL;
    if (!check_filter(p, m->selection->filter))
        return false;
    if (m->top <= 0)
        why = "compare() tells at least one value of each attribute: its second argument is 1 or "
              "more";
    else if (m->has_times && (m->start_unix_ns <= 0 || m->end_unix_ns <= m->start_unix_ns))
        why = "compare() ends with a start and a later end, in nanoseconds since 1970";
    if (why)
        language_fail_meaning(&p->in, m->place, "%s", why);
    return !why;
}

static bool check_metrics(struct traceql_parser *p, const struct traceql_metrics *m)
{
    if (m->function == TRACEQL_COMPARE)
        return check_compare(p, m);
    if (traceql_function_has_field(m->function) && !check_measured(p, m))
        return false;
    if (m->by.count > TRACEQL_BY_MAX) {
        language_fail_meaning(&p->in, m->by.list[TRACEQL_BY_MAX].place,
                              "by() takes %d fields at most", TRACEQL_BY_MAX);
        return false;
    }
    return check_fields(p, &m->by);
}

static bool check_series(struct traceql_parser *p, const struct traceql_series *s)
{
    bool split;
    switch (s->form) {
    case TRACEQL_SERIES_METRICS:
        return check_pipeline(p, s->pipeline, &split) && check_metrics(p, s->metrics);
    case TRACEQL_SERIES_ARITHMETIC:
        return check_series(p, s->left) && check_series(p, s->right);
    case TRACEQL_SERIES_TOPK:
    case TRACEQL_SERIES_BOTTOMK:
        if (s->limit > 0)
            return check_series(p, s->left);
        language_fail_meaning(&p->in, s->place,
                              "this keeps no series at all: the number is 1 or more");
        return false;
    case TRACEQL_SERIES_THRESHOLD:
        break;
    }
    return check_series(p, s->left);
}

/* ---- hints ------------------------------------------------------------------------------- */

static bool check_hint(struct traceql_parser *p, const struct traceql_hint *h)
{
    enum { INT = 1 << TRACEQL_INT, FLOAT = 1 << TRACEQL_FLOAT, BOOL = 1 << TRACEQL_BOOL };
    static const struct {
        const char *name;
        unsigned types; /* 0: any */
    } known[] = {
        {"most_recent", BOOL},
        {"exemplars", BOOL | INT},
        /* Of Tempo's, and without an effect here: every answer is from all spans. */
        {"sample", BOOL | INT | FLOAT},
        {"span_sample", BOOL | INT | FLOAT},
        {"trace_sample", BOOL | INT | FLOAT},
        {"job_size", 0},
        {"time_overlap_cutoff", 0},
        {"concurrent_blocks", 0},
        {"debug", 0},
        {"info", 0},
        {"debug_return_in", 0},
        {"debug_std_dev", 0},
        {"debug_data_factor", 0},
        {"skip_ast_transformations", 0},
        {"spanonly_fetch", 0},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].name) != h->name.length ||
            memcmp(known[i].name, h->name.bytes, h->name.length) != 0)
            continue;
        if (known[i].types == 0 || (known[i].types & 1u << h->value.type))
            return true;
        language_fail_meaning(&p->in, h->place, "the hint %s takes no such value, but %s%s",
                              known[i].name, known[i].types & BOOL ? "true or false" : "",
                              known[i].types & INT ? " or a number" : "");
        return false;
    }
    language_fail_meaning(&p->in, h->place,
                          "there is no hint \"%.*s\"; there are most_recent, exemplars "
                          "and sample",
                          (int)(h->name.length < 60 ? h->name.length : 60), h->name.bytes);
    return false;
}

bool traceql_check(struct traceql_parser *p, const struct traceql_query *q)
{
    bool split;
    for (uint32_t i = 0; i < q->hint_count; i++) {
        if (!check_hint(p, &q->hints[i]))
            return false;
    }
    return q->series ? check_series(p, q->series) : check_pipeline(p, q->pipeline, &split);
}
