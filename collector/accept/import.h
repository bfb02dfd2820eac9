// SPDX-License-Identifier: Apache-2.0
/* What comes over HTTP (OTLP, remote write), or from the rules, what is known of
 * caches or of the collector itself, rather than from an agent: it goes the same way, through the
 * queue to the committing thread, under a name that no agent can have ("@otlp", "@prometheus", …),
 * and whoever brought it waits until it is durable. Any thread.
 */
#ifndef WEFT_COLLECTOR_ACCEPT_IMPORT_H
#define WEFT_COLLECTOR_ACCEPT_IMPORT_H

#include <pthread.h>

#include "collector/accept/dedupe.h"
#include "collector/accept/queue.h"

#define IMPORT_OTLP       "@otlp"
#define IMPORT_PROMETHEUS "@prometheus"
#define IMPORT_RULES      "@rules"
#define IMPORT_CACHES     "@caches"
#define IMPORT_OWN        "@weft"

struct import_waiter;

struct import {
    struct queue *queue;
    struct dedupe *dedupe; /* set before the first import_batch */
    pthread_mutex_t lock;
    pthread_cond_t settled;
    uint64_t epoch, last_number;
    struct import_waiter *waiters; /* by number, the oldest first */
};

/* `epoch`: another one in each run, later than before. */
void import_init(struct import *i, struct queue *queue, uint64_t epoch);
void import_fini(struct import *i);

/* A batch, or the body of a remote write, that comes under `name` (one of those above); takes over
 * `memory` (malloc'ed). Waits until it is durable and visible (LINK_ACCEPTED), or will not be;
 * `why` then says so. */
enum link_verdict import_body(struct import *i, const char *name, enum frame_kind kind,
                              void *memory, size_t length, char *why, size_t why_size);

/* Is this the name under which imports come? */
static inline bool import_is_own(const char *agent)
{
    return agent[0] == '@';
}
/* The committing thread's: what became of one. */
void import_settle(struct import *i, const struct link_request *request, enum link_verdict verdict);

#endif
