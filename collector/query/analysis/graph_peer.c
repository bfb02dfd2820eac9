// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/graph_peer.h"

#include "collector/query/analysis/node.h"

/* The first of these that is there tells what it is; its value is the name, unless peer.service
 * gives a better one. */
static const struct sign {
    const char *key;
    enum graph_node_kind kind;
} signs[] = {
    {"db.system.name", GRAPH_DATABASE},
    {"db.system", GRAPH_DATABASE},
    {"messaging.destination.name", GRAPH_MESSAGING},
    {"messaging.destination", GRAPH_MESSAGING},
    {"messaging.system", GRAPH_MESSAGING},
    {"peer.service", GRAPH_EXTERNAL},
    {"server.address", GRAPH_EXTERNAL},
    {"net.peer.name", GRAPH_EXTERNAL},
    {"rpc.service", GRAPH_EXTERNAL},
};

struct graph_peer graph_peer_of(const struct tree *t, uint32_t node)
{
    struct graph_peer peer = {{"", 0}, GRAPH_UNKNOWN};
    for (size_t i = 0; i < sizeof signs / sizeof *signs && peer.name.length == 0; i++)
        peer = (struct graph_peer){node_attribute(t, node, signs[i].key), signs[i].kind};
    if (peer.name.length == 0)
        return (struct graph_peer){{"", 0}, GRAPH_UNKNOWN};
    struct batch_str service = node_attribute(t, node, "peer.service");
    if (service.length > 0)
        peer.name = service;
    return peer;
}
