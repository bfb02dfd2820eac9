// SPDX-License-Identifier: Apache-2.0
/* Calls: how much of a client span its server worked, and how much remains: the network, queues on
 * both sides, and what client and server do before their spans begin and after they end. Where the
 * server is a cache that a tap observed (agent/observe/), its part is from the request's last byte
 * to the reply's first, as they came by on the cache's host. */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_CALLS_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_CALLS_H

#include "collector/query/analysis/timeline.h"
#include "lib/base/buffer.h"

struct call {
    uint32_t server;     /* the first server span of it, in tree.nodes */
    uint32_t servers;    /* how many there are */
    bool observed;       /* all of them were observed from outside */
    uint64_t server_ns;  /* while any of them ran */
    uint64_t between_ns; /* the rest of the client's time */
};

/* The call that client span `node` is. False: it is no client's, it or a server has not ended, or
 * no server span is right below it. */
bool call_of(struct call *c, const struct tree *t, const struct timeline *l, uint32_t node);

/* A sentence for people: 'cell "read profile" took 410 µs: redis "get" user:*:name (hit) 35.0 µs,
 * network and queues 375 µs'. */
void call_sentence(const struct call *c, const struct tree *t, const struct timeline *l,
                   uint32_t node, struct buffer *out);

enum { CALLS_WORST_MOST = 64 };

/* The calls that hold up the answer most, the worst first: those whose critical time (of each
 * node: client and servers together) is longest. Fills out[most], no more than CALLS_WORST_MOST,
 * and returns how many. */
uint32_t calls_worst(const struct tree *t, const struct timeline *l, const uint64_t *critical_ns,
                     uint32_t *out, uint32_t most);

#endif
