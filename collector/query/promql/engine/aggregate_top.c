// SPDX-License-Identifier: Apache-2.0
/* topk, bottomk and limitk keep some samples of each group at each step; limit_ratio keeps series
 * by a hash of their labels, which is Prometheus', so that both keep the same. */
#include <stdlib.h>
#include <string.h>

#include "collector/query/promql/engine/annotations.h"
#include "collector/query/promql/engine/grouping.h"
#include "collector/query/promql/engine/nodes.h"

struct kept {
    double value;
    struct histogram *histogram;
    uint32_t series;
};

/* A heap: the first is the one to be replaced. */
struct heap {
    uint32_t count, capacity;
    struct kept *list;
};

struct top {
    const struct promql_expr *e;
    enum promql_aggregate op;
    const double *k;
    struct grouping groups; /* states: heaps, one for each step */
    struct labels *labels;  /* of all series that were seen */
    uint8_t *drop_name;
    uint32_t series, capacity;
};

/* Whether a is worse than b: NaN is the worst both ways. */
static bool is_worse(enum promql_aggregate op, double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && !isnan(b);
    return op == PROMQL_TOPK ? a < b : a > b;
}

static void sink(struct heap *h, enum promql_aggregate op, uint32_t i)
{
    for (;;) {
        uint32_t least = i, left = 2 * i + 1;
        for (uint32_t child = left; child < left + 2 && child < h->count; child++)
            if (is_worse(op, h->list[child].value, h->list[least].value))
                least = child;
        if (least == i)
            return;
        struct kept swap = h->list[i];
        h->list[i] = h->list[least];
        h->list[least] = swap;
        i = least;
    }
}

static void rise(struct heap *h, enum promql_aggregate op, uint32_t i)
{
    while (i > 0 && is_worse(op, h->list[i].value, h->list[(i - 1) / 2].value)) {
        struct kept swap = h->list[i];
        h->list[i] = h->list[(i - 1) / 2];
        h->list[(i - 1) / 2] = swap;
        i = (i - 1) / 2;
    }
}

static void push(struct evaluation *ev, struct heap *h, const struct top *t, double k,
                 struct kept sample)
{
    if (h->count >= k) {
        if (t->op == PROMQL_LIMITK || !is_worse(t->op, h->list[0].value, sample.value))
            return;
        h->list[0] = sample;
        sink(h, t->op, 0);
        return;
    }
    if (h->count == h->capacity) {
        uint32_t capacity = h->capacity ? h->capacity * 2 : k < 8 ? (uint32_t)k + 1 : 8;
        struct kept *grown = evaluation_alloc(ev, capacity * sizeof *grown);
        if (h->count)
            memcpy(grown, h->list, h->count * sizeof *grown);
        h->list = grown;
        h->capacity = capacity;
    }
    if (sample.histogram)
        sample.histogram = evaluation_need(ev, histogram_copy(ev->arena, sample.histogram));
    h->list[h->count++] = sample;
    evaluation_hold(ev, 1);
    if (t->op != PROMQL_LIMITK)
        rise(h, t->op, h->count - 1);
}

static uint32_t add_series(struct evaluation *ev, struct top *t, const struct column *c)
{
    if (t->series == t->capacity) {
        uint32_t capacity = t->capacity ? t->capacity * 2 : 64;
        struct labels *labels = evaluation_alloc(ev, capacity * sizeof *labels);
        uint8_t *drop = evaluation_alloc(ev, capacity);
        if (t->series) {
            memcpy(labels, t->labels, t->series * sizeof *labels);
            memcpy(drop, t->drop_name, t->series);
        }
        t->labels = labels;
        t->drop_name = drop;
        t->capacity = capacity;
    }
    t->labels[t->series] = c->labels;
    t->drop_name[t->series] = c->drop_name;
    return t->series++;
}

static void add_column(struct evaluation *ev, struct top *t, const struct column *c)
{
    bool added;
    if (column_is_empty(c))
        return;
    uint32_t group = grouping_add(ev, &t->groups, t->e, &c->labels, &added);
    if (added)
        t->groups.states[group] = evaluation_calloc(ev, c->count, sizeof(struct heap));
    struct heap *heaps = t->groups.states[group];
    uint32_t series = add_series(ev, t, c);
    for (size_t i = 0; i < c->count; i++) {
        struct histogram *h = column_histogram(c, i);
        if (!is_present(c->value[i]) || t->k[i] < 1)
            continue;
        if (h && t->op != PROMQL_LIMITK)
            annotate_ignored_in_aggregation(ev, t->e->place, promql_aggregate_name(t->op));
        else
            push(ev, &heaps[i], t, floor(t->k[i]), (struct kept){c->value[i], h, series});
    }
}

/* ---- results ----------------------------------------------------------------------------- */

static int compare_kept(const void *a, const void *b, void *op)
{
    const struct kept *x = a, *y = b;
    enum promql_aggregate which = *(enum promql_aggregate *)op;
    if (which == PROMQL_LIMITK)
        return 0;
    int order = is_worse(which, x->value, y->value) - is_worse(which, y->value, x->value);
    return order ? order : (x->series > y->series) - (x->series < y->series);
}

static struct column *column_of(struct evaluation *ev, const struct top *t, struct column **columns,
                                struct column_list *out, uint32_t series, size_t steps)
{
    if (!columns[series]) {
        struct column *c = column_create(ev, steps, false);
        column_clear(c);
        c->labels = t->labels[series];
        c->drop_name = t->drop_name[series];
        columns[series] = c;
        column_list_add(ev, out, c);
    }
    return columns[series];
}

/* In an instant query each group's best come first. */
static struct column_list results(struct evaluation *ev, struct top *t, size_t steps)
{
    struct column_list out = {0};
    struct column **columns = evaluation_calloc(ev, t->series + 1, sizeof(struct column *));
    for (uint32_t g = 0; g < t->groups.index.count; g++) {
        struct heap *heaps = t->groups.states[g];
        for (size_t i = 0; i < steps; i++) {
            struct heap *h = &heaps[i];
            if (steps == 1 && h->count)
                qsort_r(h->list, h->count, sizeof *h->list, compare_kept, &t->op);
            for (uint32_t j = 0; j < h->count; j++) {
                struct column *c = column_of(ev, t, columns, &out, h->list[j].series, steps);
                if (h->list[j].histogram)
                    column_put_histogram(ev, c, i, h->list[j].histogram);
                else
                    c->value[i] = h->list[j].value;
            }
        }
    }
    return out;
}

static const double *parameter(struct evaluation *ev, const struct promql_expr *e,
                               const struct grid *grid)
{
    bool ratio = e->aggregation.op == PROMQL_LIMIT_RATIO;
    const double *k = scalar_values(ev, e->args[1], grid);
    for (size_t i = 0; i < grid->count; i++) {
        if (isnan(k[i]))
            evaluation_fail(ev, PROMQL_FAILED,
                            ratio ? "Ratio value is NaN" : "Parameter value is NaN");
        if (!ratio && !(fabs(k[i]) < 9.2e18))
            evaluation_fail(ev, PROMQL_FAILED, "Scalar value %g overflows int64", k[i]);
    }
    return k;
}

OPENS(top_open)
{
    struct top t = {.e = e, .op = e->aggregation.op, .k = parameter(ev, e, grid)};
    struct stream *of = stream_open(ev, e->args[0], grid);
    struct column *c = column_create(ev, grid->count, true);
    while (stream_next(ev, of, c))
        add_column(ev, &t, c);
    return stream_of_list(ev, e, grid, results(ev, &t, grid->count));
}

/* ---- limit_ratio ------------------------------------------------------------------------- */

struct ratio {
    struct stream stream;
    struct stream *of;
    const double *ratio;
};

static bool next_in_ratio(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct ratio *r = (struct ratio *)s;
    if (!stream_next(ev, r->of, out))
        return false;
    double at = (double)labels_stable_hash(ev, &out->labels) / (double)UINT64_MAX;
    for (size_t i = 0; i < out->count; i++) {
        double ratio = r->ratio[i];
        if (!is_present(out->value[i]) || (ratio >= 0 ? at < ratio || ratio >= 1 : at >= 1 + ratio))
            continue;
        out->value[i] = absent();
        if (out->histogram)
            out->histogram[i] = NULL;
    }
    return true;
}

OPENS(limit_ratio_open)
{
    struct ratio *r = evaluation_calloc(ev, 1, sizeof *r);
    r->stream = (struct stream){next_in_ratio, e, *grid};
    r->ratio = parameter(ev, e, grid);
    for (size_t i = 0; i < grid->count; i++)
        if (fabs(r->ratio[i]) > 1)
            annotate_warning(ev, e->args[1]->place,
                             "ratio value should be between -1 and 1, got %g, capping to %g",
                             r->ratio[i], r->ratio[i] > 0 ? 1.0 : -1.0);
    r->of = stream_open(ev, e->args[0], grid);
    return &r->stream;
}
