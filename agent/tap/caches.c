// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/caches.h"

#include <stdlib.h>

#include "lib/base/clock.h"

void caches_init(struct caches *c, uint32_t keys, enum hot_privacy privacy)
{
    *c = (struct caches){.keys = keys, .privacy = privacy};
}

static void destroy(struct observed_cache **place)
{
    if (!*place)
        return;
    cache_statistics_fini(&(*place)->statistics);
    hot_fini(&(*place)->hot);
    free(*place);
    *place = NULL;
}

void caches_fini(struct caches *c)
{
    for (int i = 0; i < TAP_CACHES_MOST; i++)
        destroy(&c->list[i]);
}

static struct observed_cache *make(struct caches *c, uint32_t cache)
{
    uint32_t count;
    const struct tap_protocol *protocol =
        tap_connections_caches(c->connections, &count)[cache].protocol;
    struct observed_cache *o = calloc(1, sizeof *o);
    if (o && (cache_statistics_init(&o->statistics, protocol->command_count()) != 0 ||
              hot_init(&o->hot, c->keys, c->privacy) != 0))
        destroy(&o);
    if (o)
        o->hot.begun_unix_ns = clock_unix_ns();
    return c->list[cache] = o;
}

void caches_observe(void *context, uint32_t cache, const struct tap_client *client,
                    const struct tap_exchange *exchange)
{
    struct caches *c = context;
    struct observed_cache *o = c->list[cache] ? c->list[cache] : make(c, cache);
    if (!o) {
        c->no_memory++;
        return;
    }
    cache_statistics_add(&o->statistics, exchange);
    hot_add(&o->hot, &client->address, exchange);
}
