// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/skew.h"

#include "tests/unit/collector/query/analysis/trees.h"

/* A call: a client span on one process and the server's below it, whose clock is `ahead`. */
static void plan_call(struct plan *p, uint32_t client, uint32_t server, uint64_t id, uint64_t at,
                      uint64_t lasts, uint64_t there, int64_t ahead)
{
    plan_span(p, (struct planned){client, "call", .id = id, .parent = 1, .at = at, .lasts = lasts,
                                  .kind = SPAN_CLIENT});
    plan_span(p, (struct planned){server, "serve", .id = id + 1, .parent = id,
                                  .at = at + there + (uint64_t)ahead, .lasts = lasts - 2 * there,
                                  .kind = SPAN_SERVER});
}

static const struct skew_clock *clock_of(const struct skew *s, const struct tree *t, uint64_t id)
{
    return &s->clocks[s->clock_of[t->nodes[node_with_id(t, id)].process]];
}

static uint64_t corrected(const struct skew *s, const struct tree *t, uint64_t id)
{
    return skew_start_unix_ns(s, t, node_with_id(t, id)) - TREES_EPOCH;
}

static void nothing_is_corrected_where_all_nests(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t a = plan_process(&p, 1, "web", "box1"), b = plan_process(&p, 2, "cell", "box2");
    plan_span(&p, (struct planned){a, "root", .id = 1, .lasts = 100000, .kind = SPAN_SERVER});
    plan_call(&p, a, b, 10, 1000, 10000, 200, 150); /* ahead, but not visibly */
    struct grown g = grow(&p);
    struct skew s;
    assert_int_equal(skew_estimate(&s, &g.tree), 0);
    assert_int_equal(s.clock_count, 2);
    assert_false(s.corrected);
    assert_int_equal(corrected(&s, &g.tree, 11), 1350);
    assert_int_equal(clock_of(&s, &g.tree, 11)->pairs, 1);
    assert_int_equal(clock_of(&s, &g.tree, 11)->agreeing, 1);
    skew_fini(&s);
    fell(&g);
}

static void one_call_is_moved_to_the_middle_of_its_client(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t a = plan_process(&p, 1, "web", "box1"), b = plan_process(&p, 2, "cell", "box2");
    plan_span(&p, (struct planned){a, "root", .id = 1, .lasts = 100000, .kind = SPAN_SERVER});
    plan_call(&p, a, b, 10, 1000, 10000, 200, -5000);
    struct grown g = grow(&p);
    struct skew s;
    assert_int_equal(skew_estimate(&s, &g.tree), 0);
    assert_true(s.corrected);
    const struct skew_clock *clock = clock_of(&s, &g.tree, 11);
    assert_int_equal(clock->offset_ns, -5000);
    assert_int_equal(clock->uncertainty_ns, 200);
    assert_true(batch_str_is(clock->host, "box2"));
    assert_int_equal(corrected(&s, &g.tree, 11), 1200);
    assert_int_equal(corrected(&s, &g.tree, 10), 1000);
    skew_fini(&s);
    fell(&g);
}

static void it_does_not_matter_which_span_arrived_first(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t a = plan_process(&p, 1, "web", "box1"), b = plan_process(&p, 2, "cell", "box2");
    plan_call(&p, a, b, 10, 1000, 10000, 200, -5000);
    plan_call(&p, b, a, 20, 1000, 10000, 200, 5000); /* from b on: its first span is shown */
    plan_span(&p, (struct planned){b, "root", .id = 1, .lasts = 100000, .kind = SPAN_SERVER});
    struct grown g = grow(&p);
    struct skew s;
    assert_int_equal(skew_estimate(&s, &g.tree), 0);
    assert_int_equal(clock_of(&s, &g.tree, 10)->offset_ns, 5000);
    assert_int_equal(clock_of(&s, &g.tree, 1)->offset_ns, 0);
    assert_int_equal(corrected(&s, &g.tree, 11), 1200 - 5000);
    assert_int_equal(corrected(&s, &g.tree, 21), 1200);
    skew_fini(&s);
    fell(&g);
}

static void all_calls_between_two_hosts_move_alike_in_both_directions(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t a = plan_process(&p, 1, "web", "box1"), b = plan_process(&p, 2, "cell", "box2");
    uint32_t c = plan_process(&p, 3, "cell", "box2");
    plan_span(&p, (struct planned){a, "root", .id = 1, .lasts = 1000000, .kind = SPAN_SERVER});
    plan_call(&p, a, b, 10, 1000, 10000, 500, 70000);
    plan_call(&p, a, c, 20, 30000, 10000, 20, 70000); /* the tightest */
    /* And back: from b, whose clock is ahead, to a. */
    plan_span(&p, (struct planned){b, "call", .id = 30, .parent = 11, .at = 72000, .lasts = 4000,
                                   .kind = SPAN_CLIENT});
    plan_span(&p, (struct planned){a, "serve", .id = 31, .parent = 30, .at = 2300, .lasts = 3400,
                                   .kind = SPAN_SERVER});
    struct grown g = grow(&p);
    struct skew s;
    assert_int_equal(skew_estimate(&s, &g.tree), 0);
    assert_int_equal(s.clock_count, 2);
    const struct skew_clock *clock = clock_of(&s, &g.tree, 11);
    assert_int_equal(clock->offset_ns, 70000);
    assert_int_equal(clock->uncertainty_ns, 20);
    assert_int_equal(clock->pairs, 3);
    assert_int_equal(clock->agreeing, 3);
    assert_int_equal(corrected(&s, &g.tree, 11), 1500);
    assert_int_equal(corrected(&s, &g.tree, 21), 30020);
    assert_int_equal(corrected(&s, &g.tree, 30), 2000);
    assert_int_equal(corrected(&s, &g.tree, 31), 2300);
    skew_fini(&s);
    fell(&g);
}

static void the_majority_outvotes_a_call_that_contradicts(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t a = plan_process(&p, 1, "web", "box1"), b = plan_process(&p, 2, "cell", "box2");
    plan_span(&p, (struct planned){a, "root", .id = 1, .lasts = 1000000, .kind = SPAN_SERVER});
    for (uint64_t i = 0; i < 4; i++)
        plan_call(&p, a, b, 10 + 2 * i, 1000 * i, 900, 100, 5000);
    plan_call(&p, a, b, 30, 9000, 900, 100, -80000);
    struct grown g = grow(&p);
    struct skew s;
    assert_int_equal(skew_estimate(&s, &g.tree), 0);
    assert_int_equal(clock_of(&s, &g.tree, 11)->offset_ns, 5000);
    assert_int_equal(clock_of(&s, &g.tree, 11)->pairs, 5);
    assert_int_equal(clock_of(&s, &g.tree, 11)->agreeing, 4);
    skew_fini(&s);
    fell(&g);
}

static void offsets_are_carried_over_hosts(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t a = plan_process(&p, 1, "a", "box1"), b = plan_process(&p, 2, "b", "box2");
    uint32_t c = plan_process(&p, 3, "c", "box3");
    plan_span(&p, (struct planned){a, "root", .id = 1, .lasts = 100000, .kind = SPAN_SERVER});
    plan_call(&p, a, b, 10, 1000, 50000, 100, 1000000);
    plan_span(&p, (struct planned){b, "call", .id = 20, .parent = 11, .at = 1002000, .lasts = 5000,
                                   .kind = SPAN_CLIENT});
    plan_span(&p, (struct planned){c, "serve", .id = 21, .parent = 20, .at = 2002500, .lasts = 4000,
                                   .kind = SPAN_SERVER});
    struct grown g = grow(&p);
    struct skew s;
    assert_int_equal(skew_estimate(&s, &g.tree), 0);
    const struct skew_clock *clock = clock_of(&s, &g.tree, 21);
    assert_int_equal(clock->offset_ns, 2000000);
    assert_int_equal(clock->uncertainty_ns, 600);
    assert_true(batch_str_is(s.clocks[clock->against].host, "box2"));
    assert_int_equal(corrected(&s, &g.tree, 21), 2500);
    skew_fini(&s);
    fell(&g);
}

static void a_server_that_outlives_its_client_is_only_kept_from_beginning_before_it(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t a = plan_process(&p, 1, "web", "box1"), b = plan_process(&p, 2, "cell", "box2");
    plan_span(&p, (struct planned){a, "root", .id = 1, .at = 5000, .lasts = 9000});
    plan_span(&p, (struct planned){a, "call", .id = 2, .parent = 1, .at = 6000, .lasts = 1000,
                                   .kind = SPAN_CLIENT});
    plan_span(&p, (struct planned){b, "serve", .id = 3, .parent = 2, .at = 4000, .lasts = 50000,
                                   .kind = SPAN_SERVER});
    struct grown g = grow(&p);
    struct skew s;
    assert_int_equal(skew_estimate(&s, &g.tree), 0);
    assert_int_equal(corrected(&s, &g.tree, 3), 6000);
    assert_true(clock_of(&s, &g.tree, 3)->uncertainty_ns == UINT64_MAX);
    skew_fini(&s);
    fell(&g);
}

static void the_end_of_a_span_that_died_or_is_in_flight_bounds_nothing(void **state)
{
    (void)state;
    for (enum span_status status = SPAN_DIED; status <= SPAN_IN_FLIGHT; status++) {
        struct plan p = plan_begin(0);
        uint32_t a = plan_process(&p, 1, "web", "box1"), b = plan_process(&p, 2, "cell", "box2");
        plan_span(&p, (struct planned){a, "root", .id = 1, .lasts = 9000});
        plan_span(&p, (struct planned){a, "call", .id = 2, .parent = 1, .at = 1000, .lasts = 100,
                                       .kind = SPAN_CLIENT, .status = status});
        plan_span(&p, (struct planned){b, "serve", .id = 3, .parent = 2, .at = 4000, .lasts = 50,
                                       .kind = SPAN_SERVER});
        struct grown g = grow(&p);
        struct skew s;
        assert_int_equal(skew_estimate(&s, &g.tree), 0);
        assert_false(s.corrected);
        skew_fini(&s);
        fell(&g);
    }
}

static void processes_without_a_host_have_clocks_of_their_own(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t a = plan_process(&p, 1, "web", NULL), b = plan_process(&p, 2, "cell", NULL);
    plan_span(&p, (struct planned){a, "root", .id = 1, .lasts = 100000, .kind = SPAN_SERVER});
    plan_call(&p, a, b, 10, 1000, 10000, 200, -5000);
    struct grown g = grow(&p);
    struct skew s;
    assert_int_equal(skew_estimate(&s, &g.tree), 0);
    assert_int_equal(s.clock_count, 2);
    assert_int_equal(corrected(&s, &g.tree, 11), 1200);
    skew_fini(&s);
    fell(&g);
}

static void times_from_another_age_do_not_wrap(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t a = plan_process(&p, 1, "a", "box1"), b = plan_process(&p, 2, "b", "box2");
    uint32_t c = plan_process(&p, 3, "c", "box3");
    plan_span(&p, (struct planned){a, "root", .id = 1, .lasts = UINT64_MAX, .kind = SPAN_CLIENT});
    plan_span(&p, (struct planned){b, "far", .id = 2, .parent = 1, .at = 0 - TREES_EPOCH,
                                   .lasts = 1, .kind = SPAN_SERVER});
    plan_span(&p,
              (struct planned){c, "further", .id = 3, .parent = 2, .at = UINT64_MAX - TREES_EPOCH,
                               .lasts = 9, .kind = SPAN_SERVER});
    struct grown g = grow(&p);
    struct skew s;
    assert_int_equal(skew_estimate(&s, &g.tree), 0);
    skew_fini(&s);
    fell(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_corrected_where_all_nests),
        cmocka_unit_test(one_call_is_moved_to_the_middle_of_its_client),
        cmocka_unit_test(it_does_not_matter_which_span_arrived_first),
        cmocka_unit_test(all_calls_between_two_hosts_move_alike_in_both_directions),
        cmocka_unit_test(the_majority_outvotes_a_call_that_contradicts),
        cmocka_unit_test(offsets_are_carried_over_hosts),
        cmocka_unit_test(a_server_that_outlives_its_client_is_only_kept_from_beginning_before_it),
        cmocka_unit_test(the_end_of_a_span_that_died_or_is_in_flight_bounds_nothing),
        cmocka_unit_test(processes_without_a_host_have_clocks_of_their_own),
        cmocka_unit_test(times_from_another_age_do_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
