// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "agent/switches.h"

static void everything_records_until_it_is_told_not_to(void **state)
{
    (void)state;
    static struct switches s;
    s.count = 0;
    assert_true(switches_recording(&s, "web"));
    assert_true(switches_set(&s, "cell", false));
    assert_false(switches_recording(&s, "cell"));
    assert_true(switches_recording(&s, "web"));
    assert_true(switches_set(&s, "cell", true));
    assert_true(switches_recording(&s, "cell"));
}

static void a_star_means_all_and_switching_all_on_forgets_the_rest(void **state)
{
    (void)state;
    static struct switches s;
    s.count = 0;
    switches_set(&s, "cell", false);
    switches_set(&s, "*", false);
    assert_false(switches_recording(&s, "web"));
    switches_set(&s, "*", true);
    assert_true(switches_recording(&s, "web"));
    assert_true(switches_recording(&s, "cell"));
}

static void saying_it_twice_changes_nothing(void **state)
{
    (void)state;
    static struct switches s;
    s.count = 0;
    switches_set(&s, "a", false);
    switches_set(&s, "b", false);
    switches_set(&s, "a", false);
    assert_int_equal(s.count, 2);
    switches_set(&s, "a", true);
    switches_set(&s, "a", true);
    assert_int_equal(s.count, 1);
    assert_false(switches_recording(&s, "b"));
}

static void a_full_table_says_so_and_keeps_what_it_has(void **state)
{
    (void)state;
    static struct switches s;
    char name[32];
    s.count = 0;
    for (int i = 0; i < SWITCHES_MAX; i++) {
        snprintf(name, sizeof name, "service-%d", i);
        assert_true(switches_set(&s, name, false));
    }
    assert_false(switches_set(&s, "one more", false));
    assert_true(switches_recording(&s, "one more"));
    assert_false(switches_recording(&s, "service-0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_records_until_it_is_told_not_to),
        cmocka_unit_test(a_star_means_all_and_switching_all_on_forgets_the_rest),
        cmocka_unit_test(saying_it_twice_changes_nothing),
        cmocka_unit_test(a_full_table_says_so_and_keeps_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
