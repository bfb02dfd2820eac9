// SPDX-License-Identifier: Apache-2.0
/* histogram_quantile, histogram_quantiles and histogram_fraction, of native and of classic
 * histograms. Where a step has both of one name and the same labels, it has no result. */
#include <stdio.h>
#include <stdlib.h>

#include "collector/query/promql/engine/classic.h"
#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/nodes.h"
#include "collector/query/promql/print.h"

/* What is asked: a quantile, or a fraction. */
struct question {
    bool fraction;
    const double *q;              /* for each step; or the fraction's lower bound */
    const double *upper;          /* of a fraction */
    struct batch_str label, text; /* of histogram_quantiles: set in the result */
    struct language_place at;
};

/* One classic histogram: its buckets' series. */
struct classic {
    struct labels labels; /* without le */
    uint32_t count, capacity;
    struct member {
        struct column *column;
        double upper;
    } * members;
    bool drop_name;
};

struct inputs {
    const struct promql_expr *e;
    const struct grid *grid;
    struct language_place at; /* of the vector */
    struct column_list natives;
    struct labels_index index;
    uint32_t capacity;
    struct classic *classics;
    uint32_t widest;
};

static const struct batch_str LE = {"le", 2};

/* ---- taking in --------------------------------------------------------------------------- */

static struct classic *classic_of(struct evaluation *ev, struct inputs *in,
                                  const struct labels *labels)
{
    bool added;
    struct labelset s;
    labelset_begin(&s, labels);
    labelset_drop_one(&s, LE);
    struct labels key = labelset_view(&s);
    uint32_t at = labels_index_add(ev, &in->index, &key, &added);
    if (at >= in->capacity) {
        struct classic *grown = evaluation_calloc(ev, in->index.capacity, sizeof *grown);
        for (uint32_t i = 0; i < in->capacity; i++)
            grown[i] = in->classics[i];
        in->classics = grown;
        in->capacity = in->index.capacity;
    }
    in->classics[at].labels = in->index.keys[at];
    return &in->classics[at];
}

static void add_member(struct evaluation *ev, struct inputs *in, struct classic *c,
                       struct column *column, double upper)
{
    if (c->count == c->capacity) {
        uint32_t capacity = c->capacity ? c->capacity * 2 : 16;
        struct member *grown = evaluation_alloc(ev, capacity * sizeof *grown);
        for (uint32_t i = 0; i < c->count; i++)
            grown[i] = c->members[i];
        c->members = grown;
        c->capacity = capacity;
    }
    c->members[c->count++] = (struct member){column, upper};
    c->drop_name |= column->drop_name;
    if (c->count > in->widest)
        in->widest = c->count;
}

static bool has_floats(const struct column *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (is_present(c->value[i]) && !column_histogram(c, i))
            return true;
    return false;
}

static void take_column(struct evaluation *ev, struct inputs *in, struct column *c)
{
    double upper;
    if (c->histogram)
        column_list_add(ev, &in->natives, c);
    if (!has_floats(c))
        return;
    struct batch_str le = labels_get(&c->labels, LE), name = metric_name(&c->labels);
    if (classic_bound(le, &upper))
        add_member(ev, in, classic_of(ev, in, &c->labels), c, upper);
    else if (name.length > 0)
        annotate_warning(ev, in->at,
                         "bucket label \"le\" is missing or has a malformed value of \"%.*s\" for "
                         "metric name \"%.*s\"",
                         (int)le.length, le.bytes, (int)name.length, name.bytes);
    else
        annotate_warning(ev, in->at,
                         "bucket label \"le\" is missing or has a malformed value of \"%.*s\"",
                         (int)le.length, le.bytes);
}

static bool float_at(const struct column *c, size_t step)
{
    return is_present(c->value[step]) && !column_histogram(c, step);
}

static bool classic_at(const struct classic *c, size_t step)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (float_at(c->members[i].column, step))
            return true;
    return false;
}

/* Steps at which a classic and a native histogram are one: neither is evaluated. */
static void drop_conflicts(struct evaluation *ev, struct inputs *in)
{
    for (size_t i = 0; i < in->natives.count; i++) {
        struct column *native = in->natives.list[i];
        struct labelset s;
        labelset_begin(&s, &native->labels);
        labelset_drop_one(&s, LE);
        struct labels key = labelset_view(&s);
        uint32_t at = labels_index_find(&in->index, &key);
        for (size_t j = 0; at != LABELS_INDEX_NONE && j < native->count; j++) {
            struct classic *c = &in->classics[at];
            if (!native->histogram[j] || !classic_at(c, j))
                continue;
            struct batch_str name = metric_name(&native->labels);
            annotate_warning(ev, in->at,
                             "vector contains a mix of classic and native histograms%s%.*s%s",
                             name.length ? " for metric name \"" : "", (int)name.length, name.bytes,
                             name.length ? "\"" : "");
            native->histogram[j] = NULL;
            native->value[j] = absent();
            for (uint32_t k = 0; k < c->count; k++)
                if (float_at(c->members[k].column, j))
                    c->members[k].column->value[j] = absent();
        }
    }
}

/* ---- answering --------------------------------------------------------------------------- */

static struct column *new_result(struct evaluation *ev, const struct inputs *in,
                                 const struct question *q, const struct labels *labels)
{
    struct column *c = column_create(ev, in->grid->count, false);
    column_clear(c);
    c->labels = *labels;
    c->drop_name = true;
    if (q->label.length > 0) {
        struct labelset s;
        labelset_begin(&s, labels);
        labelset_set(ev, &s, q->label, q->text);
        c->labels = labelset_finish(ev, &s);
    }
    return c;
}

static void note_nan(struct evaluation *ev, const struct inputs *in, const struct question *q,
                     struct batch_str name, double result)
{
    const char *said = q->fraction ? "input to histogram_fraction has NaN observations, which are "
                                     "excluded from all fractions"
                       : isnan(result)
                           ? "input to histogram_quantile has NaN observations, result is NaN"
                           : "input to histogram_quantile has NaN observations, result is skewed "
                             "higher";
    annotate_info(ev, in->e->args[0]->place, "%s%s%.*s%s", said,
                  name.length ? " for metric name \"" : "", (int)name.length, name.bytes,
                  name.length ? "\"" : "");
}

static double ask_native(struct evaluation *ev, const struct inputs *in, const struct question *q,
                         const struct column *c, size_t step, struct histogram_bucket **scratch,
                         size_t *room)
{
    const struct histogram *h = c->histogram[step];
    if (histogram_list_most(h) > *room) {
        *room = histogram_list_most(h) * 2;
        *scratch = evaluation_alloc(ev, *room * sizeof **scratch);
    }
    double asked = q->q[step];
    double result = q->fraction ? histogram_fraction(h, asked, q->upper[step], *scratch)
                                : histogram_quantile(h, asked, *scratch);
    bool means = q->fraction ? !isnan(asked) && !isnan(q->upper[step]) && asked < q->upper[step]
                             : asked >= 0 && asked <= 1;
    if (isnan(h->sum) && h->count != 0 && means)
        note_nan(ev, in, q, metric_name(&c->labels), result);
    return result;
}

static void answer_natives(struct evaluation *ev, struct inputs *in, const struct question *q,
                           struct column_list *out)
{
    struct histogram_bucket *scratch = NULL;
    size_t room = 0;
    for (size_t i = 0; i < in->natives.count; i++) {
        const struct column *c = in->natives.list[i];
        struct column *result = new_result(ev, in, q, &c->labels);
        for (size_t j = 0; j < c->count; j++)
            if (c->histogram[j])
                result->value[j] = ask_native(ev, in, q, c, j, &scratch, &room);
        column_list_add(ev, out, result);
    }
}

static void merge_monotonicity(struct monotonicity *all, const struct monotonicity *one,
                               int64_t unix_ms)
{
    if (all->count++ == 0) {
        *all = *one;
        all->count = 1;
        all->first_ms = unix_ms;
    }
    all->from = fmin(all->from, one->from);
    all->to = fmax(all->to, one->to);
    all->difference = fmax(all->difference, one->difference);
    all->last_ms = unix_ms;
}

static void answer_classic(struct evaluation *ev, struct inputs *in, const struct question *q,
                           const struct classic *c, struct classic_bucket *buckets,
                           struct histogram_bucket *scratch, struct column_list *out)
{
    struct column *result = new_result(ev, in, q, &c->labels);
    struct monotonicity all = {0};
    for (size_t j = 0; j < in->grid->count; j++) {
        size_t count = 0;
        for (uint32_t i = 0; i < c->count; i++)
            if (float_at(c->members[i].column, j))
                buckets[count++] =
                    (struct classic_bucket){c->members[i].upper, c->members[i].column->value[j]};
        if (count == 0)
            continue;
        struct monotonicity one = {0};
        bool forced = false;
        result->value[j] = q->fraction
                               ? classic_fraction(buckets, count, q->q[j], q->upper[j], scratch)
                               : classic_quantile(buckets, count, q->q[j], &forced, &one);
        if (forced)
            merge_monotonicity(&all, &one, grid_time(in->grid, j));
    }
    if (all.count > 0)
        annotate_monotonicity(ev, in->at, metric_name(&c->labels), &all);
    column_list_add(ev, out, result);
}

static void answer(struct evaluation *ev, struct inputs *in, const struct question *q,
                   struct column_list *out)
{
    struct classic_bucket *buckets = evaluation_alloc(ev, (in->widest + 1) * sizeof *buckets);
    struct histogram_bucket *scratch = evaluation_alloc(ev, (in->widest + 1) * sizeof *scratch);
    answer_natives(ev, in, q, out);
    for (uint32_t i = 0; i < in->index.count; i++)
        answer_classic(ev, in, q, &in->classics[i], buckets, scratch, out);
}

/* ---- questions --------------------------------------------------------------------------- */

/* Whole numbers with a ".0", as OpenMetrics writes quantiles. */
static struct batch_str quantile_text(struct evaluation *ev, double q)
{
    struct buffer b = {0};
    promql_print_number(&b, q);
    bool whole = b.length > 0 && !b.failed;
    for (size_t i = 0; i < b.length; i++)
        whole &= b.data[i] == '-' || (b.data[i] >= '0' && b.data[i] <= '9');
    if (whole)
        buffer_text(&b, ".0");
    char *bytes = b.failed ? NULL : arena_copy(ev->arena, b.data, b.length);
    struct batch_str text = {bytes, (uint32_t)b.length};
    buffer_fini(&b);
    evaluation_need(ev, bytes);
    return text;
}

static void check_quantiles(struct evaluation *ev, const struct question *q,
                            const struct grid *grid)
{
    for (size_t i = 0; i < grid->count; i++)
        annotate_quantile(ev, q->at, q->q[i]);
}

/* A quantile that changes from step to step has a label of its own for each of its values. */
static void ask_labelled(struct evaluation *ev, struct inputs *in, struct question q,
                         struct column_list *out)
{
    const double *values = q.q;
    double *one = evaluation_alloc(ev, in->grid->count * sizeof *one);
    uint8_t *done = evaluation_calloc(ev, in->grid->count, 1);
    for (size_t i = 0; i < in->grid->count; i++) {
        if (done[i])
            continue;
        struct column_list results = {0};
        for (size_t j = 0; j < in->grid->count; j++)
            one[j] = values[i];
        q.q = one;
        q.text = quantile_text(ev, values[i]);
        answer(ev, in, &q, &results);
        for (size_t j = 0; j < in->grid->count; j++) {
            bool same = values[j] == values[i] || (isnan(values[j]) && isnan(values[i]));
            done[j] |= same;
            for (size_t k = 0; !same && k < results.count; k++)
                results.list[k]->value[j] = absent();
        }
        for (size_t k = 0; k < results.count; k++)
            column_list_add(ev, out, results.list[k]);
    }
}

OPENS(histogram_quantile_open)
{
    enum promql_function_id id = e->function->id;
    uint32_t vector = id == PROMQL_FN_HISTOGRAM_QUANTILES  ? 0
                      : id == PROMQL_FN_HISTOGRAM_FRACTION ? 2
                                                           : 1;
    struct inputs in = {.e = e, .grid = grid, .at = e->args[vector]->place};
    struct question q = {.fraction = id == PROMQL_FN_HISTOGRAM_FRACTION};
    struct column_list out = {0};
    struct column_list all = stream_collect(ev, stream_open(ev, e->args[vector], grid));
    for (size_t i = 0; i < all.count; i++)
        take_column(ev, &in, all.list[i]);
    drop_conflicts(ev, &in);
    if (vector != 0) {
        q.at = e->args[0]->place;
        q.q = scalar_values(ev, e->args[0], grid);
        if (q.fraction)
            q.upper = scalar_values(ev, e->args[1], grid);
        else
            check_quantiles(ev, &q, grid);
        answer(ev, &in, &q, &out);
    } else {
        q.label = text_of(e->args[1]);
        for (uint32_t i = 2; i < e->arg_count; i++) {
            q.at = e->args[i]->place;
            q.q = scalar_values(ev, e->args[i], grid);
            check_quantiles(ev, &q, grid);
            ask_labelled(ev, &in, q, &out);
        }
    }
    merge_same_labels(ev, &out);
    return stream_of_list(ev, e, grid, out);
}
