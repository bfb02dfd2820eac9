// SPDX-License-Identifier: Apache-2.0
/* Histograms in a stream. A row's first byte: time (2 bits), what it is (2), reset (2). WHOLE: the
 * schema, bounds and all numbers follow. CHANGES: of zero count, count and buckets how much they
 * grew, of the sum its bits; numbers that are not whole cannot be told so. */
#include <stdlib.h>

#include "collector/series/chunk/running_histogram.h"
#include "collector/series/chunk/stream_bytes.h"
#include "lib/base/number.h"

enum row { ROW_CHANGES, ROW_WHOLE, ROW_STALE };
enum { ROW_SHIFT = 2, RESET_SHIFT = 4 };
/* ---- writing ----------------------------------------------------------------------------- */

static void put_all(struct column *out, const struct histogram_buckets *b)
{
    column_put(out, b->count);
    for (uint32_t i = 0; i < b->count; i++) {
        column_put_signed(out, i ? (int64_t)b->index[i] - b->index[i - 1] : b->index[i]);
        column_put_double(out, b->value[i]);
    }
}

static void put_row_whole(struct column *out, const struct histogram *h)
{
    column_put_signed(out, h->schema);
    column_put_double(out, h->zero_threshold);
    column_put(out, h->custom_count);
    for (uint32_t i = 0; i < h->custom_count; i++)
        column_put_double(out, h->custom[i]);
    column_put_double(out, h->zero_count);
    column_put_double(out, h->count);
    column_put_double(out, h->sum);
    put_all(out, &h->positive);
    put_all(out, &h->negative);
}

/* How each bucket changed from a to b, gap and step, and a step of 0 where that is all. */
static void put_changed(struct column *out, const struct histogram_buckets *a,
                        const struct histogram_buckets *b)
{
    int64_t last = 0;
    uint32_t i = 0, k = 0;
    while (i < a->count || k < b->count) {
        int64_t index = i < a->count ? a->index[i] : INT64_MAX;
        if (k < b->count && b->index[k] < index)
            index = b->index[k];
        double step = 0;
        if (i < a->count && a->index[i] == index)
            step -= a->value[i++];
        if (k < b->count && b->index[k] == index)
            step += b->value[k++];
        if (step == 0)
            continue;
        column_put_signed(out, (int64_t)step);
        column_put_signed(out, index - last);
        last = index;
    }
    column_put_signed(out, 0);
}

static void put_row_changes(struct column *out, const struct histogram *a,
                            const struct histogram *b)
{
    column_put_signed(out, (int64_t)(b->zero_count - a->zero_count));
    column_put_signed(out, (int64_t)(b->count - a->count));
    column_put_double(out, b->sum);
    put_changed(out, &a->positive, &b->positive);
    put_changed(out, &a->negative, &b->negative);
}

static bool can_tell_changes(const struct stream *s, const struct running_histogram *last,
                             const struct histogram *h)
{
    return s->value && last->is_whole && last->h.schema == h->schema &&
           number_bits(last->h.zero_threshold) == number_bits(h->zero_threshold) &&
           running_same_bounds(&last->h, h) && running_is_whole(h);
}

int stream_add_histogram(struct stream *s, struct arena *arena, int64_t unix_ms,
                         struct running_histogram *last, const struct histogram *h,
                         struct column *scratch)
{
    uint64_t change = time_change(s, unix_ms);
    unsigned code = time_code(change);
    bool changes = h && can_tell_changes(s, last, h);
    unsigned row = !h ? ROW_STALE : changes ? ROW_CHANGES : ROW_WHOLE;
    scratch->length = 0;
    column_put_fixed(scratch, code | row << ROW_SHIFT | (h ? h->reset & 3U : 0) << RESET_SHIFT, 1);
    column_put_fixed(scratch, change, time_bytes(code));
    if (changes)
        put_row_changes(scratch, &last->h, h);
    else if (h)
        put_row_whole(scratch, h);
    if (scratch->failed) {
        scratch->failed = false;
        return -1;
    }
    if (stream_append(s, arena, scratch->bytes, scratch->length) != 0)
        return -1;
    if (h && running_histogram_set(last, h) != 0)
        last->is_whole = false; /* the next one is told whole */
    if (h)
        s->value = 1;
    time_note(s, unix_ms);
    s->count++;
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------- */

struct row_reader {
    struct running_histogram now;
    struct histogram_buckets changes; /* of one side; its values are steps */
    uint32_t changes_capacity;
    const double *custom; /* the bounds, in the arena of the points */
};

static int get_all(struct column_reader *in, struct histogram_buckets *b, uint32_t *capacity)
{
    uint32_t count = column_get_below(in, column_left(in) + 1);
    int64_t index = 0;
    if (running_buckets_reserve(b, capacity, count) != 0)
        return -1;
    for (b->count = 0; b->count < count; b->count++) {
        index += column_get_signed(in);
        b->index[b->count] = (int32_t)index;
        b->value[b->count] = column_get_double(in);
    }
    return 0;
}

static int get_row_whole(struct column_reader *in, struct row_reader *r, struct arena *arena)
{
    struct histogram *h = &r->now.h;
    h->schema = (int8_t)column_get_signed(in);
    h->zero_threshold = column_get_double(in);
    h->custom_count = column_get_below(in, column_left(in) / 8 + 1);
    double *custom = arena_alloc(arena, (h->custom_count + 1) * sizeof *custom);
    if (!custom)
        return -1;
    for (uint32_t i = 0; i < h->custom_count; i++)
        custom[i] = column_get_double(in);
    r->custom = h->custom_count ? custom : NULL;
    h->zero_count = column_get_double(in);
    h->count = column_get_double(in);
    h->sum = column_get_double(in);
    if (get_all(in, &h->positive, &r->now.positive_capacity) != 0)
        return -1;
    return get_all(in, &h->negative, &r->now.negative_capacity);
}

static int get_changed(struct column_reader *in, struct row_reader *r, struct histogram_buckets *b,
                       uint32_t *capacity)
{
    int64_t step, index = 0;
    r->changes.count = 0;
    while ((step = column_get_signed(in)) != 0 && !in->bad) {
        if (running_buckets_reserve(&r->changes, &r->changes_capacity, r->changes.count + 1) != 0)
            return -1;
        index += column_get_signed(in);
        r->changes.index[r->changes.count] = (int32_t)index;
        r->changes.value[r->changes.count++] = (double)step;
    }
    if (running_buckets_reserve(b, capacity, b->count + r->changes.count) != 0)
        return -1;
    running_buckets_add(b, &r->changes, 0);
    return 0;
}

static int get_row_changes(struct column_reader *in, struct row_reader *r)
{
    struct histogram *h = &r->now.h;
    h->zero_count += (double)column_get_signed(in);
    h->count += (double)column_get_signed(in);
    h->sum = column_get_double(in);
    if (get_changed(in, r, &h->positive, &r->now.positive_capacity) != 0)
        return -1;
    return get_changed(in, r, &h->negative, &r->now.negative_capacity);
}

static int copy_buckets(struct arena *arena, const struct histogram_buckets *from,
                        struct histogram_buckets *to)
{
    *to = (struct histogram_buckets){0};
    if (from->count == 0)
        return 0;
    to->index = arena_alloc(arena, from->count * sizeof *to->index);
    to->value = arena_alloc(arena, from->count * sizeof *to->value);
    if (!to->index || !to->value)
        return -1;
    running_buckets_copy(to, from);
    return 0;
}

static int add_now(const struct row_reader *r, unsigned reset, int64_t unix_ms, struct points *out)
{
    struct histogram *h = arena_alloc(&out->histograms, sizeof *h);
    if (!h)
        return -1;
    *h = r->now.h;
    h->reset = (uint8_t)reset;
    h->custom = r->custom;
    if (copy_buckets(&out->histograms, &r->now.h.positive, &h->positive) != 0 ||
        copy_buckets(&out->histograms, &r->now.h.negative, &h->negative) != 0)
        return -1;
    return points_add(out, unix_ms, h->sum, h);
}

static int add_stale(int64_t unix_ms, struct points *out)
{
    const uint64_t bits = SAMPLE_STALE_BITS;
    double stale;
    memcpy(&stale, &bits, sizeof stale);
    return points_add(out, unix_ms, stale, NULL);
}

int stream_get_histograms(struct column_reader *in, int64_t from_ms, int64_t to_ms,
                          struct points *out)
{
    struct row_reader r = {0};
    struct time_reader time = {0};
    int error = 0;
    while (in->next < in->end && error == 0) {
        uint8_t head = *in->next++;
        unsigned row = head >> ROW_SHIFT & 3;
        int64_t unix_ms =
            time_next(&time, unzigzag(column_get_fixed(in, time_bytes(head & TIME_BITS))));
        if (row == ROW_WHOLE)
            error = get_row_whole(in, &r, &out->histograms);
        else if (row == ROW_CHANGES)
            error = get_row_changes(in, &r);
        if (unix_ms > to_ms)
            break;
        if (unix_ms >= from_ms && error == 0)
            error = row == ROW_STALE ? add_stale(unix_ms, out)
                                     : add_now(&r, head >> RESET_SHIFT & 3, unix_ms, out);
    }
    r.now.h.custom = NULL; /* the arena's */
    running_histogram_fini(&r.now);
    running_buckets_fini(&r.changes);
    return error;
}
