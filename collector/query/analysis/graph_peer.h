// SPDX-License-Identifier: Apache-2.0
/* What a client or producer span says of whom it called, for callees that record nothing. */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_GRAPH_PEER_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_GRAPH_PEER_H

#include "collector/query/analysis/graph.h"

struct graph_peer {
    struct batch_str name; /* empty: it does not say */
    enum graph_node_kind kind;
};

/* By OpenTelemetry's conventions, old and new. Points into the tree's batch. */
struct graph_peer graph_peer_of(const struct tree *t, uint32_t node);

#endif
