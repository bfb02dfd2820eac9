// SPDX-License-Identifier: Apache-2.0
/* Observed spans: rows of a batch that tell what a cache did for a client span, made from what the
 * tap saw. Their process is the cache, which does not record: its service is the protocol's name,
 * its instance the address. One thread.
 *
 *   name, kind     the command, server; parent: the client span
 *   begin, end     the request's last byte, the reply's first: the cache's own time
 *   status         error where the reply was one, with its kind
 *   weft.observed  true (and the flag SPAN_FLAG_OBSERVED)
 *   db.system.name, db.operation.name
 *   weft.cache.key_pattern, weft.cache.outcome ("hit", "miss", "hit and miss")
 *   weft.cache.keys, weft.cache.hits, weft.cache.misses   where there is more than one key
 *   weft.cache.commands, weft.cache.errors   of a part of a pipeline, which is one span
 *   weft.cache.request_bytes, weft.cache.reply_bytes */
#ifndef WEFT_AGENT_OBSERVE_OBSERVED_H
#define WEFT_AGENT_OBSERVE_OBSERVED_H

#include "agent/observe/pending.h"
#include "agent/observe/pipeline.h"
#include "lib/codec/batch.h"

struct observed_rows {
    struct batch_builder *builder;
    const char *host, *agent;
    struct observed_cache {
        struct exchange_address address;
        uint32_t process;           /* its index in the batch */
    } caches[EXCHANGE_CACHES_MOST]; /* of this batch */
    uint32_t cache_count;
};

/* Whether a span can be made of it: its reply was seen. */
bool observed_is_whole(const struct exchange_record *e);

/* `number`: which of the client's it is, from 0. The row's span id follows from that and the client
 * span's, so that a span that is made twice is the same. */
void observed_add(struct observed_rows *rows, const struct pending_connection *c,
                  const struct pending_span *client, const struct pipeline_group *g,
                  uint32_t number);

/* The batch was encoded: begins the next one. */
void observed_begin(struct observed_rows *rows);

#endif
