// SPDX-License-Identifier: Apache-2.0
/* Numbers of a fixed width, one after the other in a stream of bits: the first number in the
 * lowest bits of the first byte. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_BITS_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_BITS_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* So many bytes behind a stream must be readable (they may hold anything), as it is read in words.
 */
enum { BITS_PADDING = 16 };

/* How many bits `value` needs: 0 to 64. */
static inline unsigned bits_width(uint64_t value)
{
    return value ? 64 - (unsigned)__builtin_clzll(value) : 0;
}

static inline size_t bits_bytes(size_t count, unsigned width)
{
    return (count * width + 7) / 8;
}

static inline uint64_t bits_load(const uint8_t *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return le64toh(word);
}

static inline uint64_t bits_mask(unsigned width)
{
    return width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

/* The number of `width` bits that begins at bit `at`. */
static inline uint64_t bits_read(const uint8_t *stream, size_t at, unsigned width)
{
    const uint8_t *from = stream + (at >> 3);
    unsigned shift = (unsigned)(at & 7);
    uint64_t word = bits_load(from) >> shift;
    if (__builtin_expect(width > 56, 0))
        word |= (uint64_t)from[8] << 1 << (63 - shift);
    return word & bits_mask(width);
}

/* Writes `count` values less `base`, each of which fits `width` bits. `to` has room for
 * bits_bytes and 8 more. Returns the end. */
uint8_t *bits_pack(uint8_t *to, const uint64_t *values, size_t count, uint64_t base,
                   unsigned width);

/* Reads `count` numbers from the number `first` on, and adds `base` to each. */
void bits_unpack(const uint8_t *stream, size_t first, size_t count, uint64_t base, unsigned width,
                 uint64_t *values);

/* A stream that is written number by number, each with a width of its own. */
struct bits_writer {
    uint8_t *to; /* has room for all of it and 8 bytes more */
    uint64_t word;
    unsigned have;
};

static inline void bits_write(struct bits_writer *w, uint64_t value, unsigned width)
{
    w->word |= value << w->have;
    if (w->have + width >= 64) {
        uint64_t word = htole64(w->word);
        memcpy(w->to, &word, sizeof word);
        w->to += sizeof word;
        w->word = w->have ? value >> 1 >> (63 - w->have) : 0;
        w->have = w->have + width - 64;
    } else {
        w->have += width;
    }
}

/* Returns the end. */
static inline uint8_t *bits_finish(struct bits_writer *w)
{
    uint64_t word = htole64(w->word);
    memcpy(w->to, &word, sizeof word);
    return w->to + (w->have + 7) / 8;
}

#endif
