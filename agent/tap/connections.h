// SPDX-License-Identifier: Apache-2.0
/* All connections that the tap follows, and the caches that they go to. Segments come in, exchanges
 * go out. Memory is fixed by the options: where a connection more would not fit, the one that was
 * silent for longest goes (counted); a client that speaks again is joined in the middle.
 *
 * A cache is an address on a port for which a protocol is configured. One whose first connections
 * begin with something else is foreign: one line in the log, and it is left alone.
 *
 * One thread. */
#ifndef WEFT_AGENT_TAP_CONNECTIONS_H
#define WEFT_AGENT_TAP_CONNECTIONS_H

#include "agent/tap/connection.h"

struct tap_port {
    uint16_t port;
    const struct tap_protocol *protocol;
};

struct tap_client {
    struct tap_address address;
    uint64_t connection; /* which of all that the tap met, from 1 */
};

/* Who takes exchanges. `cache` counts caches from 0 in the order in which they were met, and stays
 * the same for as long as the tap runs. */
struct tap_observer {
    void (*exchange)(void *context, uint32_t cache, const struct tap_client *client,
                     const struct tap_exchange *exchange);
    void *context;
};

struct tap_connections_options {
    const struct tap_port *ports;
    size_t port_count;
    uint32_t connections; /* followed at a time */
    size_t memory_bytes;  /* of what they hold, all together */
    struct tap_observer observer;
};

enum { TAP_CACHES_MOST = 1024 };

struct tap_cache {
    struct tap_address address;
    const struct tap_protocol *protocol;
    bool foreign;
    uint64_t connections;         /* that were met */
    uint64_t exchanges, answered; /* of these, those whose reply was understood */
};

struct tap_connections_stats {
    uint64_t segments;       /* of configured ports */
    uint64_t other_segments; /* of none: the capture's filter lets few through */
    uint64_t foreign_segments;
    uint64_t met, evicted; /* connections */
    uint64_t refused;    /* connections for which there was no memory, or caches beyond the most */
    uint32_t open;       /* now */
    size_t memory_bytes; /* now */
    uint64_t memory_refused;
    struct tap_connection_counts counts;
};

struct tap_connections;

/* NULL: no memory. The options are copied, but for what `ports` point to. */
struct tap_connections *tap_connections_create(const struct tap_connections_options *options);
void tap_connections_destroy(struct tap_connections **t);

void tap_connections_add(struct tap_connections *t, const struct tap_segment *segment,
                         uint64_t now_ns);

const struct tap_cache *tap_connections_caches(const struct tap_connections *t, uint32_t *count);
void tap_connections_stats(const struct tap_connections *t, struct tap_connections_stats *out);

#endif
