// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/engine/element.h"

#include "collector/query/promql/engine/annotations.h"

double scalar_operation(enum promql_op op, double left, double right)
{
    switch (op) {
    case PROMQL_ADD:
        return left + right;
    case PROMQL_SUB:
        return left - right;
    case PROMQL_MUL:
        return left * right;
    case PROMQL_DIV:
        return left / right;
    case PROMQL_MOD:
        return fmod(left, right);
    case PROMQL_POW:
        return pow(left, right);
    case PROMQL_ATAN2:
        return atan2(left, right);
    case PROMQL_EQ:
        return left == right;
    case PROMQL_NE:
        return left != right;
    case PROMQL_GT:
        return left > right;
    case PROMQL_LT:
        return left < right;
    case PROMQL_GE:
        return left >= right;
    case PROMQL_LE:
        return left <= right;
    default:
        return NAN; /* the check lets no other through */
    }
}

static enum element_answer no_result(struct evaluation *ev, const struct promql_expr *e,
                                     bool left_histogram, bool right_histogram)
{
    const char *op = promql_op_text(e->binary.op);
    annotate_info(
        ev, e->place, "incompatible sample types encountered for binary operator \"%s\": %s %s %s",
        op, left_histogram ? "histogram" : "float", op, right_histogram ? "histogram" : "float");
    return ELEMENT_NONE;
}

static enum element_answer scaled(struct evaluation *ev, const struct histogram *of, double by,
                                  enum promql_op op, struct arena *arena, struct sample *result)
{
    struct histogram *h = evaluation_need(ev, histogram_copy(arena, of));
    if (op == PROMQL_MUL)
        histogram_multiply(h, by);
    else if (op == PROMQL_DIV)
        histogram_divide(h, by);
    else
        histogram_trim(h, by, op == PROMQL_TRIM_UPPER);
    histogram_compact(h);
    *result = (struct sample){0, h};
    return ELEMENT_KEEP;
}

static enum element_answer added(struct evaluation *ev, const struct promql_expr *e,
                                 const struct histogram *left, const struct histogram *right,
                                 struct arena *arena, struct sample *result)
{
    bool subtract = e->binary.op == PROMQL_SUB;
    const char *operation = subtract ? "subtraction" : "addition";
    struct histogram_notes notes = {false, false};
    struct histogram *h = evaluation_need(ev, histogram_copy(arena, left));
    int fault = histogram_add(arena, h, NULL, right, subtract ? -1 : 1, &notes);
    if (fault == HISTOGRAM_ENOMEM)
        evaluation_need(ev, NULL);
    if (fault != HISTOGRAM_SOUND) {
        annotate_warning(ev, e->place,
                         "incompatible bucket layout encountered for binary operator %s",
                         promql_op_text(e->binary.op));
        return ELEMENT_NONE;
    }
    if (subtract)
        h->reset = HISTOGRAM_GAUGE;
    if (notes.reset_collision)
        annotate_collision(ev, e->place, operation);
    if (notes.reconciled)
        annotate_reconciled(ev, e->place, operation);
    histogram_compact(h);
    *result = (struct sample){0, h};
    return ELEMENT_KEEP;
}

enum element_answer element_operation(struct evaluation *ev, const struct promql_expr *e,
                                      struct sample left, struct sample right, struct arena *arena,
                                      struct sample *result)
{
    enum promql_op op = e->binary.op;
    struct histogram *l = left.histogram, *r = right.histogram;
    if (!l && !r) {
        if (op == PROMQL_TRIM_UPPER || op == PROMQL_TRIM_LOWER)
            return no_result(ev, e, false, false);
        double value = scalar_operation(op, left.value, right.value);
        *result = promql_op_compares(op) ? left : (struct sample){value, NULL};
        return promql_op_compares(op) && value == 0 ? ELEMENT_FALSE : ELEMENT_KEEP;
    }
    if (l && r) {
        if (op == PROMQL_ADD || op == PROMQL_SUB)
            return added(ev, e, l, r, arena, result);
        if (op != PROMQL_EQ && op != PROMQL_NE)
            return no_result(ev, e, true, true);
        *result = left;
        return histogram_equal(l, r) == (op == PROMQL_EQ) ? ELEMENT_KEEP : ELEMENT_FALSE;
    }
    bool takes_right =
        l && (op == PROMQL_DIV || op == PROMQL_TRIM_UPPER || op == PROMQL_TRIM_LOWER);
    if (op != PROMQL_MUL && !takes_right)
        return no_result(ev, e, l, r);
    return l ? scaled(ev, l, right.value, op, arena, result)
             : scaled(ev, r, left.value, op, arena, result);
}
