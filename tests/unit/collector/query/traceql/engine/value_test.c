// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "collector/query/traceql/engine/predicate.h"

static struct traceql_value of_int(int64_t i)
{
    return (struct traceql_value){.type = TRACEQL_INT, .integer = i};
}
static struct traceql_value of_duration(int64_t ns)
{
    return (struct traceql_value){.type = TRACEQL_DURATION, .integer = ns};
}
static struct traceql_value of_float(double f)
{
    return (struct traceql_value){.type = TRACEQL_FLOAT, .number = f};
}
static struct traceql_value of_text(const char *s)
{
    return (struct traceql_value){.type = TRACEQL_STRING, .text = {s, (uint32_t)strlen(s)}};
}
static struct traceql_value of_bool(bool b)
{
    return (struct traceql_value){.type = TRACEQL_BOOL, .boolean = b};
}
static const struct traceql_value nil = {.type = TRACEQL_NIL};

static bool compares(enum traceql_op op, struct traceql_value a, struct traceql_value b)
{
    return value_compare(op, &a, &b);
}

static void numbers_compare_whatever_their_kind(void **state)
{
    (void)state;
    assert_true(compares(TRACEQL_EQ, of_int(5), of_float(5)));
    assert_true(compares(TRACEQL_GE, of_duration(5), of_int(5)));
    assert_true(compares(TRACEQL_LT, of_duration(5), of_float(5.5)));
    assert_true(compares(TRACEQL_NE, of_int(5), of_duration(6)));
    /* exactly, where a float would round */
    assert_true(compares(TRACEQL_LT, of_int(INT64_MAX - 1), of_duration(INT64_MAX)));
    assert_false(compares(TRACEQL_EQ, of_float(NAN), of_float(NAN)));
    assert_false(compares(TRACEQL_NE, of_float(NAN), of_int(1)));
}

static void values_of_different_kinds_do_not_compare(void **state)
{
    (void)state;
    static const enum traceql_op ops[] = {TRACEQL_EQ, TRACEQL_NE, TRACEQL_LT,
                                          TRACEQL_LE, TRACEQL_GT, TRACEQL_GE};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        assert_false(compares(ops[i], of_int(1), of_text("1")));
        assert_false(compares(ops[i], of_bool(true), of_int(1)));
        assert_false(compares(ops[i], nil, of_int(1)));
        assert_false(compares(ops[i], nil, nil));
    }
    assert_false(compares(TRACEQL_LE, of_bool(true), of_bool(true)));
    assert_true(compares(TRACEQL_LT, of_text("a"), of_text("aa")));
    assert_true(compares(TRACEQL_GT, of_text("b"), of_text("aa")));
}

static struct traceql_value calculated(enum traceql_op op, struct traceql_value a,
                                       struct traceql_value b)
{
    return value_calculate(op, &a, &b);
}

static void integers_stay_integers(void **state)
{
    (void)state;
    assert_int_equal(calculated(TRACEQL_DIV, of_int(7), of_int(2)).integer, 3);
    assert_int_equal(calculated(TRACEQL_DIV, of_int(-7), of_int(2)).integer, -3);
    assert_int_equal(calculated(TRACEQL_MOD, of_int(-7), of_int(2)).integer, -1);
    assert_int_equal(calculated(TRACEQL_POW, of_int(2), of_int(10)).integer, 1024);
    assert_int_equal(calculated(TRACEQL_POW, of_int(2), of_int(0)).integer, 1);
    assert_int_equal(calculated(TRACEQL_ADD, of_int(INT64_MAX), of_int(1)).integer, INT64_MIN);
    assert_int_equal(calculated(TRACEQL_DIV, of_int(INT64_MIN), of_int(-1)).integer, INT64_MIN);
    assert_int_equal(calculated(TRACEQL_MOD, of_int(INT64_MIN), of_int(-1)).integer, 0);
    struct traceql_value v = calculated(TRACEQL_POW, of_int(2), of_int(-1));
    assert_int_equal(v.type, TRACEQL_FLOAT);
    assert_true(v.number == 0.5);
}

static void all_else_becomes_a_float_or_nothing(void **state)
{
    (void)state;
    struct traceql_value v = calculated(TRACEQL_ADD, of_duration(5), of_duration(6));
    assert_int_equal(v.type, TRACEQL_FLOAT);
    assert_true(v.number == 11);
    assert_true(calculated(TRACEQL_MOD, of_float(7.5), of_int(2)).number == 1.5);
    assert_true(isinf(calculated(TRACEQL_DIV, of_float(1), of_int(0)).number));
    assert_int_equal(calculated(TRACEQL_DIV, of_int(1), of_int(0)).type, TRACEQL_NIL);
    assert_int_equal(calculated(TRACEQL_MOD, of_int(1), of_int(0)).type, TRACEQL_NIL);
    assert_int_equal(calculated(TRACEQL_ADD, of_int(1), nil).type, TRACEQL_NIL);
    assert_int_equal(calculated(TRACEQL_ADD, of_text("a"), of_text("b")).type, TRACEQL_NIL);
    struct traceql_value least = of_int(INT64_MIN);
    assert_int_equal(value_negative(&least).integer, INT64_MIN);
}

static void equal_values_are_one_in_tables(void **state)
{
    (void)state;
    struct traceql_value a = of_text("abc"), b = of_text("abcd"), zero = of_float(0.0),
                         minus = of_float(-0.0), one = of_int(1), nan = of_float(NAN);
    b.text.length = 3;
    assert_true(value_same(&a, &b));
    assert_int_equal(value_hash(&a), value_hash(&b));
    assert_true(value_same(&zero, &minus));
    assert_int_equal(value_hash(&zero), value_hash(&minus));
    assert_true(value_same(&nan, &nan) && value_same(&nil, &nil));
    struct traceql_value real = of_float(1);
    assert_false(value_same(&one, &real));
}

/* What a predicate has made ready says the same as the comparison itself. */
static void predicates_say_what_comparisons_say(void **state)
{
    (void)state;
    static const int64_t numbers[] = {INT64_MIN, INT64_MIN + 1, -1,       0, 1, 4, 5,
                                      6,         INT64_MAX - 1, INT64_MAX};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    for (unsigned op = TRACEQL_EQ; op <= TRACEQL_GE; op++) {
        for (unsigned i = 0; i < COUNT * 2 + 1; i++) {
            struct traceql_value constant = i < COUNT       ? of_int(numbers[i])
                                            : i < COUNT * 2 ? of_duration(numbers[i - COUNT])
                                                            : of_float(4.5);
            struct predicate p;
            assert_int_equal(predicate_init(&p, (enum traceql_op)op, &constant), 0);
            for (unsigned j = 0; j < COUNT; j++) {
                struct traceql_value v = of_duration(numbers[j]);
                bool expected = value_compare((enum traceql_op)op, &v, &constant);
                assert_int_equal(predicate_passes_int(&p, numbers[j]), expected);
                assert_int_equal(predicate_passes(&p, &v), expected);
            }
            predicate_fini(&p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_compare_whatever_their_kind),
        cmocka_unit_test(values_of_different_kinds_do_not_compare),
        cmocka_unit_test(integers_stay_integers),
        cmocka_unit_test(all_else_becomes_a_float_or_nothing),
        cmocka_unit_test(equal_values_are_one_in_tables),
        cmocka_unit_test(predicates_say_what_comparisons_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
