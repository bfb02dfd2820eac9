// SPDX-License-Identifier: Apache-2.0
#include "collector/series/chunk/histogram_columns.h"

#include <stdlib.h>

#include "collector/series/chunk/numbers.h"
#include "collector/series/chunk/values.h"

enum { COUNT_IS_TOLD = 1, STALE_ROW = 0x80, RESET_BITS = 3 };

/* The indices that occur, rising. */
struct indices {
    int32_t *list;
    size_t count, capacity;
};

struct layout {
    struct indices positive, negative;
};

static void layout_fini(struct layout *l)
{
    free(l->positive.list);
    free(l->negative.list);
}

static bool has_all(const struct indices *have, const struct histogram_buckets *b)
{
    size_t at = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->value[i] == 0)
            continue;
        while (at < have->count && have->list[at] < b->index[i])
            at++;
        if (at == have->count || have->list[at] != b->index[i])
            return false;
    }
    return true;
}

/* -1: no memory. */
static int add_all(struct indices *have, const struct histogram_buckets *b)
{
    if (has_all(have, b))
        return 0;
    size_t capacity = have->count + b->count, count = 0, at = 0;
    int32_t *list = malloc(capacity * sizeof *list);
    if (!list)
        return -1;
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->value[i] == 0)
            continue;
        while (at < have->count && have->list[at] < b->index[i])
            list[count++] = have->list[at++];
        if (at < have->count && have->list[at] == b->index[i])
            at++;
        list[count++] = b->index[i];
    }
    while (at < have->count)
        list[count++] = have->list[at++];
    free(have->list);
    *have = (struct indices){list, count, capacity};
    return 0;
}

static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool go_together(const struct histogram *a, const struct histogram *b)
{
    return a->schema == b->schema && same_double(a->zero_threshold, b->zero_threshold) &&
           a->custom_count == b->custom_count &&
           (a->custom_count == 0 ||
            memcmp(a->custom, b->custom, a->custom_count * sizeof *a->custom) == 0);
}

/* How many samples go together, and the layout of all of them. -1: no memory. */
static long gather(const struct points *p, size_t first, size_t most, struct layout *l)
{
    size_t count = 0;
    for (; count < most; count++) {
        const struct histogram *h = p->histogram[first + count];
        size_t cells = (l->positive.count + l->negative.count) * (count + 1);
        if (!h && sample_is_stale(p->value[first + count]) && cells <= CHUNK_CELLS_MAX)
            continue;
        if (!h || !go_together(p->histogram[first], h))
            break;
        struct indices positive = l->positive, negative = l->negative;
        size_t room = positive.count + negative.count + h->positive.count + h->negative.count;
        if (count > 0 && (room > CHUNK_BUCKETS_MAX || room * (count + 1) > CHUNK_CELLS_MAX) &&
            !(has_all(&positive, &h->positive) && has_all(&negative, &h->negative) &&
              (positive.count + negative.count) * (count + 1) <= CHUNK_CELLS_MAX))
            break;
        if (add_all(&l->positive, &h->positive) != 0 || add_all(&l->negative, &h->negative) != 0)
            return -1;
    }
    return (long)count;
}

size_t histogram_columns_run(const struct points *p, size_t first, size_t most)
{
    struct layout l = {0};
    long count = gather(p, first, most, &l);
    layout_fini(&l);
    return count < 1 ? 1 : (size_t)count;
}

/* ---- writing ----------------------------------------------------------------------------- */

struct rows { /* what is written: a stale row repeats the histogram before it */
    const struct histogram *h[CHUNK_SAMPLES_MAX];
    size_t count;
};

static double total(const struct histogram *h)
{
    double sum = h->zero_count;
    for (uint32_t i = 0; i < h->positive.count; i++)
        sum += h->positive.value[i];
    for (uint32_t i = 0; i < h->negative.count; i++)
        sum += h->negative.value[i];
    return sum;
}

static void put_layout(const struct histogram *h, const struct layout *l, struct column *out)
{
    column_put_signed(out, h->schema);
    column_put_double(out, h->zero_threshold);
    column_put(out, h->custom_count);
    for (uint32_t i = 0; i < h->custom_count; i++)
        column_put_double(out, h->custom[i]);
    const struct indices *sides[] = {&l->positive, &l->negative};
    for (int side = 0; side < 2; side++) {
        column_put(out, sides[side]->count);
        for (size_t i = 0; i < sides[side]->count; i++)
            column_put(out,
                       i ? (uint64_t)((int64_t)sides[side]->list[i] - sides[side]->list[i - 1] - 1)
                         : zigzag(sides[side]->list[i]));
    }
}

static void put_buckets(const struct rows *rows, const struct indices *indices, bool negative,
                        struct column *out)
{
    double values[CHUNK_SAMPLES_MAX];
    uint32_t at[CHUNK_SAMPLES_MAX] = {0};
    for (size_t b = 0; b < indices->count; b++) {
        for (size_t i = 0; i < rows->count; i++) {
            const struct histogram_buckets *side =
                negative ? &rows->h[i]->negative : &rows->h[i]->positive;
            while (at[i] < side->count && side->index[at[i]] < indices->list[b])
                at[i]++;
            bool has = at[i] < side->count && side->index[at[i]] == indices->list[b];
            values[i] = has ? side->value[at[i]] : 0;
            if (values[i] == 0)
                values[i] = 0; /* no sign */
        }
        chunk_values_put(values, rows->count, out);
    }
}

static void put_rows(const struct rows *rows, const int64_t *flags, struct column *out)
{
    double count[CHUNK_SAMPLES_MAX], zero[CHUNK_SAMPLES_MAX], sum[CHUNK_SAMPLES_MAX];
    bool told = false;
    for (size_t i = 0; i < rows->count; i++) {
        count[i] = rows->h[i]->count;
        zero[i] = rows->h[i]->zero_count;
        sum[i] = rows->h[i]->sum;
        told = told || !same_double(count[i], total(rows->h[i]));
    }
    column_put_fixed(out, told ? COUNT_IS_TOLD : 0, 1);
    chunk_numbers_put(flags, rows->count, out);
    if (told)
        chunk_values_put(count, rows->count, out);
    chunk_values_put(zero, rows->count, out);
    chunk_values_put(sum, rows->count, out);
}

int histogram_columns_put(const struct points *p, size_t first, size_t count, struct column *out)
{
    struct rows rows = {.count = count};
    int64_t flags[CHUNK_SAMPLES_MAX];
    struct layout l = {0};
    if (gather(p, first, count, &l) < 0) {
        layout_fini(&l);
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const struct histogram *h = p->histogram[first + i];
        rows.h[i] = h ? h : rows.h[i - 1];
        flags[i] = rows.h[i]->reset | (h ? 0 : STALE_ROW);
    }
    put_layout(rows.h[0], &l, out);
    put_rows(&rows, flags, out);
    put_buckets(&rows, &l.positive, false, out);
    put_buckets(&rows, &l.negative, true, out);
    layout_fini(&l);
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------- */

struct table {
    struct histogram shape; /* schema, threshold, bounds */
    size_t positive, negative, count;
    int32_t *index; /* positive, then negative ones */
    double *cells;  /* bucket after bucket, `count` each */
    int64_t *flags;
    double *told, *zero, *sum; /* told: NULL, the count is that of all buckets */
    double *bounds;
};

static void table_fini(struct table *t)
{
    free(t->index);
    free(t->cells);
    free(t->flags);
    free(t->bounds);
}

static int get_bounds(struct column_reader *in, struct table *t)
{
    t->shape.custom_count = column_get_below(in, column_left(in) / 8 + 1);
    if (in->bad)
        return CHUNK_EDAMAGED;
    if (t->shape.custom_count == 0)
        return CHUNK_OK;
    t->bounds = malloc(t->shape.custom_count * sizeof *t->bounds);
    if (!t->bounds)
        return CHUNK_ENOMEM;
    for (uint32_t i = 0; i < t->shape.custom_count; i++)
        t->bounds[i] = column_get_double(in);
    return CHUNK_OK;
}

static void get_indices(struct column_reader *in, size_t count, int32_t *list)
{
    int64_t last = 0;
    for (size_t i = 0; i < count && !in->bad; i++) {
        uint64_t step = column_get_below(in, UINT64_C(1) << 32);
        last = i ? last + 1 + (int64_t)step : unzigzag(step);
        in->bad |= last < INT32_MIN || last > INT32_MAX;
        list[i] = (int32_t)last;
    }
}

static int get_layout(struct column_reader *in, struct table *t)
{
    int64_t schema = column_get_signed(in);
    in->bad |= schema < INT8_MIN || schema > INT8_MAX;
    t->shape.schema = (int8_t)schema;
    t->shape.zero_threshold = column_get_double(in);
    int error = get_bounds(in, t);
    if (error != CHUNK_OK)
        return error;
    size_t *counts[] = {&t->positive, &t->negative};
    for (int side = 0; side < 2; side++) {
        *counts[side] = column_get_below(in, CHUNK_BUCKETS_MAX + 1);
        if (in->bad || *counts[side] > column_left(in))
            return CHUNK_EDAMAGED;
        size_t before = side ? t->positive : 0;
        int32_t *list = realloc(t->index, (before + *counts[side] + 1) * sizeof *list);
        if (!list)
            return CHUNK_ENOMEM;
        t->index = list;
        get_indices(in, *counts[side], list + before);
    }
    return in->bad ? CHUNK_EDAMAGED : CHUNK_OK;
}

static int get_cells(struct column_reader *in, struct table *t)
{
    size_t buckets = t->positive + t->negative, n = t->count;
    bool told = column_get_fixed(in, 1) & COUNT_IS_TOLD;
    t->flags = malloc(n * sizeof *t->flags);
    t->cells = malloc((buckets + 3) * n * sizeof *t->cells);
    if (!t->flags || !t->cells)
        return CHUNK_ENOMEM;
    t->zero = t->cells + buckets * n;
    t->sum = t->zero + n;
    chunk_numbers_get(in, n, t->flags);
    if (told) {
        t->told = t->sum + n;
        chunk_values_get(in, n, t->told);
    }
    chunk_values_get(in, n, t->zero);
    chunk_values_get(in, n, t->sum);
    for (size_t b = 0; b < buckets && !in->bad; b++)
        chunk_values_get(in, n, t->cells + b * n);
    return in->bad ? CHUNK_EDAMAGED : CHUNK_OK;
}

static int fill_buckets(const struct table *t, size_t row, size_t first, size_t count,
                        struct arena *arena, struct histogram_buckets *out)
{
    uint32_t used = 0;
    for (size_t b = first; b < first + count; b++)
        used += t->cells[b * t->count + row] != 0;
    *out = (struct histogram_buckets){0};
    if (used == 0)
        return 0;
    out->index = arena_alloc(arena, used * sizeof *out->index);
    out->value = arena_alloc(arena, used * sizeof *out->value);
    if (!out->index || !out->value)
        return -1;
    for (size_t b = first; b < first + count; b++) {
        double value = t->cells[b * t->count + row];
        if (value == 0)
            continue;
        out->index[out->count] = t->index[b];
        out->value[out->count++] = value;
    }
    return 0;
}

static int add_row(const struct table *t, size_t row, const double *bounds, int64_t unix_ms,
                   struct points *out)
{
    if (t->flags[row] & STALE_ROW) {
        const uint64_t bits = SAMPLE_STALE_BITS;
        double stale;
        memcpy(&stale, &bits, sizeof stale);
        return points_add(out, unix_ms, stale, NULL);
    }
    struct histogram *h = arena_alloc(&out->histograms, sizeof *h);
    if (!h)
        return -1;
    *h = t->shape;
    h->custom = bounds;
    h->reset = (uint8_t)(t->flags[row] & RESET_BITS);
    h->zero_count = t->zero[row];
    h->sum = t->sum[row];
    if (fill_buckets(t, row, 0, t->positive, &out->histograms, &h->positive) != 0 ||
        fill_buckets(t, row, t->positive, t->negative, &out->histograms, &h->negative) != 0)
        return -1;
    h->count = t->told ? t->told[row] : total(h);
    return points_add(out, unix_ms, h->sum, h);
}

static int add_rows(const struct table *t, const int64_t *unix_ms, int64_t from_ms, int64_t to_ms,
                    struct points *out)
{
    const double *bounds = NULL;
    if (t->shape.custom_count > 0) {
        bounds = arena_copy(&out->histograms, t->bounds, t->shape.custom_count * sizeof *bounds);
        if (!bounds)
            return CHUNK_ENOMEM;
    }
    for (size_t row = 0; row < t->count; row++) {
        if (unix_ms[row] < from_ms || unix_ms[row] > to_ms)
            continue;
        if (add_row(t, row, bounds, unix_ms[row], out) != 0)
            return CHUNK_ENOMEM;
    }
    return CHUNK_OK;
}

int histogram_columns_get(struct column_reader *in, size_t count, const int64_t *unix_ms,
                          int64_t from_ms, int64_t to_ms, struct points *out)
{
    struct table t = {.count = count};
    int error = get_layout(in, &t);
    if (error == CHUNK_OK && (t.positive + t.negative) * count > 2 * (size_t)CHUNK_CELLS_MAX)
        error = CHUNK_EDAMAGED;
    if (error == CHUNK_OK)
        error = get_cells(in, &t);
    if (error == CHUNK_OK)
        error = add_rows(&t, unix_ms, from_ms, to_ms, out);
    table_fini(&t);
    return error;
}
