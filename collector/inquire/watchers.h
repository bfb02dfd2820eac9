// SPDX-License-Identifier: Apache-2.0
/* Agents with a tap, the caches that they watch, and what they are to be asked about these
 * (lib/link/inquiry.h). An agent comes for it several times a second; what it does not fetch in
 * time is of no use, so that of a full queue the oldest go, counted. Nothing of this is kept over
 * a restart.
 *
 * The committing thread asks, the receiving thread answers watches; any thread may call anything.
 */
#ifndef WEFT_COLLECTOR_INQUIRE_WATCHERS_H
#define WEFT_COLLECTOR_INQUIRE_WATCHERS_H

#include "lib/base/buffer.h"
#include "lib/link/inquiry.h"

enum {
    WATCHERS_MOST = 4096,
    WATCHERS_WAITING_MOST = 1 << 18, /* inquiries, of all watchers together */
};

struct watchers;

/* NULL: no memory. */
struct watchers *watchers_create(void);
void watchers_destroy(struct watchers **w);

/* `agent` watches, whose clock is `skew_ns` behind the collector's; appends what it is asked to
 * `answer`. 0; -1: `body` is no watch, or memory is
 * out: then it comes again. */
int watchers_watch(struct watchers *w, const char *agent, int64_t skew_ns, const void *body,
                   size_t length, struct buffer *answer);

/* Whether anybody watches at all. */
bool watchers_any(struct watchers *w);

/* Asks the agent that watches the inquiry's cache. Until it is told, clock_offset_ns is by how much
 * the clock of the inquiring host is behind the collector's. A loopback address is the inquiring
 * host's own. False: nobody watches it. */
bool watchers_ask(struct watchers *w, const struct inquiry *i);

/* Whether the agent of the cache's host watches it, as seen from the host of `agent`. */
bool watchers_watched(struct watchers *w, const char *agent, const struct inquiry_end *cache);

struct watchers_stats {
    uint32_t watchers, caches, waiting;
    uint64_t asked, given, dropped, unwatched; /* inquiries */
};
void watchers_stats(struct watchers *w, struct watchers_stats *out);

#endif
