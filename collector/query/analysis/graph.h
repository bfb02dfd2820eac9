// SPDX-License-Identifier: Apache-2.0
/* The service graph: who calls whom, how often, how fast, with what success; made of many trees.
 *
 * An edge is a call: a client span and the server span below it, or a message: producer and
 * consumer, connected as parent and child or by a link (in another trace as well, as long as
 * both are fed within some ten thousand messages of each other). What records nothing itself
 * (caches, databases, brokers, foreign services) is a node too, named by what its clients say of
 * it: peer.service, db.system, messaging.system, server.address.
 *
 * The deep form keeps whole paths: the chain of entries (a service's operation as it was called)
 * from the top, each with its own count and latency. "GET /dashboard of web, from there deliver of
 * cell".
 *
 * Memory is bounded: `limit` nodes, 4 times as many edges and paths; what is beyond is counted in
 * their row 0.
 */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_GRAPH_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_GRAPH_H

#include "collector/query/analysis/messages.h"
#include "collector/query/analysis/operations.h"
#include "collector/query/analysis/pairs.h"
#include "collector/query/tree.h"
#include "lib/model/exphist.h"

enum graph_node_kind {
    GRAPH_SERVICE,
    GRAPH_DATABASE,  /* this and the next two: they record nothing, their clients name them */
    GRAPH_MESSAGING, /* a broker, with its topic or queue where that is told */
    GRAPH_EXTERNAL,
    GRAPH_USER,    /* whoever called a server span that is a root */
    GRAPH_UNKNOWN, /* the caller's span is missing, or the callee is not named */
    GRAPH_NODE_KINDS
};

/* `left` of a path that begins below a span that is not here. */
#define GRAPH_PATH_MISSING (UINT32_MAX - 1)

struct graph_calls {
    uint64_t calls, errors, died, in_flight;
    /* In ns, of calls that ended: as the caller saw them, and as the callee did. */
    struct exphist caller_ns, callee_ns;
    struct trace_id exemplar; /* of the last call that failed, else of the slowest */
    uint64_t exemplar_ns;     /* UINT64_MAX: it failed */
};

struct graph {
    struct operations nodes; /* service: the name; kind: enum graph_node_kind */
    struct pairs edges;      /* left: 2 * caller + (1 for a message); right: callee */
    struct graph_calls *edge_calls;
    uint32_t edge_capacity;
    struct operations steps; /* of paths */
    struct pairs paths;      /* left: the path above (PAIR_NONE: top); right: the step */
    struct graph_calls *path_calls;
    uint32_t path_capacity;
    struct messages messages;
    uint64_t traces;
    uint64_t unresolved_links; /* to spans that were never fed, or too long ago */
};

/* 0: 1000 nodes. */
void graph_init(struct graph *g, uint32_t limit);
void graph_fini(struct graph *g);
/* -1 when memory is out: some of the trace may be counted. */
int graph_add(struct graph *g, const struct tree *t, struct trace_id id);
/* Once, after the last graph_add: resolves the links that came before what they point to, and moves
 * calls that only their caller told of to the service of that name, if there is one. An edge
 * without calls is then none. */
int graph_finish(struct graph *g);

static inline uint32_t graph_edge_caller(const struct graph *g, uint32_t edge)
{
    return g->edges.list[edge].left / 2;
}
static inline bool graph_edge_is_message(const struct graph *g, uint32_t edge)
{
    return g->edges.list[edge].left % 2;
}
static inline uint32_t graph_edge_callee(const struct graph *g, uint32_t edge)
{
    return g->edges.list[edge].right;
}

#endif
