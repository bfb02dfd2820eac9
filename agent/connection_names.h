// SPDX-License-Identifier: Apache-2.0
/* The TCP connection of a span as attributes, by OpenTelemetry's names. A process has few caches:
 * the texts of their addresses are kept, so that a span costs array accesses, and no search in the
 * batch's dictionary. Owned by the sweeper's thread. */
#ifndef WEFT_AGENT_CONNECTION_NAMES_H
#define WEFT_AGENT_CONNECTION_NAMES_H

#include <stdint.h>

#include "lib/codec/batch.h"
#include "lib/ring/slab.h"

enum { CONNECTION_ADDRESSES = 64 };

/* What the batch `serial` calls them. All zero: nothing is known. */
struct connection_names {
    uint32_t serial;
    uint32_t local_address, local_port, peer_address, peer_port; /* the names of attributes */
    struct connection_address {
        uint32_t serial, index;
        uint8_t ip[16];
    } addresses[CONNECTION_ADDRESSES]; /* by a hash; a newer one takes the place */
};

/* Adds the attributes to the batch's last span. */
void connection_names_add(struct connection_names *names, struct batch_builder *b, uint32_t serial,
                          const struct slab_peer *peer);

#endif
