// SPDX-License-Identifier: Apache-2.0
/* The whole of a query: what its top yields becomes the result. */
#include <stdlib.h>
#include <string.h>

#include "collector/query/promql/engine/annotations.h"
#include "collector/query/promql/engine/held.h"
#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/nodes.h"

/* Selections are closed at the end: strings of labels are the result's from then on. */
static struct labels copy_labels(struct evaluation *ev, const struct labels *l)
{
    struct labels copy = {0};
    if (!labels_copy(ev->arena, l, &copy))
        evaluation_need(ev, NULL);
    return copy;
}

static void put_column(struct evaluation *ev, const struct column *c, struct promql_series *out)
{
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++)
        count += is_present(c->value[i]);
    *out = (struct promql_series){.labels = copy_labels(ev, &c->labels)};
    out->unix_ms = evaluation_alloc(ev, count * sizeof *out->unix_ms);
    out->value = evaluation_alloc(ev, count * sizeof *out->value);
    if (c->histogram)
        out->histogram = evaluation_alloc(ev, count * sizeof(struct histogram *));
    for (size_t i = 0; i < c->count; i++) {
        if (!is_present(c->value[i]))
            continue;
        out->unix_ms[out->count] = grid_time(&ev->grid, i);
        out->value[out->count] = c->value[i];
        if (c->histogram)
            out->histogram[out->count] = c->histogram[i];
        out->count++;
    }
}

static int compare_series(const void *a, const void *b)
{
    return labels_compare(&((const struct promql_series *)a)->labels,
                          &((const struct promql_series *)b)->labels);
}

static void put_list(struct evaluation *ev, struct column_list *l)
{
    struct promql_result *r = ev->result;
    for (size_t i = 0; i < l->count; i++) {
        struct labelset s;
        if (!l->list[i]->drop_name)
            continue;
        labelset_begin(&s, &l->list[i]->labels);
        labelset_drop_metadata(&s);
        l->list[i]->labels = labelset_finish(ev, &s);
    }
    merge_same_labels(ev, l);
    r->series = evaluation_calloc(ev, l->count + 1, sizeof *r->series);
    r->series_count = l->count;
    for (size_t i = 0; i < l->count; i++)
        put_column(ev, l->list[i], &r->series[i]);
}

/* ---- each type of result ----------------------------------------------------------------- */

static void put_scalar(struct evaluation *ev)
{
    struct promql_result *r = ev->result;
    double *values = scalar_values(ev, ev->query->expr, &ev->grid);
    if (ev->options.step_ms == 0) {
        r->form = PROMQL_RESULT_SCALAR;
        r->scalar = values[0];
        return;
    }
    struct column *c = column_create(ev, ev->grid.count, false);
    memcpy(c->value, values, ev->grid.count * sizeof *values);
    r->form = PROMQL_RESULT_MATRIX;
    r->series = evaluation_calloc(ev, 1, sizeof *r->series);
    r->series_count = 1;
    put_column(ev, c, r->series);
}

static void put_vector(struct evaluation *ev)
{
    struct column_list l = stream_collect(ev, stream_open(ev, ev->query->expr, &ev->grid));
    put_list(ev, &l);
    ev->result->form = ev->options.step_ms == 0 ? PROMQL_RESULT_VECTOR : PROMQL_RESULT_MATRIX;
    if (ev->options.step_ms > 0 && ev->result->series_count > 1)
        qsort(ev->result->series, ev->result->series_count, sizeof *ev->result->series,
              compare_series);
}

/* The samples themselves. */
static void put_points(struct evaluation *ev, const struct points *p, const struct labels *labels,
                       struct promql_series *out)
{
    *out = (struct promql_series){.labels = copy_labels(ev, labels)};
    out->unix_ms = evaluation_alloc(ev, p->count * sizeof *out->unix_ms);
    out->value = evaluation_alloc(ev, p->count * sizeof *out->value);
    if (p->histogram)
        out->histogram = evaluation_calloc(ev, p->count, sizeof(struct histogram *));
    for (size_t i = 0; i < p->count; i++) {
        if (!is_present(p->value[i]))
            continue;
        out->unix_ms[out->count] = p->unix_ms[i];
        out->value[out->count] = p->value[i];
        if (p->histogram && p->histogram[i])
            out->histogram[out->count] =
                evaluation_need(ev, histogram_copy(ev->arena, p->histogram[i]));
        out->count++;
    }
}

static void put_range(struct evaluation *ev, const struct promql_expr *e)
{
    const struct node_plan *plan = plan_of(ev, e);
    struct promql_result *r = ev->result;
    if (e->selector.anchored || e->selector.smoothed)
        evaluation_fail(ev, PROMQL_FAILED, "anchored and smoothed ranges stand within a function");
    struct span span = selector_span(plan, &ev->grid, plan->range_ms);
    const struct series_selection *s = evaluation_select(
        ev, selector_matchers(ev, e), e->selector.matcher_count, span.from_ms, span.to_ms);
    struct points *points = evaluation_points(ev);
    r->series = evaluation_calloc(ev, s->count + 1, sizeof *r->series);
    for (size_t i = 0; i < s->count; i++) {
        evaluation_read(ev, s, i, span.from_ms, span.to_ms, points);
        evaluation_hold(ev, points->count);
        put_points(ev, points, &s->labels[i], &r->series[r->series_count]);
        r->series_count += r->series[r->series_count].count > 0;
    }
    r->form = PROMQL_RESULT_MATRIX;
}

/* A subquery by itself: the query over its steps. */
static void put_subquery(struct evaluation *ev, const struct promql_expr *e)
{
    const struct node_plan *plan = plan_of(ev, e);
    int64_t to = (plan->has_at ? plan->at_ms : ev->grid.start_ms) - plan->offset_ms;
    int64_t after = to - plan->range_ms, start = after / plan->step_ms * plan->step_ms;
    if (start <= after)
        start += plan->step_ms;
    ev->result->form = PROMQL_RESULT_MATRIX;
    ev->grid = grid_between(ev, start, to, plan->step_ms);
    if (ev->grid.count == 0)
        return;
    struct column_list l = stream_collect(ev, stream_open(ev, e->args[0], &ev->grid));
    put_list(ev, &l);
}

static void evaluate(struct evaluation *ev)
{
    const struct promql_expr *e = promql_bare(ev->query->expr);
    struct promql_result *r = ev->result;
    plan_query(ev);
    switch (e->type) {
    case PROMQL_SCALAR:
        put_scalar(ev);
        break;
    case PROMQL_STRING:
        r->form = PROMQL_RESULT_STRING;
        r->string = (struct batch_str){
            evaluation_need(ev, arena_copy(ev->arena, e->text.bytes, e->text.length)),
            e->text.length};
        break;
    case PROMQL_VECTOR:
        put_vector(ev);
        break;
    default:
        if (ev->options.step_ms > 0)
            evaluation_fail(ev, PROMQL_FAILED,
                            "a range query is of a scalar or an instant vector, and this is a "
                            "range vector");
        if (e->form == PROMQL_SELECTOR)
            put_range(ev, e);
        else
            put_subquery(ev, e);
    }
    annotations_finish(ev);
}

/* ---- entry ------------------------------------------------------------------------------- */

static void take_options(struct evaluation *ev, const struct promql_options *options)
{
    struct promql_options *o = &ev->options;
    *o = *options;
    if (o->lookback_ms <= 0)
        o->lookback_ms = PROMQL_LOOKBACK_MS;
    if (o->subquery_step_ms <= 0)
        o->subquery_step_ms = PROMQL_SUBQUERY_STEP_MS;
    if (o->step_ms <= 0) {
        o->step_ms = 0;
        o->end_ms = o->start_ms;
    }
}

static void set_grid(struct evaluation *ev)
{
    const struct promql_options *o = &ev->options;
    ev->grid = grid_between(ev, o->start_ms, o->end_ms, o->step_ms > 0 ? o->step_ms : 1);
    ev->grid.step_ms = o->step_ms;
}

static void evaluate_held(struct evaluation *ev)
{
    if (setjmp(ev->exit) != 0)
        return;
    set_grid(ev);
    if (ev->grid.count == 0)
        ev->result->form = PROMQL_RESULT_MATRIX;
    else
        evaluate(ev);
}

enum promql_status promql_evaluate(const struct promql_query *query,
                                   const struct series_source *source,
                                   const struct promql_options *options, struct promql_result *out)
{
    *out = (struct promql_result){.status = PROMQL_OK};
    arena_init(&out->arena, 16 << 10);
    struct evaluation ev = {.query = query, .source = source, .arena = &out->arena, .result = out};
    take_options(&ev, options);
    evaluate_held(&ev);
    held_give_back(&ev);
    out->stats.memory_bytes = out->arena.total_bytes;
    return out->status;
}

void promql_result_fini(struct promql_result *r)
{
    arena_fini(&r->arena);
    *r = (struct promql_result){0};
}
