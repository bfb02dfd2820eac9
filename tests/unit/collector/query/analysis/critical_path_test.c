// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/critical_path.h"

#include "tests/unit/collector/query/analysis/trees.h"

struct expected {
    uint64_t from, to;
    uint64_t id; /* 0: nobody */
};

/* Times are counted from TREES_EPOCH. */
static void assert_path(const struct grown *g, uint64_t root, const struct expected *e,
                        uint32_t count)
{
    struct timeline l;
    struct critical_path p;
    uint64_t sum = 0;
    assert_int_equal(timeline_build(&l, &g->tree, NULL), 0);
    uint32_t node = root ? node_with_id(&g->tree, root) : TREE_NONE;
    assert_int_equal(critical_path_build(&p, &g->tree, &l, node), 0);
    assert_int_equal(p.count, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t told = p.segments[i].node;
        assert_int_equal(told == TREE_NONE ? 0 : node_span_id(&g->tree, told), e[i].id);
        assert_int_equal(p.segments[i].from_unix_ns - TREES_EPOCH, e[i].from);
        assert_int_equal(p.segments[i].to_unix_ns - TREES_EPOCH, e[i].to);
    }
    for (uint32_t i = 0; i < g->tree.count; i++)
        sum += p.critical_ns[i];
    assert_int_equal(sum + p.unknown_ns, p.total_ns);
    critical_path_fini(&p);
    timeline_fini(&l);
}

#define ASSERT_PATH(g, root, ...)                                                                  \
    assert_path(g, root, (const struct expected[]){__VA_ARGS__},                                   \
                sizeof(const struct expected[]){__VA_ARGS__} / sizeof(struct expected))

static void each_moment_belongs_to_the_child_that_ended_last(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = 100});
    plan_span(&p, (struct planned){web, .id = 2, .parent = 1, .at = 10, .lasts = 20});
    plan_span(&p, (struct planned){web, .id = 3, .parent = 1, .at = 40, .lasts = 50});
    plan_span(&p,
              (struct planned){web, .id = 4, .parent = 1, .at = 45, .lasts = 10}); /* beside 3 */
    plan_span(&p, (struct planned){web, .id = 5, .parent = 3, .at = 50, .lasts = 30});
    struct grown g = grow(&p);
    ASSERT_PATH(&g, 0, {0, 10, 1}, {10, 30, 2}, {30, 40, 1}, {40, 50, 3}, {50, 80, 5}, {80, 90, 3},
                {90, 100, 1});
    ASSERT_PATH(&g, 3, {40, 50, 3}, {50, 80, 5}, {80, 90, 3});
    fell(&g);
}

static void what_overlaps_the_next_ones_beginning_was_not_waited_for(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = 1000});
    plan_span(&p, (struct planned){web, .id = 2, .parent = 1, .at = 0, .lasts = 600});
    plan_span(&p, (struct planned){web, .id = 3, .parent = 1, .at = 400, .lasts = 600});
    struct grown g = grow(&p);
    ASSERT_PATH(&g, 0, {0, 400, 1}, {400, 1000, 3});
    fell(&g);
    p = plan_begin(0);
    web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = 1000});
    plan_span(&p, (struct planned){web, .id = 2, .parent = 1, .at = 0, .lasts = 403}); /* a bit */
    plan_span(&p, (struct planned){web, .id = 3, .parent = 1, .at = 400, .lasts = 600});
    g = grow(&p);
    ASSERT_PATH(&g, 0, {0, 400, 2}, {400, 1000, 3});
    fell(&g);
}

static void a_child_that_outlives_its_parent_held_nobody_up(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = 100});
    plan_span(&p, (struct planned){web, .id = 2, .parent = 1, .at = 5, .lasts = 500});
    plan_span(&p, (struct planned){web, .id = 3, .parent = 1, .at = 10, .lasts = 30});
    plan_span(&p, (struct planned){web, .id = 4, .parent = 1, .at = 400, .lasts = 30});
    struct grown g = grow(&p);
    ASSERT_PATH(&g, 0, {0, 10, 1}, {10, 40, 3}, {40, 100, 1});
    fell(&g);
}

static void a_server_that_outlives_its_client_was_waited_for(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1"), cell = plan_process(&p, 2, "cell", "box2");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = 120});
    plan_span(&p, (struct planned){web, .id = 2, .parent = 1, .lasts = 100, .kind = SPAN_CLIENT});
    plan_span(&p, (struct planned){cell, .id = 3, .parent = 2, .at = 5, .lasts = 500,
                                   .kind = SPAN_SERVER});
    plan_span(&p, (struct planned){cell, .id = 4, .parent = 3, .at = 20, .lasts = 485});
    struct grown g = grow(&p);
    ASSERT_PATH(&g, 0, {0, 5, 2}, {5, 20, 3}, {20, 100, 4}, {100, 120, 1});
    fell(&g);
}

static void what_a_failed_dead_or_waiting_parent_left_behind_was_waited_for(void **state)
{
    (void)state;
    for (enum span_status status = SPAN_ERROR; status <= SPAN_IN_FLIGHT; status++) {
        struct plan p = plan_begin(0);
        uint32_t web = plan_process(&p, 1, "web", "box1");
        plan_span(&p, (struct planned){web, .id = 1, .lasts = 100, .status = status});
        plan_span(&p, (struct planned){web, .id = 2, .parent = 1, .at = 5, .lasts = 500});
        struct grown g = grow(&p);
        ASSERT_PATH(&g, 0, {0, 5, 1}, {5, 100, 2});
        fell(&g);
    }
}

static void orphans_count_as_the_roots_own(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, .id = 1, .at = 10, .lasts = 100});
    plan_span(&p, (struct planned){web, .id = 2, .parent = 1, .at = 80, .lasts = 20});
    plan_span(&p, (struct planned){web, .id = 3, .parent = 99, .at = 20, .lasts = 30});
    plan_span(&p, (struct planned){web, .id = 4, .parent = 3, .at = 30, .lasts = 10});
    plan_span(&p,
              (struct planned){web, .id = 5, .parent = 98, .at = 5, .lasts = 7}); /* before it */
    plan_span(&p, (struct planned){web, .id = 6, .at = 30, .lasts = 10}); /* a second root */
    struct grown g = grow(&p);
    ASSERT_PATH(&g, 0, {10, 12, 5}, {12, 20, 1}, {20, 30, 3}, {30, 40, 4}, {40, 50, 3}, {50, 80, 1},
                {80, 100, 2}, {100, 110, 1});
    ASSERT_PATH(&g, 6, {30, 40, 6});
    fell(&g);
}

static void without_a_root_gaps_are_nobodys(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, .id = 3, .parent = 99, .at = 20, .lasts = 30});
    plan_span(&p, (struct planned){web, .id = 5, .parent = 98, .at = 60, .lasts = 7});
    struct grown g = grow(&p);
    ASSERT_PATH(&g, 0, {20, 50, 3}, {50, 60, 0}, {60, 67, 5});
    fell(&g);
}

static void corrected_starts_are_used(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1"), cell = plan_process(&p, 2, "cell", "box2");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = 100, .kind = SPAN_CLIENT});
    plan_span(&p, (struct planned){cell, .id = 2, .parent = 1, .at = 5000, .lasts = 60,
                                   .kind = SPAN_SERVER});
    struct grown g = grow(&p);
    struct skew s;
    struct timeline l;
    struct critical_path path;
    assert_int_equal(skew_estimate(&s, &g.tree), 0);
    assert_int_equal(timeline_build(&l, &g.tree, &s), 0);
    assert_int_equal(critical_path_build(&path, &g.tree, &l, TREE_NONE), 0);
    assert_int_equal(path.critical_ns[node_with_id(&g.tree, 1)], 40);
    assert_int_equal(path.critical_ns[node_with_id(&g.tree, 2)], 60);
    critical_path_fini(&path);
    timeline_fini(&l);
    skew_fini(&s);
    fell(&g);
}

static void nothing_is_not_on_any_path(void **state)
{
    (void)state;
    struct tree empty;
    assert_int_equal(tree_build(&empty, NULL, 0), 0);
    struct grown g = {.tree = empty};
    struct timeline l;
    struct critical_path path;
    assert_int_equal(timeline_build(&l, &g.tree, NULL), 0);
    assert_int_equal(critical_path_build(&path, &g.tree, &l, TREE_NONE), 0);
    assert_int_equal(path.count, 0);
    critical_path_fini(&path);
    timeline_fini(&l);
    tree_fini(&empty);
}

/* Nobody is asked to wait for a tree of either shape: no recursion, nothing quadratic. */
static void a_deep_and_a_wide_tree_are_walked(void **state)
{
    (void)state;
    enum { SPANS = 200000 };
    for (int deep = 0; deep < 2; deep++) {
        struct plan p = plan_begin(0);
        uint32_t web = plan_process(&p, 1, "web", "box1");
        for (uint64_t i = 0; i < SPANS; i++)
            plan_span(&p, (struct planned){web, .id = i + 1, .parent = deep ? i : i > 0, .at = i,
                                           .lasts = deep || i == 0 ? 2 * SPANS - 2 * i : 1});
        struct grown g = grow(&p);
        struct timeline l;
        struct critical_path path;
        assert_int_equal(timeline_build(&l, &g.tree, NULL), 0);
        assert_int_equal(critical_path_build(&path, &g.tree, &l, TREE_NONE), 0);
        uint64_t sum = 0;
        for (uint32_t i = 0; i < g.tree.count; i++)
            sum += path.critical_ns[i];
        assert_int_equal(sum, 2 * SPANS);
        assert_int_equal(path.critical_ns[SPANS / 2], deep ? 2 : 1);
        critical_path_fini(&path);
        timeline_fini(&l);
        fell(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_moment_belongs_to_the_child_that_ended_last),
        cmocka_unit_test(what_overlaps_the_next_ones_beginning_was_not_waited_for),
        cmocka_unit_test(a_child_that_outlives_its_parent_held_nobody_up),
        cmocka_unit_test(a_server_that_outlives_its_client_was_waited_for),
        cmocka_unit_test(what_a_failed_dead_or_waiting_parent_left_behind_was_waited_for),
        cmocka_unit_test(orphans_count_as_the_roots_own),
        cmocka_unit_test(without_a_root_gaps_are_nobodys),
        cmocka_unit_test(corrected_starts_are_used),
        cmocka_unit_test(nothing_is_not_on_any_path),
        cmocka_unit_test(a_deep_and_a_wide_tree_are_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
