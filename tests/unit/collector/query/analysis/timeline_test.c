// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/timeline.h"

#include "tests/unit/collector/query/analysis/trees.h"

static uint64_t self_of(const struct grown *g, uint64_t id)
{
    struct timeline l;
    uint64_t self_ns[64];
    assert_true(g->tree.count <= 64);
    assert_int_equal(timeline_build(&l, &g->tree, NULL), 0);
    timeline_self_ns(&l, &g->tree, self_ns);
    timeline_fini(&l);
    return self_ns[node_with_id(&g->tree, id)];
}

static void self_time_is_what_no_child_covers(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, .id = 1, .at = 100, .lasts = 100});
    plan_span(&p, (struct planned){web, .id = 2, .parent = 1, .at = 110, .lasts = 20});
    plan_span(&p,
              (struct planned){web, .id = 3, .parent = 1, .at = 120, .lasts = 20}); /* overlaps */
    plan_span(&p, (struct planned){web, .id = 4, .parent = 1, .at = 121, .lasts = 2}); /* within */
    plan_span(&p, (struct planned){web, .id = 5, .parent = 1, .at = 50, .lasts = 55}); /* before */
    plan_span(&p, (struct planned){web, .id = 6, .parent = 1, .at = 190, .lasts = 500}); /* after */
    plan_span(&p,
              (struct planned){web, .id = 7, .parent = 1, .at = 900, .lasts = 500}); /* outside */
    plan_span(&p, (struct planned){web, .id = 8, .parent = 1, .at = 160, .lasts = 0});
    plan_span(&p, (struct planned){web, .id = 9, .parent = 3, .at = 120, .lasts = 5});
    struct grown g = grow(&p);
    assert_int_equal(self_of(&g, 1), 100 - 30 - 5 - 10);
    assert_int_equal(self_of(&g, 3), 15);
    assert_int_equal(self_of(&g, 6), 500);
    assert_int_equal(self_of(&g, 8), 0);
    fell(&g);
}

static void children_stand_by_their_ends_the_last_first(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = 100});
    plan_span(&p, (struct planned){web, .id = 2, .parent = 1, .at = 1, .lasts = 20});
    plan_span(&p, (struct planned){web, .id = 3, .parent = 1, .at = 2, .lasts = 90});
    plan_span(&p, (struct planned){web, .id = 4, .parent = 1, .at = 3, .lasts = 89});
    plan_span(&p, (struct planned){web, .id = 5, .parent = 99, .at = 4, .lasts = 1});
    struct grown g = grow(&p);
    struct timeline l;
    assert_int_equal(timeline_build(&l, &g.tree, NULL), 0);
    struct timeline_list below = timeline_below(&l, &g.tree, node_with_id(&g.tree, 1));
    assert_int_equal(below.count, 3);
    assert_int_equal(node_span_id(&g.tree, below.spans[0].node), 3);
    assert_int_equal(node_span_id(&g.tree, below.spans[1].node), 4);
    assert_int_equal(node_span_id(&g.tree, below.spans[2].node), 2);
    below = timeline_below(&l, &g.tree, TREE_NONE);
    assert_int_equal(below.count, 2);
    assert_int_equal(node_span_id(&g.tree, below.spans[0].node), 1);
    assert_int_equal(timeline_below(&l, &g.tree, node_with_id(&g.tree, 5)).count, 0);
    timeline_fini(&l);
    fell(&g);
}

static void an_end_beyond_the_end_of_time_does_not_wrap(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = UINT64_MAX});
    plan_span(&p, (struct planned){web, .id = 2, .parent = 1, .lasts = UINT64_MAX});
    struct grown g = grow(&p);
    assert_int_equal(self_of(&g, 1), 0);
    assert_true(self_of(&g, 2) == UINT64_MAX - TREES_EPOCH);
    fell(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(self_time_is_what_no_child_covers),
        cmocka_unit_test(children_stand_by_their_ends_the_last_first),
        cmocka_unit_test(an_end_beyond_the_end_of_time_does_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
