// SPDX-License-Identifier: Apache-2.0
/* What the tap remembers of each exchange, for the agent: lib/exchange. Some stores for each; where
 * the file cannot be made, or is gone, it is tried again. One thread. */
#ifndef WEFT_AGENT_TAP_MEMORY_H
#define WEFT_AGENT_TAP_MEMORY_H

#include "agent/tap/connections.h"
#include "agent/tap/own_addresses.h"

struct exchange_writer;

enum { MEMORY_PROTOCOLS_MOST = 8, MEMORY_ERRORS_MOST = 64 };

struct memory_options {
    const char *directory; /* the agent's */
    uint64_t bytes;        /* 0: nothing is remembered */
    bool tell_patterns;
    const struct tap_connections *connections;
    const struct tap_port *ports; /* whose protocols they are */
    size_t port_count;
};

struct memory {
    struct memory_options options;
    char path[512];
    struct exchange_writer *writer; /* NULL: there is no file now */
    struct {
        const struct tap_protocol *protocol;
        uint16_t *words; /* by command */
    } protocols[MEMORY_PROTOCOLS_MOST];
    struct {
        const char *text;
        uint16_t word;
    } errors[MEMORY_ERRORS_MOST]; /* text NULL: none from here on */
    struct own_addresses own;
    uint64_t looked_unix_ns; /* at the host's addresses, and after the file */
};

/* What the options point to must outlive it. */
void memory_init(struct memory *m, const struct memory_options *options);
void memory_fini(struct memory *m);

void memory_add(struct memory *m, uint32_t cache, const struct tap_client *client,
                const struct tap_exchange *exchange);
/* All packets before this moment were read. */
void memory_seen(struct memory *m, uint64_t unix_ns);
/* To be called about once a second: tells which caches are of this host, or could be. Every few
 * seconds asks the kernel for its addresses, and makes the file anew where it is missing. */
void memory_renew(struct memory *m, uint64_t now_unix_ns);

#endif
