// SPDX-License-Identifier: Apache-2.0
/* What was sent to a client, and how far it has it: the way from bytes that its side of the
 * connection acknowledged to positions of partitions.
 *
 * Each line leaves a mark: so many bytes of the stream, then the reader stood there, for those
 * partitions. When that many bytes are acknowledged, the partitions are delivered up to there.
 *
 * A client that ends in order has read all that its kernel acknowledged. One that breaks off has
 * left some of it unread, in a buffer that it takes along: at most TRAIL_UNREAD_MOST bytes. For
 * these, pictures of the positions are kept for a while, to go back to (trail_rewind).
 *
 * Not thread-safe. Memory: bounded by what the socket takes, see firehose/transport.h; beyond
 * TRAIL_MARKS_MOST marks, neighbours are joined.
 */
#ifndef WEFT_COLLECTOR_FIREHOSE_TRAIL_H
#define WEFT_COLLECTOR_FIREHOSE_TRAIL_H

#include "collector/firehose/position.h"

enum {
    FIREHOSE_PARTITIONS = 64,
    TRAIL_MARKS_MOST = 8192,
    TRAIL_UNREAD_MOST = 6 << 20, /* Linux: the most that tcp_rmem lets a socket's buffer grow to */
    TRAIL_PICTURE_BYTES = 512 << 10,
    TRAIL_PICTURES = TRAIL_UNREAD_MOST / TRAIL_PICTURE_BYTES + 2,
};

struct trail_mark {
    uint64_t bytes;      /* of the stream, up to and with the line */
    uint64_t partitions; /* a bit for each that the client had then */
    struct firehose_position at;
};

struct trail_picture {
    uint64_t bytes;
    struct firehose_position delivered[FIREHOSE_PARTITIONS];
};

struct trail {
    struct trail_mark *marks; /* a ring */
    uint32_t first, count, capacity;
    uint64_t acknowledged; /* bytes of the stream */
    uint64_t pictures_count;
    struct trail_picture *pictures; /* a ring of TRAIL_PICTURES; the first is of the beginning */
    struct firehose_position delivered[FIREHOSE_PARTITIONS];
    uint64_t taken_at[FIREHOSE_PARTITIONS]; /* bytes that were acknowledged when it was taken */
    struct firehose_position taken[FIREHOSE_PARTITIONS]; /* where it began */
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
/* The client broke off: delivered is what it has surely read. */
void trail_rewind(struct trail *t);

#endif
