// SPDX-License-Identifier: Apache-2.0
/* Inquiries: which exchanges with a cache belong to which client spans. The collector knows the
 * spans, the agent on the cache's host has a tap that saw the exchanges; so agents come for
 * inquiries (LINK_WATCH), and are answered with those about the caches that they watch.
 *
 * Inquiries to an agent are numbered from 0 within an epoch of the collector's; a watch says how
 * far the agent has come, and all up to there is forgotten. So an answer that is lost is given
 * again, and one that comes twice is recognized. docs/format/link.md, messages weft.Watch and
 * weft.Inquiries. */
#ifndef WEFT_LINK_INQUIRY_H
#define WEFT_LINK_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/link/link.h"
#include "lib/model/span.h"

enum {
    INQUIRY_CACHES_MOST = 1024, /* in one watch */
    INQUIRIES_MOST = 8192       /* in one answer */
};

/* One end of a TCP connection: IPv4 is mapped into IPv6 (::ffff:a.b.c.d). */
struct inquiry_end {
    uint8_t ip[16];
    uint16_t port;
};

/* A client span that used the connection from `client` to `cache`. Times are of the client's
 * host's clock. */
struct inquiry {
    struct inquiry_end client, cache;
    char agent[LINK_AGENT_ID_MAX + 1]; /* the client's host's: whose clock it is */
    struct trace_id trace_id;
    uint64_t span_id;
    uint64_t start_unix_ns, duration_ns;
    /* The clock of who is asked less that one, as far as the collector knows: half a
     * millisecond or so off, where the network is quick. */
    int64_t clock_offset_ns;
};

struct inquiry_watch {
    uint64_t epoch;    /* that `received` counts in; 0: none known */
    uint64_t received; /* all below are here */
    uint32_t cache_count;
    struct inquiry_end caches[INQUIRY_CACHES_MOST];
};

/* Appends the message. 0, or -1 when memory is out. */
int inquiry_watch_write(struct buffer *out, const struct inquiry_watch *w);
/* 0; -1: it is none, or memory is out. */
int inquiry_watch_read(struct inquiry_watch *w, const void *bytes, size_t length);

/* Appends the message; inquiries about one connection that stand together are written as one.
 * 0, or -1 when memory is out. */
int inquiries_write(struct buffer *out, uint64_t epoch, uint64_t first,
                    const struct inquiry *inquiries, size_t count);
/* Calls `take` for each inquiry, in order. 0; -1: it is none, or memory is out, and nothing was
 * taken. */
int inquiries_read(const void *bytes, size_t length, uint64_t *epoch, uint64_t *first,
                   void (*take)(void *context, const struct inquiry *inquiry), void *context);

bool inquiry_end_is_loopback(const struct inquiry_end *end);

#endif
