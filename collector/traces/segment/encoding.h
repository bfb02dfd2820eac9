// SPDX-License-Identifier: Apache-2.0
/* How a column of 64-bit numbers becomes bytes: as the smallest of several encodings, tried or
 * estimated for each column. docs/format/segment.md describes the bytes.
 *
 *   constant     one number for all
 *   packed       chunks of 256: the least of the chunk, and bits for what is above it
 *   delta        the same of the differences
 *   runs         each number once, and how often it follows itself
 *   bytes        what lies within 256 numbers: a byte each, through zstd
 *   rounded      a byte each for the size (leading bits and how many follow), through zstd,
 *                and the bits that follow as they are: for durations and the like
 *   sparse       one number for nearly all, and which rows have others
 *   dictionary   the distinct ones by falling frequency, and a column of indices
 *
 * Signed numbers go as zigzag where that is narrower. The number of values is not in the bytes:
 * the reader knows it. A part of a column can be read alone, mostly at the cost of that part.
 */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_ENCODING_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_ENCODING_H

#include "collector/traces/segment/bits.h"
#include "collector/traces/segment/compress.h"

/* The first byte: an encoding, and ENCODING_ZIGZAG. */
enum encoding {
    ENCODING_CONSTANT = 0,
    ENCODING_PACKED = 1,
    ENCODING_DELTA = 2,
    ENCODING_RUNS = 3,
    ENCODING_BYTES = 4,
    ENCODING_ROUNDED = 5,
    ENCODING_SPARSE = 6,
    ENCODING_DICTIONARY = 7,
    ENCODINGS
};
enum { ENCODING_ZIGZAG = 0x80, ENCODING_CHUNK = 256, ENCODING_ROUNDED_BITS_MAX = 4 };
/* Values that go through zstd at once: a part of a column costs no more than it must. */
enum { ENCODING_PIECE = 8192 };

struct encoder; /* scratch memory, and zstd's contexts; for one thread */

struct encoder *encoder_create(void); /* NULL: no memory */
void encoder_destroy(struct encoder **e);
struct compressor *encoder_compressor(struct encoder *e);

/* Appends the column; nothing for no values. When memory is out, out->failed is set. */
void encoding_put(struct encoder *e, const uint64_t *values, size_t count, struct column *out);
/* One encoding, whether it is the smallest or not; false (and nothing appended) where it cannot
 * hold these values. For tests. */
bool encoding_put_as(struct encoder *e, enum encoding encoding, const uint64_t *values,
                     size_t count, struct column *out);

enum { ENCODING_OK = 0, ENCODING_ENOMEM = -1, ENCODING_EDAMAGED = -2 };

/* Reads values [first, first + count) of a column of `total`, which are within its bounds.
 * BITS_PADDING bytes behind the column must be readable. */
int encoding_get(const uint8_t *bytes, size_t length, size_t total, size_t first, size_t count,
                 uint64_t *values);

/* ---- "rounded": a number as a symbol, and bits that follow ------------------------------- */

/* `sub` bits below the leading one belong to the symbol. Symbols rise with the numbers. */
static inline unsigned encoding_round(uint64_t value, unsigned sub)
{
    if (value >> sub == 0)
        return (unsigned)value;
    unsigned rest = bits_width(value) - 1 - sub;
    return ((rest + 1) << sub) | (unsigned)(value >> rest & bits_mask(sub));
}

/* The least number with the symbol, and how many bits follow. */
static inline uint64_t encoding_unround(unsigned symbol, unsigned sub, unsigned *rest)
{
    unsigned size = symbol >> sub;
    *rest = size ? size - 1 : 0;
    uint64_t bits = symbol & bits_mask(sub);
    return size ? ((UINT64_C(1) << sub) | bits) << *rest : bits;
}

static inline unsigned encoding_symbols(unsigned sub)
{
    return (65 - sub) << sub;
}

#endif
