// SPDX-License-Identifier: Apache-2.0
/* Sees in accepted batches who runs, who died and what was notified, and makes marks of it
 * (marks.h).
 *
 * The committing thread shows it each batch; what is new goes over a bounded queue to a thread of
 * its own, so that accepting never waits for this database. Nothing of it is lost:
 *
 * - What cannot be written is tried again, with back-off, until it can.
 * - How far in the ledger all is written stands in the database. The ledger keeps what is behind
 *   that, and a start tells it again: so what a kill took from the queue comes again.
 * - Where the queue is full the thread reads the ledger from there itself, once it can write.
 *
 * What the database refuses though it can be written is counted and left out. */
#ifndef WEFT_COLLECTOR_MARKS_OBSERVE_H
#define WEFT_COLLECTOR_MARKS_OBSERVE_H

#include "collector/ledger/ledger.h"
#include "collector/marks/marks.h"
#include "lib/codec/batch.h"

struct observer;

/* NULL: no memory, or no thread. Both must outlive it. */
struct observer *observer_create(struct marks *m, struct ledger *l);
/* What is queued is written first, where that can be. */
void observer_destroy(struct observer **o);

/* The committing thread's. `b` stands before `end` in the ledger; NULL: what stands there tells of
 * no processes. */
void observer_see(struct observer *o, const struct batch *b, struct journal_position end);

/* From where the ledger is to be told after a start: all before is in the database. Any thread. */
struct journal_position observer_ledger_needed(struct observer *o);

struct observer_stats {
    uint64_t written;  /* sightings, since the start */
    uint64_t failed;   /* attempts to write; each was or is made again */
    uint64_t refused;  /* sightings that the database can not take */
    uint64_t gaps;     /* times when the ledger had dropped what was not looked at */
    uint32_t waiting;  /* in the queue */
    bool reads_ledger; /* more waits than the queue holds */
    bool is_failing;   /* the last attempt failed */
    char error[128];   /* with what */
};
void observer_stats(struct observer *o, struct observer_stats *out);

#endif
