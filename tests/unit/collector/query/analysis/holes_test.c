// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/holes.h"

#include "lib/model/loss.h"
#include "tests/unit/collector/query/analysis/trees.h"

#define LATER (TREES_EPOCH + UINT64_C(3600000000000)) /* nothing is on its way any longer */

static struct batch_str text(const char *s)
{
    return (struct batch_str){s, (uint32_t)strlen(s)};
}

static struct holes_question question(const struct grown *g)
{
    return (struct holes_question){.tree = &g->tree, .now_unix_ns = LATER};
}

static struct holes find(const struct holes_question *q)
{
    struct holes h;
    assert_int_equal(holes_find(&h, q), 0);
    return h;
}

static uint32_t process_of(const struct grown *g, const char *service)
{
    for (uint32_t i = 0; i < g->tree.process_count; i++) {
        if (batch_str_is(g->tree.processes[i].view->service, service))
            return i;
    }
    return TREE_NONE;
}

/* A loss in the trace's time. */
static struct trace_loss loss(uint32_t process, const char *service, unsigned reason,
                              uint64_t count)
{
    return (struct trace_loss){.process = process,
                               .agent = text("box1"),
                               .service = text(service),
                               .reason = reason,
                               .count = count,
                               .from_unix_ns = TREES_EPOCH,
                               .to_unix_ns = TREES_EPOCH + 1000};
}

static struct grown orphans(unsigned flags)
{
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1"), cell = plan_process(&p, 2, "cell", "box2");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = 100});
    for (uint64_t i = 0; i < 3; i++)
        plan_span(&p, (struct planned){cell, .id = 10 + i, .parent = 99, .at = 10, .lasts = 5,
                                       .flags = flags});
    return grow(&p);
}

static void a_complete_trace_has_none(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1"), cell = plan_process(&p, 2, "cell", "box2");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = 100, .kind = SPAN_CLIENT});
    plan_attribute(&p, "peer.service", "cell");
    plan_span(&p, (struct planned){cell, .id = 2, .parent = 1, .kind = SPAN_SERVER});
    struct grown g = grow(&p);
    struct holes_question q = question(&g);
    struct holes h = find(&q);
    assert_int_equal(h.count, 0);
    holes_fini(&h);
    fell(&g);
}

static void a_missing_parent_is_one_hole_explained_by_its_own_process(void **state)
{
    (void)state;
    struct grown g = orphans(0);
    struct trace_loss losses[] = {
        loss(process_of(&g, "web"), "", LOSS_RING_FULL, 5),
        loss(process_of(&g, "cell"), "", LOSS_ATTRIBUTE_NO_ROOM, 6),
        loss(process_of(&g, "cell"), "", LOSS_NO_SLOT, 7),
        loss(TREE_NONE, "other", LOSS_NO_SLOT, 8),
    };
    struct holes_question q = question(&g);
    q.losses = losses;
    q.loss_count = 4;
    struct holes h = find(&q);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.list[0].kind, HOLE_PARENT);
    assert_int_equal(h.list[0].reason, HOLE_LOST);
    assert_int_equal(h.list[0].count, 3);
    assert_int_equal(h.list[0].missing_id, 99);
    assert_int_equal(h.list[0].loss_count, 1);
    assert_int_equal(h.losses[h.list[0].loss_first], 2);
    struct buffer out = {0};
    hole_sentence(&h, &h.list[0], &q, &out);
    assert_non_null(strstr(buffer_cstring(&out),
                           "the parent of 3 spans is missing: cell lost 7 at that time ("));
    buffer_fini(&out);
    holes_fini(&h);
    fell(&g);
}

static void a_parent_from_elsewhere_may_be_anybodys_loss(void **state)
{
    (void)state;
    struct grown g = orphans(SPAN_FLAG_REMOTE_PARENT);
    struct trace_loss losses[] = {
        loss(TREE_NONE, "", LOSS_SPOOL_FULL, 5), /* the agent's as a whole */
        loss(TREE_NONE, "other", LOSS_NO_SLOT, 8),
        loss(process_of(&g, "web"), "", LOSS_RING_FULL, 7),
    };
    struct holes_question q = question(&g);
    q.losses = losses;
    q.loss_count = 3;
    struct holes h = find(&q);
    assert_int_equal(h.list[0].loss_count, 3);
    assert_int_equal(h.losses[0], 1); /* those of a process first */
    assert_int_equal(h.losses[2], 0);
    holes_fini(&h);
    fell(&g);
}

static void losses_of_another_time_explain_nothing(void **state)
{
    (void)state;
    struct grown g = orphans(0);
    struct trace_loss late = loss(process_of(&g, "cell"), "", LOSS_NO_SLOT, 7);
    late.from_unix_ns = TREES_EPOCH + UINT64_C(60000000000);
    late.to_unix_ns = late.from_unix_ns + 1;
    struct holes_question q = question(&g);
    q.losses = &late;
    q.loss_count = 1;
    struct holes h = find(&q);
    assert_int_equal(h.list[0].reason, HOLE_UNEXPLAINED);
    holes_fini(&h);
    fell(&g);
}

static void without_a_loss_age_and_origin_decide(void **state)
{
    (void)state;
    struct grown g = orphans(0);
    struct holes_question q = question(&g);
    q.now_unix_ns = TREES_EPOCH + UINT64_C(1000000000);
    struct holes h = find(&q);
    assert_int_equal(h.list[0].reason, HOLE_NOT_ARRIVED);
    holes_fini(&h);
    fell(&g);
    g = orphans(SPAN_FLAG_REMOTE_PARENT);
    q = question(&g);
    h = find(&q);
    assert_int_equal(h.list[0].reason, HOLE_NOT_RECORDED);
    holes_fini(&h);
    fell(&g);
}

static bool cell_records(void *context, struct batch_str service)
{
    (void)context;
    return batch_str_is(service, "cell");
}

static struct grown lone_call(enum span_status status, const char *peer)
{
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p,
              (struct planned){web, .id = 1, .lasts = 100, .kind = SPAN_CLIENT, .status = status});
    plan_attribute(&p, "peer.service", peer);
    return grow(&p);
}

static void a_call_of_a_database_is_no_hole(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = 100, .kind = SPAN_CLIENT});
    plan_attribute(&p, "peer.service", "cell");
    plan_attribute(&p, "db.system", "redis");
    struct grown g = grow(&p);
    struct holes_question q = question(&g);
    q.records = cell_records;
    struct holes h = find(&q);
    assert_int_equal(h.count, 0);
    holes_fini(&h);
    fell(&g);
}

static void a_call_without_its_server_is_a_hole_where_the_callee_records(void **state)
{
    (void)state;
    static const struct {
        enum span_status status;
        enum hole_reason reason;
    } cases[] = {{SPAN_OK, HOLE_UNEXPLAINED},
                 {SPAN_ERROR, HOLE_NOT_REACHED},
                 {SPAN_IN_FLIGHT, HOLE_IN_FLIGHT}};
    for (size_t i = 0; i < 3; i++) {
        struct grown g = lone_call(cases[i].status, "cell");
        struct holes_question q = question(&g);
        struct holes h = find(&q);
        assert_int_equal(h.count, 0); /* nobody knows it */
        holes_fini(&h);
        q.records = cell_records;
        h = find(&q);
        assert_int_equal(h.count, 1);
        assert_int_equal(h.list[0].kind, HOLE_SERVER);
        assert_int_equal(h.list[0].reason, cases[i].reason);
        holes_fini(&h);
        struct trace_loss lost = loss(TREE_NONE, "cell", LOSS_RING_FULL, 3);
        q.losses = &lost;
        q.loss_count = 1;
        h = find(&q);
        assert_int_equal(h.list[0].reason, HOLE_LOST);
        holes_fini(&h);
        fell(&g);
    }
    struct grown g = lone_call(SPAN_OK, "memcached");
    struct holes_question q = question(&g);
    q.records = cell_records;
    struct holes h = find(&q);
    assert_int_equal(h.count, 0);
    holes_fini(&h);
    fell(&g);
}

static void dropped_attributes_are_told_with_their_count(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, .id = 1, .lasts = 100, .dropped = 4});
    struct grown g = grow(&p);
    struct holes_question q = question(&g);
    struct holes h = find(&q);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.list[0].kind, HOLE_ATTRIBUTES);
    assert_int_equal(h.list[0].reason, HOLE_LOST);
    assert_int_equal(h.list[0].count, 4);
    struct buffer out = {0};
    hole_sentence(&h, &h.list[0], &q, &out);
    assert_string_equal(buffer_cstring(&out),
                        "web dropped 4 attributes of a span: its place for them was full");
    buffer_fini(&out);
    holes_fini(&h);
    fell(&g);
}

static void more_than_the_limit_are_counted(void **state)
{
    (void)state;
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    for (uint64_t i = 0; i < 100; i++)
        plan_span(&p, (struct planned){web, .id = 1 + i, .parent = 1000 + i});
    struct grown g = grow(&p);
    struct holes_question q = question(&g);
    q.limit = 10;
    struct holes h = find(&q);
    assert_int_equal(h.count, 10);
    assert_int_equal(h.beyond, 90);
    holes_fini(&h);
    fell(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complete_trace_has_none),
        cmocka_unit_test(a_missing_parent_is_one_hole_explained_by_its_own_process),
        cmocka_unit_test(a_parent_from_elsewhere_may_be_anybodys_loss),
        cmocka_unit_test(losses_of_another_time_explain_nothing),
        cmocka_unit_test(without_a_loss_age_and_origin_decide),
        cmocka_unit_test(a_call_of_a_database_is_no_hole),
        cmocka_unit_test(a_call_without_its_server_is_a_hole_where_the_callee_records),
        cmocka_unit_test(dropped_attributes_are_told_with_their_count),
        cmocka_unit_test(more_than_the_limit_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
