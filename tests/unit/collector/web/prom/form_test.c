// SPDX-License-Identifier: Apache-2.0
#include "collector/web/prom/form.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "collector/web/prom/prom.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct form parse(const char *query, const char *body)
{
    struct form f;
    const char *why = NULL;
    struct web_request r = {.method = body ? WEB_POST : WEB_GET,
                            .query = query,
                            .content_type = "application/x-www-form-urlencoded; charset=utf-8",
                            .body = body,
                            .body_length = body ? strlen(body) : 0};
    if (form_parse(&f, &arena, &r, &why) != 0)
        fail_msg("%s", why);
    return f;
}

static void query_and_body_are_one_form(void **state)
{
    (void)state;
    struct form f = parse("query=up&match[]=a%3D1", "match%5B%5D=b&time=5+%2B+1&&empty=&flag");
    assert_int_equal(f.count, 6);
    assert_string_equal(form_get(&f, "query"), "up");
    assert_string_equal(form_get(&f, "match[]"), "a=1");
    assert_string_equal(f.fields[2].name, "match[]");
    assert_string_equal(f.fields[2].value, "b");
    assert_string_equal(form_get(&f, "time"), "5 + 1");
    assert_null(form_get(&f, "empty"));
    assert_non_null(form_find(&f, "flag"));
    assert_null(form_find(&f, "absent"));
}

static void what_is_badly_encoded_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a=%", "a=%2", "a=%zz", "%=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct form f;
        const char *why = NULL;
        struct web_request r = {.method = WEB_GET, .query = bad[i]};
        assert_int_equal(form_parse(&f, &arena, &r, &why), -1);
        assert_non_null(why);
    }
}

static void assert_time(const char *query, bool good, int64_t expected)
{
    struct form f = parse(query, NULL);
    int64_t unix_ms = -7;
    int result = form_time(&f, "t", &unix_ms);
    if ((result == 0) != good || (good && unix_ms != expected))
        fail_msg("%s: %d, %lld", query, result, (long long)unix_ms);
}

static void times_are_seconds_or_dates(void **state)
{
    (void)state;
    assert_time("t=1435781430.781", true, 1435781430781);
    assert_time("t=-1.5", true, -1500);
    assert_time("t=1.5e3", true, 1500000);
    assert_time("t=2015-07-01T20:10:30.781Z", true, 1435781430781);
    assert_time("t=2015-07-01T20:10:30.781%2B02:00", true, 1435774230781);
    assert_time("x=1", true, -7);
    assert_time("t=soon", false, 0);
    assert_time("t=1435781430781000000000", false, 0);
    assert_time("t=NaN", false, 0);
    assert_time("t=Inf", false, 0);
}

static void assert_duration(const char *query, bool good, int64_t expected)
{
    struct form f = parse(query, NULL);
    int64_t ms = -7;
    int result = form_duration(&f, "d", &ms);
    if ((result == 0) != good || (good && ms != expected))
        fail_msg("%s: %d, %lld", query, result, (long long)ms);
}

static void durations_are_seconds_or_as_prometheus_writes_them(void **state)
{
    (void)state;
    assert_duration("d=15", true, 15000);
    assert_duration("d=0.25", true, 250);
    assert_duration("d=5m", true, 300000);
    assert_duration("d=1h30m", true, 5400000);
    assert_duration("d=1d12h3m4s5ms", true, 129784005);
    assert_duration("d=2w", true, 1209600000);
    assert_duration("d=1y", true, 31536000000);
    assert_duration("d=30m1h", false, 0);
    assert_duration("d=1h1h", false, 0);
    assert_duration("d=5x", false, 0);
    assert_duration("d=5mm", false, 0);
    assert_duration("d=m", false, 0);
    assert_duration("d=99999999999999999y", false, 0);
}

static void numbers_are_written_as_prometheus_does(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {1, "1"},
                 {-2.5, "-2.5"},
                 {0.1, "0.1"},
                 {1e6, "1000000"},
                 {1e300, "1e+300"},
                 {1.0 / 3, "0.3333333333333333"},
                 {INFINITY, "+Inf"},
                 {-INFINITY, "-Inf"},
                 {NAN, "NaN"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        prom_number(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(query_and_body_are_one_form, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_badly_encoded_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(times_are_seconds_or_dates, setup, teardown),
        cmocka_unit_test_setup_teardown(durations_are_seconds_or_as_prometheus_writes_them, setup,
                                        teardown),
        cmocka_unit_test(numbers_are_written_as_prometheus_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
