// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/graph.h"

#include <math.h>

#include "tests/unit/collector/query/analysis/trees.h"

static void add(struct graph *g, struct plan *p)
{
    struct grown grown = grow(p);
    assert_int_equal(graph_add(g, &grown.tree, grown.id), 0);
    fell(&grown);
}

static bool node_is(const struct graph *g, uint32_t node, enum graph_node_kind kind,
                    const char *name)
{
    const struct operation *n = &g->nodes.list[node];
    return n->kind == kind && batch_str_is(n->service, name);
}

/* The edge's row; NULL if there is none. */
static const struct graph_calls *edge(const struct graph *g, const char *caller,
                                      enum graph_node_kind kind, const char *callee, bool message)
{
    for (uint32_t i = 1; i < g->edges.count; i++) {
        uint32_t from = graph_edge_caller(g, i);
        bool called_by =
            *caller ? node_is(g, from, GRAPH_SERVICE, caller) : node_is(g, from, GRAPH_USER, "");
        if (called_by && node_is(g, graph_edge_callee(g, i), kind, callee) &&
            graph_edge_is_message(g, i) == message && g->edge_calls[i].calls > 0)
            return &g->edge_calls[i];
    }
    return NULL;
}

/* "root>a>b": the path's row by its steps' names; NULL if there is none. */
static const struct graph_calls *path(const struct graph *g, const char *wanted)
{
    for (uint32_t i = 1; i < g->paths.count; i++) {
        char text[256] = "", longer[256];
        for (uint32_t at = i; at < g->paths.count; at = g->paths.list[at].left) {
            const struct batch_str name = g->steps.list[g->paths.list[at].right].name;
            snprintf(longer, sizeof longer, "%.*s%s%.100s", (int)name.length, name.bytes,
                     *text ? ">" : "", text);
            memcpy(text, longer, sizeof text);
        }
        if (strcmp(text, wanted) == 0)
            return &g->path_calls[i];
    }
    return NULL;
}

/* web serves, calls cell, which asks redis. */
static void plan_request(struct plan *p, enum span_status server, bool answered)
{
    uint32_t web = plan_process(p, 1, "web", "box1"), cell = plan_process(p, 2, "cell", "box2");
    plan_span(p, (struct planned){web, "GET /", .id = 1, .lasts = 1000, .kind = SPAN_SERVER});
    plan_span(p, (struct planned){web, "work", .id = 2, .parent = 1, .lasts = 900});
    plan_span(p, (struct planned){web, "call", .id = 3, .parent = 2, .lasts = 800,
                                  .kind = SPAN_CLIENT, .status = server});
    plan_attribute(p, "peer.service", "cell");
    if (!answered)
        return;
    plan_span(p, (struct planned){cell, "deliver", .id = 4, .parent = 3, .lasts = 700,
                                  .kind = SPAN_SERVER, .status = server});
    plan_span(p, (struct planned){cell, "LPUSH", .id = 5, .parent = 4, .lasts = 600,
                                  .kind = SPAN_CLIENT});
    plan_attribute(p, "db.system", "redis");
}

static void calls_are_counted_along_edges_with_both_latencies(void **state)
{
    (void)state;
    static const enum span_status ended[] = {SPAN_OK, SPAN_ERROR, SPAN_DIED, SPAN_IN_FLIGHT};
    struct graph g;
    graph_init(&g, 0);
    for (uint64_t i = 0; i < 4; i++) {
        struct plan p = plan_begin(i);
        plan_request(&p, ended[i], true);
        add(&g, &p);
    }
    assert_int_equal(graph_finish(&g), 0);
    const struct graph_calls *e = edge(&g, "web", GRAPH_SERVICE, "cell", false);
    assert_non_null(e);
    assert_int_equal(e->calls, 4);
    assert_int_equal(e->errors, 1);
    assert_int_equal(e->died, 1);
    assert_int_equal(e->in_flight, 1);
    assert_int_equal(e->exemplar.lo, 3); /* the last that failed */
    assert_int_equal(e->caller_ns.count, 2);
    assert_true(e->caller_ns.max == 800);
    assert_true(e->callee_ns.max == 700);
    e = edge(&g, "", GRAPH_SERVICE, "web", false);
    assert_non_null(e);
    assert_int_equal(e->calls, 4);
    assert_int_equal(e->caller_ns.count, 0);
    assert_true(e->callee_ns.max == 1000);
    assert_null(edge(&g, "web", GRAPH_SERVICE, "web", false));
    graph_fini(&g);
}

static void what_records_nothing_is_a_node_by_what_its_clients_say(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
        enum graph_node_kind kind;
        enum span_kind span;
    } said[] = {
        {"db.system", "redis", GRAPH_DATABASE, SPAN_CLIENT},
        {"db.system.name", "mysql", GRAPH_DATABASE, SPAN_CLIENT},
        {"server.address", "api.example.org", GRAPH_EXTERNAL, SPAN_CLIENT},
        {"messaging.system", "kafka", GRAPH_MESSAGING, SPAN_PRODUCER},
        {"other", "x", GRAPH_UNKNOWN, SPAN_CLIENT},
    };
    struct graph g;
    graph_init(&g, 0);
    for (size_t i = 0; i < 5; i++) {
        struct plan p = plan_begin(i);
        uint32_t web = plan_process(&p, 1, "web", "box1");
        plan_span(&p, (struct planned){web, "call", .id = 1, .lasts = 10, .kind = said[i].span});
        plan_attribute(&p, said[i].key, said[i].value);
        add(&g, &p);
        const char *name = said[i].kind == GRAPH_UNKNOWN ? "" : said[i].value;
        const struct graph_calls *e =
            edge(&g, "web", said[i].kind, name, said[i].span == SPAN_PRODUCER);
        assert_non_null(e);
        assert_int_equal(e->calls, 1);
        assert_int_equal(e->caller_ns.count, 1);
        assert_int_equal(e->callee_ns.count, 0);
    }
    struct plan p = plan_begin(9);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, "get", .id = 1, .lasts = 10, .kind = SPAN_CLIENT});
    plan_attribute(&p, "db.system", "memcached");
    plan_attribute(&p, "peer.service", "timeline-cache");
    add(&g, &p);
    assert_non_null(edge(&g, "web", GRAPH_DATABASE, "timeline-cache", false));
    graph_fini(&g);
}

static void an_unanswered_call_of_a_service_that_records_counts_for_that_service(void **state)
{
    (void)state;
    struct graph g;
    graph_init(&g, 0);
    struct plan p = plan_begin(0);
    plan_request(&p, SPAN_ERROR, false);
    add(&g, &p);
    p = plan_begin(1);
    plan_request(&p, SPAN_OK, true);
    add(&g, &p);
    assert_non_null(edge(&g, "web", GRAPH_EXTERNAL, "cell", false));
    assert_int_equal(graph_finish(&g), 0);
    assert_null(edge(&g, "web", GRAPH_EXTERNAL, "cell", false));
    const struct graph_calls *e = edge(&g, "web", GRAPH_SERVICE, "cell", false);
    assert_int_equal(e->calls, 2);
    assert_int_equal(e->errors, 1);
    assert_int_equal(e->exemplar.lo, 1);
    assert_int_equal(e->caller_ns.count, 2);
    graph_fini(&g);
}

static void plan_consumer(struct plan *p, struct trace_id of, uint64_t producer)
{
    uint32_t cell = plan_process(p, 2, "cell", "box2");
    plan_span(p, (struct planned){cell, "on post", .id = 70, .lasts = 50, .kind = SPAN_CONSUMER});
    batch_link(p->builder, of, producer);
}

static void messages_connect_by_parent_and_by_link_in_either_order(void **state)
{
    (void)state;
    struct graph g;
    graph_init(&g, 0);
    struct plan p = plan_begin(5);
    struct trace_id producing = p.id;
    batch_builder_destroy(&p.builder);
    for (uint64_t i = 0; i < 2; i++) { /* a consumer before, another behind */
        p = plan_begin(10 + i);
        plan_consumer(&p, producing, 3);
        add(&g, &p);
        p = plan_begin(5);
        uint32_t web = plan_process(&p, 1, "web", "box1"), mail = plan_process(&p, 3, "mail", "b");
        plan_span(&p, (struct planned){web, "POST /", .id = 1, .lasts = 9, .kind = SPAN_SERVER});
        plan_span(&p, (struct planned){web, "send", .id = 3, .parent = 1, .kind = SPAN_PRODUCER});
        plan_attribute(&p, "messaging.destination.name", "posts");
        plan_span(&p, (struct planned){web, "send", .id = 4, .parent = 1, .kind = SPAN_PRODUCER});
        plan_span(&p, (struct planned){mail, "got", .id = 6, .parent = 4, .kind = SPAN_CONSUMER});
        if (i == 0)
            add(&g, &p);
        else
            batch_builder_destroy(&p.builder);
    }
    p = plan_begin(20);
    plan_consumer(&p, producing, 999); /* of nobody that is known */
    add(&g, &p);
    assert_int_equal(graph_finish(&g), 0);
    const struct graph_calls *e = edge(&g, "web", GRAPH_SERVICE, "cell", true);
    assert_non_null(e);
    assert_int_equal(e->calls, 2);
    assert_true(e->callee_ns.max == 50);
    assert_int_equal(edge(&g, "web", GRAPH_SERVICE, "mail", true)->calls, 1);
    assert_int_equal(edge(&g, "web", GRAPH_MESSAGING, "posts", true)->calls, 1);
    assert_int_equal(g.unresolved_links, 1);
    graph_fini(&g);
}

static void whole_paths_are_kept_apart(void **state)
{
    (void)state;
    struct graph g;
    graph_init(&g, 0);
    for (uint64_t i = 0; i < 3; i++) {
        struct plan p = plan_begin(i);
        plan_request(&p, SPAN_OK, true);
        add(&g, &p);
    }
    struct plan p = plan_begin(9); /* deliver as an orphan: not the same path */
    uint32_t cell = plan_process(&p, 2, "cell", "box2");
    plan_span(&p, (struct planned){cell, "deliver", .id = 4, .parent = 3, .kind = SPAN_SERVER});
    add(&g, &p);
    assert_int_equal(path(&g, "GET /")->calls, 3);
    assert_int_equal(path(&g, "GET />deliver")->calls, 3);
    assert_true(path(&g, "GET />deliver")->caller_ns.max == 800);
    assert_int_equal(path(&g, "GET />deliver>LPUSH")->calls, 3);
    assert_int_equal(path(&g, "deliver")->calls, 1);
    assert_int_equal(g.paths.count, 5);
    graph_fini(&g);
}

static void nodes_edges_and_paths_are_bounded_and_the_rest_is_counted(void **state)
{
    (void)state;
    struct graph g;
    graph_init(&g, 10);
    for (uint64_t i = 0; i < 200; i++) {
        struct plan p = plan_begin(i);
        char name[16];
        snprintf(name, sizeof name, "s%d", (int)i);
        uint32_t web = plan_process(&p, 1, name, "box1");
        plan_span(&p, (struct planned){web, "GET /", .id = 1, .lasts = 5, .kind = SPAN_SERVER});
        add(&g, &p);
    }
    assert_int_equal(g.nodes.count, 11);
    assert_true(g.paths.count <= 41);
    uint64_t calls = 0, paths = 0;
    for (uint32_t i = 0; i < g.edges.count; i++)
        calls += g.edge_calls[i].calls;
    for (uint32_t i = 0; i < g.paths.count; i++)
        paths += g.path_calls[i].calls;
    assert_int_equal(calls, 200);
    assert_int_equal(paths, 200);
    assert_int_equal(g.edge_calls[0].calls, 191); /* the tenth node is the user */
    graph_fini(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_counted_along_edges_with_both_latencies),
        cmocka_unit_test(what_records_nothing_is_a_node_by_what_its_clients_say),
        cmocka_unit_test(an_unanswered_call_of_a_service_that_records_counts_for_that_service),
        cmocka_unit_test(messages_connect_by_parent_and_by_link_in_either_order),
        cmocka_unit_test(whole_paths_are_kept_apart),
        cmocka_unit_test(nodes_edges_and_paths_are_bounded_and_the_rest_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
