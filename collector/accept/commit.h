// SPDX-License-Identifier: Apache-2.0
/* The committing thread: from a received batch to a durable and visible one.
 *
 *   1. Reads the ledger back into the head (after a start).
 *   2. Takes what is queued, as a group. Decodes each batch (what does not decode is refused),
 *      appends all to the ledger, one fdatasync for the group, then answers "accepted".
 *   3. Makes the batches visible in the head and counts the losses that they tell of.
 *
 * Nothing is answered "accepted" that is not durable. While the ledger cannot be written the
 * group waits and is tried again with back-off (the receiver answers "busy" meanwhile). After
 * a failed fdatasync everything is answered "busy" until the program is started again.
 */
#ifndef WEFT_COLLECTOR_ACCEPT_COMMIT_H
#define WEFT_COLLECTOR_ACCEPT_COMMIT_H

#include <stdatomic.h>

#include "collector/accept/agents.h"
#include "collector/accept/dedupe.h"
#include "collector/accept/queue.h"
#include "collector/accept/stores.h"
#include "collector/inquire/watchers.h"
#include "collector/ledger/ledger.h"
#include "collector/losses.h"
#include "collector/observe/observer.h"
#include "collector/traces/freshness.h"

enum { COMMIT_GROUP_MAX = 64, COMMIT_GROUP_BYTES = 8 << 20, COMMIT_OBSERVERS_MOST = 2 };

struct commit_parts {
    struct queue *queue;
    struct dedupe *dedupe;
    struct ledger *ledger;
    struct stores *stores;
    struct losses *losses;
    struct freshness *freshness;
    struct agents *agents;
    struct observer *observers[COMMIT_OBSERVERS_MOST]; /* NULL: none */
    struct watchers *watchers;                         /* NULL: none */
    /* Answers and gives the request back to the link. Any thread. */
    void (*settle)(void *context, struct link_request *request, enum link_verdict verdict,
                   const char *text);
    void *context;
};

struct commit_counts {
    _Atomic uint64_t batches, spans, bytes; /* since the start */
    _Atomic uint64_t spans_per_ks;          /* spans in a thousand seconds, of late */
};

struct commit {
    struct commit_parts parts;
    struct commit_counts counts;
    atomic_bool ready;    /* the ledger was read back */
    atomic_bool stopping; /* do not wait for a disk any longer */
    /* The rest is the committing thread's. */
    uint64_t tick_unix_ns, tick_spans;
    double spans_per_s;
    unsigned retries;
    bool failed;
};

void commit_init(struct commit *c, const struct commit_parts *parts);

/* Reads the ledger back and becomes ready. 0, -ECANCELED if it was stopped before the end (then
 * too little is known to go on), or another -errno. */
int commit_read_back(struct commit *c);
/* Works until the queue is closed and empty, then leaves a last state in the ledger. */
void commit_run(struct commit *c);
/* A group by itself: what commit_run does with each. Settles every item. */
void commit_group(struct commit *c, struct queued *items, size_t count);

/* The caller's part of the ledger's state (docs/format/ledger.md). */
void commit_write_state(const struct commit_parts *parts, struct buffer *out);

#endif
