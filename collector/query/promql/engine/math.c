// SPDX-License-Identifier: Apache-2.0
/* Functions of one float: each sample by itself; histograms are left out. And the sign, and
 * operators with a scalar on one side. */
#include "collector/query/promql/engine/element.h"
#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/nodes.h"

struct math {
    struct stream stream;
    struct stream *of;
    double (*function)(double);
    const double *arguments[2];
};

static double degrees(double x)
{
    return x * 180 / M_PI;
}

static double radians(double x)
{
    return x * M_PI / 180;
}

static double sign(double x)
{
    return x < 0 ? -1 : x > 0 ? 1 : x;
}

static double (*function_of(enum promql_function_id id))(double)
{
    switch (id) {
    case PROMQL_FN_ABS:
        return fabs;
    case PROMQL_FN_CEIL:
        return ceil;
    case PROMQL_FN_FLOOR:
        return floor;
    case PROMQL_FN_EXP:
        return exp;
    case PROMQL_FN_SQRT:
        return sqrt;
    case PROMQL_FN_LN:
        return log;
    case PROMQL_FN_LOG2:
        return log2;
    case PROMQL_FN_LOG10:
        return log10;
    case PROMQL_FN_SIN:
        return sin;
    case PROMQL_FN_COS:
        return cos;
    case PROMQL_FN_TAN:
        return tan;
    case PROMQL_FN_ASIN:
        return asin;
    case PROMQL_FN_ACOS:
        return acos;
    case PROMQL_FN_ATAN:
        return atan;
    case PROMQL_FN_SINH:
        return sinh;
    case PROMQL_FN_COSH:
        return cosh;
    case PROMQL_FN_TANH:
        return tanh;
    case PROMQL_FN_ASINH:
        return asinh;
    case PROMQL_FN_ACOSH:
        return acosh;
    case PROMQL_FN_ATANH:
        return atanh;
    case PROMQL_FN_DEG:
        return degrees;
    case PROMQL_FN_RAD:
        return radians;
    case PROMQL_FN_SGN:
        return sign;
    default:
        return NULL;
    }
}

/* Less than `least` is `least`; NaN anywhere is NaN. */
static double clamp(double x, double least, double most)
{
    if (isnan(x) || isnan(least) || isnan(most))
        return NAN;
    double below = x < most ? x : most;
    return below > least ? below : least;
}

static double round_to(double x, double nearest)
{
    double inverse = 1 / nearest;
    return floor(x * inverse + 0.5) / inverse;
}

static double value_at(const struct math *m, enum promql_function_id id, double x, size_t i)
{
    const double *const *a = m->arguments;
    switch (id) {
    case PROMQL_FN_ROUND:
        return round_to(x, a[0] ? a[0][i] : 1);
    case PROMQL_FN_CLAMP:
        return a[1][i] < a[0][i] ? absent() : clamp(x, a[0][i], a[1][i]);
    case PROMQL_FN_CLAMP_MIN:
        return clamp(x, a[0][i], INFINITY);
    case PROMQL_FN_CLAMP_MAX:
        return clamp(x, -INFINITY, a[0][i]);
    default: /* timestamp of what is calculated: when it is */
        return (double)grid_time(&m->stream.grid, i) / 1000;
    }
}

static bool next_math(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct math *m = (struct math *)s;
    enum promql_function_id id = s->expr->function->id;
    if (!stream_next(ev, m->of, out))
        return false;
    for (size_t i = 0; i < out->count; i++) {
        if (!is_present(out->value[i]))
            continue;
        if (column_histogram(out, i) && id != PROMQL_FN_TIMESTAMP)
            out->value[i] = absent();
        else
            out->value[i] =
                m->function ? m->function(out->value[i]) : value_at(m, id, out->value[i], i);
    }
    out->histogram = NULL;
    out->drop_name = true;
    return true;
}

OPENS(math_open)
{
    struct math *m = evaluation_calloc(ev, 1, sizeof *m);
    m->stream = (struct stream){next_math, e, *grid};
    m->function = function_of(e->function->id);
    for (uint32_t i = 1; i < e->arg_count; i++)
        m->arguments[i - 1] = scalar_values(ev, e->args[i], grid);
    m->of = stream_open(ev, e->args[0], grid);
    return &m->stream;
}

/* ---- minus ------------------------------------------------------------------------------- */

static bool next_negated(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct math *m = (struct math *)s;
    if (!stream_next(ev, m->of, out))
        return false;
    for (size_t i = 0; i < out->count; i++) {
        struct histogram *h = column_histogram(out, i);
        if (h) {
            h = evaluation_need(ev, histogram_copy(out->arena, h));
            histogram_multiply(h, -1);
            h->reset = HISTOGRAM_GAUGE;
            out->histogram[i] = h;
        } else if (is_present(out->value[i])) {
            out->value[i] = -out->value[i];
        }
    }
    out->drop_name = true;
    return true;
}

OPENS(unary_open)
{
    struct math *m = evaluation_calloc(ev, 1, sizeof *m);
    m->stream = (struct stream){next_negated, e, *grid};
    m->of = stream_open(ev, e->args[0], grid);
    return &m->stream;
}

/* ---- a scalar on one side ---------------------------------------------------------------- */

struct scalar_operand {
    struct stream stream;
    struct stream *of;
    const double *scalar;
    bool on_left;
};

static bool changes_metric(enum promql_op op)
{
    return op <= PROMQL_ATAN2;
}

static void operate_at(struct evaluation *ev, const struct scalar_operand *o, struct column *out,
                       size_t i)
{
    const struct promql_expr *e = o->stream.expr;
    struct sample vector = {out->value[i], column_histogram(out, i)};
    struct sample scalar = {o->scalar[i], NULL}, result = {0, NULL};
    enum element_answer answer =
        o->on_left ? element_operation(ev, e, scalar, vector, out->arena, &result)
                   : element_operation(ev, e, vector, scalar, out->arena, &result);
    if (promql_op_compares(e->binary.op))
        result = vector; /* on whichever side it is */
    if (out->histogram)
        out->histogram[i] = NULL;
    if (answer == ELEMENT_NONE || (answer == ELEMENT_FALSE && !e->binary.to_bool))
        out->value[i] = absent();
    else if (e->binary.to_bool)
        out->value[i] = answer == ELEMENT_KEEP;
    else if (result.histogram)
        column_put_histogram(ev, out, i, result.histogram);
    else
        out->value[i] = result.value;
}

static bool next_operated(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct scalar_operand *o = (struct scalar_operand *)s;
    if (!stream_next(ev, o->of, out))
        return false;
    for (size_t i = 0; i < out->count; i++)
        if (is_present(out->value[i]))
            operate_at(ev, o, out, i);
    if (changes_metric(s->expr->binary.op) || s->expr->binary.to_bool)
        out->drop_name = true;
    return true;
}

OPENS(scalar_operand_open)
{
    struct scalar_operand *o = evaluation_calloc(ev, 1, sizeof *o);
    o->stream = (struct stream){next_operated, e, *grid};
    o->on_left = e->args[0]->type == PROMQL_SCALAR;
    o->scalar = scalar_values(ev, e->args[o->on_left ? 0 : 1], grid);
    o->of = stream_open(ev, e->args[o->on_left ? 1 : 0], grid);
    return &o->stream;
}
