// SPDX-License-Identifier: Apache-2.0
/* Runs of bytes, compressed by zstd where that makes them smaller.
 *
 *   method u8 (0: as they are, 1: a zstd frame), length varint, so many bytes
 *
 * How long they are when decompressed, the reader must know. They are never more than
 * COMPRESS_RATIO_MAX times as long, and COMPRESS_SLACK: so nobody's few bytes cost much memory.
 */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_COMPRESS_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_COMPRESS_H

#include "lib/codec/column.h"

enum { COMPRESS_RATIO_MAX = 1024, COMPRESS_SLACK = 1 << 16 };

enum compress_how {
    COMPRESS_ENTROPY = 1, /* by how often each byte occurs: what has no repetitions */
    COMPRESS_MATCHES = 2, /* repetitions too */
    COMPRESS_STRONG = 4,  /* with more care: what is small and read often */
};

struct compressor; /* zstd's contexts; for one thread */

struct compressor *compressor_create(void); /* NULL: no memory */
void compressor_destroy(struct compressor **c);

/* Appends the smallest of the ways in `how`, and of the bytes as they are. */
void compressed_put(struct compressor *c, const void *bytes, size_t length, unsigned how,
                    struct column *out);

enum { COMPRESS_OK = 0, COMPRESS_ENOMEM = -1, COMPRESS_EDAMAGED = -2 };

/* Whether so many bytes may come of what is left in `in`: to be asked before memory is taken. */
bool compressed_is_plausible(const struct column_reader *in, size_t length);
/* Passes over a run. */
int compressed_skip(struct column_reader *in);
/* Reads one run, which must give exactly `length` bytes. */
int compressed_get(struct column_reader *in, uint8_t *to, size_t length);

#endif
