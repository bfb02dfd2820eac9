// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/predicate.h"

static void find_bounds(struct predicate *p)
{
    int64_t c = p->value.integer;
    p->exact = p->value.type == TRACEQL_INT || p->value.type == TRACEQL_DURATION;
    p->low = INT64_MIN;
    p->high = INT64_MAX;
    switch (p->op) {
    case TRACEQL_EQ:
    case TRACEQL_NE:
        p->low = p->high = c;
        p->outside = p->op == TRACEQL_NE;
        break;
    case TRACEQL_LT: /* not at least */
    case TRACEQL_GE:
        p->low = c;
        p->outside = p->op == TRACEQL_LT;
        break;
    case TRACEQL_LE: /* not more */
    case TRACEQL_GT:
        p->high = c;
        p->outside = p->op == TRACEQL_GT;
        break;
    default:
        p->exact = false;
    }
}

int predicate_init(struct predicate *p, enum traceql_op op, const struct traceql_value *value)
{
    char why[100];
    *p = (struct predicate){.op = op, .value = *value};
    find_bounds(p);
    if (op != TRACEQL_RE && op != TRACEQL_NRE)
        return 0;
    p->regex = regex_create(value->text.bytes, value->text.length, why, sizeof why);
    return p->regex ? 0 : -1;
}

void predicate_fini(struct predicate *p)
{
    if (p->regex)
        regex_destroy(&p->regex);
}

bool predicate_passes_text(const struct predicate *p, struct batch_str text)
{
    struct traceql_value v = {.type = TRACEQL_STRING, .text = text};
    if (p->regex)
        return regex_matches(p->regex, text.bytes, text.length) == (p->op == TRACEQL_RE);
    return value_compare(p->op, &v, &p->value);
}

bool predicate_passes(const struct predicate *p, const struct traceql_value *v)
{
    if (v->type == TRACEQL_STRING)
        return predicate_passes_text(p, v->text);
    return !p->regex && value_compare(p->op, v, &p->value);
}
