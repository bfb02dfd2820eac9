// SPDX-License-Identifier: Apache-2.0
/* Expressions: what they are for a span. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/regex/regex.h"
#include "tests/unit/collector/query/traceql/reference.h"

static struct traceql_value nil(void)
{
    return (struct traceql_value){.type = TRACEQL_NIL};
}

static bool is_whole(struct traceql_value v)
{
    return v.type == TRACEQL_INT || v.type == TRACEQL_DURATION;
}

static bool is_number(struct traceql_value v)
{
    return is_whole(v) || v.type == TRACEQL_FLOAT;
}

static double as_float(struct traceql_value v)
{
    return v.type == TRACEQL_FLOAT ? v.number : (double)v.integer;
}

/* ---- arithmetic -------------------------------------------------------------------------- */

static struct traceql_value of_float(double x)
{
    return isnan(x) ? nil() : (struct traceql_value){.type = TRACEQL_FLOAT, .number = x};
}

static double with_floats(enum traceql_op op, double a, double b)
{
    switch (op) {
    case TRACEQL_ADD:
        return a + b;
    case TRACEQL_SUB:
        return a - b;
    case TRACEQL_MUL:
        return a * b;
    case TRACEQL_DIV:
        return a / b;
    case TRACEQL_MOD:
        return fmod(a, b);
    default:
        return pow(a, b);
    }
}

static uint64_t power(uint64_t base, uint64_t exponent)
{
    uint64_t result = 1;
    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1)
            result *= base;
    return result;
}

static struct traceql_value with_integers(enum traceql_op op, int64_t a, int64_t b)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b, result = 0;
    if ((op == TRACEQL_DIV || op == TRACEQL_MOD) && b == 0)
        return nil();
    if (op == TRACEQL_POW && b < 0)
        return of_float(pow((double)a, (double)b));
    if (op == TRACEQL_ADD)
        result = x + y;
    else if (op == TRACEQL_SUB)
        result = x - y;
    else if (op == TRACEQL_MUL)
        result = x * y;
    else if (op == TRACEQL_DIV)
        result = b == -1 ? 0 - x : (uint64_t)(a / b);
    else if (op == TRACEQL_MOD)
        result = b == -1 ? 0 : (uint64_t)(a % b);
    else
        result = power(x, y);
    return (struct traceql_value){.type = TRACEQL_INT, .integer = (int64_t)result};
}

struct traceql_value reference_calculate(enum traceql_op op, struct traceql_value a,
                                         struct traceql_value b)
{
    if (!is_number(a) || !is_number(b))
        return nil();
    if (a.type == TRACEQL_INT && b.type == TRACEQL_INT)
        return with_integers(op, a.integer, b.integer);
    return of_float(with_floats(op, as_float(a), as_float(b)));
}

static struct traceql_value negative(struct traceql_value v)
{
    if (is_whole(v))
        v.integer = (int64_t)(0 - (uint64_t)v.integer);
    else if (v.type == TRACEQL_FLOAT)
        v.number = -v.number;
    else
        v = nil();
    return v;
}

/* ---- comparisons ------------------------------------------------------------------------- */

static bool in_order(enum traceql_op op, int order)
{
    switch (op) {
    case TRACEQL_EQ:
        return order == 0;
    case TRACEQL_NE:
        return order != 0;
    case TRACEQL_LT:
        return order < 0;
    case TRACEQL_LE:
        return order <= 0;
    case TRACEQL_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static int order_of_texts(struct batch_str a, struct batch_str b)
{
    uint32_t least = a.length < b.length ? a.length : b.length;
    int order = least ? memcmp(a.bytes, b.bytes, least) : 0;
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

static bool matches(struct batch_str text, struct batch_str pattern)
{
    char why[200];
    struct regex *r = regex_create(pattern.bytes, pattern.length, why, sizeof why);
    bool result = r && regex_matches(r, text.bytes, text.length);
    regex_destroy(&r);
    return result;
}

bool reference_compares(enum traceql_op op, struct traceql_value a, struct traceql_value b)
{
    if (is_whole(a) && is_whole(b))
        return in_order(op, (a.integer > b.integer) - (a.integer < b.integer));
    if (is_number(a) && is_number(b)) {
        double x = as_float(a), y = as_float(b);
        return in_order(op, (x > y) - (x < y));
    }
    if (a.type != b.type || a.type == TRACEQL_NIL)
        return false;
    if (a.type == TRACEQL_STRING) {
        if (op == TRACEQL_RE || op == TRACEQL_NRE)
            return matches(a.text, b.text) == (op == TRACEQL_RE);
        return in_order(op, order_of_texts(a.text, b.text));
    }
    if (op != TRACEQL_EQ && op != TRACEQL_NE)
        return false;
    bool equal = a.type == TRACEQL_BOOL ? a.boolean == b.boolean : a.keyword == b.keyword;
    return equal == (op == TRACEQL_EQ);
}

/* An id's digits as those of a field: lower case, with all zeros. False: it is no id. */
static bool spell_id(struct batch_str text, size_t digits, char *out)
{
    size_t at = 0, zeros;
    while (at < text.length && text.bytes[at] == '0')
        at++;
    if (text.length - at > digits || text.length == 0)
        return false;
    zeros = digits - (text.length - at);
    memset(out, '0', zeros);
    for (size_t i = zeros; at < text.length; i++, at++) {
        if (!strchr("0123456789abcdefABCDEF", text.bytes[at]))
            return false;
        out[i] = (char)(text.bytes[at] | 0x20);
    }
    return true;
}

static size_t id_digits(const struct traceql_expr *e)
{
    if (e->op != TRACEQL_FIELD || e->field.scope != TRACEQL_INTRINSIC)
        return 0;
    switch (e->field.intrinsic) {
    case TRACEQL_SPAN_ID:
    case TRACEQL_PARENT_ID:
    case TRACEQL_LINK_SPAN_ID:
        return 16;
    case TRACEQL_TRACE_ID:
    case TRACEQL_LINK_TRACE_ID:
        return 32;
    default:
        return 0;
    }
}

/* All values of a field, the one of anything else. */
static void values_of(const struct reference_trace *t, uint32_t row, const struct traceql_expr *e,
                      struct reference_values *out)
{
    out->count = 0;
    if (e->op == TRACEQL_FIELD) {
        reference_field(t, row, &e->field, out);
        return;
    }
    out->list[0] = reference_value(t, row, e);
    out->count = out->list[0].type != TRACEQL_NIL;
}

/* `= != ` of an id and a literal. */
static void equate_ids(const struct traceql_expr *e, const struct traceql_expr *field,
                       struct reference_values *literal, char digits[40])
{
    size_t n = id_digits(field);
    bool equality = e->op == TRACEQL_EQ || e->op == TRACEQL_NE;
    if (equality && n && literal->count == 1 && literal->list[0].type == TRACEQL_STRING &&
        spell_id(literal->list[0].text, n, digits))
        literal->list[0].text = (struct batch_str){digits, (uint32_t)n};
}

static bool compare_sides(const struct reference_trace *t, uint32_t row,
                          const struct traceql_expr *e)
{
    struct reference_values a, b;
    char a_digits[40], b_digits[40];
    bool all = e->op == TRACEQL_NE || e->op == TRACEQL_NRE;
    uint32_t passed = 0;
    values_of(t, row, e->left, &a);
    values_of(t, row, e->right, &b);
    if (e->left->op == TRACEQL_FIELD && b.count > 1)
        b.count = 1;
    if (e->right->op == TRACEQL_LITERAL)
        equate_ids(e, e->left, &b, b_digits);
    if (e->left->op == TRACEQL_LITERAL)
        equate_ids(e, e->right, &a, a_digits);
    for (uint32_t i = 0; i < a.count; i++)
        for (uint32_t j = 0; j < b.count; j++)
            passed += reference_compares(e->op, a.list[i], b.list[j]);
    return passed > 0 && (!all || passed == a.count * b.count);
}

/* ---- expressions ------------------------------------------------------------------------- */

static bool has_boolean(const struct reference_trace *t, uint32_t row,
                        const struct traceql_expr *field, bool value)
{
    struct reference_values v;
    reference_field(t, row, &field->field, &v);
    for (uint32_t i = 0; i < v.count; i++)
        if (v.list[i].type == TRACEQL_BOOL && v.list[i].boolean == value)
            return true;
    return false;
}

static bool is_there(const struct reference_trace *t, uint32_t row, const struct traceql_expr *e)
{
    struct reference_values v;
    values_of(t, row, e, &v);
    return v.count > 0;
}

bool reference_holds(const struct reference_trace *t, uint32_t row, const struct traceql_expr *e)
{
    switch (e->op) {
    case TRACEQL_LITERAL:
        return e->value.type == TRACEQL_BOOL && e->value.boolean;
    case TRACEQL_FIELD:
        return has_boolean(t, row, e, true);
    case TRACEQL_NOT:
        return e->left->op == TRACEQL_FIELD ? has_boolean(t, row, e->left, false)
                                            : !reference_holds(t, row, e->left);
    case TRACEQL_EXISTS:
        return is_there(t, row, e->left);
    case TRACEQL_MISSING:
        return !is_there(t, row, e->left);
    case TRACEQL_AND:
        return reference_holds(t, row, e->left) && reference_holds(t, row, e->right);
    case TRACEQL_OR:
        return reference_holds(t, row, e->left) || reference_holds(t, row, e->right);
    default:
        return compare_sides(t, row, e);
    }
}

struct traceql_value reference_value(const struct reference_trace *t, uint32_t row,
                                     const struct traceql_expr *e)
{
    static _Thread_local struct reference_values v; /* ids stay valid until the next call */
    if (e->op == TRACEQL_LITERAL)
        return e->value;
    if (e->op == TRACEQL_FIELD) {
        reference_field(t, row, &e->field, &v);
        return v.count > 0 ? v.list[0] : nil();
    }
    if (e->op == TRACEQL_NEGATE)
        return negative(reference_value(t, row, e->left));
    if (traceql_op_is_arithmetic(e->op)) {
        struct traceql_value left = reference_value(t, row, e->left);
        return reference_calculate(e->op, left, reference_value(t, row, e->right));
    }
    return (struct traceql_value){.type = TRACEQL_BOOL, .boolean = reference_holds(t, row, e)};
}
