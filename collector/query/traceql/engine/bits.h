// SPDX-License-Identifier: Apache-2.0
/* Sets of rows as bits, 64 rows a word. Bits beyond the last row are zero. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_BITS_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_BITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BITS_NONE UINT32_MAX

static inline uint32_t bits_words(uint32_t rows)
{
    return (uint32_t)(((uint64_t)rows + 63) / 64);
}

static inline bool bits_get(const uint64_t *b, uint32_t row)
{
    return b[row / 64] >> (row % 64) & 1;
}

static inline void bits_set(uint64_t *b, uint32_t row)
{
    b[row / 64] |= UINT64_C(1) << (row % 64);
}

static inline void bits_clear(uint64_t *b, uint32_t row)
{
    b[row / 64] &= ~(UINT64_C(1) << (row % 64));
}

/* The bits of one word that lie in [from, to); from < to, both in terms of rows. */
static inline uint64_t bits_mask(uint32_t word, uint32_t from, uint32_t to)
{
    uint32_t base = word * 64;
    uint64_t mask = UINT64_MAX;
    if (from > base)
        mask &= UINT64_MAX << (from - base);
    if (to < base + 64)
        mask &= UINT64_MAX >> (base + 64 - to);
    return mask;
}

/* Sets [from, to). */
static inline void bits_set_range(uint64_t *b, uint32_t from, uint32_t to)
{
    for (uint32_t w = from / 64; from < to && w <= (to - 1) / 64; w++)
        b[w] |= bits_mask(w, from, to);
}

static inline void bits_clear_range(uint64_t *b, uint32_t from, uint32_t to)
{
    for (uint32_t w = from / 64; from < to && w <= (to - 1) / 64; w++)
        b[w] &= ~bits_mask(w, from, to);
}

static inline bool bits_any_in(const uint64_t *b, uint32_t from, uint32_t to)
{
    for (uint32_t w = from / 64; from < to && w <= (to - 1) / 64; w++) {
        if (b[w] & bits_mask(w, from, to))
            return true;
    }
    return false;
}

static inline bool bits_any(const uint64_t *b, uint32_t words)
{
    for (uint32_t w = 0; w < words; w++) {
        if (b[w])
            return true;
    }
    return false;
}

static inline uint32_t bits_count(const uint64_t *b, uint32_t words)
{
    uint32_t count = 0;
    for (uint32_t w = 0; w < words; w++)
        count += (uint32_t)__builtin_popcountll(b[w]);
    return count;
}

/* The first row in [from, to) that is set; BITS_NONE. */
static inline uint32_t bits_next(const uint64_t *b, uint32_t from, uint32_t to)
{
    for (uint32_t w = from / 64; from < to && w <= (to - 1) / 64; w++) {
        uint64_t bits = b[w] & bits_mask(w, from, to);
        if (bits)
            return w * 64 + (uint32_t)__builtin_ctzll(bits);
    }
    return BITS_NONE;
}

static inline void bits_and(uint64_t *to, const uint64_t *from, uint32_t words)
{
    for (uint32_t w = 0; w < words; w++)
        to[w] &= from[w];
}

static inline void bits_or(uint64_t *to, const uint64_t *from, uint32_t words)
{
    for (uint32_t w = 0; w < words; w++)
        to[w] |= from[w];
}

static inline void bits_and_not(uint64_t *to, const uint64_t *from, uint32_t words)
{
    for (uint32_t w = 0; w < words; w++)
        to[w] &= ~from[w];
}

/* Each row that is set in [from, to), ascending. The body must not set or clear bits. */
#define BITS_EACH(row, b, from, to)                                                                \
    for (uint32_t row = bits_next(b, from, to); row != BITS_NONE; row = bits_next(b, row + 1, to))

#endif
