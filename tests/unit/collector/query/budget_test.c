// SPDX-License-Identifier: Apache-2.0
#include "collector/query/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int setup(void **state)
{
    static struct budget b;
    budget_init(&b, 100);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    budget_fini(*state);
    return 0;
}

static void what_is_left_can_be_taken_and_no_more(void **state)
{
    struct budget *b = *state;
    assert_int_equal(budget_take(b, 60, 0), 60);
    assert_int_equal(budget_take(b, 41, 0), 0);
    assert_int_equal(budget_take(b, 40, 0), 40);
    budget_give(b, 60);
    assert_int_equal(budget_take(b, 50, 0), 50);
}

static void who_wants_more_than_there_is_gets_all(void **state)
{
    struct budget *b = *state;
    assert_int_equal(budget_take(b, 1000, 0), 100);
    assert_int_equal(budget_take(b, 1, 0), 0);
}

static void *take_half(void *context)
{
    uint64_t taken = budget_take(context, 50, 60000);
    return (void *)(uintptr_t)taken;
}

static void who_waits_is_served_when_something_is_given_back(void **state)
{
    struct budget *b = *state;
    pthread_t thread;
    void *taken;
    assert_int_equal(budget_take(b, 100, 0), 100);
    assert_int_equal(pthread_create(&thread, NULL, take_half, b), 0);
    budget_give(b, 60);
    pthread_join(thread, &taken);
    assert_int_equal((uintptr_t)taken, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(what_is_left_can_be_taken_and_no_more),
        TEST(who_wants_more_than_there_is_gets_all),
        TEST(who_waits_is_served_when_something_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
