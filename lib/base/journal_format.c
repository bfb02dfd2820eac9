// SPDX-License-Identifier: Apache-2.0
#include "lib/base/journal_format.h"

#include <string.h>
#include <xxhash.h>

#include "lib/base/little_endian.h"

static const char magic[8] = "weftjrnl";

void journal_header_write(uint8_t bytes[JOURNAL_HEADER_BYTES], const struct journal_header *header)
{
    memcpy(bytes, magic, sizeof magic);
    put_u32(bytes + 8, JOURNAL_VERSION);
    put_u32(bytes + 12, 0);
    put_u64(bytes + 16, header->segment);
    put_u64(bytes + 24, header->seed);
    put_u64(bytes + 32, XXH3_64bits(bytes, 32));
}

bool journal_header_read(const uint8_t bytes[JOURNAL_HEADER_BYTES], struct journal_header *header)
{
    if (memcmp(bytes, magic, sizeof magic) != 0 || get_u32(bytes + 8) != JOURNAL_VERSION ||
        get_u64(bytes + 32) != XXH3_64bits(bytes, 32))
        return false;
    *header = (struct journal_header){get_u64(bytes + 16), get_u64(bytes + 24)};
    return true;
}

void journal_frame_header_write(uint8_t bytes[JOURNAL_FRAME_HEADER_BYTES],
                                const struct journal_frame_header *header)
{
    put_u32(bytes, header->marker);
    put_u32(bytes + 4, header->length);
    put_u64(bytes + 8, header->checksum);
}

struct journal_frame_header
journal_frame_header_read(const uint8_t bytes[JOURNAL_FRAME_HEADER_BYTES])
{
    return (struct journal_frame_header){get_u32(bytes), get_u32(bytes + 4), get_u64(bytes + 8)};
}

uint64_t journal_frame_seed(uint64_t segment_seed, uint64_t offset, uint32_t marker,
                            uint32_t length)
{
    return segment_seed + offset * 0x9e3779b97f4a7c15u + ((uint64_t)marker << 32) + length;
}

uint64_t journal_checksum(uint64_t frame_seed, const void *body, uint32_t length)
{
    return XXH3_64bits_withSeed(body, length, frame_seed);
}
