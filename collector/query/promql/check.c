// SPDX-License-Identifier: Apache-2.0
/* Whether a tree means something: types of arguments and operands, patterns, matchers that would
 * select everything, modifiers that need others. Sets each expression's type. */
#include <math.h>
#include <string.h>

#include "collector/query/promql/parser.h"
#include "lib/regex/regex.h"

bool promql_is_name(struct batch_str name)
{
    const unsigned char *b = (const unsigned char *)name.bytes;
    for (uint32_t i = 0; i < name.length;) {
        uint32_t length = b[i] < 0x80   ? 1
                          : b[i] < 0xc2 ? 0
                          : b[i] < 0xe0 ? 2
                          : b[i] < 0xf0 ? 3
                          : b[i] < 0xf5 ? 4
                                        : 0;
        if (length == 0 || length > name.length - i)
            return false;
        for (uint32_t j = 1; j < length; j++)
            if ((b[i + j] & 0xc0) != 0x80)
                return false;
        if ((b[i] == 0xe0 && b[i + 1] < 0xa0) || (b[i] == 0xed && b[i + 1] >= 0xa0) ||
            (b[i] == 0xf0 && b[i + 1] < 0x90) || (b[i] == 0xf4 && b[i + 1] >= 0x90))
            return false;
        i += length;
    }
    return name.length > 0;
}

/* ---- selectors --------------------------------------------------------------------------- */

/* Whether an absent label passes. Tells a pattern that is none. */
static bool accepts_absent(struct promql_parser *p, const struct promql_matcher *m)
{
    if (m->kind == MATCH_EQUAL || m->kind == MATCH_NOT_EQUAL)
        return (m->value.length == 0) == (m->kind == MATCH_EQUAL);
    char why[200];
    struct regex *r = regex_create(m->value.bytes, m->value.length, why, sizeof why);
    if (!r) {
        language_fail_meaning(&p->in, m->place, "this is no regular expression: %s", why);
        return false;
    }
    bool matches = regex_matches(r, "", 0);
    regex_destroy(&r);
    return matches == (m->kind == MATCH_REGEX);
}

/* `info`: the second argument of info(), which may match everything. */
static void check_selector(struct promql_parser *p, struct promql_expr *e, bool info)
{
    bool any = false;
    for (uint32_t i = 0; i < e->selector.matcher_count; i++) {
        const struct promql_matcher *m = &e->selector.matchers[i];
        if (!promql_is_name(m->name))
            language_fail_meaning(&p->in, m->place,
                                  "this is no name of a label: it is empty, or not UTF-8");
        any |= !accepts_absent(p, m);
    }
    if (!any && !info)
        language_fail_meaning(&p->in, e->place,
                              "a selector needs a matcher that an empty value does not "
                              "pass, as {job=\"x\"} or {job=~\".+\"}");
    e->type = e->selector.range ? PROMQL_MATRIX : PROMQL_VECTOR;
}

/* ---- durations --------------------------------------------------------------------------- */

/* What does not depend on the query's step and range is told now. */
static void check_duration(struct promql_parser *p, const struct promql_duration *d)
{
    if (d && d->form == PROMQL_DURATION_NUMBER &&
        (!(d->seconds > 0) || d->seconds * 1000 > (double)(INT64_MAX / 1000)))
        language_fail_meaning(&p->in, d->place,
                              "a duration here is greater than 0 and below 292 years");
}

/* ---- operators --------------------------------------------------------------------------- */

static bool contains(const struct promql_names *names, struct batch_str name)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (batch_str_equal(names->list[i], name))
            return true;
    return false;
}

static void check_matching(struct promql_parser *p, struct promql_expr *e, bool vectors)
{
    const struct promql_matching *m = &e->binary.matching;
    bool set = promql_op_is_set(e->binary.op), fills = m->fills_left || m->fills_right;
    if (!vectors && (m->written || fills))
        language_fail_meaning(&p->in, e->place,
                              "on, ignoring and fill are between instant vectors");
    if (set && m->cardinality != PROMQL_ONE_TO_ONE)
        language_fail_meaning(&p->in, e->place, "%s takes no group_left and no group_right",
                              promql_op_text(e->binary.op));
    if (set && fills)
        language_fail_meaning(&p->in, e->place, "%s takes no fill", promql_op_text(e->binary.op));
    for (uint32_t i = 0; m->on && i < m->include.count; i++)
        if (contains(&m->names, m->include.list[i]))
            language_fail_meaning(&p->in, e->place,
                                  "the label \"%.*s\" stands in on() and in group_%s()",
                                  (int)m->include.list[i].length, m->include.list[i].bytes,
                                  m->cardinality == PROMQL_MANY_TO_ONE ? "left" : "right");
}

static void check_binary(struct promql_parser *p, struct promql_expr *e)
{
    enum promql_type left = e->args[0]->type, right = e->args[1]->type;
    enum promql_op op = e->binary.op;
    for (int i = 0; i < 2; i++)
        if (e->args[i]->type != PROMQL_SCALAR && e->args[i]->type != PROMQL_VECTOR &&
            e->args[i]->type != PROMQL_TYPE_NONE)
            language_fail_meaning(&p->in, e->args[i]->place,
                                  "%s is between scalars and instant vectors; "
                                  "this is a %s",
                                  promql_op_text(op), promql_type_name(e->args[i]->type));
    bool vectors = left == PROMQL_VECTOR && right == PROMQL_VECTOR;
    if (e->binary.to_bool && !promql_op_compares(op))
        language_fail_meaning(&p->in, e->place, "bool stands behind a comparison");
    if (promql_op_compares(op) && left == PROMQL_SCALAR && right == PROMQL_SCALAR &&
        !e->binary.to_bool)
        language_fail_meaning(&p->in, e->place, "comparisons of two scalars need bool");
    if (promql_op_is_set(op) && !vectors)
        language_fail_meaning(&p->in, e->place, "%s is between instant vectors",
                              promql_op_text(op));
    if ((op == PROMQL_TRIM_UPPER || op == PROMQL_TRIM_LOWER) && left == PROMQL_SCALAR &&
        right == PROMQL_SCALAR)
        language_fail_meaning(&p->in, e->place, "%s trims histograms, and this is a scalar",
                              promql_op_text(op));
    check_matching(p, e, vectors);
    e->type = left == PROMQL_SCALAR && right == PROMQL_SCALAR ? PROMQL_SCALAR : PROMQL_VECTOR;
}

/* ---- calls ------------------------------------------------------------------------------- */

static void expect_type(struct promql_parser *p, const struct promql_expr *e,
                        enum promql_type wanted, const char *of)
{
    if (e->type != wanted && e->type != PROMQL_TYPE_NONE)
        language_fail_meaning(&p->in, e->place, "%s takes %s %s here, and this is %s %s", of,
                              wanted == PROMQL_VECTOR ? "an" : "a", promql_type_name(wanted),
                              e->type == PROMQL_VECTOR ? "an" : "a", promql_type_name(e->type));
}

static void check_call(struct promql_parser *p, struct promql_expr *e)
{
    const struct promql_function *f = e->function;
    if (!f)
        return; /* told */
    e->type = f->type;
    if (e->arg_count < f->least || e->arg_count > f->most) {
        if (f->least == f->most)
            language_fail_meaning(&p->in, e->place, "%s takes %u argument%s, and got %u", f->name,
                                  f->least, f->least == 1 ? "" : "s", e->arg_count);
        else
            language_fail_meaning(&p->in, e->place, "%s takes from %u to %u arguments, and got %u",
                                  f->name, f->least, f->most, e->arg_count);
        return;
    }
    for (uint32_t i = 0; i < e->arg_count; i++)
        expect_type(p, e->args[i], promql_function_arg(f, i), f->name);
    if (f->id == PROMQL_FN_INFO && e->arg_count > 1 && e->args[1]->form != PROMQL_SELECTOR)
        language_fail_meaning(&p->in, e->args[1]->place, "info takes matchers in braces here");
}

static void check_aggregation(struct promql_parser *p, struct promql_expr *e)
{
    const char *name = promql_aggregate_name(e->aggregation.op);
    expect_type(p, e->args[0], PROMQL_VECTOR, name);
    if (e->arg_count > 1)
        expect_type(p, e->args[1],
                    e->aggregation.op == PROMQL_COUNT_VALUES ? PROMQL_STRING : PROMQL_SCALAR, name);
    e->type = PROMQL_VECTOR;
}

/* ---- the whole --------------------------------------------------------------------------- */

static void check_expr(struct promql_parser *p, struct promql_expr *e, bool info)
{
    bool calls_info = e->form == PROMQL_CALL && e->function && e->function->id == PROMQL_FN_INFO;
    for (uint32_t i = 0; i < e->arg_count; i++)
        check_expr(p, e->args[i], calls_info && i == 1);
    switch (e->form) {
    case PROMQL_NUMBER:
        e->type = PROMQL_SCALAR;
        break;
    case PROMQL_TEXT:
        e->type = PROMQL_STRING;
        break;
    case PROMQL_SELECTOR:
        check_duration(p, e->selector.range);
        check_selector(p, e, info);
        break;
    case PROMQL_SUBQUERY:
        check_duration(p, e->subquery.range);
        check_duration(p, e->subquery.step);
        if (e->args[0]->type != PROMQL_VECTOR && e->args[0]->type != PROMQL_SCALAR)
            language_fail_meaning(&p->in, e->place,
                                  "a subquery is of an instant vector, and this is a %s",
                                  promql_type_name(e->args[0]->type));
        else
            expect_type(p, e->args[0], PROMQL_VECTOR, "a subquery");
        e->type = PROMQL_MATRIX;
        break;
    case PROMQL_CALL:
        check_call(p, e);
        break;
    case PROMQL_AGGREGATION:
        check_aggregation(p, e);
        break;
    case PROMQL_BINARY:
        check_binary(p, e);
        break;
    case PROMQL_UNARY:
        if (e->args[0]->type != PROMQL_SCALAR && e->args[0]->type != PROMQL_VECTOR)
            language_fail_meaning(&p->in, e->place,
                                  "a sign is of a scalar or an instant vector, and this "
                                  "is a %s",
                                  promql_type_name(e->args[0]->type));
        e->type = e->args[0]->type;
        break;
    case PROMQL_PAREN:
        e->type = e->args[0]->type;
        break;
    }
}

void promql_check(struct promql_parser *p, struct promql_query *query)
{
    check_expr(p, query->expr, false);
}
