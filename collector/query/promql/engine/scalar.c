// SPDX-License-Identifier: Apache-2.0
/* Scalar expressions: one value for each step, there is always one. */
#include <string.h>

#include "collector/query/promql/engine/element.h"
#include "collector/query/promql/engine/evaluation.h"

struct batch_str text_of(const struct promql_expr *e)
{
    return promql_bare(e)->text;
}

static void fill(double *values, const struct grid *grid, double value)
{
    for (size_t i = 0; i < grid->count; i++)
        values[i] = value;
}

/* scalar(vector): the one float where there is exactly one. */
static void fill_scalar_of(struct evaluation *ev, const struct promql_expr *e,
                           const struct grid *grid, double *values)
{
    struct stream *s = stream_open(ev, e, grid);
    struct column *c = column_create(ev, grid->count, true);
    uint8_t *seen = evaluation_calloc(ev, grid->count, 1);
    fill(values, grid, NAN);
    while (stream_next(ev, s, c)) {
        for (size_t i = 0; i < c->count; i++) {
            if (!is_present(c->value[i]) || column_histogram(c, i))
                continue;
            values[i] = seen[i] ? NAN : c->value[i];
            seen[i] = 1;
        }
    }
}

static void fill_call(struct evaluation *ev, const struct promql_expr *e, const struct grid *grid,
                      double *values)
{
    const struct promql_options *o = &ev->options;
    bool range = o->step_ms > 0;
    switch (e->function->id) {
    case PROMQL_FN_TIME:
        for (size_t i = 0; i < grid->count; i++)
            values[i] = (double)grid_time(grid, i) / 1000;
        break;
    case PROMQL_FN_PI:
        fill(values, grid, M_PI);
        break;
    case PROMQL_FN_START:
        fill(values, grid, (double)o->start_ms / 1000);
        break;
    case PROMQL_FN_END:
        fill(values, grid, (double)(range ? o->end_ms : o->start_ms) / 1000);
        break;
    case PROMQL_FN_STEP:
        fill(values, grid, (double)o->step_ms / 1000);
        break;
    case PROMQL_FN_RANGE:
        fill(values, grid, range ? (double)(o->end_ms - o->start_ms) / 1000 : 0);
        break;
    case PROMQL_FN_SCALAR:
        fill_scalar_of(ev, e->args[0], grid, values);
        break;
    default: { /* min_of, max_of: NaN if one is */
        const double *a = scalar_values(ev, e->args[0], grid);
        const double *b = scalar_values(ev, e->args[1], grid);
        bool most = e->function->id == PROMQL_FN_MAX_OF;
        for (size_t i = 0; i < grid->count; i++)
            values[i] = isnan(a[i]) || isnan(b[i]) ? NAN : (a[i] > b[i]) == most ? a[i] : b[i];
    }
    }
}

double *scalar_values(struct evaluation *ev, const struct promql_expr *e, const struct grid *grid)
{
    if (e->form == PROMQL_PAREN)
        return scalar_values(ev, e->args[0], grid);
    double *values = evaluation_alloc(ev, grid->count * sizeof *values);
    if (e->form == PROMQL_NUMBER) {
        fill(values, grid, e->number);
    } else if (e->form == PROMQL_CALL) {
        fill_call(ev, e, grid, values);
    } else if (e->form == PROMQL_UNARY) {
        const double *of = scalar_values(ev, e->args[0], grid);
        for (size_t i = 0; i < grid->count; i++)
            values[i] = e->negates ? -of[i] : of[i];
    } else {
        const double *left = scalar_values(ev, e->args[0], grid);
        const double *right = scalar_values(ev, e->args[1], grid);
        for (size_t i = 0; i < grid->count; i++)
            values[i] = scalar_operation(e->binary.op, left[i], right[i]);
    }
    return values;
}
