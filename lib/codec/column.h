// SPDX-License-Identifier: Apache-2.0
/* A column of varints in memory, written and read in place; internal to lib/codec.
 *
 * Varints and zigzag are protobuf's. A writer that runs out of memory remembers it and ignores
 * what follows; a reader that runs out of bytes, or meets a varint that is none, remembers it
 * and answers 0 from then on: both are asked once, at the end.
 */
#ifndef WEFT_CODEC_COLUMN_H
#define WEFT_CODEC_COLUMN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/number.h"

enum { VARINT_MAX_BYTES = 10 };

static inline uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* ---- writing ----------------------------------------------------------------------------- */

struct column {
    uint8_t *bytes;
    size_t length, capacity;
    bool failed;
};

/* Room for `more` bytes. */
bool column_grow(struct column *c, size_t more);
void column_fini(struct column *c);

static inline bool column_reserve(struct column *c, size_t more)
{
    return __builtin_expect(c->capacity - c->length >= more, 1) || column_grow(c, more);
}

static inline void column_put(struct column *c, uint64_t value)
{
    if (!column_reserve(c, VARINT_MAX_BYTES))
        return;
    uint8_t *p = c->bytes + c->length;
    while (value >= 0x80) {
        *p++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *p++ = (uint8_t)value;
    c->length = (size_t)(p - c->bytes);
}

static inline void column_put_signed(struct column *c, int64_t value)
{
    column_put(c, zigzag(value));
}

static inline void column_put_bytes(struct column *c, const void *bytes, size_t length)
{
    if (length == 0 || !column_reserve(c, length))
        return;
    memcpy(c->bytes + c->length, bytes, length);
    c->length += length;
}

/* The lower `width` bytes of `value`, little-endian. */
static inline void column_put_fixed(struct column *c, uint64_t value, size_t width)
{
    if (!column_reserve(c, width))
        return;
    for (size_t i = 0; i < width; i++)
        c->bytes[c->length + i] = (uint8_t)(value >> 8 * i);
    c->length += width;
}

static inline void column_put_double(struct column *c, double value)
{
    column_put_fixed(c, number_bits(value), 8);
}

/* ---- reading ----------------------------------------------------------------------------- */

struct column_reader {
    const uint8_t *next, *end;
    bool bad;
};

/* Of any length, byte by byte. */
uint64_t column_get_long(struct column_reader *r);

/* For columns whose numbers mostly take several bytes: up to eight are read at once, without a
 * branch on how many there are. */
static inline uint64_t column_get_wide(struct column_reader *r)
{
    uint64_t word;
    if (__builtin_expect(r->end - r->next < (ptrdiff_t)sizeof word, 0))
        return column_get_long(r);
    memcpy(&word, r->next, sizeof word);
    word = le64toh(word);
    uint64_t last = ~word & 0x8080808080808080u; /* the first set bit ends the number */
    if (__builtin_expect(last == 0, 0))
        return column_get_long(r);
    r->next += (__builtin_ctzll(last) >> 3) + 1;
    word &= last ^ (last - 1);
    word = (word & 0x007f007f007f007fu) | (word & 0x7f007f007f007f00u) >> 1;
    word = (word & 0x00003fff00003fffu) | (word & 0x3fff00003fff0000u) >> 2;
    return (word & 0x000000000fffffffu) | (word & 0x0fffffff00000000u) >> 4;
}

static inline uint64_t column_get(struct column_reader *r)
{
    if (__builtin_expect(r->next < r->end && *r->next < 0x80, 1))
        return *r->next++;
    return column_get_wide(r);
}

static inline int64_t column_get_signed(struct column_reader *r)
{
    return unzigzag(column_get(r));
}

/* A varint below `limit`. */
static inline uint32_t column_get_below(struct column_reader *r, uint64_t limit)
{
    uint64_t value = column_get(r);
    if (__builtin_expect(value < limit, 1))
        return (uint32_t)value;
    r->bad = true;
    return 0;
}

static inline uint64_t column_get_fixed(struct column_reader *r, size_t width)
{
    uint64_t value = 0;
    if ((size_t)(r->end - r->next) < width) {
        r->bad = true;
        return 0;
    }
    for (size_t i = 0; i < width; i++)
        value |= (uint64_t)r->next[i] << 8 * i;
    r->next += width;
    return value;
}

static inline double column_get_double(struct column_reader *r)
{
    return number_of_bits(column_get_fixed(r, 8));
}

static inline size_t column_left(const struct column_reader *r)
{
    return (size_t)(r->end - r->next);
}

/* How many varints it holds (their last bytes are those below 0x80). */
size_t column_count_varints(const struct column_reader *r);

#endif
