// SPDX-License-Identifier: Apache-2.0
#include "lib/model/distinct.h"

#include <math.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { INDEX_BITS = 11 };
_Static_assert(DISTINCT_REGISTERS == 1 << INDEX_BITS, "a register for each index");

void distinct_add(struct distinct *d, const void *bytes, size_t length)
{
    distinct_add_hash(d, XXH3_64bits(bytes, length));
}

void distinct_add_hash(struct distinct *d, uint64_t hash)
{
    uint32_t at = (uint32_t)(hash >> (64 - INDEX_BITS));
    uint64_t rest = hash << INDEX_BITS | UINT64_C(1) << (INDEX_BITS - 1);
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    if (rank > d->registers[at])
        d->registers[at] = rank;
}

void distinct_merge(struct distinct *d, const struct distinct *other)
{
    for (int i = 0; i < DISTINCT_REGISTERS; i++)
        if (other->registers[i] > d->registers[i])
            d->registers[i] = other->registers[i];
}

double distinct_count(const struct distinct *d)
{
    const double m = DISTINCT_REGISTERS, alpha = 0.7213 / (1 + 1.079 / m);
    double sum = 0;
    int zeros = 0;
    for (int i = 0; i < DISTINCT_REGISTERS; i++) {
        sum += ldexp(1, -d->registers[i]);
        zeros += d->registers[i] == 0;
    }
    double raw = alpha * m * m / sum;
    return round(raw <= 2.5 * m && zeros > 0 ? m * log(m / zeros) : raw);
}

void distinct_window_rotate(struct distinct_window *w)
{
    w->before = distinct_count(&w->now);
    w->now = (struct distinct){0};
}

double distinct_window_count(const struct distinct_window *w)
{
    double now = distinct_count(&w->now);
    return now > w->before ? now : w->before;
}
