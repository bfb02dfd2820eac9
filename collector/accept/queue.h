// SPDX-License-Identifier: Apache-2.0
/* Requests between the receiving and the committing thread: bounded in number and bytes, so
 * that a slow disk stops the receiving, and TCP the agents. */
#ifndef WEFT_COLLECTOR_ACCEPT_QUEUE_H
#define WEFT_COLLECTOR_ACCEPT_QUEUE_H

#include <pthread.h>

#include "collector/ledger/frame.h"
#include "lib/link/server.h"

enum { QUEUE_REQUESTS_MAX = 1024, QUEUE_BYTES_MAX = 64 << 20 };

struct queued {
    struct link_request request;
    enum frame_kind kind; /* of the request's body */
    bool copy;            /* of one that came before and is not durable yet: only to be answered */
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct queued ring[QUEUE_REQUESTS_MAX];
    size_t first, count, bytes;
    bool closed;
};

void queue_init(struct queue *q);
void queue_fini(struct queue *q); /* must be empty */
/* Waits for room. False once closed: the caller still owns the request. */
bool queue_put(struct queue *q, const struct queued *item);
/* Up to `most` items, and no more than about `most_bytes`; waits up to timeout_ms for the
 * first. 0: nothing came, or it is closed and empty. */
size_t queue_take(struct queue *q, struct queued *items, size_t most, size_t most_bytes,
                  int timeout_ms);
/* Nothing more can be put; what is in it can still be taken. */
void queue_close(struct queue *q);
bool queue_is_done(struct queue *q); /* closed and empty */
void queue_size(struct queue *q, uint64_t *requests, uint64_t *bytes);

#endif
