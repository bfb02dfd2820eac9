// SPDX-License-Identifier: Apache-2.0
/* Unpacking goes eight numbers at a time, which begin at a whole byte whatever the width is:
 * with the width known to the compiler, all shifts and offsets are constants. */
#include "collector/traces/segment/bits.h"

uint8_t *bits_pack(uint8_t *to, const uint64_t *values, size_t count, uint64_t base, unsigned width)
{
    struct bits_writer w = {.to = to};
    if (width == 0)
        return to;
    for (size_t i = 0; i < count; i++)
        bits_write(&w, values[i] - base, width);
    return bits_finish(&w);
}

static inline __attribute__((always_inline)) void
unpack_eights(const uint8_t *from, size_t eights, uint64_t base, unsigned width, uint64_t *values)
{
    for (size_t i = 0; i < eights; i++, from += width, values += 8) {
        for (unsigned j = 0; j < 8; j++)
            values[j] = bits_read(from, (size_t)j * width, width) + base;
    }
}

static void unpack_any(const uint8_t *stream, size_t first, size_t count, uint64_t base,
                       unsigned width, uint64_t *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = bits_read(stream, (first + i) * width, width) + base;
}

#define WIDTH(n)                                                                                   \
    case n:                                                                                        \
        unpack_eights(from, eights, base, n, values);                                              \
        break
#define WIDTHS(n)                                                                                  \
    WIDTH(n + 1);                                                                                  \
    WIDTH(n + 2);                                                                                  \
    WIDTH(n + 3);                                                                                  \
    WIDTH(n + 4);                                                                                  \
    WIDTH(n + 5);                                                                                  \
    WIDTH(n + 6);                                                                                  \
    WIDTH(n + 7);                                                                                  \
    WIDTH(n + 8)

static void unpack_whole(const uint8_t *from, size_t eights, uint64_t base, unsigned width,
                         uint64_t *values)
{
    switch (width) {
        WIDTHS(0);
        WIDTHS(8);
        WIDTHS(16);
        WIDTHS(24);
    default:
        unpack_any(from, 0, eights * 8, base, width, values);
    }
}

void bits_unpack(const uint8_t *stream, size_t first, size_t count, uint64_t base, unsigned width,
                 uint64_t *values)
{
    if (width == 0) {
        for (size_t i = 0; i < count; i++)
            values[i] = base;
        return;
    }
    size_t head = (8 - first % 8) % 8;
    head = head < count ? head : count;
    unpack_any(stream, first, head, base, width, values);
    size_t eights = (count - head) / 8;
    unpack_whole(stream + (first + head) / 8 * width, eights, base, width, values + head);
    size_t done = head + eights * 8;
    unpack_any(stream, first + done, count - done, base, width, values + done);
}
