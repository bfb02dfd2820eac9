// SPDX-License-Identifier: Apache-2.0
/* Dashboards over the API: those of the page, those that were saved, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/collector/web/requests.h"

#define BODY "{\"title\": \"Mine\", \"panels\": []}"

static unsigned ask(struct fixture *f, enum web_method method, const char *path, const char *body)
{
    struct reply reply;
    struct web_request request = {.method = method,
                                  .path = path,
                                  .host = "localhost",
                                  .content_type = "application/json",
                                  .body = body,
                                  .body_length = strlen(body)};
    web_answer(&f->web, &request, &reply);
    unsigned status = reply.status;
    reply_fini(&reply);
    return status;
}

static void assert_served(struct fixture *f, const char *path, const char *expected)
{
    char text[256] = "";
    struct reply reply = get(f, path, NULL);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.file_bytes, strlen(expected));
    assert_int_equal(read(reply.file, text, sizeof text - 1), strlen(expected));
    assert_string_equal(text, expected);
    reply_fini(&reply);
}

static void ship(struct fixture *f)
{
    char directory[96];
    snprintf(directory, sizeof directory, "%s/dashboards", f->directory);
    assert_int_equal(mkdir(directory, 0700), 0);
    write_file(f, "dashboards/deploys.json", "{\"title\": \"Deploys\"}");
    write_file(f, "dashboards/schema.txt", "no dashboard");
}

static void a_saved_one_goes_before_the_shipped_one_until_it_is_removed(void **state)
{
    struct fixture *f = *state;
    ship(f);
    assert_served(f, "/api/v1/dashboards/deploys", "{\"title\": \"Deploys\"}");
    assert_int_equal(ask(f, WEB_PUT, "/api/v1/dashboards/deploys", BODY), 200);
    assert_int_equal(ask(f, WEB_PUT, "/api/v1/dashboards/mine_2", BODY), 200);
    assert_served(f, "/api/v1/dashboards/deploys", BODY);
    json_t *j = get_json(f, "/api/v1/dashboards", NULL, 200);
    assert_int_equal(json_array_size(at(j, "dashboards")), 2);
    assert_text(j, "dashboards.0.name", "deploys");
    assert_true(json_is_true(at(j, "dashboards.0.shipped")));
    assert_true(json_is_true(at(j, "dashboards.0.saved")));
    assert_text(j, "dashboards.1.name", "mine_2");
    assert_true(json_is_false(at(j, "dashboards.1.shipped")));
    json_decref(j);
    assert_int_equal(ask(f, WEB_DELETE, "/api/v1/dashboards/deploys", ""), 200);
    assert_int_equal(ask(f, WEB_DELETE, "/api/v1/dashboards/deploys", ""), 404);
    assert_served(f, "/api/v1/dashboards/deploys", "{\"title\": \"Deploys\"}");
}

static void names_that_are_paths_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"..", ".",  ".new", "../index", "a/b", "A",
                                        "-a", "_a", "a%2f", "a.",       "ä",   "a b"};
    char path[160], longest[66] = "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "/api/v1/dashboards/%s", names[i]);
        assert_int_equal(ask(f, WEB_PUT, path, BODY), 400);
        assert_int_equal(ask(f, WEB_DELETE, path, ""), 400);
        assert_int_equal(ask(f, WEB_GET, path, ""), 400);
    }
    memset(longest, 'a', 64);
    snprintf(path, sizeof path, "/api/v1/dashboards/%s", longest);
    assert_int_equal(ask(f, WEB_PUT, path, BODY), 200);
    strcat(path, "a");
    assert_int_equal(ask(f, WEB_PUT, path, BODY), 400);
    assert_int_equal(ask(f, WEB_GET, "/api/v1/dashboards/none", ""), 404);
}

static void what_is_no_dashboard_is_not_kept(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = {"",
                                         "[]",
                                         "{",
                                         "{\"title\": \"x\"}",
                                         "{\"panels\": []}",
                                         "{\"title\": \"\", \"panels\": []}",
                                         "{\"title\": 1, \"panels\": []}",
                                         "{\"title\": \"x\", \"panels\": {}}"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_int_equal(ask(f, WEB_PUT, "/api/v1/dashboards/x", bodies[i]), 400);
    assert_int_equal(ask(f, WEB_GET, "/api/v1/dashboards/x", ""), 404);
    assert_int_equal(ask(f, WEB_POST, "/api/v1/dashboards/x", BODY), 405);
    struct reply reply;
    struct web_request form = {.method = WEB_PUT,
                               .path = "/api/v1/dashboards/x",
                               .host = "localhost",
                               .content_type = "text/plain",
                               .body = BODY,
                               .body_length = strlen(BODY)};
    web_answer(&f->web, &form, &reply);
    assert_int_equal(reply.status, 415);
    reply_fini(&reply);
}

static void strangers_change_none_and_bodies_are_bounded(void **state)
{
    struct fixture *f = *state;
    static const enum web_method methods[] = {WEB_PUT, WEB_DELETE};
    for (size_t i = 0; i < 2; i++) {
        struct reply reply;
        size_t body_max;
        struct web_request request = {.method = methods[i],
                                      .path = "/api/v1/dashboards/deploys",
                                      .host = "localhost",
                                      .origin = "http://evil.example"};
        assert_false(web_admits(&f->web, &request, &body_max, &reply)); /* before its body */
        assert_int_equal(reply.status, 403);
        reply_fini(&reply);
        request.origin = "http://localhost";
        assert_true(web_admits(&f->web, &request, &body_max, &reply));
        assert_true(body_max <= DASHBOARD_BYTES_MAX);
        f->web.token = "0123456789abcdef";
        assert_false(web_admits(&f->web, &request, &body_max, &reply));
        assert_int_equal(reply.status, 401);
        reply_fini(&reply);
        f->web.token = NULL;
    }
}

static unsigned change(struct fixture *f, enum web_method method, const char *if_match,
                       char etag[40])
{
    struct reply reply;
    struct web_request request = {.method = method,
                                  .path = "/api/v1/dashboards/deploys",
                                  .host = "localhost",
                                  .content_type = "application/json",
                                  .if_match = if_match,
                                  .body = BODY,
                                  .body_length = strlen(BODY)};
    web_answer(&f->web, &request, &reply);
    unsigned status = reply.status;
    if (etag)
        memcpy(etag, reply.etag, sizeof reply.etag);
    reply_fini(&reply);
    return status;
}

static void who_changes_what_another_saved_since_is_told(void **state)
{
    struct fixture *f = *state;
    char shipped[40], saved[40], read[40];
    ship(f);
    assert_int_equal(change(f, WEB_GET, NULL, shipped), 200);
    assert_int_equal(change(f, WEB_PUT, shipped, saved), 200);
    assert_string_not_equal(saved, shipped);
    assert_int_equal(change(f, WEB_GET, NULL, read), 200);
    assert_string_equal(read, saved);
    assert_int_equal(change(f, WEB_PUT, shipped, NULL), 412);
    assert_int_equal(change(f, WEB_DELETE, shipped, NULL), 412);
    assert_int_equal(change(f, WEB_PUT, NULL, NULL), 200); /* who does not ask is not told */
    assert_int_equal(change(f, WEB_DELETE, saved, NULL), 200);
    assert_int_equal(change(f, WEB_PUT, saved, NULL), 412);
    assert_int_equal(change(f, WEB_PUT, shipped, NULL), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_saved_one_goes_before_the_shipped_one_until_it_is_removed),
        TEST(names_that_are_paths_are_refused),
        TEST(what_is_no_dashboard_is_not_kept),
        TEST(strangers_change_none_and_bodies_are_bounded),
        TEST(who_changes_what_another_saved_since_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
