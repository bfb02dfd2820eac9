// SPDX-License-Identifier: Apache-2.0
#include "agent/stats/distinct.h"

#include <math.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { INDEX_BITS = 10 };

void distinct_add(struct distinct *d, const void *bytes, size_t length)
{
    uint64_t hash = XXH3_64bits(bytes, length);
    uint32_t at = (uint32_t)(hash >> (64 - INDEX_BITS));
    uint64_t rest = hash << INDEX_BITS | UINT64_C(1) << (INDEX_BITS - 1);
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    if (rank > d->now[at])
        d->now[at] = rank;
}

static double estimate(const uint8_t registers[DISTINCT_REGISTERS])
{
    const double m = DISTINCT_REGISTERS, alpha = 0.7213 / (1 + 1.079 / m);
    double sum = 0;
    int zeros = 0;
    for (int i = 0; i < DISTINCT_REGISTERS; i++) {
        sum += ldexp(1, -registers[i]);
        zeros += registers[i] == 0;
    }
    double raw = alpha * m * m / sum;
    return raw <= 2.5 * m && zeros > 0 ? m * log(m / zeros) : raw;
}

void distinct_rotate(struct distinct *d)
{
    d->before = estimate(d->now);
    memset(d->now, 0, sizeof d->now);
}

double distinct_count(const struct distinct *d)
{
    double now = estimate(d->now);
    return round(now > d->before ? now : d->before);
}
