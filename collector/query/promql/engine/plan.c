// SPDX-License-Identifier: Apache-2.0
/* What is known of each node before anything is read: durations in milliseconds, times behind @,
 * whether it is the same at each step, and where only count and sum of histograms are wanted. */
#include "collector/query/promql/engine/evaluation.h"

/* ---- durations --------------------------------------------------------------------------- */

static double seconds_of(struct evaluation *ev, const struct promql_duration *d);

static double calculate(struct evaluation *ev, const struct promql_duration *d)
{
    double left = seconds_of(ev, d->left), right = seconds_of(ev, d->right);
    if (right == 0 && (d->op == PROMQL_DIV || d->op == PROMQL_MOD))
        evaluation_fail(ev, PROMQL_FAILED, "a duration is divided by zero");
    switch (d->op) {
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
    default:
        return pow(left, right);
    }
}

static double seconds_of(struct evaluation *ev, const struct promql_duration *d)
{
    const struct grid *g = &ev->grid;
    switch (d->form) {
    case PROMQL_DURATION_NUMBER:
        return d->seconds;
    case PROMQL_DURATION_STEP:
        return (double)ev->options.step_ms / 1000;
    case PROMQL_DURATION_RANGE:
        return g->count > 1 ? (double)(ev->options.end_ms - ev->options.start_ms) / 1000 : 0;
    case PROMQL_DURATION_MIN:
        return fmin(seconds_of(ev, d->left), seconds_of(ev, d->right));
    case PROMQL_DURATION_MAX:
        return fmax(seconds_of(ev, d->left), seconds_of(ev, d->right));
    case PROMQL_DURATION_NEGATE:
        return -seconds_of(ev, d->left);
    default:
        return calculate(ev, d);
    }
}

static int64_t duration_ms(struct evaluation *ev, const struct promql_duration *d, bool positive)
{
    if (!d)
        return 0;
    double ms = seconds_of(ev, d) * 1000;
    if (!(fabs(ms) < (double)(INT64_MAX / 1000)))
        evaluation_fail(ev, PROMQL_FAILED, "duration is out of range");
    if (positive && ms <= 0)
        evaluation_fail(ev, PROMQL_FAILED, "duration must be greater than 0");
    return (int64_t)(ms + (ms > 0 ? 1e-6 : -1e-6));
}

static void plan_when(struct evaluation *ev, const struct promql_when *when, struct node_plan *plan)
{
    plan->offset_ms = duration_ms(ev, when->offset, false);
    plan->has_at = when->at != PROMQL_AT_NONE;
    plan->at_ms = when->at == PROMQL_AT_TIME    ? when->at_ms
                  : when->at == PROMQL_AT_START ? ev->options.start_ms
                                                : ev->options.end_ms;
}

/* ---- nodes ------------------------------------------------------------------------------- */

/* Functions whose value depends on the time at which they are called, or may. */
static bool follows_time(const struct promql_expr *e)
{
    switch (e->function->id) {
    case PROMQL_FN_TIME:
    case PROMQL_FN_TIMESTAMP:
    case PROMQL_FN_PREDICT_LINEAR:
    case PROMQL_FN_DAYS_IN_MONTH:
    case PROMQL_FN_DAY_OF_MONTH:
    case PROMQL_FN_DAY_OF_WEEK:
    case PROMQL_FN_DAY_OF_YEAR:
    case PROMQL_FN_HOUR:
    case PROMQL_FN_MINUTE:
    case PROMQL_FN_MONTH:
    case PROMQL_FN_YEAR:
        return true;
    default:
        return false;
    }
}

/* Whether histograms beneath need only their count and sum. */
static bool stats_beneath(const struct promql_expr *e, bool stats)
{
    if (e->form == PROMQL_SUBQUERY)
        return false;
    if (e->form != PROMQL_CALL)
        return stats;
    switch (e->function->id) {
    case PROMQL_FN_HISTOGRAM_COUNT:
    case PROMQL_FN_HISTOGRAM_SUM:
    case PROMQL_FN_HISTOGRAM_AVG:
        return true;
    case PROMQL_FN_HISTOGRAM_QUANTILE:
    case PROMQL_FN_HISTOGRAM_QUANTILES:
    case PROMQL_FN_HISTOGRAM_FRACTION:
        return false;
    default:
        return stats;
    }
}

static void plan_node(struct evaluation *ev, const struct promql_expr *e, bool stats)
{
    struct node_plan *plan = &ev->plan[e->id];
    bool invariant = true, beneath = stats_beneath(e, stats);
    for (uint32_t i = 0; i < e->arg_count; i++) {
        plan_node(ev, e->args[i], beneath);
        invariant &= ev->plan[e->args[i]->id].invariant;
    }
    plan->stats = stats;
    plan->invariant = invariant;
    if (e->form == PROMQL_SELECTOR) {
        plan_when(ev, &e->selector.when, plan);
        plan->range_ms = duration_ms(ev, e->selector.range, true);
        plan->invariant = plan->has_at;
    } else if (e->form == PROMQL_SUBQUERY) {
        plan_when(ev, &e->subquery.when, plan);
        plan->range_ms = duration_ms(ev, e->subquery.range, true);
        plan->step_ms = e->subquery.step ? duration_ms(ev, e->subquery.step, true)
                                         : ev->options.subquery_step_ms;
        if (plan->step_ms <= 0)
            evaluation_fail(ev, PROMQL_FAILED, "a subquery's step is at least a millisecond");
        plan->invariant = plan->has_at;
    } else if (e->form == PROMQL_CALL && follows_time(e)) {
        plan->invariant = false;
    }
}

void plan_query(struct evaluation *ev)
{
    ev->plan = evaluation_calloc(ev, ev->query->nodes, sizeof *ev->plan);
    plan_node(ev, ev->query->expr, false);
}
