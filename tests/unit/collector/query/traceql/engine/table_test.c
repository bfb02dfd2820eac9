// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "collector/query/traceql/engine/table.h"

static struct traceql_value text(const char *s)
{
    return (struct traceql_value){.type = TRACEQL_STRING, .text = {s, (uint32_t)strlen(s)}};
}

static void a_bucket_holds_its_values(void **state)
{
    (void)state;
    static const double values[] = {1e-300, 1e-9, 0.3, 0.5, 1, 1.0000001, 2, 3, 1e6, 1e300};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        for (int sign = 1; sign >= -1; sign -= 2) {
            double value = sign * values[i];
            int32_t bucket = bucket_of(value);
            double a = bucket_value(bucket, 0), b = bucket_value(bucket, 1);
            assert_true(a < b);
            assert_true(value >= a * (a > 0 ? 1 - 1e-12 : 1 + 1e-12) &&
                        value <= b * (b > 0 ? 1 + 1e-12 : 1 - 1e-12));
            assert_true(fabs(b / a) < 1.011 + (sign < 0));
        }
    }
    assert_int_equal(bucket_of(0), 0);
    assert_true(bucket_value(0, 0.7) == 0);
    assert_true(bucket_of(-5) < bucket_of(-1) && bucket_of(-1) < 0 && 0 < bucket_of(1e-300));
}

static void series_are_found_again_and_copied(void **state)
{
    (void)state;
    struct table t;
    table_init(&t, TRACEQL_COUNT_OVER_TIME, 2, 3, 0);
    char name[32];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++) {
            snprintf(name, sizeof name, "key %d", i);
            struct traceql_value key[2] = {text(name), {.type = TRACEQL_NIL}};
            assert_int_equal(table_find(&t, key), i);
            table_add(&t, (uint32_t)i, 1, 0);
        }
    }
    memset(name, 'x', sizeof name);
    assert_memory_equal(t.series[7].key[0].text.bytes, "key 7", 5);
    assert_true(t.series[7].sum[1] == 2 && t.series[7].sum[0] == 0);
    table_fini(&t);
}

static void tables_merge(void **state)
{
    (void)state;
    static const enum traceql_function functions[] = {
        TRACEQL_RATE,          TRACEQL_MIN_OVER_TIME, TRACEQL_MAX_OVER_TIME,
        TRACEQL_SUM_OVER_TIME, TRACEQL_AVG_OVER_TIME,
    };
    static const double merged[] = {3, 2, 9, 15, 15};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        struct table a, b;
        struct traceql_value one = text("one"), two = text("two");
        table_init(&a, functions[i], 1, 1, 0);
        table_init(&b, functions[i], 1, 1, 0);
        table_add(&a, table_find(&a, &one), 0, 4);
        uint32_t other = table_find(&b, &two), same = table_find(&b, &one);
        table_add(&b, other, 0, 100);
        table_add(&b, same, 0, 2);
        table_add(&b, same, 0, 9);
        table_merge(&a, &b);
        assert_int_equal(a.count, 2);
        assert_true(a.series[0].sum[0] == merged[i]);
        table_fini(&a);
        table_fini(&b);
    }
}

static void buckets_merge_and_sort(void **state)
{
    (void)state;
    struct table a, b;
    struct traceql_value one = text("one"), two = text("two");
    table_init(&a, TRACEQL_QUANTILE_OVER_TIME, 1, 4, 0);
    table_init(&b, TRACEQL_QUANTILE_OVER_TIME, 1, 4, 0);
    table_add(&a, table_find(&a, &one), 2, 8);
    table_find(&b, &two);
    table_add(&b, table_find(&b, &one), 2, 8);
    table_add(&b, table_find(&b, &one), 2, -8);
    table_add(&b, table_find(&b, &two), 0, 1);
    table_add(&b, table_find(&b, &two), 0, NAN);
    for (int i = 0; i < 1000; i++)
        table_add(&b, 1, 1, 1 + i);
    table_merge(&a, &b);
    table_sort_buckets(&a);
    assert_int_equal(a.buckets[a.bucket_count - 1].series, 1); /* "two" */
    for (uint32_t i = 1; i < a.bucket_count; i++) {
        const struct table_bucket *x = &a.buckets[i - 1], *y = &a.buckets[i];
        assert_true(x->series < y->series || x->step < y->step || x->bucket < y->bucket);
        if (y->series == 0 && y->step == 2 && y->bucket > 0)
            assert_int_equal(y->count, 2);
    }
    table_fini(&a);
    table_fini(&b);
}

static void memory_beyond_the_limit_is_not_taken(void **state)
{
    (void)state;
    struct table t;
    struct traceql_value key = {.type = TRACEQL_INT};
    table_init(&t, TRACEQL_RATE, 1, 1000, 0);
    t.limit_bytes = 1 << 20;
    while (table_find(&t, &key) != TABLE_NONE)
        key.integer++;
    assert_true(t.failed && t.over_limit);
    assert_in_range(key.integer, 50, 131);
    table_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_holds_its_values),
        cmocka_unit_test(series_are_found_again_and_copied),
        cmocka_unit_test(tables_merge),
        cmocka_unit_test(buckets_merge_and_sort),
        cmocka_unit_test(memory_beyond_the_limit_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
