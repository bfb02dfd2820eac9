// SPDX-License-Identifier: Apache-2.0
/* The API's answers about traces against docs/api.md. */
#include "tests/unit/collector/web/requests.h"

static void a_trace_is_as_the_document_says(void **state)
{
    struct fixture *f = *state;
    insert_rich_trace(f);
    json_t *t = get_json(f, TRACE_PATH, NULL, 200);
    assert_text(t, "trace_id", "018f0000000000000000000000000001");
    assert_text(t, "start_unix_ns", "1763760000000000000");
    assert_number(t, "duration_ns", 20000000);
    assert_text(t, "root.service", "web");
    assert_text(t, "root.operation", "GET /dashboard");
    assert_true(json_is_true(at(t, "complete")));
    assert_number(t, "error_count", 1);
    assert_number(t, "died_count", 1);
    assert_number(t, "in_flight_count", 0);
    assert_text(t, "processes.0.state", "alive");
    assert_null(at(t, "processes.0.state_unix_ns"));
    assert_text(t, "processes.0.resource.0.key", "zone");
    assert_text(t, "processes.1.state", "died");
    assert_text(t, "processes.1.state_unix_ns", "1763760005000000000");
    assert_number(t, "processes.1.pid", 1002);
    assert_text(t, "spans.0.span_id", "0000000000000001");
    assert_text(t, "spans.0.parent_id", "");
    assert_text(t, "spans.0.kind", "server");
    assert_text(t, "spans.0.status", "error");
    assert_text(t, "spans.0.attributes.0.value", "\xef\xbf\xbd<");
    assert_number(t, "spans.0.attributes.1.value", 502);
    assert_text(t, "spans.0.attributes.2.value", "-9223372036854775808");
    assert_true(json_real_value(at(t, "spans.0.attributes.3.value")) == 0.5);
    assert_text(t, "spans.0.attributes.4.value", "NaN");
    assert_true(json_is_true(at(t, "spans.0.attributes.5.value")));
    assert_text(t, "spans.0.attributes.6.type", "bytes");
    assert_text(t, "spans.0.attributes.6.value", "AAEC");
    assert_number(t, "spans.0.events.0.offset_ns", -5000);
    assert_number(t, "spans.0.events.0.attributes.0.value", 1);
    assert_text(t, "spans.0.links.0.span_id", "000000000000004d");
    assert_number(t, "spans.1.process", 1);
    assert_text(t, "spans.1.parent_id", "0000000000000001");
    assert_text(t, "spans.1.status", "died");
    assert_number(t, "spans.1.start_offset_ns", 5000000);
    assert_int_equal(json_array_size(at(t, "spans.1.flags")), 0);
    assert_number(t, "losses.0.process", 0);
    assert_text(t, "losses.0.place", "service");
    assert_text(t, "losses.0.reason", "ring_full");
    assert_number(t, "losses.0.count", 17);
    json_decref(t);
}

static void a_death_told_later_shows_in_the_trace(void **state)
{
    struct fixture *f = *state;
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    spans_add(&s, (struct span_by_hand){web, "x", .id = 1});
    spans_insert(&s, f->web.query.store);
    spans_begin(&s);
    spans_process_in(&s, 1, "web", PROCESS_DIED);
    spans_insert(&s, f->web.query.store);
    json_t *t = get_json(f, TRACE_PATH, NULL, 200);
    assert_text(t, "processes.0.state", "died");
    assert_text(t, "processes.0.state_unix_ns", "1763760005000000000");
    json_decref(t);
}

static void losses_of_others_are_told_where_a_parent_is_missing(void **state)
{
    struct fixture *f = *state;
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web"), cell = spans_process(&s, 2, "cell");
    uint32_t late = spans_process(&s, 3, "late");
    spans_add(&s, (struct span_by_hand){web, "x", .id = 2, .parent = 99});
    batch_loss(s.builder, cell, LOSS_RING_FULL, 4, EPOCH, EPOCH + MS);
    batch_loss(s.builder, cell, LOSS_RING_FULL, 3, EPOCH, EPOCH + 2 * MS);
    batch_loss(s.builder, late, LOSS_RING_FULL, 4, EPOCH + 9000 * MS, EPOCH + 9001 * MS);
    batch_loss(s.builder, UINT32_MAX, LOSS_SPOOL_FULL, 8, EPOCH + MS, EPOCH + MS);
    spans_add(&s, (struct span_by_hand){web, "whole", .trace = 1, .id = 1});
    spans_insert(&s, f->web.query.store);
    json_t *t = get_json(f, TRACE_PATH, NULL, 200);
    assert_int_equal(json_array_size(at(t, "losses")), 2);
    assert_text(t, "losses.0.service", "cell");
    assert_null(at(t, "losses.0.process"));
    assert_number(t, "losses.0.count", 7);
    assert_text(t, "losses.1.reason", "spool_full");
    assert_null(at(t, "losses.1.service"));
    assert_text(t, "losses.1.agent", "box1");
    assert_text(t, "spans.0.flags.0", "orphan");
    json_decref(t);
    t = get_json(f, "/api/v1/traces/018f0000000000000000000000000002", NULL, 200);
    assert_int_equal(json_array_size(at(t, "losses")), 1); /* its agent's alone */
    json_decref(t);
}

static void a_large_trace_is_streamed_whole(void **state)
{
    struct fixture *f = *state;
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    for (uint64_t i = 1; i <= 20000; i++)
        spans_add(&s, (struct span_by_hand){web, "x", .id = i, .parent = i / 2, .at_ms = i});
    spans_insert(&s, f->web.query.store);
    struct reply reply = get(f, TRACE_PATH, NULL);
    assert_non_null(reply.stream.next);
    reply_fini(&reply); /* a client that hangs up at once */
    json_t *t = get_json(f, TRACE_PATH, NULL, 200);
    assert_int_equal(json_array_size(at(t, "spans")), 20000);
    json_decref(t);
}

static void the_list_is_newest_first_and_says_when_it_is_cut(void **state)
{
    struct fixture *f = *state;
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web"), cell = spans_process(&s, 2, "cell");
    for (uint64_t t = 0; t < 30; t++) {
        spans_add(&s,
                  (struct span_by_hand){web, "GET /", t, t + 1, .at_ms = t * 10, .for_ms = t + 1});
        spans_add(&s, (struct span_by_hand){cell, t % 2 ? "get" : "put", t, t + 101, t + 1, t * 10,
                                            1, SPAN_SERVER, t == 4 ? SPAN_ERROR : SPAN_UNSET});
    }
    spans_insert(&s, f->web.query.store);
    json_t *l = get_json(f, "/api/v1/traces", NULL, 200);
    assert_int_equal(json_array_size(at(l, "traces")), 20);
    assert_true(json_is_true(at(l, "more")));
    assert_text(l, "traces.0.trace_id", "018f000000000000000000000000001e");
    assert_number(l, "traces.0.span_count", 2);
    assert_text(l, "traces.0.services.0.name", "cell");
    assert_number(l, "traces.0.services.1.spans", 1);
    assert_true(json_is_true(at(l, "traces.0.complete")));
    json_decref(l);

    static const struct {
        const char *query;
        size_t count;
    } cases[] = {
        {"service=cell&limit=1000", 30},
        {"service=web&operation=get&limit=1000", 0},
        {"service=cell&operation=get&limit=1000", 15},
        {"operation=get&limit=3", 3},
        {"status=error", 1},
        {"status=ok&limit=100", 29},
        {"status=died", 0},
        {"min_duration=29ms", 2},
        {"max_duration=2ms", 2},
        {"start=1763760000000000000&end=1763760000050000000", 5},
        {"service=nobody", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        l = get_json(f, "/api/v1/traces", cases[i].query, 200);
        if (json_array_size(at(l, "traces")) != cases[i].count)
            fail_msg("%s: %zu", cases[i].query, json_array_size(at(l, "traces")));
        json_decref(l);
    }
}

static void what_is_open_shows_in_flight_and_in_its_trace(void **state)
{
    struct fixture *f = *state;
    uint64_t now = clock_unix_ns();
    struct spans s;
    spans_begin(&s);
    uint32_t cell = spans_process(&s, 2, "cell");
    spans_add(&s,
              (struct span_by_hand){cell, "get", .id = 2, .parent = 1, .at_ms = 5, .for_ms = 1});
    spans_insert(&s, f->web.query.store);
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    spans_add(&s,
              (struct span_by_hand){web, "GET /", 0, 1, .for_ms = 800, .status = SPAN_IN_FLIGHT});
    spans_put_inflight(&s, f->web.query.inflight, now);

    json_t *j = get_json(f, "/api/v1/inflight", "service=web", 200);
    assert_int_equal(json_array_size(at(j, "spans")), 1);
    assert_text(j, "spans.0.service", "web");
    assert_number(j, "spans.0.age_ns", 800000000);
    assert_true(json_is_false(at(j, "more")));
    json_decref(j);
    j = get_json(f, "/api/v1/traces", "status=in_flight&operation=get", 200);
    assert_int_equal(json_array_size(at(j, "traces")), 1);
    assert_number(j, "traces.0.in_flight_count", 1);
    assert_true(json_is_true(at(j, "traces.0.complete")));
    json_decref(j);
    j = get_json(f, "/api/v1/traces", NULL, 200); /* not twice */
    assert_int_equal(json_array_size(at(j, "traces")), 1);
    json_decref(j);
    j = get_json(f, TRACE_PATH, NULL, 200);
    assert_text(j, "spans.0.status", "in_flight");
    assert_number(j, "duration_ns", 800000000);
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_trace_is_as_the_document_says),
        TEST(a_death_told_later_shows_in_the_trace),
        TEST(losses_of_others_are_told_where_a_parent_is_missing),
        TEST(a_large_trace_is_streamed_whole),
        TEST(the_list_is_newest_first_and_says_when_it_is_cut),
        TEST(what_is_open_shows_in_flight_and_in_its_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
