// SPDX-License-Identifier: Apache-2.0
/* What the tests of series share: seeded numbers, samples of every sort, and comparing them bit by
 * bit. */
#ifndef WEFT_TESTS_SERIES_SAMPLES_H
#define WEFT_TESTS_SERIES_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "collector/series/source.h"

static inline uint64_t random_next(uint64_t *seed)
{
    uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint64_t random_below(uint64_t *seed, uint64_t limit)
{
    return random_next(seed) % limit;
}

static inline double value_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t bits_of_value(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

#define STALE_VALUE value_of_bits(SAMPLE_STALE_BITS)

/* How a series goes on. */
enum sort_of_values {
    VALUES_CONSTANT,
    VALUES_COUNTER,
    VALUES_RESTARTING_COUNTER,
    VALUES_DECIMALS,
    VALUES_REAL,
    VALUES_ANY_BITS,
    VALUES_EDGES,
    VALUES_WHOLE_WITH_STALE,
    SORTS_OF_VALUES
};

static inline double next_value(enum sort_of_values sort, double last, uint64_t *seed)
{
    static const uint64_t edges[] = {
        0,
        UINT64_C(0x8000000000000000), /* -0 */
        UINT64_C(0x7ff0000000000000), /* +Inf */
        UINT64_C(0xfff0000000000000), /* -Inf */
        UINT64_C(0x7ff8000000000001), /* a NaN */
        UINT64_C(0xfff8000000abcdef), /* another */
        SAMPLE_STALE_BITS,
        1,                            /* the least there is */
        UINT64_C(0x7fefffffffffffff), /* the greatest */
        UINT64_C(0x4340000000000000), /* 2^53 */
        UINT64_C(0xc340000000000001),
    };
    switch (sort) {
    case VALUES_CONSTANT:
        return last == 0 ? 42 : last;
    case VALUES_COUNTER:
        return last + (double)random_below(seed, 1000);
    case VALUES_RESTARTING_COUNTER:
        return random_below(seed, 20) ? last + (double)random_below(seed, 1000) : 0;
    case VALUES_DECIMALS:
        return (double)((int64_t)random_below(seed, 200000) - 100000) / 100;
    case VALUES_REAL:
        return last * 0.9 + sin((double)random_below(seed, 1000000));
    case VALUES_ANY_BITS:
        return value_of_bits(random_next(seed));
    case VALUES_EDGES:
        return value_of_bits(edges[random_below(seed, sizeof edges / sizeof *edges)]);
    default:
        return random_below(seed, 10) ? (double)random_below(seed, 100) : STALE_VALUE;
    }
}

static inline struct histogram *copy_histogram(struct arena *arena, const struct histogram *h)
{
    struct histogram *copy = arena_copy(arena, h, sizeof *h);
    copy->positive.index = arena_copy(arena, h->positive.index, h->positive.count * 4);
    copy->positive.value = arena_copy(arena, h->positive.value, h->positive.count * 8);
    copy->negative.index = arena_copy(arena, h->negative.index, h->negative.count * 4);
    copy->negative.value = arena_copy(arena, h->negative.value, h->negative.count * 8);
    copy->custom = h->custom_count ? arena_copy(arena, h->custom, h->custom_count * 8) : NULL;
    return copy;
}

static inline void random_buckets(struct arena *arena, uint64_t *seed, bool whole,
                                  struct histogram_buckets *b, double *count)
{
    int32_t index = (int32_t)random_below(seed, 40) - 20;
    b->count = (uint32_t)random_below(seed, 12);
    b->index = arena_alloc(arena, b->count * 4 + 4);
    b->value = arena_alloc(arena, b->count * 8 + 8);
    for (uint32_t i = 0; i < b->count; i++) {
        b->index[i] = index;
        b->value[i] = (double)random_below(seed, 500) + (whole ? 0 : 0.25);
        *count += b->value[i];
        index += 1 + (int32_t)random_below(seed, 3);
    }
}

static inline struct histogram *random_histogram(struct arena *arena, uint64_t *seed)
{
    static const double bounds[] = {0.1, 0.5, 1, 10};
    struct histogram *h = arena_calloc(arena, 1, sizeof *h);
    bool whole = random_below(seed, 4) != 0;
    h->schema = random_below(seed, 20) ? 3 : (int8_t)((int)random_below(seed, 13) - 4);
    h->reset = (uint8_t)random_below(seed, 4);
    if (random_below(seed, 20) == 0) {
        h->schema = HISTOGRAM_CUSTOM;
        h->custom = bounds;
        h->custom_count = 1 + (uint32_t)random_below(seed, 4);
    } else {
        h->zero_threshold = 1e-9;
        h->zero_count = (double)random_below(seed, 10);
        random_buckets(arena, seed, whole, &h->negative, &h->count);
    }
    random_buckets(arena, seed, whole, &h->positive, &h->count);
    h->count += h->zero_count + (random_below(seed, 5) ? 0 : 1);
    h->sum = (double)random_below(seed, 100000) / 7;
    return h;
}

/* ---- comparing --------------------------------------------------------------------------- */

static inline bool next_bucket(const struct histogram_buckets *b, uint32_t *at)
{
    while (*at < b->count && b->value[*at] == 0)
        ++*at;
    return *at < b->count;
}

static inline bool buckets_same(const struct histogram_buckets *a,
                                const struct histogram_buckets *b)
{
    uint32_t i = 0, k = 0;
    for (;; i++, k++) {
        bool more = next_bucket(a, &i);
        if (next_bucket(b, &k) != more)
            return false;
        if (!more)
            return true;
        if (a->index[i] != b->index[k] || a->value[i] != b->value[k])
            return false;
    }
}

static inline bool histograms_same(const struct histogram *a, const struct histogram *b)
{
    return a->schema == b->schema && a->reset == b->reset &&
           a->zero_threshold == b->zero_threshold && a->zero_count == b->zero_count &&
           a->count == b->count && bits_of_value(a->sum) == bits_of_value(b->sum) &&
           a->custom_count == b->custom_count &&
           (a->custom_count == 0 || memcmp(a->custom, b->custom, a->custom_count * 8) == 0) &&
           buckets_same(&a->positive, &b->positive) && buckets_same(&a->negative, &b->negative);
}

static inline const struct histogram *histogram_at(const struct points *p, size_t i)
{
    return p->histogram ? p->histogram[i] : NULL;
}

static inline void assert_points_same(const struct points *found, const struct points *expected)
{
    for (size_t i = 0; i < found->count && i < expected->count; i++) {
        const struct histogram *a = histogram_at(found, i), *b = histogram_at(expected, i);
        if (found->unix_ms[i] != expected->unix_ms[i] ||
            bits_of_value(found->value[i]) != bits_of_value(expected->value[i]) || !a != !b ||
            (a && !histograms_same(a, b)))
            fail_msg("sample %zu of %zu: at %lld is %a (histogram: %d), should be at %lld %a (%d)",
                     i, expected->count, (long long)found->unix_ms[i], found->value[i], a != NULL,
                     (long long)expected->unix_ms[i], expected->value[i], b != NULL);
    }
    assert_int_equal(found->count, expected->count);
}

#endif
