// SPDX-License-Identifier: Apache-2.0
/* All caches that the tap met, and what it counts of each: the observer of connections.h, and where
 * reports come from. One thread. */
#ifndef WEFT_AGENT_TAP_CACHES_H
#define WEFT_AGENT_TAP_CACHES_H

#include "agent/tap/connections.h"
#include "agent/tap/hot.h"
#include "agent/tap/statistics.h"

struct observed_cache {
    struct cache_statistics statistics;
    struct hot hot;
};

struct caches {
    struct tap_connections *connections; /* whose caches they are; set by who made both */
    uint32_t keys;                       /* for hot_init */
    enum hot_privacy privacy;
    struct observed_cache *list[TAP_CACHES_MOST];
    uint64_t no_memory; /* exchanges that were not counted */
};

void caches_init(struct caches *c, uint32_t keys, enum hot_privacy privacy);
void caches_fini(struct caches *c);

/* An exchange as tap_observer has it, with the caches as its context. */
void caches_observe(void *context, uint32_t cache, const struct tap_client *client,
                    const struct tap_exchange *exchange);

#endif
