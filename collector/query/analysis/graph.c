// SPDX-License-Identifier: Apache-2.0
/* For each trace, in the order of its nodes: entries (spans that were called from outside their
 * service) are edges from their caller and steps of paths; calls that no recorded span answers
 * are edges to a node without spans. */
#include "collector/query/analysis/graph.h"

#include <stdlib.h>

#include "collector/query/analysis/dense.h"
#include "collector/query/analysis/graph_peer.h"
#include "collector/query/analysis/node.h"

enum { LIMIT = 1000, EDGES_PER_NODE = 4, BUCKETS = 320 };

struct walk {
    struct graph *graph;
    const struct tree *tree;
    struct trace_id id;
    uint32_t *paths; /* of each node: the path of the entry that it belongs to */
    bool *answered;  /* of each node: a span of another process, or an entry, is below it */
};

/* One call, from one side or both. */
struct call {
    uint32_t caller, callee; /* in graph.nodes */
    bool message;
    uint32_t caller_span, callee_span; /* nodes of the tree, or TREE_NONE */
};

void graph_init(struct graph *g, uint32_t limit)
{
    if (limit == 0)
        limit = LIMIT;
    *g = (struct graph){0};
    operations_init(&g->nodes, limit);
    operations_init(&g->steps, EDGES_PER_NODE * limit);
    pairs_init(&g->edges, EDGES_PER_NODE * limit);
    pairs_init(&g->paths, EDGES_PER_NODE * limit);
}

static void free_calls(struct graph_calls *calls, uint32_t capacity)
{
    for (uint32_t i = 0; i < capacity; i++) {
        exphist_fini(&calls[i].caller_ns);
        exphist_fini(&calls[i].callee_ns);
    }
    free(calls);
}

void graph_fini(struct graph *g)
{
    uint32_t limit = g->nodes.limit;
    free_calls(g->edge_calls, g->edge_capacity);
    free_calls(g->path_calls, g->path_capacity);
    operations_fini(&g->nodes);
    operations_fini(&g->steps);
    pairs_fini(&g->edges);
    pairs_fini(&g->paths);
    messages_fini(&g->messages);
    graph_init(g, limit);
}

/* ---- counting ---------------------------------------------------------------------------- */

static int add_duration(struct exphist *h, const struct tree *t, uint32_t span)
{
    if (span == TREE_NONE || !node_ended(t, span))
        return 0;
    if (h->limit == 0)
        exphist_init(h, BUCKETS);
    return exphist_add(h, (double)tree_duration_ns(t, span), 1);
}

static void note_exemplar(struct graph_calls *calls, struct trace_id id, bool failed, uint64_t ns)
{
    if (failed)
        ns = UINT64_MAX;
    if (calls->calls == 1 || ns >= calls->exemplar_ns) {
        calls->exemplar = id;
        calls->exemplar_ns = ns;
    }
}

static int count(const struct walk *w, struct graph_calls *calls, const struct call *c)
{
    const struct tree *t = w->tree;
    bool seen[SPAN_STATUSES] = {false};
    uint64_t longest = 0;
    const uint32_t spans[2] = {c->caller_span, c->callee_span};
    for (int i = 0; i < 2; i++) {
        if (spans[i] == TREE_NONE)
            continue;
        enum span_status status = node_status(t, spans[i]);
        if (status < SPAN_STATUSES)
            seen[status] = true;
        if (tree_duration_ns(t, spans[i]) > longest)
            longest = tree_duration_ns(t, spans[i]);
    }
    calls->calls++;
    calls->died += seen[SPAN_DIED];
    calls->errors += seen[SPAN_ERROR] && !seen[SPAN_DIED];
    calls->in_flight += seen[SPAN_IN_FLIGHT];
    note_exemplar(calls, w->id, seen[SPAN_ERROR] || seen[SPAN_DIED], longest);
    if (add_duration(&calls->caller_ns, t, c->caller_span) != 0)
        return -1;
    return add_duration(&calls->callee_ns, t, c->callee_span);
}

/* The edge's row, made if need be. NULL when memory is out. */
static struct graph_calls *edge_of(struct graph *g, uint32_t caller, bool message, uint32_t callee)
{
    bool rest = caller == OPERATION_REST || callee == OPERATION_REST;
    uint32_t edge = rest ? PAIR_REST : pairs_learn(&g->edges, 2 * caller + message, callee);
    uint32_t rows = g->edges.count + 1;
    struct graph_calls *covered =
        dense_cover(g->edge_calls, &g->edge_capacity, rows, sizeof *covered);
    if (!covered || edge == PAIR_NONE)
        return NULL;
    g->edge_calls = covered;
    return &g->edge_calls[edge];
}

static int add_call(const struct walk *w, const struct call *c)
{
    if (c->caller == OPERATION_NONE || c->callee == OPERATION_NONE)
        return -1;
    struct graph_calls *calls = edge_of(w->graph, c->caller, c->message, c->callee);
    return calls ? count(w, calls, c) : -1;
}

static uint32_t learn_node(struct graph *g, struct batch_str name, enum graph_node_kind kind)
{
    return operations_learn(&g->nodes, name, (struct batch_str){"", 0}, kind);
}

static uint32_t service_of(const struct walk *w, uint32_t span)
{
    return learn_node(w->graph, node_service(w->tree, span), GRAPH_SERVICE);
}

/* Takes the step `step` below the path of `parent`; the call counts there as well. */
static int add_step(const struct walk *w, uint32_t step, uint32_t above, const struct call *c,
                    uint32_t *path)
{
    struct graph *g = w->graph;
    bool rest = step == OPERATION_REST || above == PAIR_REST;
    *path = rest ? PAIR_REST : pairs_learn(&g->paths, above, step);
    if (step == OPERATION_NONE || *path == PAIR_NONE)
        return -1;
    struct graph_calls *covered =
        dense_cover(g->path_calls, &g->path_capacity, g->paths.count + 1, sizeof *covered);
    if (!covered)
        return -1;
    g->path_calls = covered;
    return count(w, &g->path_calls[*path], c);
}

/* ---- entries ----------------------------------------------------------------------------- */

static bool is_entry(const struct tree *t, uint32_t node)
{
    enum span_kind kind = node_kind(t, node);
    uint32_t parent = t->nodes[node].parent;
    return kind == SPAN_SERVER || kind == SPAN_CONSUMER || parent == TREE_NONE ||
           !batch_str_equal(node_service(t, node), node_service(t, parent));
}

static struct call call_of_entry(const struct walk *w, uint32_t node)
{
    const struct tree *t = w->tree;
    uint32_t parent = t->nodes[node].parent;
    bool called = parent != TREE_NONE;
    bool waits =
        called && (node_kind(t, parent) == SPAN_CLIENT || node_kind(t, parent) == SPAN_PRODUCER);
    struct call c = {
        .callee = service_of(w, node),
        .message = node_kind(t, node) == SPAN_CONSUMER ||
                   (called && node_kind(t, parent) == SPAN_PRODUCER),
        .caller_span = waits ? parent : TREE_NONE,
        .callee_span = node,
    };
    if (called)
        c.caller = service_of(w, parent);
    else
        c.caller = learn_node(w->graph, (struct batch_str){"", 0},
                              node_parent_id(t, node) == 0 ? GRAPH_USER : GRAPH_UNKNOWN);
    return c;
}

static int add_entry(const struct walk *w, uint32_t node)
{
    const struct tree *t = w->tree;
    uint32_t parent = t->nodes[node].parent;
    struct call c = call_of_entry(w, node);
    uint32_t above = parent != TREE_NONE            ? w->paths[parent]
                     : node_parent_id(t, node) == 0 ? PAIR_NONE
                                                    : GRAPH_PATH_MISSING;
    /* A root that nobody called (a job, a test) begins a path, but is no call. */
    enum span_kind kind = node_kind(t, node);
    bool is_call = parent != TREE_NONE || kind == SPAN_SERVER || kind == SPAN_CONSUMER;
    if (is_call && add_call(w, &c) != 0)
        return -1;
    uint32_t step = operations_learn_node(&w->graph->steps, t, node);
    return add_step(w, step, above, &c, &w->paths[node]);
}

/* ---- callees without spans --------------------------------------------------------------- */

static int add_peer(const struct walk *w, uint32_t node)
{
    struct graph_peer peer = graph_peer_of(w->tree, node);
    struct call c = {
        .caller = service_of(w, node),
        .callee = learn_node(w->graph, peer.name, peer.kind),
        .message = node_kind(w->tree, node) == SPAN_PRODUCER,
        .caller_span = node,
        .callee_span = TREE_NONE,
    };
    if (add_call(w, &c) != 0)
        return -1;
    uint32_t path, step = operations_learn(&w->graph->steps, peer.name, node_name(w->tree, node),
                                           node_kind(w->tree, node));
    return add_step(w, step, w->paths[node], &c, &path);
}

/* ---- links ------------------------------------------------------------------------------- */

static int add_message(struct graph *g, const struct message_consumer *c, uint32_t producer)
{
    struct graph_calls *calls = edge_of(g, producer, true, c->producer.node);
    if (!calls)
        return -1;
    calls->calls++;
    calls->died += c->status == SPAN_DIED;
    calls->errors += c->status == SPAN_ERROR;
    calls->in_flight += c->status == SPAN_IN_FLIGHT;
    bool failed = c->status == SPAN_ERROR || c->status == SPAN_DIED;
    note_exemplar(calls, c->trace_id, failed, c->duration_ns);
    if (c->status == SPAN_DIED || c->status == SPAN_IN_FLIGHT)
        return 0;
    if (calls->callee_ns.limit == 0)
        exphist_init(&calls->callee_ns, BUCKETS);
    return exphist_add(&calls->callee_ns, (double)c->duration_ns, 1);
}

static int add_links(const struct walk *w, uint32_t node)
{
    struct graph *g = w->graph;
    const struct batch *b = w->tree->nodes[node].batch;
    uint32_t row = w->tree->nodes[node].row;
    for (uint32_t i = b->link_first[row]; i < b->link_first[row] + b->link_count[row]; i++) {
        struct message_consumer c = {
            .producer = {{b->link_trace_hi[i], b->link_trace_lo[i]},
                         b->link_span_id[i],
                         service_of(w, node)},
            .trace_id = w->id,
            .duration_ns = b->duration_ns[row],
            .status = b->status[row],
        };
        const struct message_end *producer =
            messages_producer(&g->messages, c.producer.trace_id, c.producer.span_id);
        if (c.producer.node == OPERATION_NONE)
            return -1;
        if (producer && add_message(g, &c, producer->node) != 0)
            return -1;
        if (!producer && !messages_wait(&g->messages, &c))
            g->unresolved_links++;
    }
    return 0;
}

static int note_producer(const struct walk *w, uint32_t node)
{
    struct message_end end = {w->id, node_span_id(w->tree, node), service_of(w, node)};
    return end.node == OPERATION_NONE ? -1 : messages_produced(&w->graph->messages, end);
}

/* A call of a service whose own span is missing (it was down, or the span was lost) was counted
 * for a foreign one of that name. */
static int move_call(struct graph *g, uint32_t edge)
{
    const struct operation *callee = &g->nodes.list[graph_edge_callee(g, edge)];
    if (edge == PAIR_REST || callee->kind != GRAPH_EXTERNAL)
        return 0;
    uint32_t service = operations_find(&g->nodes, callee->service, callee->name, GRAPH_SERVICE);
    if (service == OPERATION_NONE)
        return 0;
    struct graph_calls *to =
        edge_of(g, graph_edge_caller(g, edge), graph_edge_is_message(g, edge), service);
    struct graph_calls *from = &g->edge_calls[edge];
    if (!to || exphist_merge(&to->caller_ns, &from->caller_ns) != 0)
        return -1;
    to->calls += from->calls;
    to->errors += from->errors;
    to->died += from->died;
    to->in_flight += from->in_flight;
    if (to->calls == from->calls || from->exemplar_ns > to->exemplar_ns) {
        to->exemplar = from->exemplar;
        to->exemplar_ns = from->exemplar_ns;
    }
    exphist_fini(&from->caller_ns);
    *from = (struct graph_calls){0};
    return 0;
}

int graph_finish(struct graph *g)
{
    int result = 0;
    uint32_t edges = g->edges.count;
    for (uint32_t i = 0; result == 0 && i < edges; i++)
        result = move_call(g, i);
    for (uint32_t i = 0; result == 0 && i < g->messages.waiting_count; i++) {
        const struct message_consumer *c = &g->messages.waiting[i];
        const struct message_end *producer =
            messages_producer(&g->messages, c->producer.trace_id, c->producer.span_id);
        if (producer)
            result = add_message(g, c, producer->node);
        else
            g->unresolved_links++;
    }
    g->messages.waiting_count = 0;
    return result;
}

/* ---- a trace ----------------------------------------------------------------------------- */

static void find_answered(struct walk *w)
{
    const struct tree *t = w->tree;
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t parent = t->nodes[i].parent;
        if (parent != TREE_NONE &&
            (is_entry(t, i) || t->nodes[i].process != t->nodes[parent].process))
            w->answered[parent] = true;
    }
}

static int add_span(const struct walk *w, uint32_t node)
{
    const struct tree *t = w->tree;
    enum span_kind kind = node_kind(t, node);
    w->paths[node] =
        t->nodes[node].parent == TREE_NONE ? PAIR_NONE : w->paths[t->nodes[node].parent];
    if (is_entry(t, node) && add_entry(w, node) != 0)
        return -1;
    if ((kind == SPAN_CLIENT || kind == SPAN_PRODUCER) && !w->answered[node] &&
        add_peer(w, node) != 0)
        return -1;
    return kind == SPAN_CONSUMER ? add_links(w, node) : 0;
}

int graph_add(struct graph *g, const struct tree *t, struct trace_id id)
{
    struct walk w = {
        .graph = g,
        .tree = t,
        .id = id,
        .paths = malloc(((size_t)t->count + 1) * sizeof *w.paths),
        .answered = calloc((size_t)t->count + 1, sizeof *w.answered),
    };
    int result = w.paths && w.answered ? 0 : -1;
    if (result == 0) {
        g->traces++;
        find_answered(&w);
    }
    for (uint32_t i = 0; result == 0 && i < t->count; i++)
        result = node_kind(t, i) == SPAN_PRODUCER ? note_producer(&w, i) : 0;
    for (uint32_t i = 0; result == 0 && i < t->count; i++)
        result = add_span(&w, i);
    free(w.paths);
    free(w.answered);
    return result;
}
