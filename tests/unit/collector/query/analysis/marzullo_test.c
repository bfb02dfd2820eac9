// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/query/analysis/marzullo.h"

static struct consensus ask(const struct interval *intervals, uint32_t count)
{
    struct consensus c;
    assert_int_equal(marzullo(intervals, count, &c), 0);
    return c;
}

static void the_middle_of_where_most_overlap(void **state)
{
    (void)state;
    struct consensus c = ask((struct interval[]){{8, 12}, {11, 13}, {14, 15}, {10, 20}}, 4);
    assert_int_equal(c.value, 11); /* [11, 12] */
    assert_int_equal(c.agreeing, 3);
    assert_int_equal(c.uncertainty, 1);
}

static void zero_wherever_zero_is_as_good(void **state)
{
    (void)state;
    struct consensus c = ask((struct interval[]){{-3, 9}, {-5, 4}}, 2);
    assert_int_equal(c.value, 0);
    assert_int_equal(c.agreeing, 2);
    assert_int_equal(c.uncertainty, 4);
    assert_int_equal(ask((struct interval[]){{0, 9}, {-5, 0}}, 2).agreeing, 2);
}

static void among_equals_the_place_nearest_to_zero(void **state)
{
    (void)state;
    struct consensus c = ask((struct interval[]){{-90, -80}, {10, 20}, {50, 60}}, 3);
    assert_int_equal(c.value, 15);
    assert_int_equal(c.agreeing, 1);
}

static void the_bound_where_one_side_is_open(void **state)
{
    (void)state;
    struct consensus c = ask((struct interval[]){{INTERVAL_OPEN_LEAST, -7}}, 1);
    assert_int_equal(c.value, -7);
    assert_true(c.uncertainty == UINT64_MAX);
    c = ask((struct interval[]){{7, INTERVAL_OPEN_MOST}, {3, 30}}, 2);
    assert_int_equal(c.value, 18); /* the other closes it: [7, 30] */
    c = ask((struct interval[]){{INTERVAL_OPEN_LEAST, 5}}, 1);
    assert_int_equal(c.value, 0);
}

static void nothing_known_is_zero(void **state)
{
    (void)state;
    struct consensus c = ask(NULL, 0);
    assert_int_equal(c.value, 0);
    assert_int_equal(c.agreeing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_middle_of_where_most_overlap),
        cmocka_unit_test(zero_wherever_zero_is_as_good),
        cmocka_unit_test(among_equals_the_place_nearest_to_zero),
        cmocka_unit_test(the_bound_where_one_side_is_open),
        cmocka_unit_test(nothing_known_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
