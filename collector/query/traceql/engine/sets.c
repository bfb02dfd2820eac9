// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/sets.h"

void *scene_alloc(struct scene *s, size_t count, size_t bytes)
{
    size_t total = count * bytes; /* rows are counted by 32 bits */
    s->over_limit |= s->limit_bytes && s->arena->total_bytes + total > s->limit_bytes;
    void *got = s->over_limit ? NULL : arena_alloc(s->arena, total ? total : 1);
    if (!got)
        s->failed = true;
    return got;
}

static struct set *new_set(struct scene *s, uint32_t capacity, const struct set_note *notes)
{
    struct set *set = scene_alloc(s, 1, sizeof *set);
    if (!set)
        return NULL;
    *set = (struct set){.rows = scene_alloc(s, capacity, sizeof(uint32_t)), .notes = notes};
    return set->rows ? set : NULL;
}

static const struct set_note *with_note(struct scene *s, const struct set_note *notes,
                                        struct batch_str name, struct traceql_value value)
{
    struct set_note *note = scene_alloc(s, 1, sizeof *note);
    if (!note)
        return notes;
    *note = (struct set_note){name, value, notes};
    return note;
}

struct set *set_union(struct scene *s, const struct set *a, const struct set *b)
{
    struct set *out = new_set(s, a->count + b->count, NULL);
    if (!out)
        return NULL;
    for (uint32_t i = 0, j = 0; i < a->count || j < b->count;) {
        uint32_t x = i < a->count ? a->rows[i] : BLOCK_NONE;
        uint32_t y = j < b->count ? b->rows[j] : BLOCK_NONE;
        out->rows[out->count++] = x < y ? x : y;
        i += x <= y;
        j += y <= x;
    }
    return out;
}

/* ---- set expressions --------------------------------------------------------------------- */

static struct set *run_pipeline(struct scene *s, const struct program_pipeline *l,
                                const struct set *in);
static struct set *run_set(struct scene *s, const struct program_set *e, const struct set *in);

static struct set *filtered(struct scene *s, uint32_t filter, const struct set *in)
{
    const uint64_t *passes = s->frame->filters[filter];
    struct set *out = passes ? new_set(s, in->count, in->notes) : NULL;
    if (!out)
        return NULL;
    for (uint32_t i = 0; i < in->count; i++) {
        if (bits_get(passes, in->rows[i]))
            out->rows[out->count++] = in->rows[i];
    }
    return out->count ? out : NULL;
}

/* All sets of a list as one; NULL: there is none. */
static struct set *merged(struct scene *s, struct set *list)
{
    struct set *all = list;
    for (struct set *next = list ? list->next : NULL; next && all; next = next->next)
        all = set_union(s, all, next);
    return all;
}

static struct set *joined(struct scene *s, const struct program_set *e, const struct set *in)
{
    struct set *left = merged(s, run_set(s, e->left, in));
    struct set *right = merged(s, run_set(s, e->right, in)), *out = NULL;
    if (s->failed)
        return NULL;
    if (e->op == TRACEQL_SET_OR && (!left || !right))
        out = left ? left : right;
    else if (e->op == TRACEQL_SET_OR || e->op == TRACEQL_SET_AND)
        out = left && right ? set_union(s, left, right) : NULL;
    else if (right)
        out = structure_apply(s, e->op, left, right);
    if (!out)
        return NULL;
    out->notes = in->notes;
    out->next = NULL;
    return out;
}

static struct set *run_set(struct scene *s, const struct program_set *e, const struct set *in)
{
    if (e->op == TRACEQL_SET_FILTER)
        return filtered(s, e->filter, in);
    if (e->op == TRACEQL_SET_PIPELINE)
        return run_pipeline(s, e->pipeline, in);
    return joined(s, e, in);
}

/* ---- scalars ----------------------------------------------------------------------------- */

static const struct program_stage *last_of(const struct program_pipeline *l)
{
    const struct program_stage *last = l->first;
    while (last->next)
        last = last->next;
    return last;
}

/* *set is the one that the scalar is of: aggregates leave notes on it. *chosen becomes the spans of
 * the scalar's pipelines, where it has such. */
static struct traceql_value run_scalar(struct scene *s, const struct program_scalar *e,
                                       struct set *set, struct set **chosen)
{
    struct set none = {.count = 0};
    struct set *of;
    struct traceql_value a, b;
    switch (e->form) {
    case TRACEQL_SCALAR_NUMBER:
        return e->value;
    case TRACEQL_SCALAR_AGGREGATE:
        a = aggregate_value(s, e, set);
        set->notes = with_note(s, set->notes, e->name, a);
        return a;
    case TRACEQL_SCALAR_ARITHMETIC:
        a = run_scalar(s, e->left, set, chosen);
        b = run_scalar(s, e->right, set, chosen);
        return value_calculate(e->op, &a, &b);
    case TRACEQL_SCALAR_PIPELINE:
        break;
    }
    of = merged(s, run_pipeline(s, e->pipeline, set));
    if (of)
        *chosen = *chosen ? set_union(s, *chosen, of) : of;
    return run_scalar(s, last_of(e->pipeline)->left, of ? of : &none, chosen);
}

/* The set if it meets the condition; else NULL. */
static struct set *conditioned(struct scene *s, const struct program_stage *e, const struct set *in)
{
    struct set *chosen = NULL, *out = scene_alloc(s, 1, sizeof *out);
    if (!out)
        return NULL;
    *out = *in;
    out->next = NULL;
    struct traceql_value left = run_scalar(s, e->left, out, &chosen);
    struct traceql_value right = run_scalar(s, e->right, out, &chosen);
    if (s->failed || !value_compare(e->op, &left, &right))
        return NULL;
    if (chosen) {
        out->rows = chosen->rows;
        out->count = chosen->count;
    }
    return out->count ? out : NULL;
}

/* ---- pipelines --------------------------------------------------------------------------- */

static struct set *run_stage(struct scene *s, const struct program_stage *e, const struct set *in)
{
    switch (e->form) {
    case TRACEQL_STAGE_SET:
        return run_set(s, e->set, in);
    case TRACEQL_STAGE_CONDITION:
        return conditioned(s, e, in);
    case TRACEQL_STAGE_BY:
        return group_by(s, e, in);
    default:
        return NULL;
    }
}

static struct set *run_stages(struct scene *s, const struct program_stage *e, struct set *list)
{
    struct set *out = NULL, **next = &out;
    if (e->form == TRACEQL_STAGE_COALESCE) {
        out = merged(s, list);
        if (out) {
            out->next = NULL;
            out->notes = NULL;
        }
        return out;
    }
    for (; list && !s->failed; list = list->next) {
        *next = run_stage(s, e, list);
        while (*next)
            next = &(*next)->next;
    }
    return out;
}

/* Up to the end, or to the scalar that ends it. */
static struct set *run_pipeline(struct scene *s, const struct program_pipeline *l,
                                const struct set *in)
{
    struct set *list = scene_alloc(s, 1, sizeof *list);
    if (!list)
        return NULL;
    *list = *in;
    list->next = NULL;
    for (const struct program_stage *e = l->first; e && list; e = e->next) {
        if (e->form != TRACEQL_STAGE_SELECT && e->form != TRACEQL_STAGE_SCALAR)
            list = run_stages(s, e, list);
    }
    return s->failed ? NULL : list;
}

struct set *sets_of_trace(struct scene *s, uint32_t trace)
{
    const struct block_trace *t = &s->frame->view.block->traces[trace];
    s->row = t->row;
    s->end = t->row + t->count;
    struct set *all = new_set(s, t->count, NULL);
    if (!all)
        return NULL;
    while (all->count < t->count) {
        all->rows[all->count] = t->row + all->count;
        all->count++;
    }
    struct set *sets = run_pipeline(s, s->frame->program->pipeline, all);
    if (s->frame->view.failed)
        s->failed = true;
    return s->failed ? NULL : sets;
}
