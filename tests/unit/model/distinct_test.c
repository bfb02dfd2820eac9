// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "lib/model/distinct.h"

static void add_range(struct distinct *d, uint32_t from, uint32_t to)
{
    for (uint32_t value = from; value < to; value++)
        distinct_add(d, &value, sizeof value);
}

static void it_counts_within_its_error(void **state)
{
    (void)state;
    for (uint32_t many = 1; many <= 1000000; many *= 10) {
        struct distinct d = {0};
        add_range(&d, 0, many);
        add_range(&d, 0, many);
        double count = distinct_count(&d);
        if (fabs(count - many) > 0.07 * many)
            fail_msg("%u different ones are counted as %g", many, count);
    }
}

static void merged_ones_are_as_one_that_saw_all(void **state)
{
    struct distinct a = {0}, b = {0}, all = {0};
    (void)state;
    add_range(&a, 0, 60000);
    add_range(&b, 40000, 100000);
    add_range(&all, 0, 100000);
    distinct_merge(&a, &b);
    assert_memory_equal(&a, &all, sizeof all);
}

static void a_window_tells_the_last_whole_one(void **state)
{
    struct distinct_window w = {0};
    (void)state;
    add_range(&w.now, 0, 1000);
    double whole = distinct_window_count(&w);
    distinct_window_rotate(&w);
    assert_true(distinct_window_count(&w) == whole);
    add_range(&w.now, 0, 10);
    assert_true(distinct_window_count(&w) == whole);
    distinct_window_rotate(&w);
    assert_in_range((int)distinct_window_count(&w), 9, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_counts_within_its_error),
        cmocka_unit_test(merged_ones_are_as_one_that_saw_all),
        cmocka_unit_test(a_window_tells_the_last_whole_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
