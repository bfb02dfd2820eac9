// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/operations.h"

#include "collector/query/analysis/pairs.h"
#include "tests/unit/collector/query/analysis/trees.h"

static struct batch_str text(const char *s)
{
    return (struct batch_str){s, (uint32_t)strlen(s)};
}

static void numbers_are_given_in_order_and_found_again(void **state)
{
    (void)state;
    struct operations o;
    operations_init(&o, 1000);
    assert_int_equal(operations_find(&o, text("web"), text("a"), 0), OPERATION_NONE);
    char name[16];
    for (uint32_t i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "op%u", i / 2);
        assert_int_equal(operations_learn(&o, text("web"), text(name), i % 2), i + 1);
    }
    memset(name, 'x', sizeof name); /* the strings are its own */
    assert_int_equal(operations_learn(&o, text("web"), text("op77"), 1), 156);
    assert_int_equal(operations_find(&o, text("web"), text("op77"), 1), 156);
    assert_int_equal(operations_find(&o, text("we"), text("bop77"), 1), OPERATION_NONE);
    assert_true(batch_str_is(o.list[156].name, "op77"));
    operations_fini(&o);
}

static void what_is_new_beyond_the_limit_is_the_rest(void **state)
{
    (void)state;
    struct operations o;
    operations_init(&o, 2);
    assert_int_equal(operations_learn(&o, text("a"), text(""), 0), 1);
    assert_int_equal(operations_learn(&o, text("b"), text(""), 0), 2);
    assert_int_equal(operations_learn(&o, text("c"), text(""), 0), OPERATION_REST);
    assert_int_equal(operations_learn(&o, text("c"), text(""), 0), OPERATION_REST);
    assert_int_equal(operations_learn(&o, text("b"), text(""), 0), 2);
    assert_int_equal(operations_find(&o, text("c"), text(""), 0), OPERATION_NONE);
    assert_int_equal(o.beyond, 2);
    operations_fini(&o);
}

static void long_names_do_not_make_it_unbounded(void **state)
{
    (void)state;
    struct operations o;
    operations_init(&o, 1000);
    static char name[100000];
    memset(name, 'n', sizeof name);
    for (uint32_t i = 0; i < 1000; i++) {
        memcpy(name, &i, sizeof i);
        operations_learn(&o, text("web"), (struct batch_str){name, sizeof name}, 0);
    }
    assert_true(o.arena.total_bytes < 1000000);
    assert_true(o.beyond > 0);
    operations_fini(&o);
}

static void pairs_are_numbered_and_bounded_alike(void **state)
{
    (void)state;
    struct pairs p;
    pairs_init(&p, 500);
    for (uint32_t i = 0; i < 500; i++)
        assert_int_equal(pairs_learn(&p, i % 20, i / 20), i + 1);
    assert_int_equal(pairs_learn(&p, PAIR_NONE, 7), PAIR_REST);
    assert_int_equal(pairs_learn(&p, 3, 4), 84);
    assert_int_equal(p.list[84].left, 3);
    assert_int_equal(p.list[84].right, 4);
    assert_int_equal(p.beyond, 1);
    pairs_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_given_in_order_and_found_again),
        cmocka_unit_test(what_is_new_beyond_the_limit_is_the_rest),
        cmocka_unit_test(long_names_do_not_make_it_unbounded),
        cmocka_unit_test(pairs_are_numbered_and_bounded_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
