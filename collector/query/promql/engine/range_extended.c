// SPDX-License-Identifier: Apache-2.0
/* rate, increase, delta of anchored and smoothed ranges: from the value at the window's begin to
 * the one at its end. Anchored, these are the last samples up to there; smoothed, they lie on the
 * line between the samples around. */
#include "collector/query/promql/engine/annotations.h"
#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/range.h"

size_t range_anchor(const int64_t *unix_ms, size_t count, int64_t from_ms)
{
    size_t i = 0;
    while (i + 1 < count && unix_ms[i + 1] <= from_ms)
        i++;
    return i;
}

/* The samples between which the window's values lie. */
struct ends {
    size_t first, last;
    bool left_between, right_between;
};

static bool find_ends(const struct range_call *c, const struct window *w, const int64_t *unix_ms,
                      size_t count, struct ends *out)
{
    size_t first = range_anchor(unix_ms, count, w->from_ms), last = count - 1;
    if (c->smoothed) {
        while (last > first && unix_ms[last - 1] >= w->to_ms)
            last--;
        if (unix_ms[first] > w->to_ms)
            return false;
    }
    *out = (struct ends){.first = first,
                         .last = last,
                         .left_between = c->smoothed && unix_ms[first] < w->from_ms,
                         .right_between = c->smoothed && last > 0 && unix_ms[last] > w->to_ms};
    return unix_ms[last] > w->from_ms;
}

/* ---- floats ------------------------------------------------------------------------------ */

/* On the line between samples i and i + 1; a counter that fell began at 0. */
static double between(const struct range_call *c, const struct window *w, size_t i, int64_t at)
{
    double from = w->value[i], to = w->value[i + 1];
    if (range_is_counter(c) && to < from)
        from = 0;
    return from +
           (to - from) * (double)(at - w->unix_ms[i]) / (double)(w->unix_ms[i + 1] - w->unix_ms[i]);
}

static double float_increase(const struct range_call *c, const struct window *w,
                             const struct ends *e)
{
    double left = e->left_between ? between(c, w, e->first, w->from_ms) : w->value[e->first];
    double right = e->right_between ? between(c, w, e->last - 1, w->to_ms) : w->value[e->last];
    double increase = right - left, earlier = left;
    if (!range_is_counter(c))
        return increase;
    for (size_t i = e->first; i <= e->last; i++) {
        if (w->unix_ms[i] <= w->from_ms || w->unix_ms[i] >= w->to_ms)
            continue;
        if (w->value[i] < earlier)
            increase += earlier;
        earlier = w->value[i];
    }
    return right < earlier ? increase + earlier : increase;
}

/* ---- histograms -------------------------------------------------------------------------- */

static struct batch_str name_of(const struct range_call *c)
{
    return metric_name(&c->labels);
}

/* Whether all have buckets of one kind. Tells gauges that are taken for counters. */
static bool look_over(struct evaluation *ev, const struct range_call *c, const struct window *w,
                      const struct ends *e)
{
    for (size_t i = e->first; i <= e->last; i++) {
        if (histogram_is_custom(w->histogram[i]) != histogram_is_custom(w->histogram[e->first])) {
            annotate_mixed_schemas(ev, range_place(c), name_of(c));
            return false;
        }
        if (range_is_counter(c) && w->histogram[i]->reset == HISTOGRAM_GAUGE)
            annotate_not_counter(ev, range_place(c), name_of(c));
    }
    return true;
}

/* On the line between samples i and i + 1; a counter that began anew began at 0. NULL where they
 * do not go together. */
static struct histogram *histogram_between(struct evaluation *ev, const struct range_call *c,
                                           const struct window *w, size_t i, int64_t at)
{
    const struct histogram *from = w->histogram[i], *to = w->histogram[i + 1];
    double part = (double)(at - w->histogram_unix_ms[i]) /
                  (double)(w->histogram_unix_ms[i + 1] - w->histogram_unix_ms[i]);
    struct histogram *h = evaluation_need(ev, histogram_copy(c->arena, to));
    bool began = range_is_counter(c) && histogram_was_reset(to, from);
    if (!began && !range_add(ev, c, h, from, -1))
        return NULL;
    histogram_multiply(h, part);
    if (began)
        return h;
    if (!range_add(ev, c, h, from, 1))
        return NULL;
    h->reset = to->reset;
    return h;
}

/* What was counted before each reset between the ends; false where it cannot be added. */
static bool add_resets(struct evaluation *ev, const struct range_call *c, const struct window *w,
                       const struct ends *e, const struct histogram *left,
                       const struct histogram *right, struct histogram *to)
{
    const struct histogram *earlier = left;
    size_t i = e->first + 1;
    if (e->left_between && i <= e->last &&
        histogram_was_reset(w->histogram[i], w->histogram[e->first]))
        earlier = w->histogram[i++]; /* the line to it has seen to that reset */
    if (i > e->last)
        return true;
    for (; i < e->last; i++) {
        if (histogram_was_reset(w->histogram[i], earlier) && !range_add(ev, c, to, earlier, 1))
            return false;
        earlier = w->histogram[i];
    }
    return !histogram_was_reset(right, earlier) || range_add(ev, c, to, earlier, 1);
}

static struct histogram *histogram_increase(struct evaluation *ev, const struct range_call *c,
                                            const struct window *w, const struct ends *e)
{
    if (!look_over(ev, c, w, e))
        return NULL;
    const struct histogram *left = e->left_between
                                       ? histogram_between(ev, c, w, e->first, w->from_ms)
                                       : w->histogram[e->first];
    const struct histogram *right = e->right_between
                                        ? histogram_between(ev, c, w, e->last - 1, w->to_ms)
                                        : w->histogram[e->last];
    if (!left || !right)
        return NULL;
    if (!range_is_counter(c) && (left->reset != HISTOGRAM_GAUGE || right->reset != HISTOGRAM_GAUGE))
        annotate_not_gauge(ev, range_place(c), name_of(c));
    struct histogram *h = evaluation_need(ev, histogram_copy(c->arena, right));
    if (!range_add(ev, c, h, left, -1) ||
        (range_is_counter(c) && !add_resets(ev, c, w, e, left, right, h)))
        return NULL;
    h->reset = HISTOGRAM_GAUGE;
    histogram_compact(h);
    return h;
}

RANGE_FUNCTION(range_extended)
{
    struct ends e;
    double seconds = c->id == PROMQL_FN_RATE ? (double)c->range_ms / 1000 : 1;
    if (w->count > 0 && w->histogram_count > 0) {
        annotate_mixed(ev, range_place(c), name_of(c));
        return false;
    }
    if (w->count > 0) {
        if (!find_ends(c, w, w->unix_ms, w->count, &e))
            return false;
        out->value = float_increase(c, w, &e) / seconds;
        return true;
    }
    if (!find_ends(c, w, w->histogram_unix_ms, w->histogram_count, &e))
        return false;
    out->histogram = histogram_increase(ev, c, w, &e);
    if (out->histogram)
        histogram_divide(out->histogram, seconds);
    return out->histogram;
}
