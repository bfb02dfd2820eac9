// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/plan.h"

#include <stdlib.h>

/* ---- calculations ------------------------------------------------------------------------ */

static struct calc *calc_with_regex(struct program *p, struct calc *c,
                                    const struct traceql_expr *pattern)
{
    char why[100];
    if (!c)
        return NULL;
    c->regex = regex_create(pattern->value.text.bytes, pattern->value.text.length, why, sizeof why);
    if (!c->regex) {
        p->failed = true;
        return NULL;
    }
    return program_own_regex(p, c->regex) ? c : NULL;
}

struct calc *plan_calc(struct program *p, const struct traceql_expr *e)
{
    struct calc *c = program_new(p, sizeof *c);
    if (!c)
        return NULL;
    c->op = e->op;
    c->value = e->value;
    if (e->op == TRACEQL_FIELD)
        c->slot = program_slot(p, &e->field);
    if (e->left)
        c->left = plan_calc(p, e->left);
    if (e->right)
        c->right = plan_calc(p, e->right);
    if (e->op == TRACEQL_RE || e->op == TRACEQL_NRE)
        return calc_with_regex(p, c, e->right);
    return p->failed ? NULL : c;
}

static bool has_field(const struct traceql_expr *e)
{
    return e->op == TRACEQL_FIELD || (e->left && has_field(e->left)) ||
           (e->right && has_field(e->right));
}

/* ---- what a condition costs -------------------------------------------------------------- */

static unsigned cost_of_intrinsic(enum traceql_intrinsic i)
{
    switch (i) {
    case TRACEQL_STATUS_OF:
    case TRACEQL_KIND_OF:
        return 1;
    case TRACEQL_DURATION_OF:
    case TRACEQL_NAME:
    case TRACEQL_STATUS_MESSAGE:
        return 3;
    case TRACEQL_TRACE_ID:
        return 0;
    case TRACEQL_SPAN_ID:
    case TRACEQL_PARENT_ID:
    case TRACEQL_PARENT:
        return 5;
    case TRACEQL_INSTRUMENTATION_NAME:
    case TRACEQL_INSTRUMENTATION_VERSION:
        return 6;
    case TRACEQL_EVENT_NAME:
    case TRACEQL_EVENT_TIME:
    case TRACEQL_LINK_TRACE_ID:
    case TRACEQL_LINK_SPAN_ID:
        return 8;
    default: /* of the tree, of the trace */
        return 12;
    }
}

static unsigned cost_of_field(const struct traceql_field *f)
{
    unsigned cost = 0;
    switch (f->scope) {
    case TRACEQL_INTRINSIC:
        cost = cost_of_intrinsic(f->intrinsic);
        break;
    case TRACEQL_RESOURCE:
        cost = 2;
        break;
    case TRACEQL_SPAN:
        cost = 4;
        break;
    case TRACEQL_INSTRUMENTATION:
        cost = 6;
        break;
    case TRACEQL_EVENT:
    case TRACEQL_LINK:
        cost = 7;
        break;
    case TRACEQL_UNSCOPED:
        cost = 10;
        break;
    }
    return f->parent ? cost + 20 : cost;
}

static int cheapest_first(const void *left, const void *right)
{
    const struct plan *a = *(struct plan *const *)left, *b = *(struct plan *const *)right;
    return (a->cost > b->cost) - (a->cost < b->cost);
}

/* ---- plans ------------------------------------------------------------------------------- */

static struct plan *new_plan(struct program *p, enum plan_form form, unsigned cost)
{
    struct plan *plan = program_new(p, sizeof *plan);
    if (plan) {
        plan->form = form;
        plan->cost = cost;
    }
    return plan;
}

static struct plan *make_test(struct program *p, const struct traceql_field *field,
                              enum traceql_op op, const struct traceql_value *value)
{
    struct plan *plan = new_plan(p, PLAN_TEST, cost_of_field(field) * 4);
    if (!plan || value->type == TRACEQL_NIL)
        return plan ? new_plan(p, PLAN_NONE, 0) : NULL;
    plan->field = *field;
    if (predicate_init(&plan->predicate, op, value) != 0) {
        p->failed = true;
        return NULL;
    }
    if (plan->predicate.regex && !program_own_regex(p, plan->predicate.regex))
        return NULL;
    plan->cost += plan->predicate.regex != NULL;
    return plan;
}

static struct plan *make_constant(struct program *p, const struct traceql_expr *e)
{
    const struct calc *c = plan_calc(p, e);
    if (!c)
        return NULL;
    struct traceql_value v = calc_value(c, NULL, 0);
    return new_plan(p, value_is_true(&v) ? PLAN_ALL : PLAN_NONE, 0);
}

static struct plan *make_calc(struct program *p, const struct traceql_expr *e)
{
    struct plan *plan = new_plan(p, PLAN_CALC, 200);
    if (plan)
        plan->calc = plan_calc(p, e);
    return p->failed ? NULL : plan;
}

static enum traceql_op flipped(enum traceql_op op)
{
    switch (op) {
    case TRACEQL_LT:
        return TRACEQL_GT;
    case TRACEQL_LE:
        return TRACEQL_GE;
    case TRACEQL_GT:
        return TRACEQL_LT;
    case TRACEQL_GE:
        return TRACEQL_LE;
    default:
        return op;
    }
}

/* A field on one side, a constant on the other. */
static struct plan *make_comparison(struct program *p, const struct traceql_expr *e)
{
    bool left = e->left->op == TRACEQL_FIELD && !has_field(e->right);
    bool right = e->right->op == TRACEQL_FIELD && !has_field(e->left);
    bool matches = e->op == TRACEQL_RE || e->op == TRACEQL_NRE;
    if (!left && (!right || matches))
        return make_calc(p, e);
    const struct calc *c = plan_calc(p, left ? e->right : e->left);
    if (!c)
        return NULL;
    struct traceql_value constant = calc_value(c, NULL, 0);
    return make_test(p, left ? &e->left->field : &e->right->field, left ? e->op : flipped(e->op),
                     &constant);
}

static struct plan *make_truth(struct program *p, const struct traceql_field *field, bool wanted)
{
    struct traceql_value value = {.type = TRACEQL_BOOL, .boolean = wanted};
    return make_test(p, field, TRACEQL_EQ, &value);
}

static struct plan *make_not(struct program *p, const struct traceql_expr *of)
{
    if (of->op == TRACEQL_FIELD)
        return make_truth(p, &of->field, false);
    struct plan *part = plan_make(p, of);
    struct plan *plan = part ? new_plan(p, PLAN_NOT, part->cost) : NULL;
    struct plan **parts = plan ? program_new(p, sizeof *parts) : NULL;
    if (!parts)
        return NULL;
    if (part->form == PLAN_ALL || part->form == PLAN_NONE) {
        plan->form = part->form == PLAN_ALL ? PLAN_NONE : PLAN_ALL;
        return plan;
    }
    parts[0] = part;
    plan->parts = parts;
    plan->part_count = 1;
    return plan;
}

static struct plan *make_presence(struct program *p, const struct traceql_expr *e)
{
    if (e->left->op != TRACEQL_FIELD)
        return make_calc(p, e);
    const struct traceql_field *field = &e->left->field;
    struct plan *present = new_plan(p, PLAN_PRESENT, cost_of_field(field) * 4 + 2);
    if (!present)
        return NULL;
    present->field = *field;
    if (e->op == TRACEQL_EXISTS)
        return present;
    struct plan *plan = new_plan(p, PLAN_NOT, present->cost);
    struct plan **parts = plan ? program_new(p, sizeof *parts) : NULL;
    if (!parts)
        return NULL;
    parts[0] = present;
    plan->parts = parts;
    plan->part_count = 1;
    return plan;
}

static uint32_t chain_length(const struct traceql_expr *e, enum traceql_op op)
{
    uint32_t length = 1;
    for (; e->op == op; e = e->left)
        length++;
    return length;
}

/* What the parts of an && or || come to: parts that are constant go, or decide. */
static struct plan *reduced(struct plan *plan)
{
    enum plan_form neutral = plan->form == PLAN_AND ? PLAN_ALL : PLAN_NONE;
    enum plan_form decisive = plan->form == PLAN_AND ? PLAN_NONE : PLAN_ALL;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < plan->part_count; i++) {
        if (plan->parts[i]->form == decisive)
            return plan->parts[i];
        if (plan->parts[i]->form != neutral)
            plan->parts[kept++] = plan->parts[i];
    }
    if (kept == 0)
        return plan->parts[0];
    plan->part_count = kept;
    if (kept == 1)
        return plan->parts[0];
    qsort(plan->parts, kept, sizeof(struct plan *), cheapest_first);
    for (uint32_t i = 0; i < kept; i++)
        plan->cost += plan->parts[i]->cost;
    return plan;
}

/* A chain of one operator, which leans to the left. */
static struct plan *make_chain(struct program *p, const struct traceql_expr *e)
{
    uint32_t count = chain_length(e, e->op), at = count;
    struct plan *plan = new_plan(p, e->op == TRACEQL_AND ? PLAN_AND : PLAN_OR, 0);
    struct plan **parts = plan ? program_new(p, count * sizeof *parts) : NULL;
    if (!parts)
        return NULL;
    for (const struct traceql_expr *next = e; at > 0; next = next->left) {
        at--;
        parts[at] = plan_make(p, at > 0 ? next->right : next);
        if (!parts[at])
            return NULL;
    }
    plan->parts = parts;
    plan->part_count = count;
    return reduced(plan);
}

struct plan *plan_make(struct program *p, const struct traceql_expr *e)
{
    if (!e)
        return new_plan(p, PLAN_ALL, 0);
    if (!has_field(e))
        return make_constant(p, e);
    switch (e->op) {
    case TRACEQL_FIELD:
        return make_truth(p, &e->field, true);
    case TRACEQL_NOT:
        return make_not(p, e->left);
    case TRACEQL_EXISTS:
    case TRACEQL_MISSING:
        return make_presence(p, e);
    case TRACEQL_AND:
    case TRACEQL_OR:
        return make_chain(p, e);
    case TRACEQL_EQ:
    case TRACEQL_NE:
    case TRACEQL_LT:
    case TRACEQL_LE:
    case TRACEQL_GT:
    case TRACEQL_GE:
    case TRACEQL_RE:
    case TRACEQL_NRE:
        return make_comparison(p, e);
    default:
        return make_calc(p, e);
    }
}

/* ---- bounds ------------------------------------------------------------------------------ */

/* Whether some value in [low, high] passes; for the orders that are monotonic. */
static bool some_passes(const struct predicate *p, uint64_t low, uint64_t high)
{
    int64_t l = low > INT64_MAX ? INT64_MAX : (int64_t)low;
    int64_t h = high > INT64_MAX ? INT64_MAX : (int64_t)high;
    switch (p->op) {
    case TRACEQL_LT:
    case TRACEQL_LE:
        return predicate_passes_int(p, l);
    case TRACEQL_GT:
    case TRACEQL_GE:
        return predicate_passes_int(p, h);
    case TRACEQL_EQ:
        return !p->exact || (p->low >= l && p->low <= h);
    default:
        return l != h || predicate_passes_int(p, l);
    }
}

static bool some_bit_passes(const struct predicate *p, enum traceql_type type, uint8_t bits)
{
    for (uint8_t i = 0; i < 8; i++) {
        struct traceql_value v = {.type = type, .keyword = i};
        if ((bits >> i & 1) && predicate_passes(p, &v))
            return true;
    }
    return false;
}

static bool test_may_match(const struct plan *plan, const struct block_bounds *b)
{
    if (plan->field.scope != TRACEQL_INTRINSIC || plan->field.parent)
        return true;
    switch (plan->field.intrinsic) {
    case TRACEQL_DURATION_OF:
        return some_passes(&plan->predicate, b->duration_min_ns, b->duration_max_ns);
    case TRACEQL_TRACE_DURATION:
        return some_passes(&plan->predicate, 0, b->end_max_unix_ns - b->start_min_unix_ns);
    case TRACEQL_KIND_OF:
        return some_bit_passes(&plan->predicate, TRACEQL_KIND, b->kinds);
    case TRACEQL_STATUS_OF:
        return some_bit_passes(&plan->predicate, TRACEQL_STATUS, b->statuses);
    default:
        return true;
    }
}

bool plan_may_match(const struct plan *plan, const struct block_bounds *bounds)
{
    switch (plan->form) {
    case PLAN_NONE:
        return false;
    case PLAN_TEST:
        return test_may_match(plan, bounds);
    case PLAN_AND:
        for (uint32_t i = 0; i < plan->part_count; i++) {
            if (!plan_may_match(plan->parts[i], bounds))
                return false;
        }
        return true;
    case PLAN_OR:
        for (uint32_t i = 0; i < plan->part_count; i++) {
            if (plan_may_match(plan->parts[i], bounds))
                return true;
        }
        return false;
    default:
        return true;
    }
}
