// SPDX-License-Identifier: Apache-2.0
/* What the collector answers (docs/api.md), as rows. */
#include "cli/top_collector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

static void assert_number(const struct top_table *t, size_t row, const char *column, double value)
{
    double found = top_number_of(t, &t->rows[row], column);
    assert_true(isnan(value) ? isnan(found) : fabs(found - value) < 1e-9);
}

static json_t *json(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return value;
}

static void caches_with_their_hottest_key(void **state)
{
    struct top_table t;
    (void)state;
    json_t *answer =
        json("{\"start_unix_ns\": \"1000000000\", \"end_unix_ns\": \"21000000000\", \"caches\": ["
             "{\"id\": 1, \"host\": \"box7\", \"address\": \"10.0.0.5:6379\", \"protocol\": "
             "\"redis\", \"commands_per_s\": 800.5, \"hit_rate\": 0.75, \"errors_per_s\": 0, "
             "\"request_bytes_per_s\": 30, \"reply_bytes_per_s\": 90, \"p99_seconds\": 0.0002, "
             "\"distinct_keys\": 51, \"hottest\": {\"key\": \"celebrity:1\", \"calls\": 4000, "
             "\"share\": 0.25}},"
             "{\"id\": 2, \"host\": \"box7\", \"address\": \"10.0.0.5:11211\", \"protocol\": "
             "\"memcached\", \"commands_per_s\": 10, \"hottest\": {\"key\": \"x\", \"calls\": 90, "
             "\"share\": "
             "0.9}},"
             "{\"id\": 3, \"host\": \"box8\", \"address\": \"10.0.0.6:6379\"}]}");
    top_table_init(&t, TOP_CACHES);
    top_collector_take_caches(&t, answer);
    assert_int_equal(t.count, 3);
    assert_int_equal(t.rows[1].id, 2);
    assert_string_equal(top_text_of(&t, &t.rows[0], "cache"), "10.0.0.5:6379");
    assert_string_equal(top_text_of(&t, &t.rows[0], "host"), "box7");
    assert_string_equal(top_text_of(&t, &t.rows[0], "hottest"), "celebrity:1");
    assert_number(&t, 0, "miss_share", 0.25);
    assert_number(&t, 0, "bytes_per_s", 120);
    assert_number(&t, 1, "miss_share", NAN);
    assert_number(&t, 2, "commands_per_s", NAN);
    assert_true(t.totals.per_second == 810.5);
    assert_true(t.totals.seconds == 20);
    assert_string_equal(t.hottest, "celebrity:1"); /* most calls, not the largest share */
    assert_string_equal(t.hottest_in, "10.0.0.5:6379");
    top_table_fini(&t);
    json_decref(answer);
}

static void keys_by_calls_and_how_wrong_they_may_be(void **state)
{
    struct top_table t;
    (void)state;
    json_t *answer = json(
        "{\"by\": \"calls\", \"from_unix_ns\": \"10000000000\", \"to_unix_ns\": \"30000000000\", "
        "\"commands\": 2500, \"distinct_keys\": 512, \"total\": 2600, \"rest\": 31, \"keys\": ["
        "{\"key\": \"celebrity:1\", \"calls\": 806, \"bytes\": 80600, \"misses\": 12, "
        "\"per_second\": 40.3, \"share\": 0.31, \"error\": 0},"
        "{\"key\": \"long\", \"length\": 500, \"calls\": 13, \"bytes\": 0, \"misses\": 0, "
        "\"per_second\": 0.65, \"share\": 0.005, \"error\": 7}]}");
    top_table_init(&t, TOP_KEYS);
    top_collector_take_list(&t, answer);
    assert_number(&t, 0, "calls", 806);
    assert_number(&t, 0, "size_bytes", 100);
    assert_number(&t, 0, "requests_per_s", 40.3);
    assert_number(&t, 0, "bytes_per_s", 4030);
    assert_number(&t, 0, "share", 0.31);
    assert_number(&t, 1, "error", 7);
    assert_string_equal(top_text_of(&t, &t.rows[1], "key"), "long…");
    assert_true(t.totals.per_second == 130 && t.totals.seconds == 20);
    assert_true(t.totals.error_most == 7 && t.totals.rest == 31 && t.totals.distinct == 512);
    assert_string_equal(t.hottest, "celebrity:1");
    assert_true(t.hottest_per_s == 40.3);
    top_table_fini(&t);
    json_decref(answer);
}

static void nothing_told_is_nothing_counted(void **state)
{
    struct top_table t;
    (void)state;
    json_t *answer = json("{\"by\": \"calls\", \"commands\": 0, \"total\": 0, \"rest\": 0, "
                          "\"distinct_keys\": 0, \"clients\": []}");
    top_table_init(&t, TOP_CLIENTS);
    top_collector_take_list(&t, answer);
    assert_int_equal(t.count, 0);
    assert_true(isnan(t.totals.per_second));
    json_decref(answer);
    answer = json("[1, {\"caches\": 5}]"); /* an answer of somebody else's */
    top_collector_take_list(&t, answer);
    top_collector_take_caches(&t, answer);
    assert_int_equal(t.count, 0);
    json_decref(answer);
    top_table_fini(&t);
}

static void services_come_together_from_several_questions(void **state)
{
    struct top_table t;
    (void)state;
    json_t *requests = json("{\"data\": {\"result\": [{\"metric\": {\"service_name\": \"web\"}, "
                            "\"value\": [1, \"50\"]}, {\"metric\": {\"service_name\": \"cell\"}, "
                            "\"value\": [1, \"10\"]}]}}");
    json_t *errors = json("{\"data\": {\"result\": [{\"metric\": {\"service_name\": \"cell\"}, "
                          "\"value\": [1, \"1\"]}]}}");
    json_t *quantiles = json("{\"data\": {\"result\": [{\"metric\": {\"service_name\": \"web\"}, "
                             "\"value\": [1, \"NaN\"]}, {\"metric\": {\"service_name\": "
                             "\"cell\"}, \"value\": [1, \"0.25\"]}]}}");
    top_table_init(&t, TOP_SERVICES);
    top_collector_take_services(&t, "requests_per_s", requests);
    top_collector_take_services(&t, "errors_per_s", errors);
    top_collector_take_services(&t, "p99_seconds", quantiles);
    top_collector_end_services(&t, 20);
    assert_int_equal(t.count, 2);
    assert_number(&t, 0, "errors_per_s", 0);
    assert_number(&t, 0, "p99_seconds", NAN);
    assert_number(&t, 1, "error_share", 0.1);
    assert_number(&t, 1, "p99_seconds", 0.25);
    assert_number(&t, 1, "requests", 200);
    assert_true(t.totals.per_second == 60);
    top_table_fini(&t);
    json_decref(requests);
    json_decref(errors);
    json_decref(quantiles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caches_with_their_hottest_key),
        cmocka_unit_test(keys_by_calls_and_how_wrong_they_may_be),
        cmocka_unit_test(nothing_told_is_nothing_counted),
        cmocka_unit_test(services_come_together_from_several_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
