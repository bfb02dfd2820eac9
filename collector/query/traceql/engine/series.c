// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/exphist.h"

void *series_alloc(struct series_shape *s, size_t count, size_t bytes)
{
    size_t total = count * bytes;
    s->over_limit |= s->limit_bytes && s->arena->total_bytes + total > s->limit_bytes;
    void *got = s->over_limit || s->failed ? NULL : arena_calloc(s->arena, 1, total ? total : 1);
    if (!got)
        s->failed = true;
    return got;
}

/* ---- order ------------------------------------------------------------------------------- */

static int order_names(struct batch_str a, struct batch_str b)
{
    uint32_t least = a.length < b.length ? a.length : b.length;
    int order = least ? memcmp(a.bytes, b.bytes, least) : 0;
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

int series_order(const void *left, const void *right)
{
    const struct traceql_timeseries *a = left, *b = right;
    for (uint32_t i = 0; i < a->label_count && i < b->label_count; i++) {
        int order = order_names(a->labels[i].name, b->labels[i].name);
        if (order == 0)
            order = value_order(&a->labels[i].value, &b->labels[i].value);
        if (order != 0)
            return order;
    }
    return (a->label_count > b->label_count) - (a->label_count < b->label_count);
}

static void sort(struct series_list list)
{
    if (list.count > 1)
        qsort(list.list, list.count, sizeof *list.list, series_order);
}

/* ---- from tables ------------------------------------------------------------------------- */

/* The labels of a series, with room for one more. */
static struct traceql_named *labels_of(struct series_shape *s, const struct table *t,
                                       uint32_t series, const struct batch_str *names)
{
    struct traceql_named *labels = series_alloc(s, t->key_count + 1, sizeof *labels);
    for (uint32_t i = 0; labels && i < t->key_count; i++)
        labels[i] = (struct traceql_named){names[i], t->series[series].key[i]};
    return labels;
}

static void take_exemplars(struct series_shape *s, const struct table *t, uint32_t series,
                           struct traceql_timeseries *to)
{
    const struct traceql_exemplar *from = t->series[series].exemplars;
    to->exemplars = series_alloc(s, t->exemplar_slots, sizeof *to->exemplars);
    for (uint32_t i = 0; to->exemplars && i < t->exemplar_slots; i++) {
        if (from[i].unix_ns != 0)
            to->exemplars[to->exemplar_count++] = from[i];
    }
}

static double final_value(const struct table *t, const struct table_series *from, uint32_t step,
                          uint64_t step_ns)
{
    switch (t->function) {
    case TRACEQL_RATE:
        return from->sum[step] / ((double)step_ns / 1e9);
    case TRACEQL_SUM_OVER_TIME:
        return from->extra[step] > 0 ? from->sum[step] : NAN;
    case TRACEQL_AVG_OVER_TIME:
        return from->extra[step] > 0 ? from->sum[step] / from->extra[step] : NAN;
    default:
        return from->sum[step];
    }
}

static struct series_list plain(struct series_shape *s, const struct table *t,
                                const struct batch_str *names)
{
    struct series_list out = {.list = series_alloc(s, t->count, sizeof *out.list)};
    for (uint32_t i = 0; out.list && i < t->count && !s->failed; i++) {
        struct traceql_timeseries *to = &out.list[out.count++];
        to->labels = labels_of(s, t, i, names);
        to->label_count = t->key_count;
        to->values = series_alloc(s, s->steps, sizeof *to->values);
        for (uint32_t step = 0; to->values && step < s->steps; step++)
            to->values[step] = final_value(t, &t->series[i], step, s->step_ns);
        take_exemplars(s, t, i, to);
    }
    return out;
}

/* The value below which the part q of the spans in the buckets lies. */
static double quantile(const struct table_bucket *b, const struct table_bucket *end, double q)
{
    uint64_t total = 0;
    for (const struct table_bucket *i = b; i < end; i++)
        total += i->count;
    double wanted = q * (double)total, before = 0;
    for (; b + 1 < end && before + (double)b->count < wanted; b++)
        before += (double)b->count;
    double part = (wanted - before) / (double)b->count;
    return bucket_value(b->bucket, part < 0 ? 0 : part > 1 ? 1 : part);
}

static void add_label(struct traceql_timeseries *to, const char *name, double value)
{
    to->labels[to->label_count++] = (struct traceql_named){
        {name, (uint32_t)strlen(name)}, {.type = TRACEQL_FLOAT, .number = value}};
}

static void fill(double *values, uint32_t count, double with)
{
    for (uint32_t i = 0; values && i < count; i++)
        values[i] = with;
}

/* A series for each quantile asked for, in the order of the query. */
static struct series_list quantiles(struct series_shape *s, const struct table *t,
                                    const struct traceql_metrics *m, const struct batch_str *names)
{
    uint32_t per = m->quantile_count;
    struct series_list out = {.list = series_alloc(s, (size_t)t->count * per, sizeof *out.list)};
    for (uint32_t i = 0; out.list && i < t->count * per && !s->failed; i++) {
        struct traceql_timeseries *to = &out.list[out.count++];
        to->labels = labels_of(s, t, i / per, names);
        to->label_count = t->key_count;
        to->values = series_alloc(s, s->steps, sizeof *to->values);
        fill(to->values, s->steps, NAN);
        if (to->labels)
            add_label(to, "p", m->quantiles[i % per]);
        take_exemplars(s, t, i / per, to);
    }
    for (uint32_t begin = 0, end; !s->failed && begin < t->bucket_count; begin = end) {
        const struct table_bucket *b = &t->buckets[begin];
        for (end = begin + 1; end < t->bucket_count && t->buckets[end].series == b->series &&
                              t->buckets[end].step == b->step;)
            end++;
        for (uint32_t i = 0; i < per; i++)
            out.list[b->series * per + i].values[b->step] =
                quantile(b, t->buckets + end, m->quantiles[i]);
    }
    return out;
}

/* The upper bound of the power of two in which a bucket lies. */
static double doubling_of(int32_t bucket)
{
    if (bucket == 0)
        return 0;
    int32_t index = table_doubling(bucket);
    return bucket > 0 ? exphist_upper_bound(index, 0) : -exphist_upper_bound(index - 1, 0);
}

static int by_series_and_bucket(const void *left, const void *right)
{
    const struct table_bucket *a = left, *b = right;
    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    return (a->bucket > b->bucket) - (a->bucket < b->bucket);
}

/* A series for each doubling in which there is something, labelled by its upper bound. */
static struct series_list histogram(struct series_shape *s, struct table *t,
                                    const struct batch_str *names)
{
    struct series_list out = {.list = series_alloc(s, t->bucket_count, sizeof *out.list)};
    struct traceql_timeseries *to = NULL;
    uint32_t series = TABLE_NONE;
    double bound = 0;
    if (t->bucket_count > 1)
        qsort(t->buckets, t->bucket_count, sizeof *t->buckets, by_series_and_bucket);
    for (uint32_t i = 0; out.list && i < t->bucket_count; i++) {
        const struct table_bucket *b = &t->buckets[i];
        double next = doubling_of(b->bucket);
        if (!to || b->series != series || next != bound) {
            to = &out.list[out.count++];
            to->labels = labels_of(s, t, b->series, names);
            to->label_count = t->key_count;
            to->values = series_alloc(s, s->steps, sizeof *to->values);
            if (s->failed)
                break;
            add_label(to, "__bucket", next);
            if (b->series != series) /* told once, with the least bucket */
                take_exemplars(s, t, b->series, to);
            series = b->series;
            bound = next;
        }
        to->values[b->step] += (double)b->count;
    }
    return out;
}

struct series_list series_of_table(struct series_shape *s, struct table *t,
                                   const struct traceql_metrics *m, const struct batch_str *names)
{
    struct series_list out;
    if (m->function == TRACEQL_QUANTILE_OVER_TIME) {
        table_sort_buckets(t);
        out = quantiles(s, t, m, names);
    } else if (m->function == TRACEQL_HISTOGRAM_OVER_TIME) {
        table_sort_buckets(t);
        out = histogram(s, t, names);
    } else {
        out = plain(s, t, names);
    }
    sort(out);
    return out;
}

/* ---- arithmetic -------------------------------------------------------------------------- */

/* Lists are sorted: a binary search, else the one without labels. */
static const struct traceql_timeseries *partner(struct series_list list,
                                                const struct traceql_timeseries *of)
{
    const struct traceql_timeseries *found =
        list.count ? bsearch(of, list.list, list.count, sizeof *list.list, series_order) : NULL;
    if (found)
        return found;
    return list.count && list.list[0].label_count == 0 ? &list.list[0] : NULL;
}

static double calculate(enum traceql_op op, double a, double b)
{
    a = isnan(a) ? 0 : a;
    b = isnan(b) ? 0 : b;
    switch (op) {
    case TRACEQL_ADD:
        return a + b;
    case TRACEQL_SUB:
        return a - b;
    case TRACEQL_MUL:
        return a * b;
    default:
        return b == 0 ? NAN : a / b;
    }
}

static bool has_unlabelled(struct series_list list)
{
    return list.count > 0 && list.list[0].label_count == 0;
}

static void join_exemplars(struct series_shape *s, struct traceql_timeseries *to,
                           const struct traceql_timeseries *a, const struct traceql_timeseries *b)
{
    uint32_t count = a->exemplar_count + b->exemplar_count;
    to->exemplars = series_alloc(s, count, sizeof *to->exemplars);
    if (!to->exemplars)
        return;
    to->exemplar_count = count;
    for (uint32_t i = 0; i < count; i++)
        to->exemplars[i] =
            i < a->exemplar_count ? a->exemplars[i] : b->exemplars[i - a->exemplar_count];
}

struct series_list series_arithmetic(struct series_shape *s, enum traceql_op op,
                                     struct series_list left, struct series_list right)
{
    struct series_list target = has_unlabelled(right) ? left : right;
    struct series_list out = {.list = series_alloc(s, target.count, sizeof *out.list)};
    for (uint32_t i = 0; out.list && i < target.count; i++) {
        const struct traceql_timeseries *a = partner(left, &target.list[i]);
        const struct traceql_timeseries *b = partner(right, &target.list[i]);
        struct traceql_timeseries *to = &out.list[out.count];
        if (!a || !b)
            continue;
        *to = target.list[i];
        to->values = series_alloc(s, s->steps, sizeof *to->values);
        for (uint32_t step = 0; to->values && step < s->steps; step++)
            to->values[step] = calculate(op, a->values[step], b->values[step]);
        join_exemplars(s, to, a, b);
        out.count++;
    }
    return out;
}

/* ---- choosing ---------------------------------------------------------------------------- */

static struct series_list with_points(struct series_shape *s, struct series_list list)
{
    struct series_list out = {.list = list.list};
    for (uint32_t i = 0; i < list.count; i++) {
        bool point = false;
        for (uint32_t step = 0; step < s->steps && !point; step++)
            point = !isnan(list.list[i].values[step]);
        if (point)
            out.list[out.count++] = list.list[i];
    }
    return out;
}

struct series_list series_threshold(struct series_shape *s, enum traceql_op op,
                                    const struct traceql_value *value, struct series_list list)
{
    struct traceql_value bound = {.type = TRACEQL_FLOAT, .number = value_number(value)};
    if (value->type == TRACEQL_DURATION)
        bound.number /= 1e9;
    for (uint32_t i = 0; i < list.count; i++) {
        for (uint32_t step = 0; step < s->steps; step++) {
            struct traceql_value point = {.type = TRACEQL_FLOAT,
                                          .number = list.list[i].values[step]};
            if (!value_compare(op, &point, &bound))
                list.list[i].values[step] = NAN;
        }
    }
    return with_points(s, list);
}

struct ranked {
    double value;
    uint32_t series;
};

static int greatest_first(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->value != b->value)
        return a->value < b->value ? 1 : -1;
    return (a->series > b->series) - (a->series < b->series);
}

static int least_first(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->value != b->value)
        return a->value > b->value ? 1 : -1;
    return (a->series > b->series) - (a->series < b->series);
}

struct series_list series_top(struct series_shape *s, bool greatest, int64_t limit,
                              struct series_list list)
{
    struct ranked *ranks = series_alloc(s, list.count, sizeof *ranks);
    for (uint32_t step = 0; ranks && step < s->steps; step++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < list.count; i++) {
            if (!isnan(list.list[i].values[step]))
                ranks[count++] = (struct ranked){list.list[i].values[step], i};
        }
        if (count > 1)
            qsort(ranks, count, sizeof *ranks, greatest ? greatest_first : least_first);
        for (uint32_t i = 0; i < count; i++) {
            if ((int64_t)i >= limit)
                list.list[ranks[i].series].values[step] = NAN;
        }
    }
    return with_points(s, list);
}
