// SPDX-License-Identifier: Apache-2.0
/* The cache in the trace: answers the collector's inquiries (lib/link/inquiry.h) with observed
 * spans, from what the tap on this host remembers of exchanges (lib/exchange/).
 *
 *     tap's file ──► exchanges ─┐
 *                               ├─► match ─► rows ─► batch ─► spool
 *     collector ─► inquiries ─► pending
 *
 * A round is made every ROUND_MS, in a thread of libuv's pool, so that the sweep never waits for
 * it; only the spool is the loop's. Where there is no tap it looks for one each second and does
 * nothing else. An inquiry that cannot be answered is counted by the reason, never guessed. */
#ifndef WEFT_AGENT_OBSERVE_OBSERVER_H
#define WEFT_AGENT_OBSERVE_OBSERVER_H

#include <uv.h>

#include "agent/config.h"
#include "agent/counters.h"
#include "agent/outbox.h"

struct cache_observer;

struct cache_observer_parts {
    const struct agent_config *config;
    struct counters *counters;
    struct outbox *outbox;
    const char *host; /* of the spans that are made; kept as it is, as all of these */
};

/* The tap's file is looked for in config->directory. NULL: no memory. The loop's thread, as all but
 * cache_observer_take. */
struct cache_observer *cache_observer_create(uv_loop_t *loop,
                                             const struct cache_observer_parts *parts);
/* Lets the loop end, after the round that is under way. `o` may be NULL. */
void cache_observer_stop(struct cache_observer *o);
/* After the loop ended. */
void cache_observer_destroy(struct cache_observer **o);

/* What the collector asks: a message weft.Inquiries from malloc, taken over. Any thread. */
void cache_observer_take(struct cache_observer *o, void *body, size_t length);

#endif
