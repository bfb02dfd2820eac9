// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/segment/filter.h"

#include <xxhash.h>

#include "lib/base/little_endian.h"

/* The line, and a word of which every nine bits from the top tell a bit in it. */
static uint32_t place(struct trace_id id, uint32_t line_count, uint64_t *bits)
{
    uint8_t bytes[16];
    put_u64(bytes, id.hi);
    put_u64(bytes + 8, id.lo);
    uint64_t hash = XXH3_64bits(bytes, sizeof bytes);
    *bits = hash * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(((hash >> 32) * line_count) >> 32);
}

void filter_add(uint8_t *lines, uint32_t line_count, struct trace_id id)
{
    uint64_t bits;
    uint8_t *line = lines + (size_t)place(id, line_count, &bits) * FILTER_LINE_BYTES;
    for (int i = 0; i < FILTER_BITS_AN_ID; i++, bits <<= 9)
        line[bits >> 58] |= (uint8_t)(1 << (bits >> 55 & 7));
}

bool filter_may_have(const uint8_t *lines, uint32_t line_count, struct trace_id id)
{
    uint64_t bits;
    const uint8_t *line = lines + (size_t)place(id, line_count, &bits) * FILTER_LINE_BYTES;
    for (int i = 0; i < FILTER_BITS_AN_ID; i++, bits <<= 9) {
        if (!(line[bits >> 58] & 1 << (bits >> 55 & 7)))
            return false;
    }
    return true;
}
