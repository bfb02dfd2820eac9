// SPDX-License-Identifier: Apache-2.0
/* GET /api/v1/graph: who calls whom, made of the newest traces that a query finds; with `deep` also
 * the paths that requests take. */
#include <math.h>
#include <stdlib.h>

#include "collector/query/analysis/graph.h"
#include "collector/web/question.h"

enum { TRACES_DEFAULT = 500, TRACES_MOST = 5000, NODES_MAX = 1000 };

static int add(void *context, const struct tree *t, struct trace_id id)
{
    return graph_add(context, t, id);
}

static void put_quantiles(struct json_writer *w, const char *key, const struct exphist *h)
{
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"p50_ns", 0.5}, {"p90_ns", 0.9}, {"p99_ns", 0.99}};
    if (h->count == 0)
        return;
    json_field_object(w, key);
    json_field_uint(w, "count", h->count);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        json_field_uint(w, quantiles[i].name,
                        (uint64_t)llround(exphist_quantile(h, quantiles[i].share)));
    json_field_uint(w, "max_ns", (uint64_t)llround(h->max));
    json_close_object(w);
}

static void put_calls(struct json_writer *w, const struct graph_calls *c)
{
    json_field_uint(w, "calls", c->calls);
    json_field_uint(w, "errors", c->errors);
    json_field_uint(w, "died", c->died);
    json_field_uint(w, "in_flight", c->in_flight);
    put_quantiles(w, "caller", &c->caller_ns);
    put_quantiles(w, "callee", &c->callee_ns);
    if (c->exemplar.hi || c->exemplar.lo)
        json_field_hex128(w, "exemplar", c->exemplar.hi, c->exemplar.lo);
}

static void put_nodes(struct json_writer *w, const struct graph *g)
{
    static const char *const kinds[GRAPH_NODE_KINDS] = {"service",  "database", "messaging",
                                                        "external", "user",     "unknown"};
    json_field_array(w, "nodes"); /* edges name them by their place here */
    for (uint32_t i = 0; i < g->nodes.count; i++) {
        const struct operation *node = &g->nodes.list[i];
        json_open_object(w);
        if (i == OPERATION_REST) {
            json_field_text(w, "kind", "rest");
        } else {
            json_field_text(w, "kind", kinds[node->kind]);
            api_field_str(w, "name", node->service);
            if (node->name.length > 0)
                api_field_str(w, "detail", node->name);
        }
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_edges(struct json_writer *w, const struct graph *g)
{
    json_field_array(w, "edges");
    for (uint32_t i = 0; i < g->edges.count; i++) {
        const struct graph_calls *c = &g->edge_calls[i];
        if (c->calls == 0)
            continue;
        json_open_object(w);
        if (i == PAIR_REST) {
            json_field_bool(w, "rest", true);
        } else {
            json_field_uint(w, "from", graph_edge_caller(g, i));
            json_field_uint(w, "to", graph_edge_callee(g, i));
            json_field_text(w, "type", graph_edge_is_message(g, i) ? "message" : "call");
        }
        put_calls(w, c);
        json_close_object(w);
    }
    json_close_array(w);
}

/* `above`: the index in this list of the path without its last step. */
static void put_paths(struct json_writer *w, const struct graph *g)
{
    json_field_array(w, "paths");
    for (uint32_t i = 0; i < g->paths.count; i++) {
        json_open_object(w);
        if (i == PAIR_REST) {
            json_field_bool(w, "rest", true);
        } else {
            const struct operation *step = &g->steps.list[g->paths.list[i].right];
            uint32_t above = g->paths.list[i].left;
            if (above == GRAPH_PATH_MISSING)
                json_field_bool(w, "above_missing", true);
            else if (above != PAIR_NONE)
                json_field_uint(w, "above", above);
            api_field_str(w, "service", step->service);
            api_field_str(w, "operation", step->name);
        }
        put_calls(w, &g->path_calls[i]);
        json_close_object(w);
    }
    json_close_array(w);
}

void api_graph(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    uint32_t limit;
    struct question q;
    struct question_traces traces;
    struct graph g;
    if (params_only(call->params, "q start end limit timeout deep", why) != 0 ||
        params_number(call->params, "limit", 1, TRACES_MOST, TRACES_DEFAULT, &limit, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    if (!question_open(&q, call, QUESTION_SEARCH, "{ }", reply))
        return;
    const char *deep = params_get(call->params, "deep");
    graph_init(&g, NODES_MAX);
    if (question_each_trace(&q, limit, true, add, &g, &traces) == 0 && graph_finish(&g) == 0) {
        struct json_writer w = json_writer_to(&reply->body);
        json_open_object(&w);
        json_field_uint(&w, "traces", g.traces);
        put_nodes(&w, &g);
        put_edges(&w, &g);
        if (deep && strcmp(deep, "true") == 0)
            put_paths(&w, &g);
        json_field_uint(&w, "unresolved_links", g.unresolved_links);
        json_field_bool(&w, "more", traces.more);
        question_put_end(&w, &q, traces.end, &traces.progress);
        json_close_object(&w);
        buffer_byte(&reply->body, '\n');
    } else {
        reply_no_memory(reply);
    }
    graph_fini(&g);
    question_close(&q);
}
