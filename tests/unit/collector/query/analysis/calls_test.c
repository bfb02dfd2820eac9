// SPDX-License-Identifier: Apache-2.0
/* What of a call is the server's time, and what lies between. */
#include "collector/query/analysis/calls.h"

#include "collector/query/analysis/critical_path.h"
#include "tests/unit/collector/query/analysis/trees.h"

/* cell asks redis twice (one command, a pipeline of two), and a service that it lost. */
static struct grown grow_calls(void)
{
    struct plan p = plan_begin(0);
    uint32_t cell = plan_process(&p, 1, "cell", "box1"),
             redis = plan_process(&p, 2, "redis", "box1");
    plan_span(&p, (struct planned){cell, "read", .id = 1, .lasts = 1000000});
    plan_span(&p, (struct planned){cell, "get profile", .id = 2, .parent = 1, .at = 1000,
                                   .lasts = 400000, .kind = SPAN_CLIENT});
    plan_span(&p, (struct planned){redis, "get", .id = 3, .parent = 2, .at = 100000, .lasts = 40000,
                                   .kind = SPAN_SERVER, .flags = SPAN_FLAG_OBSERVED});
    plan_attribute(&p, "weft.cache.key_pattern", "user:*:name");
    plan_attribute(&p, "weft.cache.outcome", "hit");
    plan_span(&p, (struct planned){cell, "pipeline", .id = 4, .parent = 1, .at = 500000,
                                   .lasts = 100000, .kind = SPAN_CLIENT});
    plan_span(&p, (struct planned){redis, "set", .id = 5, .parent = 4, .at = 510000, .lasts = 30000,
                                   .kind = SPAN_SERVER, .flags = SPAN_FLAG_OBSERVED});
    plan_span(&p, (struct planned){redis, "get", .id = 6, .parent = 4, .at = 520000, .lasts = 40000,
                                   .kind = SPAN_SERVER, .flags = SPAN_FLAG_OBSERVED});
    plan_span(&p, (struct planned){cell, "call lost", .id = 7, .parent = 1, .at = 700000,
                                   .lasts = 100000, .kind = SPAN_CLIENT});
    plan_span(&p, (struct planned){cell, "call one that died", .id = 8, .parent = 1, .at = 810000,
                                   .lasts = 10000, .kind = SPAN_CLIENT});
    plan_span(&p, (struct planned){redis, "get", .id = 9, .parent = 8, .at = 810000, .lasts = 5000,
                                   .kind = SPAN_SERVER, .status = SPAN_DIED});
    return grow(&p);
}

static void a_call_is_the_servers_time_and_what_lies_between(void **state)
{
    struct grown g = grow_calls();
    struct timeline l;
    struct call c;
    (void)state;
    assert_int_equal(timeline_build(&l, &g.tree, NULL), 0);
    assert_true(call_of(&c, &g.tree, &l, node_with_id(&g.tree, 2)));
    assert_int_equal(c.server, node_with_id(&g.tree, 3));
    assert_int_equal(c.server_ns, 40000);
    assert_int_equal(c.between_ns, 360000);
    assert_true(c.observed);
    assert_true(call_of(&c, &g.tree, &l, node_with_id(&g.tree, 4)));
    assert_int_equal(c.servers, 2);
    assert_int_equal(c.server, node_with_id(&g.tree, 5));
    assert_int_equal(c.server_ns, 50000); /* they overlap */
    assert_int_equal(c.between_ns, 50000);
    timeline_fini(&l);
    fell(&g);
}

static void what_has_no_end_or_no_server_is_no_call(void **state)
{
    static const uint64_t none[] = {1, 3, 7, 8};
    struct grown g = grow_calls();
    struct timeline l;
    struct call c;
    (void)state;
    assert_int_equal(timeline_build(&l, &g.tree, NULL), 0);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(call_of(&c, &g.tree, &l, node_with_id(&g.tree, none[i])));
    assert_int_equal(c.servers, 1); /* of the last one: there is one, but it died */
    timeline_fini(&l);
    fell(&g);
}

static void the_worst_come_first_and_are_told_in_a_sentence(void **state)
{
    struct grown g = grow_calls();
    struct timeline l;
    struct critical_path path;
    struct call c;
    struct buffer text = {0};
    uint32_t worst[3];
    (void)state;
    assert_int_equal(timeline_build(&l, &g.tree, NULL), 0);
    assert_int_equal(critical_path_build(&path, &g.tree, &l, TREE_NONE), 0);
    assert_int_equal(calls_worst(&g.tree, &l, path.critical_ns, worst, 3), 2);
    assert_int_equal(worst[0], node_with_id(&g.tree, 2));
    assert_int_equal(worst[1], node_with_id(&g.tree, 4));
    assert_int_equal(calls_worst(&g.tree, &l, path.critical_ns, worst, 1), 1);
    assert_int_equal(worst[0], node_with_id(&g.tree, 2));
    call_of(&c, &g.tree, &l, worst[0]);
    call_sentence(&c, &g.tree, &l, worst[0], &text);
    assert_string_equal(
        buffer_cstring(&text),
        "cell \"get profile\" took 400 µs: redis \"get\" user:*:name (hit) 40.0 µs, "
        "network and queues 360 µs");
    buffer_fini(&text);
    critical_path_fini(&path);
    timeline_fini(&l);
    fell(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_the_servers_time_and_what_lies_between),
        cmocka_unit_test(what_has_no_end_or_no_server_is_no_call),
        cmocka_unit_test(the_worst_come_first_and_are_told_in_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
