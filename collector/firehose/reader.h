// SPDX-License-Identifier: Apache-2.0
/* The ledger from a position on, batch by batch, as far as it is durable: what one client reads.
 * It has a cursor and one decoded batch of its own; how far others are does not concern it.
 *
 * Where retention (or damage) has taken what stands next, it says how many spans are missing: each
 * segment begins with the number of spans before it, and the reader counts along.
 * One thread. */
#ifndef WEFT_COLLECTOR_FIREHOSE_READER_H
#define WEFT_COLLECTOR_FIREHOSE_READER_H

#include "collector/firehose/format.h"
#include "collector/ledger/ledger.h"
#include "lib/base/arena.h"

enum frames_result {
    FRAMES_BATCH,  /* `batch` is the next one, `at` its first row that has not been read */
    FRAMES_END,    /* nothing more is durable */
    FRAMES_GAP,    /* `gap`; then call again */
    FRAMES_ENOMEM, /* try again later */
    FRAMES_EIO,
};

struct frames {
    struct ledger *ledger;
    struct journal_cursor *cursor;
    struct firehose_position at; /* of the batch; else of what is read next */
    uint64_t not_before_unix_ns; /* batches accepted earlier are passed by */
    bool counting;               /* at.spans is right */
    struct frame frame;          /* of the batch, or held: the cursor stands behind it */
    struct journal_position frame_at;
    bool held;
    const struct batch *batch; /* in `arena`; NULL: none */
    struct arena arena;
    struct firehose_gap gap;
};

/* Begins at `from`; opens nothing yet. */
void frames_init(struct frames *r, struct ledger *l, struct firehose_position from);
void frames_fini(struct frames *r);
/* Goes to another position, back or forth. */
void frames_seek(struct frames *r, struct firehose_position to);
enum frames_result frames_next(struct frames *r);
/* The position before (or behind) a row of the batch. */
static inline struct firehose_position frames_position(const struct frames *r, uint32_t row)
{
    struct firehose_position p = r->at;
    p.spans += row - (uint64_t)p.row;
    p.row = row;
    return p;
}

#endif
