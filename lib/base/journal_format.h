// SPDX-License-Identifier: Apache-2.0
/* The bytes of a journal's segment (docs/format/journal.md), internal to lib/base. All numbers
 * are little-endian.
 *
 *     0    header, 40 bytes     magic "weftjrnl", version u32, 0 u32, segment u64, seed u64,
 *                               XXH3-64 of the 32 bytes before
 *     40   the same again       so that one damaged sector costs no segment
 *     80   frames               marker u32, length u32, checksum u64, body
 *
 * A checksum is XXH3-64 of the body, seeded with seed + offset * a prime + marker and
 * length: a frame is valid in its own place only, and nobody whose bytes are stored can forge one
 * inside of them, as the seed is random and told to nobody.
 */
#ifndef WEFT_BASE_JOURNAL_FORMAT_H
#define WEFT_BASE_JOURNAL_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#define JOURNAL_VERSION 1

enum {
    JOURNAL_HEADER_BYTES = 40,
    JOURNAL_FRAMES_OFFSET = 2 * JOURNAL_HEADER_BYTES,
    JOURNAL_FRAME_HEADER_BYTES = 16,
};

#define JOURNAL_MARK_FRAME    0xd154feaeu
#define JOURNAL_MARK_PREAMBLE 0xd154feafu

struct journal_header {
    uint64_t segment, seed;
};

struct journal_frame_header {
    uint32_t marker, length;
    uint64_t checksum;
};

void journal_header_write(uint8_t bytes[JOURNAL_HEADER_BYTES], const struct journal_header *header);
bool journal_header_read(const uint8_t bytes[JOURNAL_HEADER_BYTES], struct journal_header *header);

void journal_frame_header_write(uint8_t bytes[JOURNAL_FRAME_HEADER_BYTES],
                                const struct journal_frame_header *header);
struct journal_frame_header
journal_frame_header_read(const uint8_t bytes[JOURNAL_FRAME_HEADER_BYTES]);

/* The seed of a frame's checksum. */
uint64_t journal_frame_seed(uint64_t segment_seed, uint64_t offset, uint32_t marker,
                            uint32_t length);
uint64_t journal_checksum(uint64_t frame_seed, const void *body, uint32_t length);

#endif
