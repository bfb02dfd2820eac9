// SPDX-License-Identifier: Apache-2.0
/* Streams of bits, the first in the lowest bit of the first byte. A writer that has no memory is
 * asked by its column (lib/codec/column.h); a reader that has no more bits answers zeros from then
 * on and remembers it. */
#ifndef WEFT_COLLECTOR_SERIES_CHUNK_BITS_H
#define WEFT_COLLECTOR_SERIES_CHUNK_BITS_H

#include "lib/codec/column.h"

struct bit_writer {
    struct column *out;
    uint64_t word;
    unsigned used; /* bits of `word`; below 32 between calls */
};

static inline void bit_writer_flush(struct bit_writer *w)
{
    while (w->used >= 32) {
        column_put_fixed(w->out, w->word & UINT32_MAX, 4);
        w->word >>= 32;
        w->used -= 32;
    }
}

/* `width`: at most 32; no bit of `bits` above it. */
static inline void bits_put_few(struct bit_writer *w, uint64_t bits, unsigned width)
{
    w->word |= bits << w->used;
    w->used += width;
    bit_writer_flush(w);
}

/* `width`: at most 64. */
static inline void bits_put_wide(struct bit_writer *w, uint64_t bits, unsigned width)
{
    if (width > 32) {
        bits_put_few(w, bits & UINT32_MAX, 32);
        bits >>= 32;
        width -= 32;
    }
    bits_put_few(w, bits, width);
}

/* The stream ends with a whole byte. */
static inline void bits_put_end(struct bit_writer *w)
{
    column_put_fixed(w->out, w->word, (w->used + 7) / 8);
    w->word = 0;
    w->used = 0;
}

struct bit_reader {
    const uint8_t *next, *end;
    uint64_t word;
    unsigned left; /* bits of `word` */
    bool bad;
};

static inline struct bit_reader bit_reader_of(const struct column_reader *in)
{
    return (struct bit_reader){.next = in->next, .end = in->end};
}

/* At least 56 bits are in the word then, or all that there are. */
static inline void bit_reader_fill(struct bit_reader *r)
{
    if (__builtin_expect(r->end - r->next >= 8, 1)) {
        uint64_t more;
        memcpy(&more, r->next, sizeof more);
        r->word |= le64toh(more) << r->left;
        r->next += (63 - r->left) >> 3;
        r->left |= 56;
        return;
    }
    while (r->left <= 56 && r->next < r->end) {
        r->word |= (uint64_t)*r->next++ << r->left;
        r->left += 8;
    }
}

static inline void bit_reader_drop(struct bit_reader *r, unsigned width)
{
    if (__builtin_expect(width > r->left, 0)) {
        r->bad = true;
        r->word = 0;
        r->left = 0;
        return;
    }
    r->word >>= width;
    r->left -= width;
}

/* `width`: at most 32. */
static inline uint64_t bits_get_few(struct bit_reader *r, unsigned width)
{
    if (r->left < width)
        bit_reader_fill(r);
    uint64_t bits = r->word & ((UINT64_C(1) << width) - 1);
    bit_reader_drop(r, width);
    return bits;
}

/* `width`: at most 64. */
static inline uint64_t bits_get_wide(struct bit_reader *r, unsigned width)
{
    if (width <= 32)
        return bits_get_few(r, width);
    uint64_t low = bits_get_few(r, 32);
    return low | bits_get_few(r, width - 32) << 32;
}

/* How many zeros come before the next one, which is passed over too. Beyond `most` there is
 * something wrong. */
static inline unsigned bits_get_zeros(struct bit_reader *r, unsigned most)
{
    if (r->left <= most)
        bit_reader_fill(r);
    unsigned zeros = r->word ? (unsigned)__builtin_ctzll(r->word) : 64;
    if (__builtin_expect(zeros > most || zeros >= r->left, 0)) {
        r->bad = true;
        return 0;
    }
    r->word >>= zeros + 1;
    r->left -= zeros + 1;
    return zeros;
}

/* The byte after the stream. */
static inline void bits_get_end(const struct bit_reader *r, struct column_reader *in)
{
    in->next = r->next - r->left / 8;
    in->bad |= r->bad;
}

#endif
