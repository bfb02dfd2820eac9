// SPDX-License-Identifier: Apache-2.0
/* Chance that is the same in each run: a property test names the seed that failed. (xorshift64*,
 * G. Marsaglia and S. Vigna.) */
#ifndef WEFT_TESTS_TAP_CHANCE_H
#define WEFT_TESTS_TAP_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

static inline struct chance chance_of(uint64_t seed)
{
    return (struct chance){seed * UINT64_C(0x9e3779b97f4a7c15) | 1};
}

static inline uint64_t chance_next(struct chance *c)
{
    c->state ^= c->state >> 12;
    c->state ^= c->state << 25;
    c->state ^= c->state >> 27;
    return c->state * UINT64_C(2685821657736338717) >> 16;
}

/* Below `limit`. */
static inline uint32_t chance_below(struct chance *c, uint32_t limit)
{
    return (uint32_t)(chance_next(c) % limit);
}

static inline bool chance_of_percent(struct chance *c, uint32_t percent)
{
    return chance_below(c, 100) < percent;
}

#endif
