// SPDX-License-Identifier: Apache-2.0
/* Span ids: a counter behind a fixed permutation of 64-bit numbers.
 *
 * Each thread counts 1 up from a random start, so ids look random and do not collide, yet
 * whoever stores them can undo the permutation and keep small differences instead of eight
 * random bytes. The permutation is the finaliser of splitmix64 (Steele, Lea, Flood: "Fast
 * splittable pseudorandom number generators", 2014); it maps 0, and only 0, to 0, and so the
 * counter skips 0: a span id of 0 means "none" in W3C's trace context.
 */
#ifndef WEFT_RING_SPAN_ID_H
#define WEFT_RING_SPAN_ID_H

#include <stdint.h>

static inline uint64_t span_id_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The inverse: span_id_unmix(span_id_mix(x)) == x. The factors are the multiplicative inverses
 * modulo 2^64 of those above; x ^ x>>k ^ x>>2k undoes x ^ x>>k where 3k >= 64. */
static inline uint64_t span_id_unmix(uint64_t x)
{
    x = (x ^ (x >> 31) ^ (x >> 62)) * 0x319642b2d24d8ec3u;
    x = (x ^ (x >> 27) ^ (x >> 54)) * 0x96de1b173f119089u;
    return x ^ (x >> 30) ^ (x >> 60);
}

#endif
