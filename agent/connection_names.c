// SPDX-License-Identifier: Apache-2.0
#include "agent/connection_names.h"

#include <arpa/inet.h>
#include <string.h>

static uint32_t text_index(struct batch_builder *b, const char *text)
{
    return batch_string(b, text, strlen(text));
}

static void name_all(struct connection_names *n, struct batch_builder *b, uint32_t serial)
{
    n->serial = serial;
    n->local_address = text_index(b, "network.local.address");
    n->local_port = text_index(b, "network.local.port");
    n->peer_address = text_index(b, "network.peer.address");
    n->peer_port = text_index(b, "network.peer.port");
}

/* IPv4 as ever, in four decimal parts. */
static uint32_t text_of(struct batch_builder *b, const uint8_t ip[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char text[INET6_ADDRSTRLEN];
    if (memcmp(ip, mapped, sizeof mapped) == 0)
        inet_ntop(AF_INET, ip + sizeof mapped, text, sizeof text);
    else
        inet_ntop(AF_INET6, ip, text, sizeof text);
    return text_index(b, text);
}

_Static_assert(CONNECTION_ADDRESSES == 1 << 6, "the upper 6 bits are a place");
static uint32_t place_of(const uint8_t ip[16])
{
    uint64_t halves[2];
    memcpy(halves, ip, sizeof halves);
    return (uint32_t)((halves[0] ^ halves[1]) * UINT64_C(0x9e3779b97f4a7c15) >> 58);
}

static uint32_t address_index(struct connection_names *n, struct batch_builder *b, uint32_t serial,
                              const uint8_t ip[16])
{
    struct connection_address *a = &n->addresses[place_of(ip)];
    if (a->serial != serial || memcmp(a->ip, ip, sizeof a->ip) != 0) {
        a->serial = serial;
        a->index = text_of(b, ip);
        memcpy(a->ip, ip, sizeof a->ip);
    }
    return a->index;
}

void connection_names_add(struct connection_names *n, struct batch_builder *b, uint32_t serial,
                          const struct slab_peer *peer)
{
    if (n->serial != serial)
        name_all(n, b, serial);
    uint32_t local = address_index(n, b, serial, peer->local_ip);
    batch_attribute(b, n->local_address, VALUE_STRING, local);
    batch_attribute(b, n->local_port, VALUE_INT, peer->local_port);
    uint32_t other = address_index(n, b, serial, peer->peer_ip);
    batch_attribute(b, n->peer_address, VALUE_STRING, other);
    batch_attribute(b, n->peer_port, VALUE_INT, peer->peer_port);
}
