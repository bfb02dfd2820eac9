// SPDX-License-Identifier: Apache-2.0
/* Client spans that the collector inquires about, by connection, until they are told.
 *
 * A span is ripe RIPE_MS after it was heard of: by then those that overlap it on its connection
 * have ended, as a rule, and have been heard of too. It stays for as long again, because it helps
 * to tell apart those that come after it. One thread. */
#ifndef WEFT_AGENT_OBSERVE_PENDING_H
#define WEFT_AGENT_OBSERVE_PENDING_H

#include <stdbool.h>

#include "agent/observe/match.h"
#include "lib/exchange/exchange.h"
#include "lib/link/inquiry.h"

enum {
    PENDING_RIPE_MS = 1000,
    PENDING_KEPT_MS = 2 * PENDING_RIPE_MS,
    PENDING_PATIENCE_MS = 10 * PENDING_RIPE_MS, /* where the tap has not read so far */
    PENDING_SPANS_MOST = 1 << 17,
    PENDING_ON_ONE_MOST = 1 << 13, /* connection: that nobody takes the room of all others */
    PENDING_CONNECTIONS_MOST = 1 << 13,
};

struct pending_span {
    struct trace_id trace_id;
    uint64_t span_id;
    struct match_span when;
    int64_t heard_ms;
    bool told;
};

struct pending_connection {
    struct exchange_connection ends;
    char agent[LINK_AGENT_ID_MAX + 1]; /* whose clock the spans' times are of */
    int64_t clock_offset_ns;           /* as the collector knows it */
    struct pending_span *spans;        /* by begin */
    uint32_t count, capacity;
};

struct pending;

/* NULL: no memory. */
struct pending *pending_create(void);
void pending_destroy(struct pending **p);

/* False: there is no room for it, or no memory. One that is known already changes nothing. */
bool pending_add(struct pending *p, const struct inquiry *i, int64_t now_ms);

/* Visits each connection on which a span is ripe and not told; the visitor sets `told`. Then
 * forgets what was told long enough ago. */
void pending_round(struct pending *p, int64_t now_ms,
                   void (*visit)(void *context, struct pending_connection *c), void *context);

uint32_t pending_spans(const struct pending *p);

#endif
