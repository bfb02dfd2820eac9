// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/number.h"
#include "lib/base/quoted.h"
#include "lib/model/span.h"

/* ---- values ------------------------------------------------------------------------------ */

static void put_string(struct buffer *out, struct batch_str text)
{
    quoted_put(out, text.bytes, text.length);
}

/* The shortest that reads back as the same, with a dot or an exponent. */
static void put_float(struct buffer *out, double number)
{
    char text[NUMBER_TEXT_MAX];
    number_text(number, text);
    buffer_text(out, text);
    if (strspn(text, "-0123456789") == strlen(text))
        buffer_text(out, ".0");
}

static void put_duration(struct buffer *out, int64_t duration_ns)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"h", UINT64_C(3600000000000)},
                 {"m", 60000000000},
                 {"s", 1000000000},
                 {"ms", 1000000},
                 {"us", 1000},
                 {"ns", 1}};
    uint64_t left = duration_ns < 0 ? 0 - (uint64_t)duration_ns : (uint64_t)duration_ns;
    if (duration_ns < 0)
        buffer_byte(out, '-');
    if (left == 0)
        buffer_text(out, "0s");
    for (size_t i = 0; i < sizeof units / sizeof *units && left > 0; i++) {
        if (left >= units[i].ns)
            buffer_printf(out, "%llu%s", (unsigned long long)(left / units[i].ns), units[i].name);
        left %= units[i].ns;
    }
}

void traceql_print_value(struct buffer *out, const struct traceql_value *v)
{
    switch (v->type) {
    case TRACEQL_INT:
        if (v->integer == INT64_MIN)
            buffer_text(out, "minInt");
        else
            buffer_printf(out, "%lld", (long long)v->integer);
        break;
    case TRACEQL_FLOAT:
        put_float(out, v->number);
        break;
    case TRACEQL_DURATION:
        put_duration(out, v->integer);
        break;
    case TRACEQL_STRING:
        put_string(out, v->text);
        break;
    case TRACEQL_BOOL:
        buffer_text(out, v->boolean ? "true" : "false");
        break;
    case TRACEQL_STATUS:
        buffer_text(out, span_status_name(v->keyword));
        break;
    case TRACEQL_KIND:
        buffer_text(out, v->keyword == TRACEQL_KIND_UNSPECIFIED ? "unspecified"
                                                                : span_kind_name(v->keyword));
        break;
    default:
        buffer_text(out, "nil");
    }
}

static bool is_negative(const struct traceql_value *v)
{
    if (v->type == TRACEQL_FLOAT)
        return signbit(v->number);
    return (v->type == TRACEQL_INT || v->type == TRACEQL_DURATION) && v->integer < 0 &&
           v->integer != INT64_MIN;
}

/* ---- fields ------------------------------------------------------------------------------ */

/* Whether the lexer reads the key as it is, and as nothing else. */
static bool is_plain(const struct traceql_field *f)
{
    struct batch_str key = f->key;
    for (uint32_t i = 0; i < key.length; i++) {
        char c = key.bytes[i];
        if (c <= ' ' || c >= 127 || strchr("{}()=~!<>&|^,\"\\", c))
            return false;
    }
    if (f->parent && f->scope == TRACEQL_UNSCOPED)
        return false;
    return f->scope != TRACEQL_UNSCOPED || key.bytes[0] < '0' || key.bytes[0] > '9';
}

static void put_key(struct buffer *out, const struct traceql_field *f)
{
    if (is_plain(f)) {
        buffer_append(out, f->key.bytes, f->key.length);
        return;
    }
    buffer_byte(out, '"');
    for (uint32_t i = 0; i < f->key.length; i++) {
        if (f->key.bytes[i] == '"' || f->key.bytes[i] == '\\')
            buffer_byte(out, '\\');
        buffer_byte(out, f->key.bytes[i]);
    }
    buffer_byte(out, '"');
}

void traceql_print_field(struct buffer *out, const struct traceql_field *f)
{
    static const char *const scopes[] = {
        [TRACEQL_UNSCOPED] = ".",         [TRACEQL_SPAN] = "span.",
        [TRACEQL_RESOURCE] = "resource.", [TRACEQL_EVENT] = "event.",
        [TRACEQL_LINK] = "link.",         [TRACEQL_INSTRUMENTATION] = "instrumentation.",
    };
    if (f->scope == TRACEQL_INTRINSIC) {
        const char *name = traceql_intrinsic_name(f->intrinsic);
        const char *colon = f->parent ? strchr(name, ':') : NULL;
        buffer_text(out, f->parent ? "parent." : "");
        buffer_text(out, colon ? colon + 1 : name);
        return;
    }
    if (f->parent)
        buffer_text(out, f->scope == TRACEQL_UNSCOPED ? "parent" : "parent.");
    buffer_text(out, scopes[f->scope]);
    put_key(out, f);
}

/* ---- inside { } -------------------------------------------------------------------------- */

enum { LOOSEST, JOINING, COMPARING, ADDING, NEGATING, MULTIPLYING, RAISING, TIGHTEST };

static int tightness_of_op(enum traceql_op op)
{
    switch (op) {
    case TRACEQL_AND:
    case TRACEQL_OR:
        return JOINING;
    case TRACEQL_ADD:
    case TRACEQL_SUB:
    case TRACEQL_NEGATE:
        return ADDING;
    case TRACEQL_NOT:
        return NEGATING;
    case TRACEQL_MUL:
    case TRACEQL_DIV:
    case TRACEQL_MOD:
        return MULTIPLYING;
    case TRACEQL_POW:
        return RAISING;
    case TRACEQL_LITERAL:
    case TRACEQL_FIELD:
        return TIGHTEST;
    default:
        return COMPARING;
    }
}

static int tightness(const struct traceql_expr *e)
{
    if (e->op == TRACEQL_LITERAL && is_negative(&e->value))
        return ADDING;
    return tightness_of_op(e->op);
}

static void put_operand(struct buffer *out, const struct traceql_expr *e, int at_least)
{
    bool loose = tightness(e) < at_least;
    buffer_text(out, loose ? "(" : "");
    traceql_print_expr(out, e);
    buffer_text(out, loose ? ")" : "");
}

void traceql_print_expr(struct buffer *out, const struct traceql_expr *e)
{
    int level = tightness_of_op(e->op);
    switch (e->op) {
    case TRACEQL_LITERAL:
        traceql_print_value(out, &e->value);
        return;
    case TRACEQL_FIELD:
        traceql_print_field(out, &e->field);
        return;
    case TRACEQL_NOT:
        buffer_byte(out, '!');
        put_operand(out, e->left, NEGATING);
        return;
    case TRACEQL_NEGATE:
        buffer_byte(out, '-');
        put_operand(out, e->left, ADDING + 1);
        return;
    case TRACEQL_EXISTS:
    case TRACEQL_MISSING:
        put_operand(out, e->left, COMPARING);
        buffer_printf(out, " %s", traceql_op_text(e->op));
        return;
    default:
        put_operand(out, e->left, e->op == TRACEQL_POW ? level + 1 : level);
        buffer_printf(out, " %s ", traceql_op_text(e->op));
        put_operand(out, e->right, e->op == TRACEQL_POW ? level : level + 1);
    }
}

/* ---- sets, scalars, pipelines ------------------------------------------------------------ */

static int set_tightness(const struct traceql_set *s)
{
    if (s->op == TRACEQL_SET_FILTER || s->op == TRACEQL_SET_PIPELINE)
        return TIGHTEST;
    return s->op == TRACEQL_SET_AND || s->op == TRACEQL_SET_OR ? JOINING : COMPARING;
}

static void put_set(struct buffer *out, const struct traceql_set *s, int at_least)
{
    bool loose = set_tightness(s) < at_least;
    buffer_text(out, loose ? "(" : "");
    traceql_print_set(out, s);
    buffer_text(out, loose ? ")" : "");
}

void traceql_print_set(struct buffer *out, const struct traceql_set *s)
{
    switch (s->op) {
    case TRACEQL_SET_FILTER:
        buffer_text(out, "{ ");
        if (s->filter) {
            traceql_print_expr(out, s->filter);
            buffer_byte(out, ' ');
        }
        buffer_byte(out, '}');
        return;
    case TRACEQL_SET_PIPELINE:
        buffer_byte(out, '(');
        traceql_print_pipeline(out, s->pipeline);
        buffer_byte(out, ')');
        return;
    default:
        put_set(out, s->left, set_tightness(s));
        buffer_printf(out, " %s ", traceql_set_op_text(s->op));
        put_set(out, s->right, set_tightness(s) + 1);
    }
}

static void put_scalar(struct buffer *out, const struct traceql_scalar *s, int at_least)
{
    bool loose = s->form == TRACEQL_SCALAR_ARITHMETIC && tightness_of_op(s->op) < at_least;
    buffer_text(out, loose ? "(" : "");
    traceql_print_scalar(out, s);
    buffer_text(out, loose ? ")" : "");
}

void traceql_print_scalar(struct buffer *out, const struct traceql_scalar *s)
{
    switch (s->form) {
    case TRACEQL_SCALAR_NUMBER:
        traceql_print_value(out, &s->value);
        return;
    case TRACEQL_SCALAR_AGGREGATE:
        buffer_printf(out, "%s(", traceql_aggregate_name(s->aggregate));
        if (s->of)
            traceql_print_expr(out, s->of);
        buffer_byte(out, ')');
        return;
    case TRACEQL_SCALAR_PIPELINE:
        buffer_byte(out, '(');
        traceql_print_pipeline(out, s->pipeline);
        buffer_byte(out, ')');
        return;
    case TRACEQL_SCALAR_ARITHMETIC:
        break;
    }
    int level = tightness_of_op(s->op);
    put_scalar(out, s->left, s->op == TRACEQL_POW ? level + 1 : level);
    buffer_printf(out, " %s ", traceql_op_text(s->op));
    put_scalar(out, s->right, s->op == TRACEQL_POW ? level : level + 1);
}

static void put_fields(struct buffer *out, const struct traceql_fields *fields)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        buffer_text(out, i ? ", " : "");
        traceql_print_field(out, &fields->list[i]);
    }
}

static void put_stage(struct buffer *out, const struct traceql_stage *s)
{
    switch (s->form) {
    case TRACEQL_STAGE_SET:
        traceql_print_set(out, s->set);
        break;
    case TRACEQL_STAGE_CONDITION:
        put_scalar(out, s->left, ADDING);
        buffer_printf(out, " %s ", traceql_op_text(s->op));
        put_scalar(out, s->right, ADDING);
        break;
    case TRACEQL_STAGE_BY:
        buffer_text(out, "by(");
        traceql_print_expr(out, s->by);
        buffer_byte(out, ')');
        break;
    case TRACEQL_STAGE_COALESCE:
        buffer_text(out, "coalesce()");
        break;
    case TRACEQL_STAGE_SELECT:
        buffer_text(out, "select(");
        put_fields(out, &s->fields);
        buffer_byte(out, ')');
        break;
    case TRACEQL_STAGE_SCALAR:
        traceql_print_scalar(out, s->left);
        break;
    }
}

void traceql_print_pipeline(struct buffer *out, const struct traceql_pipeline *l)
{
    for (const struct traceql_stage *s = l->first; s; s = s->next) {
        put_stage(out, s);
        buffer_text(out, s->next ? " | " : "");
    }
}

/* ---- series ------------------------------------------------------------------------------ */

static void put_metrics(struct buffer *out, const struct traceql_metrics *m)
{
    buffer_printf(out, "%s(", traceql_function_name(m->function));
    if (traceql_function_has_field(m->function))
        traceql_print_field(out, &m->of);
    for (uint32_t i = 0; i < m->quantile_count; i++) {
        buffer_text(out, ", ");
        put_float(out, m->quantiles[i]);
    }
    if (m->selection)
        traceql_print_set(out, m->selection);
    if (m->has_top)
        buffer_printf(out, ", %lld", (long long)m->top);
    if (m->has_times)
        buffer_printf(out, ", %lld, %lld", (long long)m->start_unix_ns, (long long)m->end_unix_ns);
    buffer_byte(out, ')');
    if (m->by.count) {
        buffer_text(out, " by (");
        put_fields(out, &m->by);
        buffer_byte(out, ')');
    }
}

static void put_series(struct buffer *out, const struct traceql_series *s);

static void put_joined(struct buffer *out, const struct traceql_series *s, int at_least)
{
    bool loose = s->form != TRACEQL_SERIES_ARITHMETIC || tightness_of_op(s->op) < at_least;
    buffer_text(out, loose ? "(" : "");
    put_series(out, s);
    buffer_text(out, loose ? ")" : "");
}

static void put_series(struct buffer *out, const struct traceql_series *s)
{
    switch (s->form) {
    case TRACEQL_SERIES_METRICS:
        traceql_print_pipeline(out, s->pipeline);
        buffer_text(out, " | ");
        put_metrics(out, s->metrics);
        break;
    case TRACEQL_SERIES_ARITHMETIC:
        put_joined(out, s->left, tightness_of_op(s->op));
        buffer_printf(out, " %s ", traceql_op_text(s->op));
        put_joined(out, s->right, tightness_of_op(s->op) + 1);
        break;
    case TRACEQL_SERIES_THRESHOLD:
        put_series(out, s->left);
        buffer_printf(out, " %s ", traceql_op_text(s->op));
        traceql_print_value(out, &s->value);
        break;
    case TRACEQL_SERIES_TOPK:
    case TRACEQL_SERIES_BOTTOMK:
        put_series(out, s->left);
        buffer_printf(out, " | %s(%lld)", s->form == TRACEQL_SERIES_TOPK ? "topk" : "bottomk",
                      (long long)s->limit);
        break;
    }
}

void traceql_print(struct buffer *out, const struct traceql_query *q)
{
    if (q->series)
        put_series(out, q->series);
    else
        traceql_print_pipeline(out, q->pipeline);
    if (q->hint_count == 0)
        return;
    buffer_text(out, " with (");
    for (uint32_t i = 0; i < q->hint_count; i++) {
        buffer_text(out, i ? ", " : "");
        buffer_append(out, q->hints[i].name.bytes, q->hints[i].name.length);
        buffer_text(out, " = ");
        traceql_print_value(out, &q->hints[i].value);
    }
    buffer_byte(out, ')');
}
