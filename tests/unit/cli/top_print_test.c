// SPDX-License-Identifier: Apache-2.0
#include "cli/top_print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>

#include "tests/unit/cli/tables.h"

static const struct top_order by_calls = {1, false, ""};

static int make(void **state)
{
    static struct top_table t;
    top_table_init(&t, TOP_KEYS);
    t.unix_ns = UINT64_C(1700000000123456789);
    t.totals.seconds = 10;
    t.totals.per_second = 12.5;
    table_key(&t, "plain", 1234567890123, 0.1);
    table_key(&t, "a \"quoted\", one\xc2\x9b", 7, NAN);
    *state = &t;
    return 0;
}

static int unmake(void **state)
{
    top_table_fini(*state);
    return 0;
}

static void csv_has_stable_columns_exact_numbers_and_nothing_that_drives_a_terminal(void **state)
{
    struct buffer out = {0};
    const uint32_t rows[] = {0, 1};
    top_print_csv(&out, *state, rows, 2);
    assert_string_equal(buffer_cstring(&out),
                        "key,calls,size_bytes,requests_per_s,bytes_per_s,misses,share,error\n"
                        "plain,1234567890123,,,0.1,,,\n"
                        "\"a \"\"quoted\"\", one\\u009b\",7,,,,,,\n");
    buffer_fini(&out);
}

static void columns_of_every_view_stay_what_they_are(void **state)
{
    static const char *const expected[TOP_VIEWS] = {
        "service,requests_per_s,errors_per_s,error_share,p50_seconds,p99_seconds,requests\n",
        "cache,commands_per_s,miss_share,p99_seconds,hottest,errors_per_s,bytes_per_s,p50_seconds,"
        "distinct_keys,hottest_share,p999_seconds,peak_ratio,host,protocol\n",
        "key,calls,size_bytes,requests_per_s,bytes_per_s,misses,share,error\n",
        "pattern,calls,size_bytes,requests_per_s,bytes_per_s,misses,share,error\n",
        "client,calls,size_bytes,requests_per_s,bytes_per_s,misses,share,error\n"};
    (void)state;
    for (int view = 0; view < TOP_VIEWS; view++) {
        struct top_table t;
        struct buffer out = {0};
        top_table_init(&t, (enum top_view)view);
        top_print_csv(&out, &t, NULL, 0);
        assert_string_equal(buffer_cstring(&out), expected[view]);
        buffer_fini(&out);
    }
}

static void json_leaves_out_what_is_not_known(void **state)
{
    struct buffer out = {0};
    const uint32_t rows[] = {1};
    top_set_hottest(*state, "plain", "10.0.0.5:6379", 0.5, NAN);
    top_print_json(&out, *state, &by_calls, rows, 1, "http://here");
    for (size_t i = 0; i < out.length; i++)
        assert_true(out.data[i] == '\n' || (out.data[i] >= ' ' && out.data[i] < 0x7f));
    json_t *json = json_loadb(out.data, out.length, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "view")), "keys");
    assert_string_equal(json_string_value(json_object_get(json, "source")), "http://here");
    assert_string_equal(json_string_value(json_object_get(json, "at_unix_ns")),
                        "1700000000123456789");
    assert_string_equal(json_string_value(json_object_get(json, "sorted_by")), "calls");
    const json_t *totals = json_object_get(json, "totals");
    assert_true(json_real_value(json_object_get(totals, "per_second")) == 12.5);
    assert_null(json_object_get(totals, "rest"));
    const json_t *hottest = json_object_get(json, "hottest");
    assert_string_equal(json_string_value(json_object_get(hottest, "cache")), "10.0.0.5:6379");
    assert_null(json_object_get(hottest, "per_second"));
    const json_t *row = json_array_get(json_object_get(json, "keys"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "key")),
                        "a \"quoted\", one\xc2\x9b");
    assert_int_equal(json_integer_value(json_object_get(row, "calls")), 7);
    assert_null(json_object_get(row, "bytes_per_s"));
    json_decref(json);
    buffer_fini(&out);
}

static void a_table_for_people_has_totals_titles_and_rows(void **state)
{
    struct buffer out = {0};
    const uint32_t rows[] = {0};
    top_print_table(&out, *state, &by_calls, rows, 1, TOP_WIDE);
    const char *text = buffer_cstring(&out);
    assert_ptr_equal(strstr(text, "Keys: 12.5 calls/s over 10 s\nKEY "), text);
    assert_non_null(strstr(text, "\nplain"));
    assert_null(strstr(text, " \n"));
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            csv_has_stable_columns_exact_numbers_and_nothing_that_drives_a_terminal, make, unmake),
        cmocka_unit_test(columns_of_every_view_stay_what_they_are),
        cmocka_unit_test_setup_teardown(json_leaves_out_what_is_not_known, make, unmake),
        cmocka_unit_test_setup_teardown(a_table_for_people_has_totals_titles_and_rows, make,
                                        unmake),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
