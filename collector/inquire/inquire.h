// SPDX-License-Identifier: Apache-2.0
/* Finds the client spans of a batch that say which connection they used, and asks the agents of
 * the other ends about them. What they have seen comes back as spans of theirs, in batches. */
#ifndef WEFT_COLLECTOR_INQUIRE_INQUIRE_H
#define WEFT_COLLECTOR_INQUIRE_INQUIRE_H

#include "collector/inquire/watchers.h"
#include "lib/codec/batch.h"

/* Row `row`'s connection, as its attributes network.local.* and network.peer.* say. False: they do
 * not, or it is no client's span. */
bool inquire_connection(const struct batch *b, uint32_t row, struct inquiry_end *client,
                        struct inquiry_end *cache);

/* `agent` sent the batch, whose clock is `skew_ns` behind the collector's. */
void inquire_about(struct watchers *w, const struct batch *b, const char *agent, int64_t skew_ns);

#endif
