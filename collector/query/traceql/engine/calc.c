// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/calc.h"

static struct traceql_value truth(bool boolean)
{
    return (struct traceql_value){.type = TRACEQL_BOOL, .boolean = boolean};
}

static bool compare(const struct calc *c, const struct traceql_value *a,
                    const struct traceql_value *b)
{
    if (c->op == TRACEQL_RE || c->op == TRACEQL_NRE)
        return a->type == TRACEQL_STRING &&
               regex_matches(c->regex, a->text.bytes, a->text.length) == (c->op == TRACEQL_RE);
    return value_compare(c->op, a, b);
}

/* A field with several values: one of them must pass, or all for != and !~. Of a field on the
 * other side the first value counts. */
static bool compare_each(const struct calc *c, const struct calc *field, struct reader *readers,
                         uint32_t row)
{
    struct reader *r = &readers[field->slot];
    bool all = c->op == TRACEQL_NE || c->op == TRACEQL_NRE, swapped = field == c->right;
    struct traceql_value other = calc_value(swapped ? c->left : c->right, readers, row);
    uint32_t count = reader_find(r, row);
    for (uint32_t i = 0; i < count; i++) {
        struct traceql_value v = reader_get(r, row, i);
        bool passes = swapped ? compare(c, &other, &v) : compare(c, &v, &other);
        if (passes != all)
            return passes;
    }
    return all && count > 0;
}

static struct traceql_value comparison(const struct calc *c, struct reader *readers, uint32_t row)
{
    if (c->left->op == TRACEQL_FIELD)
        return truth(compare_each(c, c->left, readers, row));
    if (c->right->op == TRACEQL_FIELD)
        return truth(compare_each(c, c->right, readers, row));
    struct traceql_value a = calc_value(c->left, readers, row);
    struct traceql_value b = calc_value(c->right, readers, row);
    return truth(compare(c, &a, &b));
}

/* Whether a field, where true or false is wanted, has that value. A missing one has neither. */
static bool field_is(const struct calc *field, struct reader *readers, uint32_t row, bool wanted)
{
    struct reader *r = &readers[field->slot];
    uint32_t count = reader_find(r, row);
    for (uint32_t i = 0; i < count; i++) {
        struct traceql_value v = reader_get(r, row, i);
        if (v.type == TRACEQL_BOOL && v.boolean == wanted)
            return true;
    }
    return false;
}

static bool is_met(const struct calc *c, struct reader *readers, uint32_t row)
{
    if (c->op == TRACEQL_FIELD)
        return field_is(c, readers, row, true);
    struct traceql_value v = calc_value(c, readers, row);
    return value_is_true(&v);
}

/* !x of a field is x = false: false where the field is missing. */
static bool is_negated(const struct calc *of, struct reader *readers, uint32_t row)
{
    if (of->op == TRACEQL_FIELD)
        return field_is(of, readers, row, false);
    return !is_met(of, readers, row);
}

struct traceql_value calc_value(const struct calc *c, struct reader *readers, uint32_t row)
{
    struct traceql_value a, b;
    switch (c->op) {
    case TRACEQL_LITERAL:
        return c->value;
    case TRACEQL_FIELD:
        return reader_first(&readers[c->slot], row);
    case TRACEQL_NOT:
        return truth(is_negated(c->left, readers, row));
    case TRACEQL_NEGATE:
        a = calc_value(c->left, readers, row);
        return value_negative(&a);
    case TRACEQL_EXISTS:
    case TRACEQL_MISSING:
        a = calc_value(c->left, readers, row);
        return truth((a.type != TRACEQL_NIL) == (c->op == TRACEQL_EXISTS));
    case TRACEQL_AND:
        return truth(is_met(c->left, readers, row) && is_met(c->right, readers, row));
    case TRACEQL_OR:
        return truth(is_met(c->left, readers, row) || is_met(c->right, readers, row));
    case TRACEQL_ADD:
    case TRACEQL_SUB:
    case TRACEQL_MUL:
    case TRACEQL_DIV:
    case TRACEQL_MOD:
    case TRACEQL_POW:
        a = calc_value(c->left, readers, row);
        b = calc_value(c->right, readers, row);
        return value_calculate(c->op, &a, &b);
    default:
        return comparison(c, readers, row);
    }
}
