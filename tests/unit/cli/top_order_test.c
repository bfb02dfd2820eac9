// SPDX-License-Identifier: Apache-2.0
#include "cli/top_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "tests/unit/cli/tables.h"

static void assert_order(const struct top_table *t, const struct top_order *order,
                         const char *expected)
{
    uint32_t rows[16];
    char names[64] = "";
    size_t count = top_order(t, order, rows);
    for (size_t i = 0; i < count; i++) {
        strcat(names, i > 0 ? " " : "");
        strcat(names, t->rows[rows[i]].texts[0]);
    }
    assert_string_equal(names, expected);
}

static int make(void **state)
{
    static struct top_table t;
    top_table_init(&t, TOP_KEYS);
    table_key(&t, "b", 5, NAN);
    table_key(&t, "a", 5, 10);
    table_key(&t, "ab", 700, 30);
    table_key(&t, "c", 6, 20);
    *state = &t;
    return 0;
}

static int unmake(void **state)
{
    top_table_fini(*state);
    return 0;
}

static void the_largest_come_first_and_equal_ones_by_name(void **state)
{
    struct top_order o = {top_column_of(TOP_KEYS, "calls"), false, ""};
    assert_order(*state, &o, "ab c a b");
    o.reversed = true;
    assert_order(*state, &o, "a b c ab");
}

static void what_is_not_known_comes_last_either_way(void **state)
{
    struct top_order o = {top_column_of(TOP_KEYS, "bytes_per_s"), false, ""};
    assert_order(*state, &o, "ab c a b");
    o.reversed = true;
    assert_order(*state, &o, "a c ab b");
}

static void names_go_from_a_to_z(void **state)
{
    struct top_order o = {0, false, ""};
    assert_order(*state, &o, "a ab b c");
    o.reversed = true;
    assert_order(*state, &o, "c b ab a");
}

static void a_filter_keeps_rows_with_the_text_in_them(void **state)
{
    struct top_order o = {top_column_of(TOP_KEYS, "calls"), false, "b"};
    assert_order(*state, &o, "ab b");
    o.filter = "B";
    assert_order(*state, &o, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_largest_come_first_and_equal_ones_by_name, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(what_is_not_known_comes_last_either_way, make, unmake),
        cmocka_unit_test_setup_teardown(names_go_from_a_to_z, make, unmake),
        cmocka_unit_test_setup_teardown(a_filter_keeps_rows_with_the_text_in_them, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
