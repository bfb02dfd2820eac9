// SPDX-License-Identifier: Apache-2.0
/* What is known of other hosts' clocks: narrowed by matches, widened by time, begun anew when a
 * clock was set. */
#include "agent/observe/clocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    struct clocks *c = calloc(1, sizeof *c);
    c->agent = "own";
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static int64_t width_of(const struct known_clock *k)
{
    return k->offset.most_ns - k->offset.least_ns;
}

static void it_begins_with_what_the_collector_says(void **state)
{
    struct clocks *c = *state;
    struct known_clock *k = clocks_of(c, "other", 3000000000, 0);
    assert_int_equal(k->offset.least_ns, 3000000000 - 5000000);
    assert_int_equal(k->offset.most_ns, 3000000000 + 5000000);
    assert_true(width_of(clocks_of(c, "own", 0, 0)) < width_of(k));
}

static void what_was_learned_widens_with_time_but_not_beyond_the_beginning(void **state)
{
    struct clocks *c = *state;
    struct known_clock *k = clocks_of(c, "other", 0, 0);
    clocks_learn(c, k, (struct clock_offset){-10000, 20000}, true, 0);
    k = clocks_of(c, "other", 0, 1000);
    assert_true(k->offset.least_ns < -10000 && k->offset.least_ns >= -10000 - 20000);
    assert_true(k->offset.most_ns > 20000 && k->offset.most_ns <= 20000 + 20000);
    k = clocks_of(c, "other", 0, 100000000);
    assert_int_equal(k->offset.least_ns, -5000000);
    assert_int_equal(k->offset.most_ns, 5000000);
}

static void a_clock_by_which_nothing_matches_begins_anew(void **state)
{
    struct clocks *c = *state;
    struct known_clock *k = clocks_of(c, "other", 0, 0);
    struct clock_offset learned = {-10000, 20000};
    clocks_learn(c, k, learned, true, 0);
    for (int i = 0; i < 3; i++)
        clocks_learn(c, k, learned, false, 7000000);
    assert_int_equal(k->offset.least_ns, -10000);
    clocks_learn(c, k, learned, true, 7000000); /* one that matches is enough */
    for (int i = 0; i < 4; i++)
        clocks_learn(c, k, learned, false, 7000000);
    assert_int_equal(k->offset.least_ns, 2000000);
    assert_int_equal(k->offset.most_ns, 12000000);
}

static void what_the_collector_says_is_followed(void **state)
{
    struct clocks *c = *state;
    struct clock_offset learned = {-10000, 20000};
    clocks_learn(c, clocks_of(c, "other", 0, 0), learned, true, 0);
    struct known_clock *k = clocks_of(c, "other", 1000000, 0); /* messages take their time */
    assert_int_equal(k->offset.least_ns, -10000);
    k = clocks_of(c, "other", 10000000000, 0); /* a clock was set */
    assert_int_equal(k->offset.least_ns, 10000000000 - 5000000);
    assert_int_equal(k->offset.most_ns, 10000000000 + 5000000);
}

static void of_too_many_clocks_the_one_not_asked_for_is_forgotten(void **state)
{
    struct clocks *c = *state;
    char name[16];
    for (int i = 0; i < CLOCKS_MOST; i++) {
        snprintf(name, sizeof name, "box%d", i);
        clocks_learn(c, clocks_of(c, name, 0, i), (struct clock_offset){0, 1}, true, 0);
    }
    clocks_of(c, "box0", 0, CLOCKS_MOST);
    clocks_of(c, "one more", 0, CLOCKS_MOST + 1);
    assert_true(width_of(clocks_of(c, "box0", 0, CLOCKS_MOST)) < 100000);
    assert_int_equal(width_of(clocks_of(c, "box1", 0, CLOCKS_MOST + 2)), 10000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_begins_with_what_the_collector_says, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_was_learned_widens_with_time_but_not_beyond_the_beginning, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clock_by_which_nothing_matches_begins_anew, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_the_collector_says_is_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(of_too_many_clocks_the_one_not_asked_for_is_forgotten,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
