// SPDX-License-Identifier: Apache-2.0
/* What attach.c, client.c, firehose.c and group.c share. */
#ifndef WEFT_COLLECTOR_FIREHOSE_INTERNAL_H
#define WEFT_COLLECTOR_FIREHOSE_INTERNAL_H

#include <pthread.h>

#include "collector/firehose/checkpoints.h"
#include "collector/firehose/firehose.h"
#include "collector/firehose/reader.h"
#include "collector/firehose/share.h"
#include "collector/firehose/transport.h"

/* A block is full with so many bytes, or marks; a few marks more come with what changes. */
enum {
    FIREHOSE_BLOCK_BYTES = 16 << 10,
    FIREHOSE_BLOCK_MARKS_MOST = 120,
    FIREHOSE_BLOCK_MARKS = 128,
};

struct block_mark { /* as a trail_mark, but counted in the block */
    size_t offset;
    uint64_t partitions;
    struct firehose_position at;
};

struct group { /* an app, while it has clients or positions that are not written */
    struct group *next;
    char app[FIREHOSE_APP_MAX + 1];
    struct checkpoint checkpoint;
    bool dirty;     /* to be written */
    bool forgotten; /* it is no app any more, and goes soon */
    struct firehose_client *members[FIREHOSE_APP_CLIENTS];
    unsigned member_count;
    struct firehose_client *owner[FIREHOSE_PARTITIONS]; /* also of one that was detached */
};

struct firehose {
    struct firehose_options options;
    struct checkpoints *checkpoints;
    pthread_t keeper;
    bool keeper_runs;

    pthread_mutex_t lock;   /* for all below; held for moments */
    pthread_cond_t wake;    /* something changed that streams wait for */
    pthread_cond_t look;    /* the keeper has something to do */
    uint64_t durable_count; /* how often more became durable */
    bool stopping, closing;
    struct firehose_client *clients;
    struct group *groups;
    struct firehose_counts counts;
};

struct firehose_client {
    struct firehose *firehose;
    const struct firehose_format *format;
    struct firehose_filter filter;

    /* The streaming thread's. */
    struct frames reader;
    uint32_t row;                                       /* of the reader's batch: the next */
    uint64_t *rows;                                     /* those to send, as bits */
    size_t rows_capacity;                               /* in words */
    struct firehose_position from[FIREHOSE_PARTITIONS]; /* not sent before */
    struct block_mark marks[FIREHOSE_BLOCK_MARKS];      /* of the block being made, or written */
    unsigned mark_count;
    int64_t spoke_ms;
    uint64_t block_spans;

    /* Under the firehose's lock. */
    struct firehose_client *next;
    struct group *group;                   /* NULL: a lone reader */
    uint64_t wanted, owned, leaving;       /* partitions, as bits */
    uint64_t left_at[FIREHOSE_PARTITIONS]; /* of those leaving; UINT64_MAX: in this block, at */
    size_t left_offset[FIREHOSE_PARTITIONS];
    struct trail trail;
    struct transport transport;
    uint64_t handed;      /* bytes of the stream, in blocks that were written for sure */
    uint64_t block_bytes; /* of the block behind these */
    uint64_t end;         /* the connection's count behind the written ones */
    uint64_t overhead;    /* what the last of them took more than its own bytes */
    uint64_t unread_most;
    enum transport_peer peer;
    bool over, detached;
    int64_t progress_ms, detached_ms;
};

/* ---- group.c, under the lock -------------------------------------------------------------- */

struct group *group_find(struct firehose *f, const char *app);
/* Made from what is on disk; `start` is where one begins that is not known, or that is rewound. */
enum firehose_refusal group_load(struct firehose *f, const struct firehose_request *request,
                                 struct firehose_position start, struct group **out);
void group_rewind(struct group *g, struct firehose_position to);
void group_join(struct group *g, struct firehose_client *c);
void group_leave(struct group *g, struct firehose_client *c);
bool group_is_idle(const struct group *g); /* nobody has a partition of it */

/* ---- delivery.c, under the lock ------------------------------------------------------------ */

/* Asks the connection how far it is. `all_written`: every block was written to it. */
void client_look(struct firehose_client *c, int64_t now_ms, bool all_written);
/* The block was written, and ends there in the connection's count. */
void client_settle(struct firehose_client *c, uint64_t end);
/* Nothing more will be written. */
void client_leave(struct firehose_client *c, int64_t now_ms);
/* Its positions become the group's, its partitions free; it is in no list any longer. */
void client_finish(struct firehose_client *c);
void client_destroy(struct firehose_client *c); /* not under the lock */

#endif
