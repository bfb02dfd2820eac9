// SPDX-License-Identifier: Apache-2.0
#include "collector/web/params.h"

#include "tests/unit/collector/spans.h"

static char why[PARAMS_WHY_MAX];

/* Points into itself, so there is one. */
static struct params *parse(const char *query)
{
    static struct params p;
    assert_int_equal(params_parse(&p, query, why), 0);
    return &p;
}

static void assert_refused(const char *query, const char *because)
{
    struct params p;
    struct trace_filter filter;
    *why = 0;
    if (params_parse(&p, query, why) == 0 && params_trace_filter(&p, &filter, why) == 0)
        fail_msg("%s was taken", query);
    if (!strstr(why, because))
        fail_msg("%s: \"%s\" does not say \"%s\"", query, why, because);
}

static void values_are_decoded(void **state)
{
    (void)state;
    struct params *p = parse("a=1&b=GET+%2Fx%3fy%C3%A9&empty=&c&=none");
    assert_string_equal(params_get(p, "a"), "1");
    assert_string_equal(params_get(p, "b"), "GET /x?y\xc3\xa9");
    assert_null(params_get(p, "empty"));
    assert_null(params_get(p, "c"));
    assert_null(params_get(p, "d"));
    assert_int_equal(parse(NULL)->count, 0);
    assert_int_equal(parse("&&&")->count, 0);
}

static void a_filter_has_all_that_was_asked(void **state)
{
    (void)state;
    struct params *p = parse("service=web&operation=GET%20/&status=in_flight&min_duration=250us&"
                             "max_duration=1.5s&start=1763760000000000000&"
                             "end=2025-11-21T22:40:00.5%2B01:00&limit=7");
    struct trace_filter f;
    assert_int_equal(params_trace_filter(p, &f, why), 0);
    assert_string_equal(f.service, "web");
    assert_string_equal(f.operation, "GET /");
    assert_int_equal(f.status, TRACE_IN_FLIGHT);
    assert_int_equal(f.min_duration_ns, 250000);
    assert_int_equal(f.max_duration_ns, 1500000000);
    assert_int_equal(f.start_unix_ns, EPOCH);
    assert_int_equal(f.end_unix_ns, UINT64_C(1763761200500000000));
    assert_int_equal(f.limit, 7);
}

static void a_filter_of_nothing_lets_all_pass(void **state)
{
    (void)state;
    struct params *p = parse("");
    struct trace_filter f;
    assert_int_equal(params_trace_filter(p, &f, why), 0);
    assert_null(f.service);
    assert_int_equal(f.limit, 20);
    assert_true(f.end_unix_ns == UINT64_MAX && f.max_duration_ns == UINT64_MAX);
}

static void wrong_questions_are_told_what_was_expected(void **state)
{
    (void)state;
    assert_refused("limit=0", "from 1 to 1000");
    assert_refused("limit=1001", "from 1 to 1000");
    assert_refused("limit=-1", "from 1 to 1000");
    assert_refused("limit=99999999999999999999", "from 1 to 1000");
    assert_refused("limit=5x", "from 1 to 1000");
    assert_refused("status=fine", "in_flight");
    assert_refused("min_duration=5", "such as 250us");
    assert_refused("min_duration=2s&max_duration=1s", "longer");
    assert_refused("start=yesterday", "2025-11-21T22:40:00Z");
    assert_refused("start=2025-13-01T00:00:00Z", "2025-11-21T22:40:00Z");
    assert_refused("start=2025-11-01T00:00:00", "2025-11-21T22:40:00Z");
    assert_refused("start=1969-12-31T23:59:59Z", "2025-11-21T22:40:00Z");
    assert_refused("start=5&end=5", "not before");
    assert_refused("servcie=web", "servcie");
    assert_refused("service%20operation=web", "unknown");
    assert_refused("service=a&service=b", "twice");
    assert_refused("service=%zz", "badly encoded");
    assert_refused("service=%2", "badly encoded");
    assert_refused("service=%", "badly encoded");
    assert_refused("service=a%00b", "control characters");
    assert_refused("service=a\rb", "control characters");
}

static void a_query_of_any_length_ends(void **state)
{
    (void)state;
    char query[PARAMS_BYTES_MAX + 2];
    struct params p;
    memset(query, 'a', sizeof query);
    query[PARAMS_BYTES_MAX] = 0;
    assert_int_equal(params_parse(&p, query, why), 0);
    query[PARAMS_BYTES_MAX] = 'a';
    query[PARAMS_BYTES_MAX + 1] = 0;
    assert_int_equal(params_parse(&p, query, why), -1);
    memset(query, '&', PARAMS_BYTES_MAX);
    query[PARAMS_BYTES_MAX] = 0;
    assert_int_equal(params_parse(&p, query, why), 0);
    char many[256] = "";
    for (int i = 0; i <= PARAMS_MAX; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "p%d=1&", i);
    assert_int_equal(params_parse(&p, many, why), -1);
}

static void trace_ids_are_32_hex_digits(void **state)
{
    (void)state;
    struct trace_id id;
    assert_true(params_trace_id("018f0000000000000000ABCDEF000001", &id));
    assert_true(id.hi == UINT64_C(0x018f000000000000) && id.lo == UINT64_C(0x0000abcdef000001));
    assert_false(params_trace_id("018f", &id));
    assert_false(params_trace_id("", &id));
    assert_false(params_trace_id("00000000000000000000000000000000", &id));
    assert_false(params_trace_id("018f0000000000000000abcdef00000g", &id));
    assert_false(params_trace_id("018f0000000000000000abcdef0000011", &id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_decoded),
        cmocka_unit_test(a_filter_has_all_that_was_asked),
        cmocka_unit_test(a_filter_of_nothing_lets_all_pass),
        cmocka_unit_test(wrong_questions_are_told_what_was_expected),
        cmocka_unit_test(a_query_of_any_length_ends),
        cmocka_unit_test(trace_ids_are_32_hex_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
