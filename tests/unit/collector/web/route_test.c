// SPDX-License-Identifier: Apache-2.0
/* The API's answers against docs/api.md. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/web/web.h"
#include "lib/base/clock.h"
#include "lib/model/loss.h"
#include "tests/unit/collector/spans.h"
#include "tests/unit/directory.h"

struct fixture {
    struct web web;
    char directory[64], traces[64];
    char switched[64];
    const char *not_ready;
};

static int fill_status(void *context, struct pipeline_status *s)
{
    struct fixture *f = context;
    *s = (struct pipeline_status){
        .version = "0.1.0", .start_unix_ns = EPOCH, .now_unix_ns = EPOCH + 1, .batches = 3};
    store_stats(f->web.query.store, &s->store);
    s->agents = calloc(1, sizeof *s->agents);
    s->losses = calloc(1, sizeof *s->losses);
    s->agent_count = s->loss_count = 1;
    strcpy(s->agents[0].id, "box\"7");
    s->agents[0].reported = true;
    s->losses[0] = (struct loss_row){
        .reason = LOSS_RING_FULL, .agent = "box7", .service = "cell", .count = 17};
    s->ledger.health = LEDGER_FULL;
    s->ledger.error = ENOSPC;
    return 0;
}

static const char *say_not_ready(void *context)
{
    return ((struct fixture *)context)->not_ready;
}

static int switch_it(void *context, const char *service, bool on)
{
    struct fixture *f = context;
    snprintf(f->switched, sizeof f->switched, "%s %s", service, on ? "on" : "off");
    return 3;
}

static void write_file(struct fixture *f, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f->directory, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char assets[80];
    strcpy(f->directory, "/tmp/weft-page-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(assets, sizeof assets, "%s/assets", f->directory);
    assert_int_equal(mkdir(assets, 0700), 0);
    write_file(f, "index.html", "<!doctype html>");
    write_file(f, "assets/app-1a2b.js", "1;");
    f->web = (struct web){
        .query = {.store = spans_store(f->traces, &(struct store_options){.head_bytes = 64 << 20}),
                  .inflight = inflight_create(16 << 20)},
        .status = fill_status,
        .not_ready = say_not_ready,
        .recording = switch_it,
        .context = f,
        .page_directory = f->directory,
        .loopback = true,
    };
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(directory_remove(f->directory), 0);
    spans_store_remove(&f->web.query.store, f->traces);
    inflight_destroy(&f->web.query.inflight);
    free(f);
    return 0;
}

static struct reply get(struct fixture *f, const char *path, const char *query)
{
    struct reply reply;
    struct web_request request = {.path = path, .query = query, .host = "localhost:4040"};
    web_answer(&f->web, &request, &reply);
    return reply;
}

static void drain(struct reply *reply)
{
    while (reply->stream.next && reply->stream.next(reply->stream.context, &reply->body))
        ;
}

static json_t *get_json(struct fixture *f, const char *path, const char *query, unsigned status)
{
    struct reply reply = get(f, path, query);
    json_error_t error;
    drain(&reply);
    if (reply.status != status)
        fail_msg("%s?%s: %u %.*s", path, query ? query : "", reply.status, (int)reply.body.length,
                 reply.body.data);
    assert_string_equal(reply.content_type, "application/json; charset=utf-8");
    json_t *json = json_loadb(reply.body.data, reply.body.length, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        fail_msg("%s: %s in %.*s", path, error.text, (int)reply.body.length, reply.body.data);
    reply_fini(&reply);
    return json;
}

/* "spans.0.name" */
static const json_t *at(const json_t *json, const char *path)
{
    char copy[128], *rest = copy, *part;
    snprintf(copy, sizeof copy, "%s", path);
    while ((part = strsep(&rest, ".")) && json) {
        if (json_is_array(json))
            json = json_array_get(json, (size_t)atoi(part));
        else
            json = json_object_get(json, part);
    }
    return json;
}

static void assert_text(const json_t *json, const char *path, const char *expected)
{
    const json_t *found = at(json, path);
    if (!json_is_string(found))
        fail_msg("%s is no string", path);
    assert_string_equal(json_string_value(found), expected);
}

static void assert_number(const json_t *json, const char *path, long long expected)
{
    const json_t *found = at(json, path);
    if (!json_is_integer(found))
        fail_msg("%s is no number", path);
    assert_int_equal(json_integer_value(found), expected);
}

static const char TRACE_PATH[] = "/api/v1/traces/018f0000000000000000000000000001";

/* web → cell, which died; an attribute of each type, an event, a link, a loss. */
static void insert_rich_trace(struct fixture *f)
{
    struct spans s;
    spans_begin(&s);
    struct batch_builder *b = s.builder;
    double half = 0.5, nan = __builtin_nan("");
    uint64_t half_bits, nan_bits;
    memcpy(&half_bits, &half, 8);
    memcpy(&nan_bits, &nan, 8);
    uint32_t web = spans_process(&s, 1, "web");
    batch_process_attribute(b, batch_string(b, "zone", 4), VALUE_STRING, batch_string(b, "b", 1));
    uint32_t cell = spans_process_in(&s, 2, "cell", PROCESS_DIED);
    spans_add(&s, (struct span_by_hand){web, "GET /dashboard", 0, 1, .for_ms = 20,
                                        .kind = SPAN_SERVER, .status = SPAN_ERROR});
    batch_attribute(b, batch_string(b, "s", 1), VALUE_STRING, batch_string(b, "\xff<", 2));
    batch_attribute(b, batch_string(b, "i", 1), VALUE_INT, 502);
    batch_attribute(b, batch_string(b, "big", 3), VALUE_INT, (uint64_t)INT64_MIN);
    batch_attribute(b, batch_string(b, "d", 1), VALUE_DOUBLE, half_bits);
    batch_attribute(b, batch_string(b, "nan", 3), VALUE_DOUBLE, nan_bits);
    batch_attribute(b, batch_string(b, "y", 1), VALUE_BOOL, 1);
    batch_attribute(b, batch_string(b, "x", 1), VALUE_BYTES, batch_string(b, "\0\1\2", 3));
    batch_event(b, batch_string(b, "retry", 5), EPOCH - 5000);
    batch_attribute(b, batch_string(b, "n", 1), VALUE_INT, 1);
    batch_link(b, trace_by_hand(9), 77);
    spans_add(&s, (struct span_by_hand){cell, "deliver", 0, 2, 1, 5, 10, SPAN_CONSUMER, SPAN_DIED});
    batch_loss(b, web, LOSS_RING_FULL, 17, EPOCH, EPOCH + MS);
    spans_insert(&s, f->web.query.store);
}

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

static void services_list_what_they_did(void **state)
{
    struct fixture *f = *state;
    insert_rich_trace(f);
    insert_rich_trace(f);
    json_t *j = get_json(f, "/api/v1/services", NULL, 200);
    assert_int_equal(json_array_size(at(j, "services")), 2);
    assert_text(j, "services.0.name", "cell");
    assert_number(j, "services.0.spans", 2);
    assert_number(j, "services.0.died", 2);
    assert_int_equal(json_array_size(at(j, "services.0.operations")), 1);
    assert_text(j, "services.0.operations.0", "deliver");
    assert_text(j, "services.1.instances.0", "web-1");
    assert_number(j, "services.1.errors", 2);
    json_decref(j);
}

static void status_names_losses_and_their_reasons(void **state)
{
    struct fixture *f = *state;
    json_t *j = get_json(f, "/api/v1/status", NULL, 200);
    assert_number(j, "collector.accepted.batches", 3);
    assert_text(j, "collector.ledger.state", "full");
    assert_text(j, "collector.ledger.error", "No space left on device");
    assert_text(j, "agents.0.id", "box\"7");
    assert_number(j, "agents.0.spool.bytes", 0);
    assert_text(j, "losses.0.reason", "ring_full");
    assert_text(j, "losses.0.service", "cell");
    assert_number(j, "losses.0.count", 17);
    assert_number(j, "freshness.count", 0);
    json_decref(j);
}

static void metrics_are_prometheus_text(void **state)
{
    struct fixture *f = *state;
    struct reply reply = get(f, "/metrics", NULL);
    const char *text = buffer_cstring(&reply.body);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(text, "# TYPE weft_lost_total counter\nweft_lost_total{place="
                                 "\"service\",reason=\"ring_full\",agent=\"box7\",service="
                                 "\"cell\"} 17\n"));
    assert_non_null(strstr(text, "weft_agent_spool_bytes{agent=\"box\\\"7\"} 0\n"));
    assert_non_null(strstr(text, "weft_collector_freshness_seconds_count 0\n"));
    reply_fini(&reply);
}

static void recording_is_switched_by_json_alone(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *type, *body;
        unsigned status;
    } cases[] = {
        {"application/json", "{\"service\": \"cell\", \"on\": false}", 200},
        {"text/plain", "{\"service\": \"web\", \"on\": false}", 415},
        {NULL, "{\"service\": \"web\", \"on\": false}", 415},
        {"application/json", "{\"service\": \"web\"}", 400},
        {"application/json", "{\"service\": \"\", \"on\": true}", 400},
        {"application/json", "{\"service\": 5, \"on\": true}", 400},
        {"application/json", "[]", 400},
        {"application/json", "", 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply;
        struct web_request request = {.method = WEB_POST,
                                      .path = "/api/v1/recording",
                                      .host = "127.0.0.1",
                                      .content_type = cases[i].type,
                                      .body = cases[i].body,
                                      .body_length = strlen(cases[i].body)};
        web_answer(&f->web, &request, &reply);
        assert_int_equal(reply.status, cases[i].status);
        reply_fini(&reply);
    }
    assert_string_equal(f->switched, "cell off");
}

static void strangers_are_turned_away(void **state)
{
    struct fixture *f = *state;
    struct reply reply;
    struct web_request request = {.path = "/api/v1/status", .host = "evil.example:4040"};
    web_answer(&f->web, &request, &reply);
    assert_int_equal(reply.status, 421);
    reply_fini(&reply);
    f->web.hosts = "weft.example, evil.example";
    web_answer(&f->web, &request, &reply);
    assert_int_equal(reply.status, 200);
    reply_fini(&reply);

    f->web.token = "0123456789abcdef";
    static const struct {
        const char *path, *authorization;
        unsigned status;
    } cases[] = {
        {"/api/v1/status", NULL, 401},
        {"/api/v1/status", "Bearer 0123456789abcdeX", 401},
        {"/api/v1/status", "Bearer 0123456789abcde", 401},
        {"/api/v1/status", "Basic 0123456789abcdef", 401},
        {"/api/v1/status", "Bearer 0123456789abcdef", 200},
        {"/metrics", NULL, 401},
        {"/healthz", NULL, 200},
        {"/", NULL, 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        request.path = cases[i].path;
        request.authorization = cases[i].authorization;
        web_answer(&f->web, &request, &reply);
        assert_int_equal(reply.status, cases[i].status);
        reply_fini(&reply);
    }
}

static void hostile_requests_get_a_sentence(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *path, *query;
        unsigned status;
    } cases[] = {
        {"/api/v1/traces/xyz", NULL, 400},
        {"/api/v1/traces/018f00000000000000000000000000ff", NULL, 404},
        {"/api/v1/traces", "limit=all", 400},
        {"/api/v1/inflight", "limit=10001", 400},
        {"/api/v1/status", "x=1", 400},
        {"/api/v1/nothing", NULL, 404},
        {"/api/v1/recording", NULL, 405},
        {"/../etc/passwd", NULL, 404},
        {"/assets/../../etc/passwd", NULL, 404},
        {"/assets/..", NULL, 404},
        {"/.git/config", NULL, 404},
        {"//etc/passwd", NULL, 404},
        {"/assets", NULL, 404},
        {"/assets/", NULL, 404},
        {"/link", NULL, 404},
    };
    char link[128];
    snprintf(link, sizeof link, "%s/link", f->directory);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *j = get_json(f, cases[i].path, cases[i].query, cases[i].status);
        assert_true(json_string_length(at(j, "error")) > 10);
        json_decref(j);
    }
}

static void the_page_is_served_with_its_views(void **state)
{
    struct fixture *f = *state;
    static const char *const views[] = {"/", "/traces", "/trace/018f", "/status", "/inflight"};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        struct reply reply = get(f, views[i], NULL);
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply.content_type, "text/html; charset=utf-8");
        assert_string_equal(reply.cache_control, "no-cache");
        assert_int_equal(reply.file_bytes, 15);
        assert_true(reply.page);
        reply_fini(&reply);
    }
    struct reply reply = get(f, "/assets/app-1a2b.js", NULL);
    assert_string_equal(reply.content_type, "text/javascript; charset=utf-8");
    assert_non_null(strstr(reply.cache_control, "immutable"));
    struct web_request again = {.path = "/", .host = "[::1]:4040"};
    reply_fini(&reply);
    reply = get(f, "/", NULL);
    char etag[sizeof reply.etag];
    memcpy(etag, reply.etag, sizeof etag);
    reply_fini(&reply);
    again.if_none_match = etag;
    web_answer(&f->web, &again, &reply);
    assert_int_equal(reply.status, 304);
    reply_fini(&reply);
}

static void readiness_is_told_apart_from_life(void **state)
{
    struct fixture *f = *state;
    json_decref(get_json(f, "/readyz", NULL, 200));
    f->not_ready = "the ledger is being read back";
    json_t *j = get_json(f, "/readyz", NULL, 503);
    assert_text(j, "error", "the ledger is being read back");
    json_decref(j);
    json_decref(get_json(f, "/healthz", NULL, 200));
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
        TEST(services_list_what_they_did),
        TEST(status_names_losses_and_their_reasons),
        TEST(metrics_are_prometheus_text),
        TEST(recording_is_switched_by_json_alone),
        TEST(strangers_are_turned_away),
        TEST(hostile_requests_get_a_sentence),
        TEST(the_page_is_served_with_its_views),
        TEST(readiness_is_told_apart_from_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
