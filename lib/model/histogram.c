// SPDX-License-Identifier: Apache-2.0
#include "lib/model/histogram.h"

#include <math.h>
#include <string.h>

static int copy_buckets(struct arena *arena, struct histogram_buckets *to,
                        const struct histogram_buckets *from)
{
    to->count = from->count;
    to->index = arena_copy(arena, from->index, from->count * sizeof *from->index);
    to->value = arena_copy(arena, from->value, from->count * sizeof *from->value);
    return to->index && to->value ? 0 : -1;
}

struct histogram *histogram_copy(struct arena *arena, const struct histogram *h)
{
    struct histogram *copy = arena_copy(arena, h, sizeof *h);
    if (!copy || copy_buckets(arena, &copy->positive, &h->positive) != 0 ||
        copy_buckets(arena, &copy->negative, &h->negative) != 0)
        return NULL;
    if (h->custom_count)
        copy->custom = arena_copy(arena, h->custom, h->custom_count * sizeof *h->custom);
    return copy->custom || !h->custom_count ? copy : NULL;
}

struct histogram *histogram_compensation(struct arena *arena, const struct histogram *h)
{
    struct histogram *zeros = histogram_copy(arena, h);
    if (!zeros)
        return NULL;
    zeros->count = zeros->sum = zeros->zero_count = 0;
    memset(zeros->positive.value, 0, zeros->positive.count * sizeof *zeros->positive.value);
    memset(zeros->negative.value, 0, zeros->negative.count * sizeof *zeros->negative.value);
    return zeros;
}

void histogram_multiply(struct histogram *h, double factor)
{
    h->count *= factor;
    h->sum *= factor;
    h->zero_count *= factor;
    for (uint32_t i = 0; i < h->positive.count; i++)
        h->positive.value[i] *= factor;
    for (uint32_t i = 0; i < h->negative.count; i++)
        h->negative.value[i] *= factor;
}

/* Divided by 0 the empty buckets are none, and the others are as unknown: only the sums stay. */
void histogram_divide(struct histogram *h, double divisor)
{
    h->count /= divisor;
    h->sum /= divisor;
    h->zero_count /= divisor;
    if (divisor == 0)
        h->positive.count = h->negative.count = 0;
    for (uint32_t i = 0; i < h->positive.count; i++)
        h->positive.value[i] /= divisor;
    for (uint32_t i = 0; i < h->negative.count; i++)
        h->negative.value[i] /= divisor;
}

static void compact_buckets(struct histogram_buckets *b)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->value[i] == 0)
            continue;
        b->index[kept] = b->index[i];
        b->value[kept++] = b->value[i];
    }
    b->count = kept;
}

void histogram_compact(struct histogram *h)
{
    compact_buckets(&h->positive);
    compact_buckets(&h->negative);
}

static bool buckets_overflow(const struct histogram_buckets *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        if (isinf(b->value[i]))
            return true;
    return false;
}

bool histogram_overflows(const struct histogram *h)
{
    return isinf(h->count) || isinf(h->sum) || isinf(h->zero_count) ||
           buckets_overflow(&h->positive) || buckets_overflow(&h->negative);
}

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool buckets_equal(const struct histogram_buckets *a, const struct histogram_buckets *b)
{
    uint32_t i = 0, j = 0;
    for (;;) {
        while (i < a->count && a->value[i] == 0)
            i++;
        while (j < b->count && b->value[j] == 0)
            j++;
        if (i == a->count || j == b->count)
            return i == a->count && j == b->count;
        if (a->index[i] != b->index[j] || !same(a->value[i], b->value[j]))
            return false;
        i++, j++;
    }
}

bool histogram_equal(const struct histogram *a, const struct histogram *b)
{
    if (a->schema != b->schema || !same(a->count, b->count) || !same(a->sum, b->sum))
        return false;
    if (histogram_is_custom(a)) {
        if (a->custom_count != b->custom_count)
            return false;
        for (uint32_t i = 0; i < a->custom_count; i++)
            if (a->custom[i] != b->custom[i])
                return false;
    } else if (a->zero_threshold != b->zero_threshold || !same(a->zero_count, b->zero_count)) {
        return false;
    }
    return buckets_equal(&a->positive, &b->positive) && buckets_equal(&a->negative, &b->negative);
}
