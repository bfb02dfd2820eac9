// SPDX-License-Identifier: Apache-2.0
#include "collector/series/chunk/running_histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_MOST 9007199254740992.0 /* 2^53 */

void running_buckets_fini(struct histogram_buckets *b)
{
    free(b->index);
    free(b->value);
}

void running_histogram_fini(struct running_histogram *sum)
{
    running_buckets_fini(&sum->h.positive);
    running_buckets_fini(&sum->h.negative);
    free((void *)sum->h.custom);
    *sum = (struct running_histogram){0};
}

uint64_t running_histogram_bytes(const struct running_histogram *sum)
{
    return sizeof *sum + (sum->positive_capacity + sum->negative_capacity) * UINT64_C(12) +
           sum->h.custom_count * sizeof(double);
}

int running_buckets_reserve(struct histogram_buckets *b, uint32_t *capacity, uint32_t count)
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

void running_buckets_copy(struct histogram_buckets *to, const struct histogram_buckets *from)
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

bool running_is_whole(const struct histogram *h)
{
    bool whole = is_whole(h->count) && is_whole(h->zero_count);
    for (uint32_t i = 0; i < h->positive.count && whole; i++)
        whole = is_whole(h->positive.value[i]);
    for (uint32_t i = 0; i < h->negative.count && whole; i++)
        whole = is_whole(h->negative.value[i]);
    return whole;
}

bool running_same_bounds(const struct histogram *a, const struct histogram *b)
{
    return a->custom_count == b->custom_count &&
           (a->custom_count == 0 ||
            memcmp(a->custom, b->custom, a->custom_count * sizeof *a->custom) == 0);
}

int running_histogram_set(struct running_histogram *sum, const struct histogram *h)
{
    const double *custom = sum->h.custom;
    if (running_buckets_reserve(&sum->h.positive, &sum->positive_capacity, h->positive.count) !=
            0 ||
        running_buckets_reserve(&sum->h.negative, &sum->negative_capacity, h->negative.count) != 0)
        return -1;
    if (!running_same_bounds(&sum->h, h)) {
        double *copy = NULL;
        if (h->custom_count > 0 && !(copy = malloc(h->custom_count * sizeof *copy)))
            return -1;
        if (copy)
            memcpy(copy, h->custom, h->custom_count * sizeof *copy);
        free((void *)custom);
        custom = copy;
    }
    struct histogram_buckets positive = sum->h.positive, negative = sum->h.negative;
    running_buckets_copy(&positive, &h->positive);
    running_buckets_copy(&negative, &h->negative);
    sum->h = *h;
    sum->h.custom = custom;
    sum->h.positive = positive;
    sum->h.negative = negative;
    sum->is_whole = running_is_whole(&sum->h);
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
void running_buckets_add(struct histogram_buckets *to, const struct histogram_buckets *more,
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
    *fits = histogram_is_custom(h) == histogram_is_custom(delta) && running_same_bounds(h, delta) &&
            (h->zero_threshold == delta->zero_threshold || h->zero_count == 0 ||
             delta->zero_count == 0);
    if (!*fits)
        return 0;
    if (running_buckets_reserve(&h->positive, &sum->positive_capacity,
                                h->positive.count + delta->positive.count) != 0 ||
        running_buckets_reserve(&h->negative, &sum->negative_capacity,
                                h->negative.count + delta->negative.count) != 0)
        return -1;
    if (delta->schema < h->schema) {
        coarsen(&h->positive, (unsigned)(h->schema - delta->schema));
        coarsen(&h->negative, (unsigned)(h->schema - delta->schema));
        h->schema = delta->schema;
    }
    unsigned down = (unsigned)(delta->schema - h->schema);
    running_buckets_add(&h->positive, &delta->positive, down);
    running_buckets_add(&h->negative, &delta->negative, down);
    if (delta->zero_threshold > h->zero_threshold)
        h->zero_threshold = delta->zero_threshold;
    h->zero_count += delta->zero_count;
    h->count += delta->count;
    h->sum += delta->sum;
    sum->is_whole = running_is_whole(h);
    return 0;
}
