// SPDX-License-Identifier: Apache-2.0
/* Which node becomes which stream; and what is the same at each step is evaluated at one. */
#include <string.h>

#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/nodes.h"

/* ---- the same at each step --------------------------------------------------------------- */

struct broadcast {
    struct stream stream;
    struct stream *of;
    struct column *one;
};

static bool next_broadcast(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct broadcast *b = (struct broadcast *)s;
    if (!stream_next(ev, b->of, b->one))
        return false;
    struct histogram *h = column_histogram(b->one, 0);
    out->labels = b->one->labels;
    out->drop_name = b->one->drop_name;
    for (size_t i = 0; i < out->count; i++)
        out->value[i] = b->one->value[0];
    for (size_t i = 0; h && i < out->count; i++)
        column_put_histogram(ev, out, i, h);
    return true;
}

static struct stream *open_node(struct evaluation *ev, const struct promql_expr *e,
                                const struct grid *grid);

/* Not transient: the one sample stands in all steps of who asks. */
static struct stream *broadcast_open(struct evaluation *ev, const struct promql_expr *e,
                                     const struct grid *grid)
{
    struct grid one = {grid->start_ms, grid->step_ms, 1};
    struct broadcast *b = evaluation_calloc(ev, 1, sizeof *b);
    b->stream = (struct stream){next_broadcast, e, *grid};
    b->of = open_node(ev, e, &one);
    b->one = column_create(ev, 1, false);
    return &b->stream;
}

/* ---- vector(scalar) ---------------------------------------------------------------------- */

struct vector_of {
    struct stream stream;
    const double *values;
    bool done;
};

static bool next_vector_of(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct vector_of *v = (struct vector_of *)s;
    (void)ev;
    if (v->done)
        return false;
    v->done = true;
    out->labels = (struct labels){NULL, 0};
    memcpy(out->value, v->values, out->count * sizeof *out->value);
    return true;
}

static struct stream *vector_open(struct evaluation *ev, const struct promql_expr *e,
                                  const struct grid *grid)
{
    struct vector_of *v = evaluation_calloc(ev, 1, sizeof *v);
    v->stream = (struct stream){next_vector_of, e, *grid};
    v->values = scalar_values(ev, e->args[0], grid);
    return &v->stream;
}

/* ---- which node -------------------------------------------------------------------------- */

static bool takes_range(const struct promql_expr *e)
{
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (e->args[i]->type == PROMQL_MATRIX)
            return true;
    return false;
}

static struct stream *call_open(struct evaluation *ev, const struct promql_expr *e,
                                const struct grid *grid)
{
    switch (e->function->id) {
    case PROMQL_FN_ABSENT:
        return absent_open(ev, e, grid);
    case PROMQL_FN_ABSENT_OVER_TIME:
        return absent_over_time_open(ev, e, grid);
    case PROMQL_FN_VECTOR_OF:
        return vector_open(ev, e, grid);
    case PROMQL_FN_LABEL_REPLACE:
        return label_replace_open(ev, e, grid);
    case PROMQL_FN_LABEL_JOIN:
        return label_join_open(ev, e, grid);
    case PROMQL_FN_INFO:
        return info_open(ev, e, grid);
    case PROMQL_FN_SORT:
    case PROMQL_FN_SORT_DESC:
    case PROMQL_FN_SORT_BY_LABEL:
    case PROMQL_FN_SORT_BY_LABEL_DESC:
        return sort_open(ev, e, grid);
    case PROMQL_FN_HISTOGRAM_QUANTILE:
    case PROMQL_FN_HISTOGRAM_QUANTILES:
    case PROMQL_FN_HISTOGRAM_FRACTION:
        return histogram_quantile_open(ev, e, grid);
    case PROMQL_FN_HISTOGRAM_COUNT:
    case PROMQL_FN_HISTOGRAM_SUM:
    case PROMQL_FN_HISTOGRAM_AVG:
    case PROMQL_FN_HISTOGRAM_STDDEV:
    case PROMQL_FN_HISTOGRAM_STDVAR:
        return histogram_value_open(ev, e, grid);
    case PROMQL_FN_DAYS_IN_MONTH:
    case PROMQL_FN_DAY_OF_MONTH:
    case PROMQL_FN_DAY_OF_WEEK:
    case PROMQL_FN_DAY_OF_YEAR:
    case PROMQL_FN_HOUR:
    case PROMQL_FN_MINUTE:
    case PROMQL_FN_MONTH:
    case PROMQL_FN_YEAR:
        return calendar_open(ev, e, grid);
    case PROMQL_FN_TIMESTAMP:
        if (promql_bare(e->args[0])->form == PROMQL_SELECTOR)
            return timestamp_open(ev, e, grid);
        return math_open(ev, e, grid);
    default:
        return takes_range(e) ? range_call_open(ev, e, grid) : math_open(ev, e, grid);
    }
}

static struct stream *aggregate_open(struct evaluation *ev, const struct promql_expr *e,
                                     const struct grid *grid)
{
    switch (e->aggregation.op) {
    case PROMQL_TOPK:
    case PROMQL_BOTTOMK:
    case PROMQL_LIMITK:
        return top_open(ev, e, grid);
    case PROMQL_LIMIT_RATIO:
        return limit_ratio_open(ev, e, grid);
    case PROMQL_QUANTILE:
        return quantile_open(ev, e, grid);
    case PROMQL_COUNT_VALUES:
        return count_values_open(ev, e, grid);
    default:
        return aggregation_open(ev, e, grid);
    }
}

static struct stream *binary_open(struct evaluation *ev, const struct promql_expr *e,
                                  const struct grid *grid)
{
    if (promql_op_is_set(e->binary.op))
        return set_open(ev, e, grid);
    if (e->args[0]->type == PROMQL_SCALAR || e->args[1]->type == PROMQL_SCALAR)
        return scalar_operand_open(ev, e, grid);
    return matched_open(ev, e, grid);
}

static struct stream *open_node(struct evaluation *ev, const struct promql_expr *e,
                                const struct grid *grid)
{
    switch (e->form) {
    case PROMQL_SELECTOR:
        return selector_open(ev, e, grid);
    case PROMQL_CALL:
        return call_open(ev, e, grid);
    case PROMQL_AGGREGATION:
        return aggregate_open(ev, e, grid);
    case PROMQL_BINARY:
        return binary_open(ev, e, grid);
    case PROMQL_UNARY:
        return e->negates ? unary_open(ev, e, grid) : stream_open(ev, e->args[0], grid);
    default:
        return stream_open(ev, e->args[0], grid);
    }
}

struct stream *stream_open(struct evaluation *ev, const struct promql_expr *e,
                           const struct grid *grid)
{
    bool whole = e->form == PROMQL_SELECTOR || e->form == PROMQL_CALL ||
                 e->form == PROMQL_AGGREGATION || e->form == PROMQL_BINARY;
    if (whole && grid->count > 1 && plan_of(ev, e)->invariant)
        return broadcast_open(ev, e, grid);
    return open_node(ev, e, grid);
}
