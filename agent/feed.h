// SPDX-License-Identifier: Apache-2.0
/* The feed (lib/feed/frame.h, docs/format/feed.md): takes batches of samples, marks and windows
 * from programs on this host that have read them elsewhere, as our plugin in collectd, and tells
 * them summaries of what the agent counts, and what taps told last (agent/shown.h).
 *
 * A batch goes into the spool as it came, once it was decoded and found good; only then is it
 * answered "stored". Samples must be values as their source counts them, not deltas: so a batch
 * that comes twice, as its answer was lost, changes nothing. A window is the same by its cache and
 * beginning.
 *
 * Only root and the agent's own user may connect, FEED_CONNECTIONS_MAX at a time; each has a
 * bounded buffer, and who does not read its answers is let go.
 *
 * The loop's thread. */
#ifndef WEFT_AGENT_FEED_H
#define WEFT_AGENT_FEED_H

#include <uv.h>

#include "agent/counters.h"
#include "agent/outbox.h"
#include "agent/shown.h"
#include "agent/stats/services.h"

enum { FEED_CONNECTIONS_MAX = 16 };

struct feed;

struct feed_parts {
    struct outbox *outbox;
    struct counters *counters;
    const struct services *services; /* may be NULL */
    struct shown *shown;             /* what taps told last; NULL: none is shown */
};

/* Listens in `directory`, which this agent alone has (sweeper_init locks it). The parts must
 * outlive it. NULL with a sentence in `why`; what was opened is closed when the loop runs next. */
struct feed *feed_create(uv_loop_t *loop, const char *directory, const struct feed_parts *parts,
                         char *why, size_t why_size);
/* Nothing comes any more; the loop ends without it. `f` may be NULL. */
void feed_stop(struct feed *f);
/* After the loop ended. */
void feed_destroy(struct feed **f);

#endif
