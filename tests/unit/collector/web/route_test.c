// SPDX-License-Identifier: Apache-2.0
/* The API's answers against docs/api.md, but for traces. */
#include "tests/unit/collector/web/requests.h"

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

static void the_page_is_told_where_logs_are(void **state)
{
    struct fixture *f = *state;
    json_t *j = get_json(f, "/api/v1/page", NULL, 200);
    assert_int_equal(json_object_size(j), 0);
    json_decref(j);
    f->web.log_link = "https://logs.example/?q={trace_id}&a=\"";
    j = get_json(f, "/api/v1/page", NULL, 200);
    assert_text(j, "log_link", "https://logs.example/?q={trace_id}&a=\"");
    json_decref(j);
    json_decref(get_json(f, "/api/v1/page", "x=1", 400));
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

/* Of a POST as a browser sends it from a page of `origin`. */
static unsigned answered(struct fixture *f, const char *path, const char *origin,
                         const char *fetch_site)
{
    struct reply reply;
    static const char body[] = "{\"service\": \"cell\", \"on\": false}";
    struct web_request request = {.method = WEB_POST,
                                  .path = path,
                                  .host = "127.0.0.1:4040",
                                  .origin = origin,
                                  .fetch_site = fetch_site,
                                  .content_type = "application/json",
                                  .body = body,
                                  .body_length = sizeof body - 1};
    web_answer(&f->web, &request, &reply);
    unsigned status = reply.status;
    reply_fini(&reply);
    return status;
}

static void a_page_of_another_site_changes_nothing(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *origin, *fetch_site;
        unsigned status;
    } cases[] = {
        {"http://evil.example", NULL, 403},
        {"http://evil.example", "cross-site", 403},
        {NULL, "cross-site", 403},
        {"null", NULL, 403},
        {"", NULL, 403},
        {"http://127.0.0.1:3000", "same-site", 403},
        {"http://127.0.0.1:4040.evil.example", NULL, 403},
        {"http://evil.example/127.0.0.1:4040", NULL, 403},
        {"http://127.0.0.1", NULL, 403},
        {NULL, NULL, 200}, /* curl */
        {NULL, "none", 200},
        {"http://127.0.0.1:4040", "same-origin", 200},
        {"HTTP://127.0.0.1:4040", NULL, 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f->switched[0] = 0;
        assert_int_equal(answered(f, "/api/v1/recording", cases[i].origin, cases[i].fetch_site),
                         cases[i].status);
        assert_string_equal(f->switched, cases[i].status == 200 ? "cell off" : "");
    }
    assert_int_equal(answered(f, "/api/v1/recording", "https://weft.example.net", NULL), 403);
    f->web.hosts = "other, weft.example.net";
    assert_int_equal(answered(f, "/api/v1/recording", "https://weft.example.net", NULL), 200);
    assert_int_equal(answered(f, "/api/v1/recording", "https://weft.example.net:81", NULL), 200);
    assert_int_equal(answered(f, "/api/v1/recording", "https://weft.example", NULL), 403);
}

static void whatever_changes_something_asks_where_from(void **state)
{
    struct fixture *f = *state;
    static const char *const changing[] = {"/api/v1/recording",
                                           "/api/v1/marks",
                                           "/v1/traces",
                                           "/api/v1/write",
                                           "/api/v1/admin/tsdb/delete_series",
                                           "/api/v1/admin/tsdb/clean_tombstones"};
    for (size_t i = 0; i < sizeof changing / sizeof *changing; i++) {
        struct reply reply;
        size_t body_max;
        struct web_request request = {.method = WEB_POST,
                                      .path = changing[i],
                                      .host = "localhost",
                                      .origin = "http://evil.example"};
        assert_false(web_admits(&f->web, &request, &body_max, &reply)); /* before its body */
        assert_int_equal(reply.status, 403);
        reply_fini(&reply);
    }
    /* A question by POST, as Grafana's browser mode sends it. */
    assert_int_not_equal(answered(f, "/api/v1/query", "http://grafana.example", "cross-site"), 403);
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
        TEST(services_list_what_they_did),
        TEST(status_names_losses_and_their_reasons),
        TEST(metrics_are_prometheus_text),
        TEST(recording_is_switched_by_json_alone),
        TEST(the_page_is_told_where_logs_are),
        TEST(strangers_are_turned_away),
        TEST(hostile_requests_get_a_sentence),
        TEST(the_page_is_served_with_its_views),
        TEST(readiness_is_told_apart_from_life),
        TEST(a_page_of_another_site_changes_nothing),
        TEST(whatever_changes_something_asks_where_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
