// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/number.h"
#include "lib/base/quoted.h"

/* ---- texts and numbers ------------------------------------------------------------------- */

void promql_print_text(struct buffer *out, struct batch_str text)
{
    quoted_put(out, text.bytes, text.length);
}

void promql_print_number(struct buffer *out, double number)
{
    char text[NUMBER_TEXT_MAX];
    if (!isfinite(number)) {
        buffer_text(out, isnan(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf");
        return;
    }
    number_text(number, text);
    buffer_text(out, text);
}

static bool is_word(struct batch_str name, bool colons)
{
    for (uint32_t i = 0; i < name.length; i++) {
        char c = name.bytes[i], letter = (char)(c | 0x20);
        if (!(letter >= 'a' && letter <= 'z') && c != '_' && !(i > 0 && c >= '0' && c <= '9') &&
            !(colons && c == ':'))
            return false;
    }
    return name.length > 0;
}

static void put_name(struct buffer *out, struct batch_str name)
{
    if (is_word(name, false))
        buffer_append(out, name.bytes, name.length);
    else
        promql_print_text(out, name);
}

/* Inf and NaN are numbers wherever names of labels do not stand in braces. */
static void put_listed(struct buffer *out, struct batch_str name)
{
    bool number = name.length == 3 && (strncasecmp(name.bytes, "inf", 3) == 0 ||
                                       strncasecmp(name.bytes, "nan", 3) == 0);
    if (number)
        promql_print_text(out, name);
    else
        put_name(out, name);
}

static void put_names(struct buffer *out, const struct promql_names *names)
{
    buffer_byte(out, '(');
    for (uint32_t i = 0; i < names->count; i++) {
        buffer_text(out, i ? ", " : "");
        put_listed(out, names->list[i]);
    }
    buffer_byte(out, ')');
}

void promql_print_labels(struct buffer *out, const struct labels *l)
{
    buffer_byte(out, '{');
    for (uint32_t i = 0; i < l->count; i++) {
        buffer_text(out, i ? ", " : "");
        put_name(out, l->items[i].name);
        buffer_byte(out, '=');
        promql_print_text(out, l->items[i].value);
    }
    buffer_byte(out, '}');
}

/* ---- durations --------------------------------------------------------------------------- */

static void put_duration(struct buffer *out, const struct promql_duration *d)
{
    switch (d->form) {
    case PROMQL_DURATION_NUMBER:
        promql_print_number(out, d->seconds);
        break;
    case PROMQL_DURATION_STEP:
        buffer_text(out, "step()");
        break;
    case PROMQL_DURATION_RANGE:
        buffer_text(out, "range()");
        break;
    case PROMQL_DURATION_MIN:
    case PROMQL_DURATION_MAX:
        buffer_text(out, d->form == PROMQL_DURATION_MIN ? "min_of(" : "max_of(");
        put_duration(out, d->left);
        buffer_text(out, ", ");
        put_duration(out, d->right);
        buffer_byte(out, ')');
        break;
    case PROMQL_DURATION_NEGATE:
        buffer_text(out, "-(");
        put_duration(out, d->left);
        buffer_byte(out, ')');
        break;
    case PROMQL_DURATION_BINARY:
        buffer_byte(out, '(');
        put_duration(out, d->left);
        buffer_printf(out, " %s ", promql_op_text(d->op));
        put_duration(out, d->right);
        buffer_byte(out, ')');
        break;
    }
}

static void put_when(struct buffer *out, const struct promql_when *when)
{
    if (when->at == PROMQL_AT_TIME)
        buffer_printf(out, " @ %.3f", (double)when->at_ms / 1000);
    else if (when->at != PROMQL_AT_NONE)
        buffer_text(out, when->at == PROMQL_AT_START ? " @ start()" : " @ end()");
    if (when->offset) {
        buffer_text(out, " offset ");
        put_duration(out, when->offset);
    }
}

/* ---- expressions ------------------------------------------------------------------------- */

static void put_selector(struct buffer *out, const struct promql_expr *e)
{
    static const char *const kinds[] = {"=", "!=", "=~", "!~"};
    uint32_t first = e->selector.name.length > 0 ? 1 : 0;
    buffer_append(out, e->selector.name.bytes, e->selector.name.length);
    if (first == 0 || e->selector.matcher_count > first)
        buffer_byte(out, '{');
    for (uint32_t i = first; i < e->selector.matcher_count; i++) {
        const struct promql_matcher *m = &e->selector.matchers[i];
        buffer_text(out, i > first ? ", " : "");
        put_name(out, m->name);
        buffer_text(out, kinds[m->kind]);
        promql_print_text(out, m->value);
    }
    if (first == 0 || e->selector.matcher_count > first)
        buffer_byte(out, '}');
    if (e->selector.range) {
        buffer_byte(out, '[');
        put_duration(out, e->selector.range);
        buffer_byte(out, ']');
    }
    buffer_text(out, e->selector.anchored ? " anchored" : e->selector.smoothed ? " smoothed" : "");
    put_when(out, &e->selector.when);
}

static void put_args(struct buffer *out, const struct promql_expr *e)
{
    buffer_byte(out, '(');
    for (uint32_t i = 0; i < e->arg_count; i++) {
        buffer_text(out, i ? ", " : "");
        promql_print_expr(out, e->args[i]);
    }
    buffer_byte(out, ')');
}

static void put_aggregation(struct buffer *out, const struct promql_expr *e)
{
    buffer_text(out, promql_aggregate_name(e->aggregation.op));
    if (e->aggregation.grouped) {
        buffer_text(out, e->aggregation.without ? " without " : " by ");
        put_names(out, &e->aggregation.names);
        buffer_byte(out, ' ');
    }
    buffer_byte(out, '(');
    for (uint32_t i = e->arg_count; i-- > 0;) {
        promql_print_expr(out, e->args[i]);
        buffer_text(out, i ? ", " : "");
    }
    buffer_byte(out, ')');
}

static void put_fill(struct buffer *out, const char *name, double value)
{
    buffer_printf(out, "%s (", name);
    promql_print_number(out, value);
    buffer_text(out, ") ");
}

static void put_matching(struct buffer *out, const struct promql_matching *m)
{
    if (m->written) {
        buffer_text(out, m->on ? "on " : "ignoring ");
        put_names(out, &m->names);
        buffer_byte(out, ' ');
    }
    if (m->cardinality != PROMQL_ONE_TO_ONE) {
        buffer_text(out, m->cardinality == PROMQL_MANY_TO_ONE ? "group_left " : "group_right ");
        put_names(out, &m->include);
        buffer_byte(out, ' ');
    }
    if (m->fills_left)
        put_fill(out, "fill_left", m->fill_left);
    if (m->fills_right)
        put_fill(out, "fill_right", m->fill_right);
}

static void put_operand(struct buffer *out, const struct promql_expr *e)
{
    e = promql_bare(e);
    bool bare = e->form != PROMQL_BINARY && e->form != PROMQL_UNARY && e->form != PROMQL_NUMBER;
    buffer_text(out, bare ? "" : "(");
    promql_print_expr(out, e);
    buffer_text(out, bare ? "" : ")");
}

static void put_binary(struct buffer *out, const struct promql_expr *e)
{
    put_operand(out, e->args[0]);
    buffer_printf(out, " %s %s", promql_op_text(e->binary.op), e->binary.to_bool ? "bool " : "");
    put_matching(out, &e->binary.matching);
    put_operand(out, e->args[1]);
}

void promql_print_expr(struct buffer *out, const struct promql_expr *e)
{
    switch (e->form) {
    case PROMQL_NUMBER:
        promql_print_number(out, e->number);
        break;
    case PROMQL_TEXT:
        promql_print_text(out, e->text);
        break;
    case PROMQL_SELECTOR:
        put_selector(out, e);
        break;
    case PROMQL_SUBQUERY:
        put_operand(out, e->args[0]);
        buffer_byte(out, '[');
        put_duration(out, e->subquery.range);
        buffer_byte(out, ':');
        if (e->subquery.step)
            put_duration(out, e->subquery.step);
        buffer_byte(out, ']');
        put_when(out, &e->subquery.when);
        break;
    case PROMQL_CALL:
        buffer_text(out, e->function->name);
        put_args(out, e);
        break;
    case PROMQL_AGGREGATION:
        put_aggregation(out, e);
        break;
    case PROMQL_BINARY:
        put_binary(out, e);
        break;
    case PROMQL_UNARY:
        buffer_byte(out, e->negates ? '-' : '+');
        put_operand(out, e->args[0]);
        break;
    case PROMQL_PAREN: /* operands have theirs, and nothing else needs them */
        promql_print_expr(out, promql_bare(e));
        break;
    }
}

void promql_print(struct buffer *out, const struct promql_query *query)
{
    promql_print_expr(out, query->expr);
}
