// SPDX-License-Identifier: Apache-2.0
/* Hashes for tables whose keys come from strangers: seeded at the start of the process, so
 * that nobody can prepare ids or names that all land in one place. */
#ifndef WEFT_COLLECTOR_HASH_H
#define WEFT_COLLECTOR_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Random, set before main. */
extern uint64_t hash_seed[2];

/* Two 64-bit words: a 128-bit product, folded (as in wyhash). */
static inline uint64_t hash_words(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)(a ^ hash_seed[0]) * (b ^ hash_seed[1]);
    uint64_t x = (uint64_t)product ^ (uint64_t)(product >> 64);
    x = (x ^ (x >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
    return x ^ (x >> 29);
}

uint64_t hash_bytes(const void *bytes, size_t length);

/* Slots for `count` keys in a table with linear probing: a power of two, at most half full. */
static inline size_t hash_slots(size_t count)
{
    size_t slots = 16;
    while (slots < count * 2)
        slots *= 2;
    return slots;
}

#endif
