// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>

#include "tests/unit/collector/firehose/stream.h"
#include "tests/unit/directory.h"

static void a_lone_reader_gets_all_of_it_in_order(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    for (int i = 0; i < 20; i++)
        stream_append(f, 97);
    struct firehose_client *c = stream_attach(f, everything());
    read_all(c, &r);
    assert_int_equal(r.spans, 20 * 97);
    assert_each_once(&r, 1, f->spans);
    assert_int_equal(r.last, f->spans);
    stream_append(f, 5);
    read_all(c, &r);
    assert_each_once(&r, 1, f->spans);
    leave(f, c, 0);
    received_fini(&r);
}

static void what_is_not_durable_is_not_shown(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    struct firehose_client *c = stream_attach(f, everything());
    stream_append_at(f, 10, clock_unix_ns());
    read_all(c, &r);
    assert_int_equal(r.spans, 0);
    assert_int_equal(ledger_sync(f->ledger), 0);
    read_all(c, &r);
    assert_int_equal(r.spans, 10);
    leave(f, c, 0);
    received_fini(&r);
}

static void a_stream_begins_where_it_is_asked_to(void **state)
{
    struct stream_fixture *f = *state;
    uint64_t now = clock_unix_ns();
    for (uint64_t i = 0; i < 10; i++) /* ten minutes ago, nine … */
        stream_append_at(f, 10, now - (10 - i) * UINT64_C(60000000000));
    assert_int_equal(ledger_sync(f->ledger), 0);
    struct {
        struct firehose_request request;
        uint64_t first;
    } cases[] = {
        {{.start = FIREHOSE_OLDEST}, 1},
        {{.start = FIREHOSE_NEWEST}, 101},
        {{.start = FIREHOSE_BACK, .back_s = 330}, 51},
        {{.start = FIREHOSE_BACK, .back_s = 1}, 101},
        {{.start = FIREHOSE_BACK, .back_s = UINT64_MAX}, 1},
        {{.app = "new", .start = FIREHOSE_BACK, .back_s = 90}, 91},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct received r = received_begin();
        struct firehose_client *c = stream_attach(f, cases[i].request);
        read_all(c, &r);
        assert_int_equal(r.spans, f->spans - cases[i].first + 1);
        assert_each_once(&r, cases[i].first, f->spans);
        leave(f, c, 0);
        received_fini(&r);
    }
    struct received r = received_begin();
    struct firehose_client *c = stream_attach(f, (struct firehose_request){0});
    stream_append(f, 7);
    read_all(c, &r);
    assert_int_equal(r.spans, 7);
    leave(f, c, 0);
    received_fini(&r);
}

static void a_cursor_goes_on_behind_its_line(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    for (int i = 0; i < 5; i++)
        stream_append(f, 100);
    for (uint64_t most = 1; most < 500; most += 61) {
        struct firehose_request request = everything();
        if (r.spans > 0) {
            request.start = FIREHOSE_AFTER;
            assert_true(position_parse(r.cursor, &request.after));
        }
        struct firehose_client *c = stream_attach(f, request);
        struct buffer out = {0};
        assert_true(firehose_next(c, &out));
        /* Read a part of it: lines up to one in the middle. */
        for (const char *at = out.data, *end; r.spans < most; at = end + 1) {
            end = memchr(at, '\n', out.length);
            receive(&r, at, (size_t)(end + 1 - at));
            if ((size_t)(end + 1 - out.data) == out.length)
                break;
        }
        buffer_fini(&out);
        leave(f, c, 0);
    }
    assert_each_once(&r, 1, r.spans);
    assert_true(r.spans > 100);
    struct firehose_request request = {.start = FIREHOSE_AFTER, .format = &firehose_json};
    request.after = (struct firehose_position){99, 80, 0, 0};
    struct firehose_client *c;
    char why[256];
    assert_int_equal(firehose_attach(f->firehose, &request, &c, why, sizeof why), FIREHOSE_ECURSOR);
    received_fini(&r);
}

static void a_line_has_the_fields_of_the_api(void **state)
{
    struct stream_fixture *f = *state;
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    batch_process_attribute(s.builder, batch_string(s.builder, "zone", 4), VALUE_STRING,
                            batch_string(s.builder, "b", 1));
    spans_add(&s, (struct span_by_hand){web, "GET /", .trace = 1, .id = 2, .parent = 1, .at_ms = 3,
                                        .for_ms = 4, .kind = SPAN_SERVER, .status = SPAN_ERROR});
    batch_attribute(s.builder, batch_string(s.builder, "n", 1), VALUE_INT, (uint64_t)-5);
    batch_event(s.builder, batch_string(s.builder, "retry", 5), EPOCH + 3 * MS + 7);
    batch_link(s.builder, (struct trace_id){1, 2}, 3);
    struct buffer bytes = spans_encode(&s);
    struct frame frame = {.kind = FRAME_BATCH,
                          .agent = "agent-7",
                          .sequence = {1, 1},
                          .accepted_unix_ns = EPOCH,
                          .spans = 1,
                          .body = bytes.data,
                          .length = bytes.length};
    assert_int_equal(ledger_append(f->ledger, &frame, NULL), 0);
    assert_int_equal(ledger_sync(f->ledger), 0);
    struct firehose_client *c = stream_attach(f, everything());
    struct buffer out = {0};
    assert_true(firehose_next(c, &out));
    json_t *line = json_loadb(out.data, out.length, 0, NULL);
    assert_non_null(line);
    const char *trace, *span, *parent, *service, *name, *kind, *status, *start, *host, *agent;
    const char *version, *cell, *instance, *cursor, *key, *type, *event, *zone, *linked;
    int duration, pid, value, offset;
    assert_int_equal(json_unpack(line,
                                 "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:i,s:s,s:s,s:s,s:s,s:s,"
                                 "s:[{s:s,s:s,s:i}],s:[{s:s,s:i}],s:[{s:s}],s:[{s:s}]}",
                                 "trace_id", &trace, "span_id", &span, "parent_id", &parent,
                                 "service", &service, "name", &name, "kind", &kind, "status",
                                 &status, "start_unix_ns", &start, "duration_ns", &duration, "host",
                                 &host, "pid", &pid, "version", &version, "cell", &cell, "instance",
                                 &instance, "agent", &agent, "cursor", &cursor, "attributes", "key",
                                 &key, "type", &type, "value", &value, "events", "name", &event,
                                 "offset_ns", &offset, "resource", "value", &zone, "links",
                                 "span_id", &linked),
                     0);
    assert_string_equal(span, "0000000000000002");
    assert_string_equal(parent, "0000000000000001");
    assert_string_equal(kind, "server");
    assert_string_equal(status, "error");
    assert_string_equal(agent, "agent-7");
    assert_string_equal(zone, "b");
    assert_string_equal(linked, "0000000000000003");
    assert_int_equal(value, -5);
    assert_int_equal(offset, 7);
    assert_int_equal(duration, 4 * MS);
    json_decref(line);
    buffer_fini(&out);
    buffer_fini(&bytes);
    leave(f, c, 0);
}

static int even_spans(void *context, const struct batch *batch, uint64_t *rows)
{
    (void)context;
    for (uint32_t row = 0; row < batch->span_count; row++) {
        if (batch->span_id[row] % 2)
            rows[row / 64] &= ~(UINT64_C(1) << row % 64);
    }
    return 0;
}

static void count_closed(void *context)
{
    (*(unsigned *)context)++;
}

static void a_filter_chooses_rows_and_is_closed_once(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    unsigned closed = 0;
    stream_append(f, 200);
    struct firehose_request request = everything();
    request.filter = (struct firehose_filter){even_spans, count_closed, &closed};
    struct firehose_client *c = stream_attach(f, request);
    read_all(c, &r);
    assert_int_equal(r.spans, 100);
    assert_int_equal(r.times[2], 1);
    assert_int_equal(r.times[3], 0);
    leave(f, c, 0);
    request.app = "no app, as it has spaces";
    char why[256];
    request.format = &firehose_json;
    assert_int_equal(firehose_attach(f->firehose, &request, &c, why, sizeof why), FIREHOSE_EAPP);
    firehose_close(&f->firehose); /* the keeper destroys clients in its own time */
    stream_open_firehose(f);
    assert_int_equal(closed, 2);
    received_fini(&r);
}

static void a_reader_that_retention_overtakes_is_told_how_much_it_missed(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    stream_close(f);
    f->limit_bytes = 40 << 10;
    f->segment_bytes = 8 << 10;
    stream_open(f);
    struct firehose_client *lone = stream_attach(f, everything());
    struct firehose_client *c = stream_attach(f, app("a"));
    struct received all = received_begin();
    stream_append(f, 100);
    read_all(c, &r);
    read_all(lone, &all);
    leave(f, c, 1);
    for (int i = 0; i < 100; i++) {
        stream_append(f, 100);
        ledger_retain(f->ledger, UINT64_MAX, clock_unix_ns());
    }
    c = stream_attach(f, app("a"));
    read_all(c, &r);
    assert_int_equal(r.gaps, 1);
    assert_true(r.gap_spans > 1000);
    assert_int_equal(r.spans + r.gap_spans, f->spans);
    read_all(lone, &all);
    assert_int_equal(all.gaps, 1);
    assert_int_equal(all.spans + all.gap_spans, f->spans);
    struct firehose_counts counts;
    firehose_counts(f->firehose, &counts);
    assert_true(counts.gaps >= 1);
    stream_detach(f, lone);
    stream_detach(f, c);
    wait_for_clients(f, 0);
    received_fini(&all);
    received_fini(&r);
}

static void idle_streams_say_nothing_now_and_then(void **state)
{
    struct stream_fixture *f = *state;
    struct firehose_client *c = stream_attach(f, app("a"));
    struct buffer out = {0};
    for (int i = 0; i < 3; i++) {
        buffer_clear(&out);
        assert_true(firehose_next(c, &out));
        assert_int_equal(out.length, 1);
        assert_int_equal(out.data[0], '\n');
    }
    buffer_fini(&out);
    leave(f, c, 0);
}

static void streams_end_when_the_collector_stops(void **state)
{
    struct stream_fixture *f = *state;
    struct firehose_client *c = stream_attach(f, everything()), *late;
    struct buffer out = {0};
    firehose_stop(f->firehose, 0);
    assert_false(firehose_next(c, &out));
    assert_int_equal(out.length, 0);
    stream_detach(f, c);
    char why[256];
    struct firehose_request request = everything();
    request.format = &firehose_json;
    assert_int_equal(firehose_attach(f->firehose, &request, &late, why, sizeof why),
                     FIREHOSE_ESTOP);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stream_setup, stream_teardown)
        TEST(a_lone_reader_gets_all_of_it_in_order),
        TEST(what_is_not_durable_is_not_shown),
        TEST(a_stream_begins_where_it_is_asked_to),
        TEST(a_cursor_goes_on_behind_its_line),
        TEST(a_line_has_the_fields_of_the_api),
        TEST(a_filter_chooses_rows_and_is_closed_once),
        TEST(a_reader_that_retention_overtakes_is_told_how_much_it_missed),
        TEST(idle_streams_say_nothing_now_and_then),
        TEST(streams_end_when_the_collector_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
