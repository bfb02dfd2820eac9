// SPDX-License-Identifier: Apache-2.0
/* Instant vector selectors: at each step the last sample, if it is not older than the look-back and
 * the series has not ended since. Smoothed ones lie on the line between two samples. */
#include <string.h>

#include "collector/query/promql/engine/annotations.h"
#include "collector/query/promql/engine/nodes.h"

struct matcher *selector_matchers(struct evaluation *ev, const struct promql_expr *e)
{
    uint32_t count = e->selector.matcher_count;
    struct matcher *m = evaluation_calloc(ev, count + 1, sizeof *m);
    for (uint32_t i = 0; i < count; i++) {
        const struct promql_matcher *from = &e->selector.matchers[i];
        m[i] = (struct matcher){.kind = from->kind, .name = from->name, .value = from->value};
        if (from->kind == MATCH_REGEX || from->kind == MATCH_NOT_REGEX)
            m[i].regex = evaluation_regex(ev, from->value);
    }
    return m;
}

static int64_t look_at(const struct node_plan *plan, const struct grid *grid, size_t i)
{
    return (plan->has_at ? plan->at_ms : grid_time(grid, i)) - plan->offset_ms;
}

struct span selector_span(const struct node_plan *plan, const struct grid *grid,
                          int64_t lookback_ms)
{
    struct span s = {look_at(plan, grid, 0), look_at(plan, grid, grid->count - 1)};
    s.from_ms -= lookback_ms - 1; /* ranges are open on the left */
    return s;
}

/* ---- one series -------------------------------------------------------------------------- */

/* Where it is known only whether counts fell, that is found out here. */
static struct histogram *with_reset(struct evaluation *ev, const struct points *p, size_t i,
                                    struct arena *arena)
{
    struct histogram *h = p->histogram[i];
    if (h->reset != HISTOGRAM_RESET_UNKNOWN || i == 0 || !p->histogram[i - 1])
        return h;
    struct histogram *told = evaluation_need(ev, arena_copy(arena, h, sizeof *h));
    told->reset =
        histogram_was_reset(h, p->histogram[i - 1]) ? HISTOGRAM_RESET : HISTOGRAM_NO_RESET;
    return told;
}

/* Points are read anew for the next series, so histograms are copied. */
static void put_sample(struct evaluation *ev, const struct promql_expr *e, const struct points *p,
                       size_t i, struct column *out, size_t step)
{
    if (!p->histogram || !p->histogram[i]) {
        out->value[step] = p->value[i];
        return;
    }
    struct histogram *h = p->histogram[i];
    if (plan_of(ev, e)->stats)
        h = with_reset(ev, p, i, out->arena);
    column_put_histogram(ev, out, step, histogram_copy(out->arena, h));
}

/* NULL: they do not go together, or are not both histograms. */
static struct histogram *between(struct evaluation *ev, const struct promql_expr *e,
                                 const struct points *p, size_t next, double part,
                                 struct arena *arena)
{
    const struct histogram *from = p->histogram[next - 1], *to = p->histogram[next];
    struct histogram_notes notes = {false, false};
    if (!from || !to)
        return NULL;
    struct histogram *h = evaluation_need(ev, histogram_copy(arena, to));
    int fault = histogram_add(arena, h, NULL, from, -1, &notes);
    histogram_multiply(h, part);
    if (fault == HISTOGRAM_SOUND)
        fault = histogram_add(arena, h, NULL, from, 1, &notes);
    if (fault == HISTOGRAM_ENOMEM)
        evaluation_need(ev, NULL);
    if (notes.reconciled)
        annotate_reconciled(ev, e->place, "subtraction");
    return fault == HISTOGRAM_SOUND ? h : NULL;
}

/* On the line between the samples around `at`; the one there is where there is no other. */
static void put_smoothed(struct evaluation *ev, const struct promql_expr *e, const struct points *p,
                         size_t next, int64_t at, struct column *out, size_t step)
{
    int64_t lookback = ev->options.lookback_ms;
    bool before =
        next > 0 && p->unix_ms[next - 1] > at - lookback && is_present(p->value[next - 1]);
    bool after = next < p->count && p->unix_ms[next] <= at + lookback && is_present(p->value[next]);
    if (before && (!after || p->unix_ms[next - 1] == at)) {
        put_sample(ev, e, p, next - 1, out, step);
    } else if (!before && after) {
        put_sample(ev, e, p, next, out, step);
    } else if (before) {
        double part =
            (double)(at - p->unix_ms[next - 1]) / (double)(p->unix_ms[next] - p->unix_ms[next - 1]);
        if (!p->histogram || (!p->histogram[next - 1] && !p->histogram[next])) {
            out->value[step] = p->value[next - 1] + (p->value[next] - p->value[next - 1]) * part;
            return;
        }
        struct histogram *h = between(ev, e, p, next, part, out->arena);
        if (h)
            column_put_histogram(ev, out, step, h);
    }
}

void selector_fill(struct evaluation *ev, const struct promql_expr *e, const struct grid *grid,
                   const struct points *points, struct column *out, int64_t *times)
{
    const struct node_plan *plan = plan_of(ev, e);
    int64_t lookback = ev->options.lookback_ms;
    size_t next = 0; /* the first point after the step */
    for (size_t i = 0; i < grid->count; i++) {
        int64_t at = look_at(plan, grid, i);
        out->value[i] = absent();
        while (next < points->count && points->unix_ms[next] <= at)
            next++;
        if (e->selector.smoothed) {
            put_smoothed(ev, e, points, next, at, out, i);
            continue;
        }
        if (next == 0 || points->unix_ms[next - 1] <= at - lookback ||
            !is_present(points->value[next - 1]))
            continue;
        put_sample(ev, e, points, next - 1, out, i);
        if (times)
            times[i] = points->unix_ms[next - 1];
    }
}

/* ---- all of them ------------------------------------------------------------------------- */

struct selector {
    struct stream stream;
    const struct promql_expr *selector;
    const struct series_selection *selection;
    struct points *points;
    struct span span;
    size_t next;
    int64_t *times; /* of timestamp() */
};

static bool next_selected(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct selector *sel = (struct selector *)s;
    if (sel->next == sel->selection->count) {
        evaluation_release(ev, sel->points->count);
        sel->points->count = 0;
        return false;
    }
    size_t i = sel->next++;
    evaluation_read(ev, sel->selection, i, sel->span.from_ms, sel->span.to_ms, sel->points);
    out->labels = sel->selection->labels[i];
    selector_fill(ev, sel->selector, &s->grid, sel->points, out, sel->times);
    return true;
}

static struct selector *open(struct evaluation *ev, const struct promql_expr *e,
                             const struct promql_expr *selector, const struct grid *grid)
{
    struct selector *s = evaluation_calloc(ev, 1, sizeof *s);
    s->stream = (struct stream){next_selected, e, *grid};
    s->selector = selector;
    s->span = selector_span(plan_of(ev, selector), grid, ev->options.lookback_ms);
    if (selector->selector.smoothed)
        s->span.to_ms += ev->options.lookback_ms;
    s->points = evaluation_points(ev);
    s->selection =
        evaluation_select(ev, selector_matchers(ev, selector), selector->selector.matcher_count,
                          s->span.from_ms, s->span.to_ms);
    return s;
}

OPENS(selector_open)
{
    return &open(ev, e, e, grid)->stream;
}

/* ---- timestamp(selector) ----------------------------------------------------------------- */

static bool next_timestamp(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct selector *sel = (struct selector *)s;
    if (!next_selected(ev, s, out))
        return false;
    for (size_t i = 0; i < out->count; i++)
        if (is_present(out->value[i]))
            out->value[i] = (double)sel->times[i] / 1000;
    out->histogram = NULL;
    out->drop_name = true;
    return true;
}

OPENS(timestamp_open)
{
    struct selector *s = open(ev, e, promql_bare(e->args[0]), grid);
    s->stream.next = next_timestamp;
    s->times = evaluation_calloc(ev, grid->count, sizeof *s->times);
    return &s->stream;
}
