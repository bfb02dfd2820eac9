// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/culprit.h"

#include "tests/unit/collector/query/analysis/trees.h"

static void assert_chain(const struct grown *g, const uint64_t *ids, uint32_t count)
{
    struct culprit c;
    assert_int_equal(culprit_find(&c, &g->tree), 0);
    assert_int_equal(c.length, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(node_span_id(&g->tree, c.chain[i]), ids[i]);
    culprit_fini(&c);
}

#define ASSERT_CHAIN(g, ...)                                                                       \
    assert_chain(g, (const uint64_t[]){__VA_ARGS__},                                               \
                 sizeof(const uint64_t[]){__VA_ARGS__} / sizeof(uint64_t))

static void assert_sentence(const struct grown *g, const char *expected)
{
    struct culprit c;
    struct buffer out = {0};
    assert_int_equal(culprit_find(&c, &g->tree), 0);
    culprit_sentence(&c, &g->tree, &out);
    assert_string_equal(buffer_cstring(&out), expected);
    buffer_fini(&out);
    culprit_fini(&c);
}

/* web (1) calls cell (2 -> 3), which works (4). */
static struct grown call(enum span_status root, enum span_status client, enum span_status server,
                         enum span_status below)
{
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1"), cell = plan_process(&p, 2, "cell", "box2");
    plan_span(&p, (struct planned){web, "GET /", .id = 1, .lasts = 100, .kind = SPAN_SERVER,
                                   .status = root, .message = "502"});
    plan_span(&p, (struct planned){web, "call", .id = 2, .parent = 1, .at = 10, .lasts = 80,
                                   .kind = SPAN_CLIENT, .status = client});
    plan_span(&p, (struct planned){cell, "deliver", .id = 3, .parent = 2, .at = 20, .lasts = 60,
                                   .kind = SPAN_SERVER, .status = server});
    plan_span(&p, (struct planned){cell, "LPUSH", .id = 4, .parent = 3, .at = 30, .lasts = 10,
                                   .kind = SPAN_CLIENT, .status = below, .message = "refused"});
    return grow(&p);
}

static void the_deepest_failure_explains(void **state)
{
    (void)state;
    struct grown g = call(SPAN_ERROR, SPAN_ERROR, SPAN_ERROR, SPAN_ERROR);
    ASSERT_CHAIN(&g, 1, 2, 3, 4);
    assert_sentence(&g, "web \"GET /\" failed (502) because cell \"LPUSH\" failed (refused)");
    fell(&g);
    g = call(SPAN_ERROR, SPAN_ERROR, SPAN_ERROR, SPAN_OK);
    ASSERT_CHAIN(&g, 1, 2, 3);
    fell(&g);
}

static void what_a_parent_survived_explains_nothing(void **state)
{
    (void)state;
    struct grown g = call(SPAN_ERROR, SPAN_UNSET, SPAN_ERROR, SPAN_ERROR);
    ASSERT_CHAIN(&g, 1);
    assert_sentence(&g, "web \"GET /\" failed (502)");
    fell(&g);
    g = call(SPAN_OK, SPAN_ERROR, SPAN_ERROR, SPAN_ERROR);
    struct culprit c;
    assert_int_equal(culprit_find(&c, &g.tree), 0);
    assert_int_equal(c.length, 0);
    assert_int_equal(culprit_node(&c), TREE_NONE);
    culprit_fini(&c);
    assert_sentence(&g, "");
    fell(&g);
}

static void a_death_beats_an_error_that_it_caused_below(void **state)
{
    (void)state;
    struct grown g = call(SPAN_ERROR, SPAN_ERROR, SPAN_DIED, SPAN_ERROR);
    ASSERT_CHAIN(&g, 1, 2, 3);
    assert_sentence(&g, "web \"GET /\" failed (502) because cell \"deliver\" died on box2 (pid 2)");
    fell(&g);
    g = call(SPAN_ERROR, SPAN_ERROR, SPAN_DIED, SPAN_DIED);
    ASSERT_CHAIN(&g, 1, 2, 3, 4);
    fell(&g);
}

static void among_equals_the_earliest(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = 100, .status = SPAN_ERROR});
    plan_span(&p, (struct planned){web, .id = 3, .parent = 1, .at = 50, .status = SPAN_ERROR});
    plan_span(&p, (struct planned){web, .id = 2, .parent = 1, .at = 40, .status = SPAN_ERROR});
    struct grown g = grow(&p);
    ASSERT_CHAIN(&g, 1, 2);
    fell(&g);
}

static void a_request_in_flight_is_waiting_because_somebody_died(void **state)
{
    (void)state;
    struct grown g = call(SPAN_IN_FLIGHT, SPAN_IN_FLIGHT, SPAN_DIED, SPAN_UNSET);
    ASSERT_CHAIN(&g, 1, 2, 3);
    assert_sentence(&g, "web \"GET /\" is waiting because cell \"deliver\" died on box2 (pid 2)");
    fell(&g);
}

static void a_failed_orphan_is_a_suspect_and_without_a_root_the_culprit(void **state)
{
    (void)state;
    for (int with_root = 0; with_root < 2; with_root++) {
        struct plan p = plan_begin(0);
        uint32_t web = plan_process(&p, 1, "web", "box1"), b = plan_process(&p, 2, "b", "box2");
        if (with_root)
            plan_span(&p,
                      (struct planned){web, "GET /", .id = 1, .lasts = 100, .status = SPAN_ERROR});
        plan_span(&p,
                  (struct planned){b, "up", .id = 5, .parent = 99, .at = 50, .status = SPAN_ERROR});
        plan_span(&p,
                  (struct planned){b, "on", .id = 6, .parent = 5, .at = 60, .status = SPAN_ERROR});
        struct grown g = grow(&p);
        struct culprit c;
        assert_int_equal(culprit_find(&c, &g.tree), 0);
        assert_int_equal(c.length, with_root ? 1 : 2);
        assert_int_equal(with_root ? c.suspect : culprit_node(&c), node_with_id(&g.tree, 6));
        culprit_fini(&c);
        assert_sentence(&g, with_root ? "web \"GET /\" failed; perhaps because b \"on\" failed, "
                                        "whose parent is missing"
                                      : "b \"up\" failed because b \"on\" failed");
        fell(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_deepest_failure_explains),
        cmocka_unit_test(what_a_parent_survived_explains_nothing),
        cmocka_unit_test(a_death_beats_an_error_that_it_caused_below),
        cmocka_unit_test(among_equals_the_earliest),
        cmocka_unit_test(a_request_in_flight_is_waiting_because_somebody_died),
        cmocka_unit_test(a_failed_orphan_is_a_suspect_and_without_a_root_the_culprit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
