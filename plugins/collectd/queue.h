// SPDX-License-Identifier: Apache-2.0
/* The queue between collectd's threads and the sender's. Bounded: what was taken and is not settled
 * yet counts too. Where it is full the oldest that still waits goes, and is counted.
 *
 * collectd's threads put and flush, the sender takes and settles. Putting never waits for anything
 * but the lock, which nobody holds for longer than it takes to link or unlink an entry. */
#ifndef WEFT_PLUGINS_COLLECTD_QUEUE_H
#define WEFT_PLUGINS_COLLECTD_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "plugins/collectd/entry.h"

struct queue;

struct queue_counts {
    uint64_t waiting; /* queued, or taken and not settled */
    uint64_t dropped; /* since the beginning: pushed out, refused, or given up */
};

/* `limit`: of entries, at least 1. NULL: no memory. */
struct queue *queue_create(uint32_t limit);
void queue_destroy(struct queue **q);

/* The queue owns the entry. NULL is counted as one that is dropped. */
void queue_put(struct queue *q, struct entry *e);

/* The oldest, which is the caller's to free, or NULL. */
struct entry *queue_take(struct queue *q);
/* So many of those taken, the oldest, are where they belong, or `lost`. */
void queue_settle(struct queue *q, uint32_t count, bool lost);

/* Waits until `enough` are queued, or half of what may be; until someone is in a hurry, or the
 * deadline (monotonic). How many are queued. */
uint32_t queue_wait(struct queue *q, uint32_t enough, int64_t deadline_ms);
/* Sleeps until the deadline, or the end. */
void queue_sleep(struct queue *q, int64_t deadline_ms);

/* Waits until all that was put before is gone, or the deadline. How many of it are not where they
 * belong: they wait still, or were dropped meanwhile. */
uint64_t queue_flush(struct queue *q, int64_t deadline_ms);
/* From now on nobody waits for more, and nothing can be put. */
void queue_end(struct queue *q);
bool queue_has_ended(struct queue *q);

void queue_counts(struct queue *q, struct queue_counts *out);

#endif
