// SPDX-License-Identifier: Apache-2.0
/* The receiving thread: takes what the link has opened and decides where it goes. Batches are
 * deduplicated and queued, which waits while the queue is full and so holds the agents back;
 * snapshots of what is in flight, reports and watches are dealt with at once. */
#ifndef WEFT_COLLECTOR_ACCEPT_RECEIVER_H
#define WEFT_COLLECTOR_ACCEPT_RECEIVER_H

#include <stdatomic.h>

#include "collector/accept/agents.h"
#include "collector/accept/dedupe.h"
#include "collector/accept/queue.h"
#include "collector/inquire/watchers.h"
#include "collector/ledger/ledger.h"
#include "collector/traces/inflight.h"

struct receiver {
    struct link_server *link;
    struct queue *queue;
    struct dedupe *dedupe;
    struct agents *agents;
    struct inflight *inflight;
    struct ledger *ledger;
    struct watchers *watchers;
    atomic_bool stopping;
    _Atomic uint64_t duplicates;
};

/* Until `stopping` is set. */
void receiver_run(struct receiver *r);

#endif
