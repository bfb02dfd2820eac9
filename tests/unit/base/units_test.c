// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/units.h"

static void sizes_are_read_with_their_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"17", 17},
        {"17B", 17},
        {"1k", 1024},
        {"512M", 512u << 20},
        {"512MiB", 512u << 20},
        {"1.5 GB", 1536u << 20},
        {"2T", 2ull << 40},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t bytes = 99;
        assert_true(units_parse_bytes(good[i].text, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
}

static void what_is_no_size_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",  "M",   "-1",           "1.5", "12 apples",           "1MM", "1Mx", "1.",
        ".", "1Bb", "99999999999T", "1e3", "18446744073709551616"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t bytes = 99;
        assert_false(units_parse_bytes(bad[i], &bytes));
        assert_int_equal(bytes, 99);
    }
}

static void durations_are_read_with_their_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } good[] = {
        {"0", 0},
        {"10ns", 10},
        {"10us", 10000},
        {"10µs", 10000},
        {"10ms", 10000000},
        {"1.5s", 1500000000},
        {"1m30s", 90000000000u},
        {"2h", 7200000000000u},
        {"7d", 604800000000000u},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t ns = 99;
        assert_true(units_parse_duration(good[i].text, &ns));
        assert_int_equal(ns, good[i].ns);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "10", "ms", "-1s", "1 s", "1s2", "1y", "99999999d"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t ns = 99;
        assert_false(units_parse_duration(bad[i], &ns));
        assert_int_equal(ns, 99);
    }
}

static void printed_units_read_back_the_same(void **state)
{
    (void)state;
    static const uint64_t values[] = {0,    1,        1023,     1024,         1u << 20,
                                      1500, 3u << 30, 10000000, 90000000000u, UINT64_MAX};
    char text[UNITS_TEXT_MAX];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint64_t back = 7;
        assert_true(units_parse_bytes(units_print_bytes(values[i], text), &back));
        assert_int_equal(back, values[i]);
        assert_true(units_parse_duration(units_print_duration(values[i], text), &back));
        assert_int_equal(back, values[i]);
    }
    assert_string_equal(units_print_bytes(512u << 20, text), "512M");
    assert_string_equal(units_print_duration(10000000, text), "10ms");
}

static void people_read_three_digits(void **state)
{
    (void)state;
    static const struct {
        double ns;
        const char *text;
    } durations[] = {
        {0, "0 ns"},         {999, "999 ns"},       {1500, "1.50 µs"},
        {999999, "1.00 ms"}, {12400000, "12.4 ms"}, {12.4e9, "12.4 s"},
        {90e9, "1.50 min"},  {7.2e12, "2.00 h"},    {1e16, "2778 h"},
    };
    char text[UNITS_TEXT_MAX];
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++)
        assert_string_equal(units_round_duration(durations[i].ns, text), durations[i].text);
    assert_string_equal(units_round_bytes(1500000, text), "1.50 MB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read_with_their_units),
        cmocka_unit_test(what_is_no_size_is_refused_and_changes_nothing),
        cmocka_unit_test(durations_are_read_with_their_units),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(printed_units_read_back_the_same),
        cmocka_unit_test(people_read_three_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
