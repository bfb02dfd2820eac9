// SPDX-License-Identifier: Apache-2.0
/* Sees in accepted batches who runs, who died and what was notified, and makes marks of it
 * (marks.h).
 *
 * The committing thread shows it each batch; what is new goes over a bounded queue to a thread of
 * its own, so that accepting never waits for this database. Where the queue is full a sighting is
 * left out, and counted: the next batch of the process brings it again, but for a death or a
 * notification. */
#ifndef WEFT_COLLECTOR_MARKS_OBSERVE_H
#define WEFT_COLLECTOR_MARKS_OBSERVE_H

#include "collector/marks/marks.h"
#include "lib/codec/batch.h"

struct observer;

/* NULL: no memory, or no thread. `m` must outlive it. */
struct observer *observer_create(struct marks *m);
/* What is queued is written first. */
void observer_destroy(struct observer **o);

/* The committing thread's. */
void observer_see(struct observer *o, const struct batch *b);
uint64_t observer_left_out(const struct observer *o);

#endif
