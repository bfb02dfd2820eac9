// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/frame.h"

int frame_init(struct frame *f, const struct program *p, struct block *block, struct arena *arena)
{
    *f = (struct frame){.program = p};
    view_init(&f->view, block, arena);
    f->readers = view_alloc(&f->view, p->slot_count, sizeof *f->readers);
    f->filters = view_zeroed(&f->view, p->filter_count, sizeof *f->filters);
    if (!f->readers || !f->filters)
        return -1;
    for (uint32_t i = 0; i < p->slot_count; i++)
        reader_init(&f->readers[i], &f->view, &p->slots[i]);
    return 0;
}

uint64_t *frame_filter(struct frame *f, uint32_t filter, const uint64_t *from)
{
    return match_plan(&f->view, f->program->filters[filter], f->readers, from);
}

/* The rows of `from` in those traces that have a row in `rows`. */
static uint64_t *same_traces(struct view *v, const uint64_t *rows, const uint64_t *from)
{
    uint64_t *out = view_none(v);
    if (!out)
        return NULL;
    for (uint32_t row = bits_next(rows, 0, v->rows); row != BITS_NONE;) {
        const struct block_trace *t = &v->block->traces[view_trace_of(v, row)];
        bits_set_range(out, t->row, t->row + t->count);
        row = bits_next(rows, t->row + t->count, v->rows);
    }
    bits_and(out, from, v->words);
    return out;
}

static uint64_t *narrow_set(struct frame *f, const struct program_set *s, const uint64_t *from);
static uint64_t *narrow_pipeline(struct frame *f, const struct program_pipeline *l,
                                 const uint64_t *from);

/* Both sides must be there: the cheaper is asked first. */
static bool narrow_both(struct frame *f, const struct program_set *s, const uint64_t *from,
                        uint64_t **left, uint64_t **right)
{
    bool swap = s->right->cost < s->left->cost;
    uint64_t *first = narrow_set(f, swap ? s->right : s->left, from);
    uint64_t *near = first ? same_traces(&f->view, first, from) : NULL;
    uint64_t *second = near ? narrow_set(f, swap ? s->left : s->right, near) : NULL;
    uint64_t *kept = second ? same_traces(&f->view, second, first) : NULL;
    *left = swap ? second : kept;
    *right = swap ? kept : second;
    return kept != NULL;
}

static uint64_t *narrow_joined(struct frame *f, const struct program_set *s, const uint64_t *from)
{
    uint64_t *left, *right;
    if (!narrow_both(f, s, from, &left, &right))
        return NULL;
    if (s->op == TRACEQL_SET_AND || s->op >= TRACEQL_SET_UNION_CHILD)
        bits_or(right, left, f->view.words);
    return right;
}

/* What is on the right and does not stand so to the left. */
static uint64_t *narrow_negated(struct frame *f, const struct program_set *s, const uint64_t *from)
{
    uint64_t *right = narrow_set(f, s->right, from);
    uint64_t *near = right ? same_traces(&f->view, right, from) : NULL;
    return near && narrow_set(f, s->left, near) ? right : NULL;
}

static uint64_t *narrow_or(struct frame *f, const struct program_set *s, const uint64_t *from)
{
    uint64_t *left = narrow_set(f, s->left, from);
    uint64_t *right = left ? narrow_set(f, s->right, from) : NULL;
    uint64_t *out = right ? view_none(&f->view) : NULL;
    if (!out)
        return NULL;
    bits_or(out, left, f->view.words);
    bits_or(out, right, f->view.words);
    return out;
}

static uint64_t *narrow_set(struct frame *f, const struct program_set *s, const uint64_t *from)
{
    uint64_t *rows;
    switch (s->op) {
    case TRACEQL_SET_FILTER:
        f->filters[s->filter] = frame_filter(f, s->filter, from);
        rows = f->filters[s->filter] ? view_none(&f->view) : NULL;
        if (rows)
            bits_or(rows, f->filters[s->filter], f->view.words);
        return rows;
    case TRACEQL_SET_PIPELINE:
        return narrow_pipeline(f, s->pipeline, from);
    case TRACEQL_SET_OR:
        return narrow_or(f, s, from);
    case TRACEQL_SET_NOT_CHILD:
    case TRACEQL_SET_NOT_PARENT:
    case TRACEQL_SET_NOT_DESCENDANT:
    case TRACEQL_SET_NOT_ANCESTOR:
    case TRACEQL_SET_NOT_SIBLING:
        return narrow_negated(f, s, from);
    default:
        return narrow_joined(f, s, from);
    }
}

/* The filters in a scalar's pipelines take no trace away. */
static bool narrow_scalar(struct frame *f, const struct program_scalar *s, const uint64_t *from)
{
    if (s->form == TRACEQL_SCALAR_ARITHMETIC)
        return narrow_scalar(f, s->left, from) && narrow_scalar(f, s->right, from);
    return s->form != TRACEQL_SCALAR_PIPELINE || narrow_pipeline(f, s->pipeline, from);
}

static uint64_t *narrow_stage(struct frame *f, const struct program_stage *s, uint64_t *from)
{
    if (s->form == TRACEQL_STAGE_SET)
        return narrow_set(f, s->set, from);
    if ((s->left && !narrow_scalar(f, s->left, from)) ||
        (s->right && !narrow_scalar(f, s->right, from)))
        return NULL;
    return from;
}

static uint64_t *narrow_pipeline(struct frame *f, const struct program_pipeline *l,
                                 const uint64_t *from)
{
    uint64_t *rows = view_none(&f->view);
    if (!rows)
        return NULL;
    bits_or(rows, from, f->view.words);
    for (const struct program_stage *s = l->first; s && rows; s = s->next)
        rows = narrow_stage(f, s, rows);
    return rows;
}

uint64_t *frame_narrow(struct frame *f)
{
    uint64_t *every = view_every(&f->view);
    return every ? narrow_pipeline(f, f->program->pipeline, every) : NULL;
}
