// SPDX-License-Identifier: Apache-2.0
#include "cli/top_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "tests/unit/cli/tables.h"

static void the_letters_are_those_that_users_of_memkeys_know(void **state)
{
    (void)state;
    for (int view = TOP_KEYS; view <= TOP_CLIENTS; view++) {
        const struct top_view_info *info = top_view_info((enum top_view)view);
        const char letters[] = "CSRB";
        static const char *const columns[] = {"calls", "size_bytes", "requests_per_s",
                                              "bytes_per_s"};
        for (int i = 0; i < 4; i++) {
            int column = top_column_of_letter((enum top_view)view, letters[i]);
            assert_true(column > 0);
            assert_string_equal(info->columns[column].name, columns[i]);
        }
        assert_int_equal(top_column_of_letter((enum top_view)view, 'b'),
                         top_column_of((enum top_view)view, "bytes_per_s"));
    }
}

static void columns_have_names_of_their_own_and_letters_mean_one(void **state)
{
    (void)state;
    for (int view = 0; view < TOP_VIEWS; view++) {
        const struct top_view_info *info = top_view_info((enum top_view)view);
        assert_int_equal(top_view_of(info->name), view);
        assert_int_equal(info->columns[0].unit, TOP_TEXT);
        assert_true(info->sorted_by < info->column_count);
        for (int i = 0; i < info->column_count; i++) {
            assert_int_equal(top_column_of((enum top_view)view, info->columns[i].name), i);
            for (const char *key = info->columns[i].keys; *key; key++) {
                assert_int_equal(top_column_of_letter((enum top_view)view, *key), i);
                assert_null(strchr("QTPH", *key));
            }
        }
    }
    assert_int_equal(top_view_of("nothing"), TOP_VIEWS);
    assert_int_equal(top_column_of(TOP_KEYS, "p99_seconds"), -1);
    assert_int_equal(top_column_of(TOP_KEYS, ""), -1);
}

static void cells_hold_what_was_set_and_know_what_was_not(void **state)
{
    struct top_table t;
    (void)state;
    top_table_init(&t, TOP_KEYS);
    for (int i = 0; i < 200; i++)
        table_key(&t, "key", i, NAN);
    assert_int_equal(t.count, 200);
    assert_true(top_number_of(&t, &t.rows[150], "calls") == 150);
    assert_true(isnan(top_number_of(&t, &t.rows[150], "bytes_per_s")));
    assert_true(isnan(top_number_of(&t, &t.rows[150], "no such column")));
    assert_true(isnan(t.totals.rest));
    assert_string_equal(top_text_of(&t, &t.rows[199], "key"), "key");
    top_table_fini(&t);
}

static void a_hottest_key_is_kept_in_whole_characters(void **state)
{
    struct top_table t;
    char key[2 * TOP_LINE] = "x";
    (void)state;
    for (int i = 0; i < TOP_LINE - 10; i++)
        strcat(key, "\xc3\xa9");
    top_table_init(&t, TOP_KEYS);
    top_set_hottest(&t, key, "there", 0.5, 1);
    assert_int_equal(strlen(t.hottest), TOP_LINE - 1);
    top_set_hottest(&t, key + 1, "there", 0.5, 1);
    assert_int_equal(strlen(t.hottest), TOP_LINE - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_letters_are_those_that_users_of_memkeys_know),
        cmocka_unit_test(columns_have_names_of_their_own_and_letters_mean_one),
        cmocka_unit_test(cells_hold_what_was_set_and_know_what_was_not),
        cmocka_unit_test(a_hottest_key_is_kept_in_whole_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
