// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/engine/range.h"

#include <string.h>

#include "collector/query/promql/engine/annotations.h"
#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/nodes.h"
#include "collector/query/promql/engine/sliding_sum.h"

/* One series, floats and histograms apart, without markers of its end. */
struct samples {
    size_t count, histogram_count, reset_count, capacity, histogram_capacity;
    int64_t *unix_ms, *start_ms;
    double *value;
    bool has_starts;
    uint32_t *resets;
    int64_t *histogram_unix_ms;
    struct histogram **histogram;
};

/* A query has other things to hold than what it reads: of its memory a quarter is for that, or,
 * where it must be, a half. */
enum { HISTOGRAMS_PART = 4, HISTOGRAMS_PART_LEAST = 2 };

struct range_stream {
    struct range_call call;
    const struct promql_expr *of; /* the selector or subquery */
    struct samples samples;
    int64_t before_ms, after_ms; /* what anchored and smoothed look at beyond the range */
    bool keeps_name, counted;
    /* of a selector: */
    const struct series_selection *selection;
    struct points *points;
    struct span span;
    size_t next;
    /* The series at hand, of how many steps its samples are read at a time, and how much their
     * histograms may take. */
    size_t at, part_steps;
    uint64_t part_bytes;
    /* of a subquery: */
    struct stream *inner;
    struct column *column;
};

struct language_place range_place(const struct range_call *c)
{
    return promql_bare(c->stream.expr->args[0])->place;
}

/* ---- the samples of one series ----------------------------------------------------------- */

static void reserve(struct evaluation *ev, struct samples *s, size_t count, bool histograms)
{
    if (count > s->capacity) {
        s->capacity = count + count / 2;
        s->unix_ms = evaluation_alloc(ev, s->capacity * sizeof *s->unix_ms);
        s->start_ms = evaluation_alloc(ev, s->capacity * sizeof *s->start_ms);
        s->value = evaluation_alloc(ev, s->capacity * sizeof *s->value);
        s->resets = evaluation_alloc(ev, s->capacity * sizeof *s->resets);
    }
    if (histograms && count > s->histogram_capacity) {
        s->histogram_capacity = count + count / 2;
        s->histogram_unix_ms =
            evaluation_alloc(ev, s->histogram_capacity * sizeof *s->histogram_unix_ms);
        s->histogram = evaluation_alloc(ev, s->histogram_capacity * sizeof(struct histogram *));
    }
    s->count = s->histogram_count = s->reset_count = 0;
    s->has_starts = false;
}

bool range_started_anew(int64_t earlier_start_ms, int64_t earlier_ms, int64_t start_ms,
                        int64_t unix_ms)
{
    if (start_ms == 0 || start_ms >= unix_ms || start_ms < earlier_ms)
        return false;
    /* A counter that begins where the sample before stands is a delta, if that one had a time at
     * which it began; else nobody knows when it began. */
    return start_ms > earlier_ms || (earlier_start_ms != 0 && earlier_start_ms < earlier_ms);
}

static void find_resets(struct samples *s)
{
    for (size_t i = 1; i < s->count; i++) {
        bool anew = s->value[i] < s->value[i - 1] ||
                    (s->has_starts && range_started_anew(s->start_ms[i - 1], s->unix_ms[i - 1],
                                                         s->start_ms[i], s->unix_ms[i]));
        if (anew)
            s->resets[s->reset_count++] = (uint32_t)i;
    }
}

static struct histogram *with_reset(struct evaluation *ev, struct range_stream *r,
                                    struct histogram *h, const struct histogram *earlier)
{
    if (h->reset != HISTOGRAM_RESET_UNKNOWN || !earlier)
        return h;
    struct histogram *told = evaluation_need(ev, arena_copy(&r->points->histograms, h, sizeof *h));
    told->reset = histogram_was_reset(h, earlier) ? HISTOGRAM_RESET : HISTOGRAM_NO_RESET;
    return told;
}

static void take_points(struct evaluation *ev, struct range_stream *r, const struct points *p)
{
    struct samples *s = &r->samples;
    const struct histogram *earlier = NULL;
    bool stats = plan_of(ev, r->of)->stats;
    reserve(ev, s, p->count, p->histogram);
    s->has_starts = p->start_unix_ms;
    for (size_t i = 0; i < p->count; i++) {
        struct histogram *h = p->histogram ? p->histogram[i] : NULL;
        if (!is_present(p->value[i]))
            continue;
        if (h) {
            s->histogram_unix_ms[s->histogram_count] = p->unix_ms[i];
            s->histogram[s->histogram_count++] = stats ? with_reset(ev, r, h, earlier) : h;
            earlier = h;
            continue;
        }
        s->unix_ms[s->count] = p->unix_ms[i];
        s->start_ms[s->count] = p->start_unix_ms ? p->start_unix_ms[i] : 0;
        s->value[s->count++] = p->value[i];
    }
    find_resets(s);
}

/* A subquery may pass over samples, or take one twice: what is known of resets no longer holds. */
static void take_column(struct evaluation *ev, struct range_stream *r, const struct column *c)
{
    struct samples *s = &r->samples;
    reserve(ev, s, c->count, c->histogram);
    for (size_t i = 0; i < c->count; i++) {
        struct histogram *h = column_histogram(c, i);
        int64_t at = grid_time(&r->inner->grid, i);
        if (!is_present(c->value[i]))
            continue;
        if (h) {
            if (h->reset == HISTOGRAM_RESET || h->reset == HISTOGRAM_NO_RESET) {
                h = evaluation_need(ev, arena_copy(c->arena, h, sizeof *h));
                h->reset = HISTOGRAM_RESET_UNKNOWN;
            }
            s->histogram_unix_ms[s->histogram_count] = at;
            s->histogram[s->histogram_count++] = h;
            continue;
        }
        s->unix_ms[s->count] = at;
        s->value[s->count++] = c->value[i];
    }
    find_resets(s);
}

static bool next_series(struct evaluation *ev, struct range_stream *r, struct column *out)
{
    if (r->inner) {
        if (!stream_next(ev, r->inner, r->column))
            return false;
        out->labels = r->column->labels;
        out->drop_name = !r->keeps_name || r->column->drop_name;
        take_column(ev, r, r->column);
        return true;
    }
    if (r->next == r->selection->count) {
        evaluation_release(ev, r->points->count);
        r->points->count = 0;
        return false;
    }
    r->at = r->next++;
    r->part_steps = r->call.stream.grid.count;
    r->part_bytes = ev->options.memory_bytes_max / HISTOGRAMS_PART;
    out->labels = r->selection->labels[r->at];
    out->drop_name = !r->keeps_name;
    return true;
}

/* What `count` steps from the one on look at. */
static struct span span_of(const struct evaluation *ev, const struct range_stream *r, size_t first,
                           size_t count)
{
    const struct node_plan *plan = plan_of(ev, r->of);
    struct grid steps = r->call.stream.grid;
    steps.start_ms = grid_time(&steps, first);
    steps.count = count;
    struct span span = selector_span(plan, &steps, plan->range_ms + r->before_ms);
    span.to_ms += r->after_ms;
    return span;
}

/* Parts are halved while that saves much: where a window is the most of a part, each sample would
 * be read again and again, and the query may rather hold more. */
static bool try_less(struct evaluation *ev, struct range_stream *r, size_t *count)
{
    uint64_t most = ev->options.memory_bytes_max / HISTOGRAMS_PART_LEAST;
    int64_t steps_ms = (int64_t)(*count / 2) * r->call.stream.grid.step_ms;
    if (r->part_bytes < most && steps_ms < plan_of(ev, r->of)->range_ms)
        r->part_bytes = most;
    else
        r->part_steps = *count = (*count + 1) / 2;
    return *count > 1;
}

/* The samples of the steps from `first` on: of all of them, or, where the histograms of so long a
 * time are more than may be held, of as many as it answers. */
static size_t read_steps(struct evaluation *ev, struct range_stream *r, size_t first)
{
    size_t left = r->call.stream.grid.count - first;
    size_t count = r->part_steps < left ? r->part_steps : left;
    if (r->inner)
        return left; /* taken already */
    bool whole = plan_of(ev, r->of)->has_at || count == 1;
    struct span span = span_of(ev, r, first, count);
    while (!whole && !evaluation_try_read(ev, r->selection, r->at, span.from_ms, span.to_ms,
                                          r->part_bytes, r->points)) {
        whole = !try_less(ev, r, &count);
        span = span_of(ev, r, first, count);
    }
    if (whole)
        evaluation_read(ev, r->selection, r->at, span.from_ms, span.to_ms, r->points);
    take_points(ev, r, r->points);
    return count;
}

/* ---- windows ----------------------------------------------------------------------------- */

struct edges {
    size_t begin, end, histogram_begin, histogram_end, reset;
};

static void move(const struct samples *s, struct edges *e, int64_t from, int64_t to)
{
    while (e->end < s->count && s->unix_ms[e->end] <= to)
        e->end++;
    while (e->begin < e->end && s->unix_ms[e->begin] <= from)
        e->begin++;
    while (e->histogram_end < s->histogram_count && s->histogram_unix_ms[e->histogram_end] <= to)
        e->histogram_end++;
    while (e->histogram_begin < e->histogram_end &&
           s->histogram_unix_ms[e->histogram_begin] <= from)
        e->histogram_begin++;
    while (e->reset < s->reset_count && s->resets[e->reset] <= e->begin)
        e->reset++;
}

static struct window window_of(const struct samples *s, const struct edges *e)
{
    size_t resets = e->reset;
    while (resets < s->reset_count && s->resets[resets] < e->end)
        resets++;
    return (struct window){
        .count = e->end - e->begin,
        .unix_ms = s->unix_ms + e->begin,
        .value = s->value + e->begin,
        .start_ms = s->has_starts ? s->start_ms + e->begin : NULL,
        .resets = s->resets + e->reset,
        .first = e->begin,
        .reset_count = resets - e->reset,
        .histogram_count = e->histogram_end - e->histogram_begin,
        .histogram_unix_ms = s->histogram_unix_ms + e->histogram_begin,
        .histogram = s->histogram + e->histogram_begin,
    };
}

static bool is_counters_name(struct batch_str name)
{
    static const char *const ends[] = {"_total", "_sum", "_count", "_bucket"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t length = strlen(ends[i]);
        if (name.length >= length &&
            memcmp(name.bytes + name.length - length, ends[i], length) == 0)
            return true;
    }
    return false;
}

static void doubt_counter(struct evaluation *ev, const struct range_call *c)
{
    struct batch_str name = metric_name(&c->labels);
    if ((c->id == PROMQL_FN_RATE || c->id == PROMQL_FN_INCREASE) && name.length > 0 &&
        !is_counters_name(name))
        annotate_info(ev, range_place(c),
                      "metric might not be a counter, name does not end in "
                      "_total/_sum/_count/_bucket: \"%.*s\"",
                      (int)name.length, name.bytes);
}

/* Steps [i, end), whose samples are there. Whether one is a float. */
static bool put_steps(struct evaluation *ev, struct range_stream *r, size_t i, size_t end,
                      struct column *out)
{
    const struct node_plan *plan = plan_of(ev, r->of);
    struct edges edges = {0};
    bool any_float = false;
    r->call.series++; /* for what functions keep of windows before */
    for (; i < end; i++) {
        int64_t at = grid_time(&r->call.stream.grid, i);
        int64_t to = (plan->has_at ? plan->at_ms : at) - plan->offset_ms;
        int64_t from = to - plan->range_ms;
        struct sample result = {0, NULL};
        out->value[i] = absent();
        move(&r->samples, &edges, from - r->before_ms, to + r->after_ms);
        struct window w = window_of(&r->samples, &edges);
        if (w.count + w.histogram_count == 0)
            continue;
        w.from_ms = from;
        w.to_ms = to;
        w.at_ms = at;
        r->call.step = i;
        if (!r->call.function(ev, &r->call, &w, &result))
            continue;
        if (result.histogram) {
            column_put_histogram(ev, out, i, result.histogram);
        } else {
            out->value[i] = result.value;
            any_float = true;
        }
    }
    return any_float;
}

static bool next_range(struct evaluation *ev, struct stream *stream, struct column *out)
{
    struct range_stream *r = (struct range_stream *)stream;
    bool any_float = false;
    if (!next_series(ev, r, out))
        return false;
    r->call.labels = out->labels;
    r->call.arena = out->arena;
    for (size_t first = 0; first < out->count;) {
        size_t end = first + read_steps(ev, r, first);
        any_float = put_steps(ev, r, first, end, out) || any_float;
        first = end;
    }
    if (any_float)
        doubt_counter(ev, &r->call);
    return true;
}

/* ---- opening ----------------------------------------------------------------------------- */

static bool (*function_of(enum promql_function_id id,
                          bool extended))(struct evaluation *, const struct range_call *,
                                          const struct window *, struct sample *)
{
    switch (id) {
    case PROMQL_FN_RATE:
    case PROMQL_FN_INCREASE:
    case PROMQL_FN_DELTA:
        return extended ? range_extended : range_rate;
    case PROMQL_FN_IRATE:
    case PROMQL_FN_IDELTA:
        return range_instant;
    case PROMQL_FN_CHANGES:
    case PROMQL_FN_RESETS:
        return range_changes;
    case PROMQL_FN_SUM_OVER_TIME:
    case PROMQL_FN_AVG_OVER_TIME:
        return range_sum;
    case PROMQL_FN_MIN_OVER_TIME:
    case PROMQL_FN_MAX_OVER_TIME:
    case PROMQL_FN_TS_OF_MIN_OVER_TIME:
    case PROMQL_FN_TS_OF_MAX_OVER_TIME:
        return range_extreme;
    case PROMQL_FN_STDDEV_OVER_TIME:
    case PROMQL_FN_STDVAR_OVER_TIME:
    case PROMQL_FN_MAD_OVER_TIME:
    case PROMQL_FN_QUANTILE_OVER_TIME:
        return range_spread;
    case PROMQL_FN_DERIV:
    case PROMQL_FN_PREDICT_LINEAR:
    case PROMQL_FN_DOUBLE_EXPONENTIAL_SMOOTHING:
        return range_line;
    default:
        return range_edge;
    }
}

static void check_extended(struct evaluation *ev, const struct range_call *c)
{
    bool rates = c->function == range_extended;
    const char *name = c->stream.expr->function->name;
    if (c->anchored && !rates && c->function != range_changes)
        evaluation_fail(ev, PROMQL_FAILED,
                        "anchored modifier can only be used with: changes, delta, increase, rate, "
                        "resets - not with %s",
                        name);
    if (c->smoothed && !rates)
        evaluation_fail(ev, PROMQL_FAILED,
                        "smoothed modifier can only be used with: delta, increase, rate - not with "
                        "%s",
                        name);
}

static void open_selector(struct evaluation *ev, struct range_stream *r)
{
    const struct node_plan *plan = plan_of(ev, r->of);
    int64_t lookback = ev->options.lookback_ms;
    r->call.anchored = r->of->selector.anchored;
    r->call.smoothed = r->of->selector.smoothed;
    r->before_ms = r->call.anchored || r->call.smoothed ? lookback : 0;
    r->after_ms = r->call.smoothed ? lookback : 0;
    r->span = selector_span(plan, &r->call.stream.grid, plan->range_ms + r->before_ms);
    r->span.to_ms += r->after_ms;
    r->points = evaluation_points(ev);
    r->selection = evaluation_select(ev, selector_matchers(ev, r->of),
                                     r->of->selector.matcher_count, r->span.from_ms, r->span.to_ms);
}

/* Its steps are multiples of its step, so that they do not depend on when it is asked. */
static struct grid subquery_grid(struct evaluation *ev, const struct node_plan *plan,
                                 const struct grid *outer)
{
    int64_t first = plan->has_at ? plan->at_ms : outer->start_ms;
    int64_t last = plan->has_at ? plan->at_ms : grid_time(outer, outer->count - 1);
    int64_t after = first - plan->offset_ms - plan->range_ms;
    int64_t start = after / plan->step_ms * plan->step_ms;
    if (start <= after)
        start += plan->step_ms;
    return grid_between(ev, start, last - plan->offset_ms, plan->step_ms);
}

static bool next_of_none(struct evaluation *ev, struct stream *s, struct column *out)
{
    (void)ev, (void)s, (void)out;
    return false;
}

static void open_subquery(struct evaluation *ev, struct range_stream *r)
{
    struct grid inner = subquery_grid(ev, plan_of(ev, r->of), &r->call.stream.grid);
    if (inner.count == 0) {
        r->inner = evaluation_calloc(ev, 1, sizeof *r->inner);
        *r->inner = (struct stream){next_of_none, r->of, inner};
        inner.count = 1;
    } else {
        r->inner = stream_open(ev, r->of->args[0], &inner);
    }
    r->column = column_create(ev, inner.count, true);
}

OPENS(range_call_open)
{
    struct range_stream *r = evaluation_calloc(ev, 1, sizeof *r);
    uint32_t scalars = 0;
    r->call.stream = (struct stream){next_range, e, *grid};
    r->call.id = e->function->id;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (e->args[i]->type == PROMQL_MATRIX)
            r->of = promql_bare(e->args[i]);
        else
            r->call.arguments[scalars++] = scalar_values(ev, e->args[i], grid);
    }
    r->keeps_name =
        r->call.id == PROMQL_FN_LAST_OVER_TIME || r->call.id == PROMQL_FN_FIRST_OVER_TIME;
    r->call.range_ms = plan_of(ev, r->of)->range_ms;
    if (r->of->form == PROMQL_SELECTOR)
        open_selector(ev, r);
    else
        open_subquery(ev, r);
    r->call.function = function_of(r->call.id, r->call.anchored || r->call.smoothed);
    check_extended(ev, &r->call);
    if (r->call.function == range_extreme)
        r->call.extremes = extremes_create(ev);
    if (r->call.function == range_sum)
        r->call.sums = sliding_sum_create(ev);
    if (r->call.function == range_spread)
        r->call.values = spread_values_create(ev);
    return &r->call.stream;
}
