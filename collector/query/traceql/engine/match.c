// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/match.h"

static uint64_t *copy_of(struct view *v, const uint64_t *from)
{
    uint64_t *copy = view_alloc(v, (size_t)v->words + 1, sizeof *copy);
    if (copy)
        memcpy(copy, from, v->words * sizeof *copy);
    return copy;
}

static uint64_t *match_and(struct view *v, const struct plan *plan, struct reader *readers,
                           const uint64_t *from)
{
    uint64_t *left = match_plan(v, plan->parts[0], readers, from);
    for (uint32_t i = 1; left && i < plan->part_count && bits_any(left, v->words); i++)
        left = match_plan(v, plan->parts[i], readers, left);
    return left;
}

/* What one part let through is not asked of the next. */
static uint64_t *match_or(struct view *v, const struct plan *plan, struct reader *readers,
                          const uint64_t *from)
{
    uint64_t *rest = copy_of(v, from), *out = view_none(v);
    for (uint32_t i = 0; rest && out && i < plan->part_count && bits_any(rest, v->words); i++) {
        const uint64_t *passed = match_plan(v, plan->parts[i], readers, rest);
        if (!passed)
            return NULL;
        bits_or(out, passed, v->words);
        bits_and_not(rest, passed, v->words);
    }
    return v->failed ? NULL : out;
}

static uint64_t *match_not(struct view *v, const struct plan *plan, struct reader *readers,
                           const uint64_t *from)
{
    uint64_t *out = copy_of(v, from);
    const uint64_t *passed = out ? match_plan(v, plan->parts[0], readers, from) : NULL;
    if (passed)
        bits_and_not(out, passed, v->words);
    return passed ? out : NULL;
}

static uint64_t *match_calc(struct view *v, const struct plan *plan, struct reader *readers,
                            const uint64_t *from)
{
    uint64_t *out = view_none(v);
    if (!out)
        return NULL;
    BITS_EACH(row, from, 0, v->rows)
    {
        struct traceql_value value = calc_value(plan->calc, readers, row);
        if (value_is_true(&value))
            bits_set(out, row);
    }
    return v->failed ? NULL : out;
}

/* The rows that are parents of some row of `from`. */
static uint64_t *parents_of(struct view *v, const uint32_t *parent, const uint64_t *from)
{
    uint64_t *parents = view_none(v);
    if (!parents)
        return NULL;
    BITS_EACH(row, from, 0, v->rows)
    {
        if (parent[row] != BLOCK_NONE)
            bits_set(parents, parent[row]);
    }
    return parents;
}

/* A field of the parent: asked of the parents, answered for their children. */
static void match_parent(struct view *v, const struct plan *plan, const uint64_t *from,
                         uint64_t *out)
{
    const uint32_t *parent = view_u32(v, BLOCK_PARENT);
    const uint64_t *parents = parent ? parents_of(v, parent, from) : NULL;
    uint64_t *passed = parents ? view_none(v) : NULL;
    struct traceql_field field = plan->field;
    if (!passed)
        return;
    field.parent = false;
    if (plan->form == PLAN_TEST)
        match_test(v, &field, &plan->predicate, parents, passed);
    else
        match_present(v, &field, parents, passed);
    BITS_EACH(row, from, 0, v->rows)
    {
        if (parent[row] != BLOCK_NONE && bits_get(passed, parent[row]))
            bits_set(out, row);
    }
}

static uint64_t *match_field(struct view *v, const struct plan *plan, const uint64_t *from)
{
    uint64_t *out = view_none(v);
    if (!out)
        return NULL;
    if (plan->field.parent)
        match_parent(v, plan, from, out);
    else if (plan->form == PLAN_TEST)
        match_test(v, &plan->field, &plan->predicate, from, out);
    else
        match_present(v, &plan->field, from, out);
    return v->failed ? NULL : out;
}

uint64_t *match_plan(struct view *v, const struct plan *plan, struct reader *readers,
                     const uint64_t *from)
{
    if (v->failed)
        return NULL;
    switch (plan->form) {
    case PLAN_ALL:
        return copy_of(v, from);
    case PLAN_NONE:
        return view_none(v);
    case PLAN_AND:
        return match_and(v, plan, readers, from);
    case PLAN_OR:
        return match_or(v, plan, readers, from);
    case PLAN_NOT:
        return match_not(v, plan, readers, from);
    case PLAN_CALC:
        return match_calc(v, plan, readers, from);
    default:
        return match_field(v, plan, from);
    }
}
