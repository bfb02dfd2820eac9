// SPDX-License-Identifier: Apache-2.0
/* What was sent to a client, and how far it has it: the way from bytes that its side of the
 * connection acknowledged to positions of partitions.
 *
 * Each line leaves a mark: so many bytes of the stream, then the reader stood there, for those
 * partitions. When that many bytes are acknowledged, the partitions are delivered up to there.
 *
 * A client that ends in order has read all that its kernel acknowledged. One that breaks off may
 * have left some of it unread, in a buffer that went with it. So what was acknowledged is
 * remembered for TRAIL_UNREAD_MOST bytes more, in steps, to go back to (trail_rewind).
 *
 * Not thread-safe. Memory: bounded by what the socket takes, see firehose/transport.h; beyond
 * TRAIL_MARKS_MOST marks, neighbours are joined.
 */
#ifndef WEFT_COLLECTOR_FIREHOSE_TRAIL_H
#define WEFT_COLLECTOR_FIREHOSE_TRAIL_H

#include "collector/firehose/position.h"
#include "collector/firehose/transport.h"

enum {
    FIREHOSE_PARTITIONS = 64,
    TRAIL_MARKS_MOST = 8192,
    TRAIL_UNREAD_MOST = TRANSPORT_UNREAD_MOST,
    TRAIL_STEP_BYTES = 64 << 10,
    TRAIL_STEPS = 640, /* more than the one takes of the other */
};

struct trail_mark {
    uint64_t bytes;      /* of the stream, up to and with the line */
    uint64_t partitions; /* a bit for each that the client had then */
    struct firehose_position at;
};

struct trail {
    struct trail_mark *marks; /* not acknowledged yet; a ring */
    uint32_t first, count, capacity;
    uint64_t acknowledged; /* bytes of the stream */
    struct firehose_position delivered[FIREHOSE_PARTITIONS];

    struct trail_mark *steps; /* acknowledged of late; a ring of TRAIL_STEPS */
    uint32_t first_step, step_count;
    uint64_t step_begin;                                /* of the newest, in bytes */
    struct firehose_position base[FIREHOSE_PARTITIONS]; /* delivered before all of them */
    uint64_t taken_at[FIREHOSE_PARTITIONS];             /* acknowledged when it was taken */
};

/* -1 when memory is out. */
int trail_init(struct trail *t);
void trail_fini(struct trail *t);
/* The client has the partition from now on, beginning at `from`. */
void trail_take(struct trail *t, unsigned partition, struct firehose_position from);
/* `bytes` never falls. Where there is no room (or memory), marks are joined: lines count as
 * acknowledged later than they were. */
void trail_mark(struct trail *t, const struct trail_mark *mark);
/* So many bytes of the stream are acknowledged (less than before: nothing new). Partitions whose
 * position moved, as bits. */
uint64_t trail_acknowledge(struct trail *t, uint64_t bytes);
/* Everything that was marked is acknowledged. */
static inline bool trail_is_empty(const struct trail *t)
{
    return t->count == 0;
}
/* The client broke off, and has not read up to so many bytes of what it acknowledged: delivered is
 * what it surely has. */
void trail_rewind(struct trail *t, uint64_t unread);

#endif
