// SPDX-License-Identifier: Apache-2.0
/* The outbox: batches from the sweeper into the spool, and from the spool to the collector.
 *
 * The sweeper's thread puts; a thread of the outbox's own sends, waits for answers and forgets
 * what is acknowledged. A batch is sent only after outbox_release, which the sweeper calls when
 * the slabs have been given back: so an acknowledged batch is never read again from a slab,
 * whenever the agent is killed. That holds for batches found in the spool at the start, too.
 */
#ifndef WEFT_AGENT_OUTBOX_H
#define WEFT_AGENT_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/counters.h"
#include "agent/cursors.h"
#include "lib/link/client.h"

struct outbox;

struct outbox_stats {
    uint64_t spool_bytes, spool_limit_bytes, spool_batches;
    struct link_client_status link;
};

/* What comes from the collector; called on the outbox's thread. */
struct outbox_listener {
    void (*recording)(void *context, const char *service, bool on); /* a switch was flipped */
    /* The answer to a LINK_WATCH: a message weft.Inquiries; from malloc, the listener's. */
    void (*inquiries)(void *context, void *body, size_t length);
    void *context;
};

/* Opens the spool and the link; tells `cursors` how far the batches found there go. NULL, with a
 * logged reason. */
struct outbox *outbox_create(const struct agent_config *config, struct counters *counters,
                             struct cursors *cursors, const struct outbox_listener *listener);

/* Seals an encoded batch of `spans` spans and writes it to the spool. 0, or -errno: then nothing
 * happened and the caller tries again later. */
int outbox_put(struct outbox *o, const void *encoded, size_t length, size_t spans,
               const void *cursors, size_t cursors_length);
/* What was put may be sent from now on. */
void outbox_release(struct outbox *o);
/* Sends soon and forgets; a newer one of the same type takes its place. */
void outbox_tell(struct outbox *o, enum link_type type, const void *bytes, size_t length);

void outbox_stats(struct outbox *o, struct outbox_stats *out);

/* Waits up to drain_ns until everything is acknowledged, then ends the thread and closes. What
 * is left stays in the spool. */
void outbox_destroy(struct outbox **o, uint64_t drain_ns);

#endif
