// SPDX-License-Identifier: Apache-2.0
/* The decoder's inside, shared by batch_decode.c (the message and its tables) and
 * batch_rows.c (spans, events, links, attributes), batch_sample_rows.c (samples),
 * batch_marks.c and batch_windows.c.
 *
 * It works column by column: each column is one tight loop from a reader into an array. A
 * reader that goes wrong answers 0 and remembers it; all are asked at the end, and a column
 * that was not used up is as wrong as one that was too short.
 */
#ifndef WEFT_CODEC_BATCH_DECODE_H
#define WEFT_CODEC_BATCH_DECODE_H

#include "lib/base/arena.h"
#include "lib/codec/batch.h"
#include "lib/codec/batch_columns.h"
#include "lib/codec/column.h"

/* What spans have in common. */
struct decoded_shape {
    uint32_t name;
    uint8_t kind, status, flags;
    bool extra;
    uint32_t key_first, key_count; /* in `shape_keys` */
};

struct decoder {
    struct arena *arena;         /* the caller's: what the batch keeps */
    struct arena *samples_arena; /* likewise, for samples */
    struct arena *scratch;       /* until decoding ends */
    struct batch *batch;
    struct column_reader columns[BATCH_COLUMNS];
    uint64_t *id_blocks; /* upper bits, in their place */
    uint32_t *last_lows; /* of each block */
    uint32_t id_block_count;
    struct trace_id *trace_ids;
    uint32_t trace_count;
    struct decoded_shape *shapes;
    uint32_t shape_count;
    uint32_t *shape_keys; /* key << VALUE_TYPE_BITS | type, checked */
};

/* All of them answer with an enum batch_error. */
int decode_rows(struct decoder *d);
int decode_samples(struct decoder *d);
int decode_windows(struct decoder *d);
struct Weft__Batch;
int decode_marks(struct decoder *d, const struct Weft__Batch *message);

#endif
