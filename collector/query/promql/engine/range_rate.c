// SPDX-License-Identifier: Apache-2.0
/* rate, increase, delta: from the first to the last sample of the window, and a little beyond where
 * the window's ends are near. irate, idelta: of the last two samples. */
#include "collector/query/promql/engine/annotations.h"
#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/range.h"

bool range_is_counter(const struct range_call *c)
{
    return c->id == PROMQL_FN_RATE || c->id == PROMQL_FN_INCREASE || c->id == PROMQL_FN_IRATE;
}

static struct batch_str name_of(const struct range_call *c)
{
    return metric_name(&c->labels);
}

/* ---- histograms -------------------------------------------------------------------------- */

bool range_add(struct evaluation *ev, const struct range_call *c, struct histogram *to,
               const struct histogram *h, double sign)
{
    struct histogram_notes notes = {false, false};
    int fault = histogram_add(c->arena, to, NULL, h, sign, &notes);
    if (fault == HISTOGRAM_ENOMEM)
        evaluation_need(ev, NULL);
    if (fault != HISTOGRAM_SOUND)
        annotate_mixed_schemas(ev, range_place(c), name_of(c));
    else if (notes.reconciled)
        annotate_reconciled(ev, range_place(c), sign < 0 ? "subtraction" : "addition");
    return fault == HISTOGRAM_SOUND;
}

/* What is subtracted: the first, or nothing where counting began anew with the second. */
static const struct histogram *first_of(struct evaluation *ev, const struct range_call *c,
                                        const struct window *w)
{
    const struct histogram *first = w->histogram[0], *second = w->histogram[1];
    if (!range_is_counter(c) || !histogram_was_reset(second, first))
        return first;
    struct histogram *nothing = evaluation_need(ev, arena_calloc(c->arena, 1, sizeof *nothing));
    nothing->schema = second->schema;
    nothing->custom = second->custom;
    nothing->custom_count = second->custom_count;
    return nothing;
}

/* Whether all have buckets of one kind; the lowest schema. Tells gauges that are taken for
 * counters. */
static bool look_over(struct evaluation *ev, const struct range_call *c, const struct window *w,
                      const struct histogram *first, int *schema)
{
    size_t last = w->histogram_count - 1;
    bool custom = histogram_is_custom(first);
    if (range_is_counter(c) &&
        (w->histogram[0]->reset == HISTOGRAM_GAUGE || w->histogram[last]->reset == HISTOGRAM_GAUGE))
        annotate_not_counter(ev, range_place(c), name_of(c));
    bool mixed = histogram_is_custom(w->histogram[last]) != custom;
    *schema =
        first->schema < w->histogram[last]->schema ? first->schema : w->histogram[last]->schema;
    for (size_t i = 1; i < last && range_is_counter(c) && !mixed; i++) {
        const struct histogram *h = w->histogram[i];
        if (h->reset == HISTOGRAM_GAUGE)
            annotate_not_counter(ev, range_place(c), name_of(c));
        if (h->schema < *schema)
            *schema = h->schema;
        mixed = histogram_is_custom(h) != custom;
    }
    if (mixed)
        annotate_mixed_schemas(ev, range_place(c), name_of(c));
    return !mixed;
}

/* NULL: there is no rate, which is told. */
static struct histogram *histogram_increase(struct evaluation *ev, const struct range_call *c,
                                            const struct window *w)
{
    size_t last = w->histogram_count - 1;
    const struct histogram *earlier = first_of(ev, c, w);
    int schema;
    if (!look_over(ev, c, w, earlier, &schema))
        return NULL;
    struct histogram *h = evaluation_need(ev, histogram_copy(c->arena, w->histogram[last]));
    if (!histogram_is_custom(h))
        histogram_downscale(c->arena, h, schema);
    if (!range_add(ev, c, h, earlier, -1))
        return NULL;
    for (size_t i = 1; i <= last && range_is_counter(c); i++) {
        if (histogram_was_reset(w->histogram[i], earlier) && !range_add(ev, c, h, earlier, 1))
            return NULL;
        earlier = w->histogram[i];
    }
    if (!range_is_counter(c) &&
        (w->histogram[0]->reset != HISTOGRAM_GAUGE || w->histogram[last]->reset != HISTOGRAM_GAUGE))
        annotate_not_gauge(ev, range_place(c), name_of(c));
    h->reset = HISTOGRAM_GAUGE;
    histogram_compact(h);
    return h;
}

/* ---- extrapolation ----------------------------------------------------------------------- */

struct run {
    int64_t first_ms, last_ms;
    double gap_s;     /* between two samples, on average */
    double increase;  /* of the value, or of the histogram's count */
    double first;     /* value, or count */
    bool begins_here; /* the counter is known to have begun at first_ms */
};

/* By what the increase is multiplied so that it is the window's. A series is taken to go on beyond
 * its samples to the window's end if that is about where another sample would be, else by half of
 * the gap; and a counter not beyond where it would be 0. */
static double stretch(const struct range_call *c, const struct window *w, const struct run *r)
{
    double sampled = (double)(r->last_ms - r->first_ms) / 1000;
    double before = (double)(r->first_ms - w->from_ms) / 1000;
    double after = (double)(w->to_ms - r->last_ms) / 1000;
    double near = r->gap_s * 1.1;
    if (before >= near)
        before = r->gap_s / 2;
    if (range_is_counter(c) && r->increase > 0 && r->first >= 0) {
        double to_zero = sampled * (r->first / r->increase);
        if (to_zero < before)
            before = to_zero;
    }
    if (r->begins_here)
        before = 0;
    if (after >= near)
        after = r->gap_s / 2;
    double factor = (sampled + before + after) / sampled;
    return c->id == PROMQL_FN_RATE ? factor / ((double)c->range_ms / 1000) : factor;
}

static bool float_rate(const struct range_call *c, const struct window *w, struct sample *out)
{
    size_t last = w->count - 1;
    int64_t start = w->start_ms && range_is_counter(c) ? w->start_ms[0] : 0;
    bool begins = start != 0 && start > w->from_ms && start < w->unix_ms[0];
    if (last == 0 && !begins)
        return false;
    struct run r = {.first_ms = begins ? start : w->unix_ms[0],
                    .last_ms = w->unix_ms[last],
                    .first = begins ? 0 : w->value[0],
                    .begins_here = begins};
    r.gap_s = last > 0 ? (double)(r.last_ms - w->unix_ms[0]) / 1000 / (double)last : 0;
    r.increase = w->value[last] - r.first;
    for (size_t i = 0; i < w->reset_count && range_is_counter(c); i++)
        r.increase += w->value[w->resets[i] - w->first - 1];
    out->value = r.increase * stretch(c, w, &r);
    return true;
}

RANGE_FUNCTION(range_rate)
{
    if (w->count > 0 && w->histogram_count > 0) {
        annotate_mixed(ev, range_place(c), name_of(c));
        return false;
    }
    if (w->count > 0)
        return float_rate(c, w, out);
    if (w->histogram_count < 2)
        return false;
    size_t last = w->histogram_count - 1;
    struct histogram *h = histogram_increase(ev, c, w);
    if (!h)
        return false;
    struct run r = {.first_ms = w->histogram_unix_ms[0],
                    .last_ms = w->histogram_unix_ms[last],
                    .first = w->histogram[0]->count,
                    .increase = h->count};
    r.gap_s = (double)(r.last_ms - r.first_ms) / 1000 / (double)last;
    histogram_multiply(h, stretch(c, w, &r));
    out->histogram = h;
    return true;
}

/* ---- irate, idelta ----------------------------------------------------------------------- */

struct late {
    int64_t unix_ms, start_ms;
    double value;
    const struct histogram *histogram;
};

/* The i-th sample from the end (0 or 1), of both kinds. */
static bool late_sample(const struct window *w, size_t from_end, struct late *out)
{
    size_t f = w->count, h = w->histogram_count;
    for (size_t i = 0; i <= from_end; i++) {
        if (f + h == 0)
            return false;
        if (h == 0 || (f > 0 && w->unix_ms[f - 1] > w->histogram_unix_ms[h - 1])) {
            f--;
            *out =
                (struct late){w->unix_ms[f], w->start_ms ? w->start_ms[f] : 0, w->value[f], NULL};
        } else {
            h--;
            *out = (struct late){w->histogram_unix_ms[h], 0, 0, w->histogram[h]};
        }
    }
    return true;
}

static bool instant_histogram(struct evaluation *ev, const struct range_call *c,
                              const struct late *a, const struct late *b, double seconds,
                              struct sample *out)
{
    bool gauges = a->histogram->reset == HISTOGRAM_GAUGE && b->histogram->reset == HISTOGRAM_GAUGE;
    bool any = a->histogram->reset == HISTOGRAM_GAUGE || b->histogram->reset == HISTOGRAM_GAUGE;
    if (range_is_counter(c) && any)
        annotate_not_counter(ev, range_place(c), name_of(c));
    if (!range_is_counter(c) && !gauges)
        annotate_not_gauge(ev, range_place(c), name_of(c));
    struct histogram *h = evaluation_need(ev, histogram_copy(c->arena, b->histogram));
    if ((!range_is_counter(c) || !histogram_was_reset(b->histogram, a->histogram)) &&
        !range_add(ev, c, h, a->histogram, -1))
        return false;
    h->reset = HISTOGRAM_GAUGE;
    histogram_compact(h);
    if (range_is_counter(c))
        histogram_divide(h, seconds);
    out->histogram = h;
    return true;
}

RANGE_FUNCTION(range_instant)
{
    struct late a, b;
    if (!late_sample(w, 1, &a) || !late_sample(w, 0, &b) || a.unix_ms == b.unix_ms)
        return false;
    double seconds = (double)(b.unix_ms - a.unix_ms) / 1000;
    if (!a.histogram != !b.histogram) {
        annotate_mixed(ev, range_place(c), name_of(c));
        return false;
    }
    if (b.histogram)
        return instant_histogram(ev, c, &a, &b, seconds, out);
    bool anew =
        b.value < a.value || range_started_anew(a.start_ms, a.unix_ms, b.start_ms, b.unix_ms);
    out->value = range_is_counter(c) && anew ? b.value : b.value - a.value;
    if (range_is_counter(c))
        out->value /= seconds;
    return true;
}

/* ---- changes, resets --------------------------------------------------------------------- */

static bool differs(const struct range_call *c, const struct late *a, const struct late *b)
{
    if (!a->histogram != !b->histogram)
        return true;
    if (c->id == PROMQL_FN_CHANGES)
        return b->histogram ? !histogram_equal(b->histogram, a->histogram)
                            : b->value != a->value && !(isnan(b->value) && isnan(a->value));
    if (b->histogram)
        return histogram_was_reset(b->histogram, a->histogram);
    return b->value < a->value ||
           range_started_anew(a->start_ms, a->unix_ms, b->start_ms, b->unix_ms);
}

/* Whether there is a sample within the window, not only before it. */
static bool reaches(const int64_t *unix_ms, size_t count, int64_t from_ms)
{
    return count > 0 && unix_ms[count - 1] > from_ms;
}

RANGE_FUNCTION(range_changes)
{
    size_t f = 0, h = 0, seen = 0, count = 0;
    struct late earlier = {0}, now;
    (void)ev;
    if (c->anchored) {
        if (!reaches(w->unix_ms, w->count, w->from_ms) &&
            !reaches(w->histogram_unix_ms, w->histogram_count, w->from_ms))
            return false;
        f = range_anchor(w->unix_ms, w->count, w->from_ms);
        h = range_anchor(w->histogram_unix_ms, w->histogram_count, w->from_ms);
    }
    for (; f < w->count || h < w->histogram_count; seen++) {
        if (h == w->histogram_count || (f < w->count && w->unix_ms[f] < w->histogram_unix_ms[h])) {
            now = (struct late){w->unix_ms[f], w->start_ms ? w->start_ms[f] : 0, w->value[f], NULL};
            f++;
        } else {
            now = (struct late){w->histogram_unix_ms[h], 0, 0, w->histogram[h]};
            h++;
        }
        if (seen > 0)
            count += differs(c, &earlier, &now);
        earlier = now;
    }
    out->value = (double)count;
    return true;
}
