// SPDX-License-Identifier: Apache-2.0
/* Histograms in a stream. A row's first byte: time (2 bits), what it is (2), reset (2). WHOLE: the
 * schema, bounds and all numbers follow. CHANGES: of zero count, count and buckets how much they
 * grew, of the sum its bits; numbers that are not whole cannot be told so. */
#include <math.h>
#include <stdlib.h>

#include "collector/series/chunk/stream_bytes.h"

enum row { ROW_CHANGES, ROW_WHOLE, ROW_STALE };
enum { ROW_SHIFT = 2, RESET_SHIFT = 4 };
#define WHOLE_MOST 9007199254740992.0 /* 2^53 */

/* ---- sums -------------------------------------------------------------------------------- */

static void buckets_fini(struct histogram_buckets *b)
{
    free(b->index);
    free(b->value);
}

void running_histogram_fini(struct running_histogram *sum)
{
    buckets_fini(&sum->h.positive);
    buckets_fini(&sum->h.negative);
    free((void *)sum->h.custom);
    *sum = (struct running_histogram){0};
}

uint64_t running_histogram_bytes(const struct running_histogram *sum)
{
    return sizeof *sum + (sum->positive_capacity + sum->negative_capacity) * UINT64_C(12) +
           sum->h.custom_count * sizeof(double);
}

static int buckets_reserve(struct histogram_buckets *b, uint32_t *capacity, uint32_t count)
{
    if (count <= *capacity)
        return 0;
    uint32_t more = count + count / 2 + 4;
    int32_t *index = realloc(b->index, more * sizeof *index);
    if (index)
        b->index = index;
    double *value = realloc(b->value, more * sizeof *value);
    if (value)
        b->value = value;
    if (!index || !value)
        return -1;
    *capacity = more;
    return 0;
}

static void buckets_copy(struct histogram_buckets *to, const struct histogram_buckets *from)
{
    to->count = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        if (from->value[i] == 0)
            continue;
        to->index[to->count] = from->index[i];
        to->value[to->count++] = from->value[i];
    }
}

static bool is_whole(double value)
{
    return value >= 0 && value < WHOLE_MOST && value == floor(value);
}

static bool all_whole(const struct histogram *h)
{
    bool whole = is_whole(h->count) && is_whole(h->zero_count);
    for (uint32_t i = 0; i < h->positive.count && whole; i++)
        whole = is_whole(h->positive.value[i]);
    for (uint32_t i = 0; i < h->negative.count && whole; i++)
        whole = is_whole(h->negative.value[i]);
    return whole;
}

static bool same_bounds(const struct histogram *a, const struct histogram *b)
{
    return a->custom_count == b->custom_count &&
           (a->custom_count == 0 ||
            memcmp(a->custom, b->custom, a->custom_count * sizeof *a->custom) == 0);
}

int running_histogram_set(struct running_histogram *sum, const struct histogram *h)
{
    const double *custom = sum->h.custom;
    if (buckets_reserve(&sum->h.positive, &sum->positive_capacity, h->positive.count) != 0 ||
        buckets_reserve(&sum->h.negative, &sum->negative_capacity, h->negative.count) != 0)
        return -1;
    if (!same_bounds(&sum->h, h)) {
        double *copy = NULL;
        if (h->custom_count > 0 && !(copy = malloc(h->custom_count * sizeof *copy)))
            return -1;
        if (copy)
            memcpy(copy, h->custom, h->custom_count * sizeof *copy);
        free((void *)custom);
        custom = copy;
    }
    struct histogram_buckets positive = sum->h.positive, negative = sum->h.negative;
    buckets_copy(&positive, &h->positive);
    buckets_copy(&negative, &h->negative);
    sum->h = *h;
    sum->h.custom = custom;
    sum->h.positive = positive;
    sum->h.negative = negative;
    sum->is_whole = all_whole(&sum->h);
    return 0;
}

/* Bucket i of a schema is bucket ceil(i / 2^down) of one that is `down` lower. */
static int32_t coarser_index(int32_t index, unsigned down)
{
    return (int32_t)(((int64_t)index + (INT64_C(1) << down) - 1) >> down);
}

static void coarsen(struct histogram_buckets *b, unsigned down)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        int32_t index = coarser_index(b->index[i], down);
        if (count > 0 && b->index[count - 1] == index) {
            b->value[count - 1] += b->value[i];
            continue;
        }
        b->index[count] = index;
        b->value[count++] = b->value[i];
    }
    b->count = count;
}

/* From the end, where there is room: indices that both have take one place, so what is too much at
 * the beginning is moved down. */
static void buckets_add(struct histogram_buckets *to, const struct histogram_buckets *more,
                        unsigned down)
{
    if (more->count == 0)
        return;
    uint32_t end = to->count + more->count, at = end, a = to->count, b = more->count;
    while (b > 0) {
        int32_t index = coarser_index(more->index[b - 1], down);
        double value = more->value[b - 1];
        b--;
        while (b > 0 && coarser_index(more->index[b - 1], down) == index)
            value += more->value[--b];
        while (a > 0 && to->index[a - 1] > index) {
            at--;
            a--;
            to->index[at] = to->index[a];
            to->value[at] = to->value[a];
        }
        if (a > 0 && to->index[a - 1] == index)
            value += to->value[--a];
        at--;
        to->index[at] = index;
        to->value[at] = value;
    }
    memmove(to->index + a, to->index + at, (end - at) * sizeof *to->index);
    memmove(to->value + a, to->value + at, (end - at) * sizeof *to->value);
    to->count = a + end - at;
}

int running_histogram_add(struct running_histogram *sum, const struct histogram *delta, bool *fits)
{
    struct histogram *h = &sum->h;
    *fits = histogram_is_custom(h) == histogram_is_custom(delta) && same_bounds(h, delta) &&
            (h->zero_threshold == delta->zero_threshold || h->zero_count == 0 ||
             delta->zero_count == 0);
    if (!*fits)
        return 0;
    if (buckets_reserve(&h->positive, &sum->positive_capacity,
                        h->positive.count + delta->positive.count) != 0 ||
        buckets_reserve(&h->negative, &sum->negative_capacity,
                        h->negative.count + delta->negative.count) != 0)
        return -1;
    if (delta->schema < h->schema) {
        coarsen(&h->positive, (unsigned)(h->schema - delta->schema));
        coarsen(&h->negative, (unsigned)(h->schema - delta->schema));
        h->schema = delta->schema;
    }
    unsigned down = (unsigned)(delta->schema - h->schema);
    buckets_add(&h->positive, &delta->positive, down);
    buckets_add(&h->negative, &delta->negative, down);
    if (delta->zero_threshold > h->zero_threshold)
        h->zero_threshold = delta->zero_threshold;
    h->zero_count += delta->zero_count;
    h->count += delta->count;
    h->sum += delta->sum;
    sum->is_whole = all_whole(h);
    return 0;
}

/* ---- writing ----------------------------------------------------------------------------- */

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void put_double(struct column *out, double value)
{
    column_put_fixed(out, bits_of(value), 8);
}

static void put_all(struct column *out, const struct histogram_buckets *b)
{
    column_put(out, b->count);
    for (uint32_t i = 0; i < b->count; i++) {
        column_put_signed(out, i ? (int64_t)b->index[i] - b->index[i - 1] : b->index[i]);
        put_double(out, b->value[i]);
    }
}

static void put_row_whole(struct column *out, const struct histogram *h)
{
    column_put_signed(out, h->schema);
    put_double(out, h->zero_threshold);
    column_put(out, h->custom_count);
    for (uint32_t i = 0; i < h->custom_count; i++)
        put_double(out, h->custom[i]);
    put_double(out, h->zero_count);
    put_double(out, h->count);
    put_double(out, h->sum);
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
    put_double(out, b->sum);
    put_changed(out, &a->positive, &b->positive);
    put_changed(out, &a->negative, &b->negative);
}

static bool can_tell_changes(const struct stream *s, const struct running_histogram *last,
                             const struct histogram *h)
{
    return s->value && last->is_whole && last->h.schema == h->schema &&
           bits_of(last->h.zero_threshold) == bits_of(h->zero_threshold) &&
           same_bounds(&last->h, h) && all_whole(h);
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

static double get_double(struct column_reader *in)
{
    uint64_t bits = column_get_fixed(in, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

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
    if (buckets_reserve(b, capacity, count) != 0)
        return -1;
    for (b->count = 0; b->count < count; b->count++) {
        index += column_get_signed(in);
        b->index[b->count] = (int32_t)index;
        b->value[b->count] = get_double(in);
    }
    return 0;
}

static int get_row_whole(struct column_reader *in, struct row_reader *r, struct arena *arena)
{
    struct histogram *h = &r->now.h;
    h->schema = (int8_t)column_get_signed(in);
    h->zero_threshold = get_double(in);
    h->custom_count = column_get_below(in, column_left(in) / 8 + 1);
    double *custom = arena_alloc(arena, (h->custom_count + 1) * sizeof *custom);
    if (!custom)
        return -1;
    for (uint32_t i = 0; i < h->custom_count; i++)
        custom[i] = get_double(in);
    r->custom = h->custom_count ? custom : NULL;
    h->zero_count = get_double(in);
    h->count = get_double(in);
    h->sum = get_double(in);
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
        if (buckets_reserve(&r->changes, &r->changes_capacity, r->changes.count + 1) != 0)
            return -1;
        index += column_get_signed(in);
        r->changes.index[r->changes.count] = (int32_t)index;
        r->changes.value[r->changes.count++] = (double)step;
    }
    if (buckets_reserve(b, capacity, b->count + r->changes.count) != 0)
        return -1;
    buckets_add(b, &r->changes, 0);
    return 0;
}

static int get_row_changes(struct column_reader *in, struct row_reader *r)
{
    struct histogram *h = &r->now.h;
    h->zero_count += (double)column_get_signed(in);
    h->count += (double)column_get_signed(in);
    h->sum = get_double(in);
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
    buckets_copy(to, from);
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
    buckets_fini(&r.changes);
    return error;
}
