// SPDX-License-Identifier: Apache-2.0
/* sum, avg, count, min, max, group, stddev, stdvar: each series is added to its group's state and
 * forgotten. A group's state is an array over the steps. */
#include "collector/query/promql/engine/annotations.h"
#include "collector/query/promql/engine/grouping.h"
#include "collector/query/promql/engine/histogram_sum.h"
#include "collector/query/promql/engine/kahan.h"
#include "collector/query/promql/engine/nodes.h"

enum { LEFT_BYTES_MOST = 1 << 20 };

struct spread {
    double count, mean, sum;
};

struct state {
    uint8_t *floats; /* whether there was one, at each step */
    double *value;   /* count, min, max, group */
    struct kahan *sum;
    struct kahan_mean *mean;
    struct spread *spread;
    struct histogram_sum **histograms; /* NULL until there is one */
};

struct aggregation {
    struct stream stream;
    enum promql_aggregate op;
    struct language_place at;
    struct grouping groups;
    /* Sums of histograms. One whose buckets become more leaves its old ones behind: now and then
     * the sums move to the other arena, without these. */
    struct arena *arena, *other;
    size_t moved_bytes; /* what they took then */
    uint32_t next;
};

static struct state *new_state(struct evaluation *ev, enum promql_aggregate op, size_t steps)
{
    struct state *s = evaluation_calloc(ev, 1, sizeof *s);
    s->floats = evaluation_calloc(ev, steps, 1);
    if (op == PROMQL_SUM)
        s->sum = evaluation_calloc(ev, steps, sizeof *s->sum);
    else if (op == PROMQL_AVG)
        s->mean = evaluation_calloc(ev, steps, sizeof *s->mean);
    else if (op == PROMQL_STDDEV || op == PROMQL_STDVAR)
        s->spread = evaluation_calloc(ev, steps, sizeof *s->spread);
    else
        s->value = evaluation_calloc(ev, steps, sizeof *s->value);
    evaluation_hold(ev, steps);
    return s;
}

/* ---- adding ------------------------------------------------------------------------------ */

static void add_histogram(struct evaluation *ev, struct aggregation *a, struct state *s,
                          const struct column *c, size_t i)
{
    struct histogram *h = c->histogram[i];
    switch (a->op) {
    case PROMQL_SUM:
    case PROMQL_AVG: {
        if (!s->histograms)
            s->histograms = evaluation_calloc(ev, c->count, sizeof(struct histogram_sum *));
        if (!s->histograms[i]) {
            s->histograms[i] = evaluation_calloc(ev, 1, sizeof *s->histograms[i]);
            s->histograms[i]->mean = a->op == PROMQL_AVG;
        }
        bool mixed = s->histograms[i]->mixed;
        histogram_sum_add(ev, s->histograms[i], h, a->arena);
        if (s->histograms[i]->mixed && !mixed)
            annotate_mixed_schemas(ev, a->at, metric_name(&c->labels));
        break;
    }
    case PROMQL_COUNT:
        s->value[i]++;
        s->floats[i] = 1;
        break;
    case PROMQL_GROUP:
        s->value[i] = 1;
        s->floats[i] = 1;
        break;
    default:
        annotate_ignored_in_aggregation(ev, a->at, promql_aggregate_name(a->op));
    }
}

static void add_spread(struct spread *s, double value, bool first)
{
    if (first) {
        *s = (struct spread){1, value, isfinite(value) ? 0 : NAN};
        return;
    }
    double difference = value - s->mean;
    s->count++;
    s->mean += difference / s->count;
    s->sum += difference * (value - s->mean);
}

static void add_value(enum promql_aggregate op, double *to, double value, bool first)
{
    if (op == PROMQL_COUNT)
        *to += 1;
    else if (op == PROMQL_GROUP)
        *to = 1;
    else if (first || isnan(*to) || (op == PROMQL_MAX ? value > *to : value < *to))
        *to = value;
}

static void add_float(const struct aggregation *a, struct state *s, double value, size_t i)
{
    bool first = !s->floats[i];
    s->floats[i] = 1;
    if (s->sum) {
        if (first)
            s->sum[i].sum = value;
        else
            kahan_add(&s->sum[i], value);
    } else if (s->mean) {
        kahan_mean_add(&s->mean[i], value);
    } else if (s->spread) {
        add_spread(&s->spread[i], value, first);
    } else {
        add_value(a->op, &s->value[i], value, first);
    }
}

static void move_sums(struct evaluation *ev, struct aggregation *a)
{
    for (uint32_t group = 0; group < a->groups.index.count; group++) {
        struct state *s = a->groups.states[group];
        for (size_t i = 0; s->histograms && i < a->stream.grid.count; i++) {
            struct histogram_sum *h = s->histograms[i];
            if (!h || !h->sum)
                continue;
            h->sum = evaluation_need(ev, histogram_copy(a->other, h->sum));
            h->lost = evaluation_need(ev, histogram_copy(a->other, h->lost));
        }
    }
    struct arena *left = a->arena;
    arena_fini(left);
    a->arena = a->other;
    a->other = left;
    a->moved_bytes = a->arena->total_bytes;
}

static void add_column(struct evaluation *ev, struct aggregation *a, const struct column *c)
{
    bool added;
    if (column_is_empty(c))
        return;
    uint32_t group = grouping_add(ev, &a->groups, a->stream.expr, &c->labels, &added);
    if (added)
        a->groups.states[group] = new_state(ev, a->op, c->count);
    struct state *s = a->groups.states[group];
    a->groups.drop_name[group] |= c->drop_name;
    for (size_t i = 0; i < c->count; i++) {
        if (!is_present(c->value[i]))
            continue;
        if (column_histogram(c, i))
            add_histogram(ev, a, s, c, i);
        else
            add_float(a, s, c->value[i], i);
    }
    if (a->arena->total_bytes > 2 * a->moved_bytes + LEFT_BYTES_MOST)
        move_sums(ev, a);
}

/* ---- results ----------------------------------------------------------------------------- */

static double float_result(const struct aggregation *a, const struct state *s, size_t i)
{
    if (s->sum)
        return s->sum[i].sum + s->sum[i].lost;
    if (s->mean)
        return kahan_mean(&s->mean[i]);
    if (s->spread) {
        double variance = s->spread[i].sum / s->spread[i].count;
        return a->op == PROMQL_STDDEV ? sqrt(variance) : variance;
    }
    return s->value[i];
}

static void put_result(struct evaluation *ev, struct aggregation *a, const struct state *s,
                       struct column *out, size_t i)
{
    struct histogram_sum *h = s->histograms ? s->histograms[i] : NULL;
    if (h && s->floats[i]) {
        annotate_warning(ev, a->at, "encountered a mix of histograms and floats for aggregation");
        return;
    }
    if (h) {
        struct histogram *sum = histogram_sum_finish(ev, h, out->arena);
        histogram_sum_annotate(ev, h, a->at);
        if (sum)
            column_put_histogram(ev, out, i, sum);
    } else if (s->floats[i]) {
        out->value[i] = float_result(a, s, i);
    }
}

static bool next_group(struct evaluation *ev, struct stream *stream, struct column *out)
{
    struct aggregation *a = (struct aggregation *)stream;
    if (a->next == a->groups.index.count)
        return false;
    uint32_t group = a->next++;
    out->labels = a->groups.index.keys[group];
    out->drop_name = a->groups.drop_name[group];
    for (size_t i = 0; i < out->count; i++) {
        out->value[i] = absent();
        put_result(ev, a, a->groups.states[group], out, i);
    }
    return true;
}

OPENS(aggregation_open)
{
    struct aggregation *a = evaluation_calloc(ev, 1, sizeof *a);
    a->stream = (struct stream){next_group, e, *grid};
    a->op = e->aggregation.op;
    a->at = e->args[0]->place;
    a->arena = evaluation_arena(ev);
    a->other = evaluation_arena(ev);
    struct stream *of = stream_open(ev, e->args[0], grid);
    struct column *c = column_create(ev, grid->count, true);
    while (stream_next(ev, of, c))
        add_column(ev, a, c);
    return &a->stream;
}
