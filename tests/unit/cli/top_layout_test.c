// SPDX-License-Identifier: Apache-2.0
#include "cli/top_layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>

#include "cli/top_text.h"
#include "tests/unit/cli/tables.h"

static void assert_number(enum top_unit unit, double value, const char *expected)
{
    struct buffer out = {0};
    top_number(&out, unit, value);
    assert_string_equal(buffer_cstring(&out), expected);
    buffer_fini(&out);
}

static void numbers_are_short_and_have_their_unit(void **state)
{
    (void)state;
    assert_number(TOP_COUNT, 0, "0");
    assert_number(TOP_COUNT, 123456, "123456");
    assert_number(TOP_COUNT, 12345678, "12.3M");
    assert_number(TOP_RATE, 0.5, "0.50");
    assert_number(TOP_RATE, 34.21, "34.2");
    assert_number(TOP_RATE, 9999, "9999");
    assert_number(TOP_RATE, 24100, "24.1k");
    assert_number(TOP_SHARE, 0.3117, "31.2 %");
    assert_number(TOP_SHARE, 1, "100 %");
    assert_number(TOP_SECONDS, 0.00124, "1.24 ms");
    assert_number(TOP_SECONDS, 0.00001, "10.0 µs");
    assert_number(TOP_BYTES, 1530, "1.53 kB");
    assert_number(TOP_RATIO, NAN, "-");
    static const double most[] = {
        [TOP_COUNT] = 1e14,      [TOP_RATE] = 1e14,   [TOP_SHARE] = 1,   [TOP_BYTES] = 1e14,
        [TOP_BYTES_RATE] = 1e14, [TOP_SECONDS] = 1e6, [TOP_RATIO] = 1e14};
    for (double value = 0.001; value < 1e14; value *= 1.7)
        for (int unit = TOP_COUNT; unit <= TOP_RATIO; unit++) {
            struct buffer out = {0};
            top_number(&out, (enum top_unit)unit, fmin(value, most[unit]));
            assert_true(top_text_width(buffer_cstring(&out)) <= 8);
            buffer_fini(&out);
        }
}

static const struct top_order by_calls = {1, false, ""};

/* The titles and the row in `width` columns, each with its end. */
static void lay_out(const struct top_table *t, const struct top_order *order, size_t width,
                    struct buffer *out)
{
    struct top_layout layout;
    uint32_t rows[16];
    size_t count = top_order(t, order, rows);
    top_layout(&layout, t, order, rows, count, width);
    buffer_clear(out);
    top_layout_titles(&layout, out);
    buffer_byte(out, '\n');
    for (size_t i = 0; i < count; i++) {
        top_layout_row(&layout, &t->rows[rows[i]], out);
        buffer_byte(out, '\n');
    }
}

static void assert_widths(struct buffer *text, size_t width)
{
    char *line = text->data;
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        assert_int_equal(top_text_width(line), width);
        *end = '\n';
    }
}

static void every_view_fills_every_width_exactly(void **state)
{
    (void)state;
    for (int view = 0; view < TOP_VIEWS; view++) {
        const struct top_view_info *info = top_view_info((enum top_view)view);
        struct top_table t;
        struct buffer out = {0};
        top_table_init(&t, (enum top_view)view);
        table_key(&t, "a key with \xe6\xbc\xa2\xe5\xad\x97 and \033[2J in it, that is long", 1e9,
                  1);
        table_key(&t, "", NAN, NAN);
        for (size_t width = 1; width <= 200; width++)
            for (int column = 0; column < info->column_count; column++) {
                const struct top_order order = {column, false, ""};
                lay_out(&t, &order, width, &out);
                buffer_cstring(&out);
                assert_widths(&out, width);
            }
        buffer_fini(&out);
        top_table_fini(&t);
    }
}

static void a_narrow_screen_keeps_the_name_and_the_column_that_sorts(void **state)
{
    struct top_table t;
    struct buffer out = {0};
    const struct top_order by_bandwidth = {top_column_of(TOP_KEYS, "bytes_per_s"), true, ""};
    (void)state;
    top_table_init(&t, TOP_KEYS);
    table_key(&t, "user:4711:inbox", 12345, 1530);
    lay_out(&t, &by_calls, 24, &out);
    assert_string_equal(buffer_cstring(&out), "KEY               vCALLS\n"
                                              "user:4711:inb…     12345\n");
    lay_out(&t, &by_bandwidth, 24, &out);
    assert_string_equal(buffer_cstring(&out), "KEY             ^BYTES/S\n"
                                              "user:4711:inbox  1.53 kB\n");
    lay_out(&t, &by_calls, 80, &out);
    assert_non_null(strstr(buffer_cstring(&out), "BYTES/S   MISSES"));
    buffer_fini(&out);
    top_table_fini(&t);
}

static void without_a_width_everything_stands_in_full(void **state)
{
    struct top_table t;
    struct buffer out = {0};
    char key[300];
    (void)state;
    memset(key, 'k', sizeof key);
    key[sizeof key - 1] = '\0';
    top_table_init(&t, TOP_CLIENTS);
    table_key(&t, key, 1, 1);
    lay_out(&t, &by_calls, TOP_WIDE, &out);
    assert_non_null(strstr(buffer_cstring(&out), key));
    assert_non_null(strstr(buffer_cstring(&out), "ERROR"));
    buffer_fini(&out);
    top_table_fini(&t);
}

static void what_stands_above_says_how_wrong_counts_may_be_and_what_was_dropped(void **state)
{
    struct top_table t;
    struct buffer out = {0};
    (void)state;
    top_table_init(&t, TOP_KEYS);
    top_totals_line(&t, &out);
    assert_string_equal(buffer_cstring(&out), "nothing was counted");
    t.totals = (struct top_totals){.seconds = 10, .per_second = 26900, .distinct = 16191};
    buffer_clear(&out);
    top_totals_line(&t, &out);
    assert_string_equal(buffer_cstring(&out), "26.9k calls/s over 10 s; exact; keys: about 16191");
    t.totals.error_most = 176;
    t.totals.rest = 178;
    buffer_clear(&out);
    top_totals_line(&t, &out);
    assert_string_equal(buffer_cstring(&out), "26.9k calls/s over 10 s; too low by at most 176, "
                                              "others have at most 178; keys: about 16191");
    buffer_clear(&out);
    t.totals.lost_spans = NAN;
    assert_false(top_dropped_line(&t, &out));
    assert_string_equal(buffer_cstring(&out), "0 packets, 0 reports of taps");
    t.totals.lost_packets = 3;
    assert_true(top_dropped_line(&t, &out));
    buffer_clear(&out);
    top_set_hottest(&t, "celebrity\033", "10.0.0.5:6379", 0.31, 812);
    top_hottest_line(&t, &out);
    assert_string_equal(buffer_cstring(&out),
                        "celebrity\\x1b  31.0 % of calls, 812/s, in 10.0.0.5:6379");
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_short_and_have_their_unit),
        cmocka_unit_test(every_view_fills_every_width_exactly),
        cmocka_unit_test(a_narrow_screen_keeps_the_name_and_the_column_that_sorts),
        cmocka_unit_test(without_a_width_everything_stands_in_full),
        cmocka_unit_test(what_stands_above_says_how_wrong_counts_may_be_and_what_was_dropped),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
