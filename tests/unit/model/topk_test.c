// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "lib/model/topk.h"

enum { KEYS = 20000, DRAWS = 200000, TOP = 100 };

static uint64_t seed;

static uint64_t random_next(void)
{
    uint64_t x = seed += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* By Zipf's law: the cumulative weights of ranks 1, 2, … with exponent `s`. */
static double cumulative[KEYS];

static void prepare_zipf(double s)
{
    double sum = 0;
    for (int i = 0; i < KEYS; i++)
        cumulative[i] = sum += pow(i + 1, -s);
}

static int draw(void)
{
    double at = (double)(random_next() >> 11) / 9007199254740992.0 * cumulative[KEYS - 1];
    int low = 0, high = KEYS - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (cumulative[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t exact[KEYS];

static uint64_t hash_of(int key, char text[16])
{
    int n = snprintf(text, 16, "key:%d", key);
    return topk_hash(text, (size_t)n);
}

static void add(struct topk *t, int key, uint64_t weight)
{
    char text[16];
    uint64_t hash = hash_of(key, text);
    struct topk_entry *e = topk_add(t, hash, text, strlen(text), weight);
    if (e)
        e->sums[0]++;
    exact[key] += weight;
}

/* What the header promises, for every key. */
static void assert_bounds(const struct topk *t)
{
    uint64_t total = 0;
    for (int key = 0; key < KEYS; key++) {
        char text[16];
        const struct topk_entry *e = topk_find(t, hash_of(key, text));
        uint64_t told = e ? e->weight : 0;
        assert_true(told <= exact[key]);
        assert_true(exact[key] <= told + topk_error(t));
        total += exact[key];
    }
    assert_int_equal(t->total, total);
    assert_true(topk_error(t) <= total / (t->most / 2));
}

static void weights_are_within_the_error_that_is_told(void **state)
{
    static const double exponents[] = {0, 0.6, 0.99, 1.3};
    (void)state;
    for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++)
        for (uint32_t capacity = 16; capacity <= 4096; capacity *= 4) {
            struct topk t;
            seed = capacity + i;
            memset(exact, 0, sizeof exact);
            prepare_zipf(exponents[i]);
            assert_int_equal(topk_init(&t, capacity), 0);
            for (int n = 0; n < DRAWS; n++)
                add(&t, draw(), 1 + random_next() % 100);
            assert_bounds(&t);
            assert_true(t.count <= t.most);
            topk_fini(&t);
        }
}

static void few_keys_are_counted_exactly(void **state)
{
    struct topk t;
    (void)state;
    seed = 7;
    memset(exact, 0, sizeof exact);
    assert_int_equal(topk_init(&t, 1000), 0);
    for (int n = 0; n < DRAWS; n++)
        add(&t, (int)(random_next() % 1000), random_next() % 5);
    assert_int_equal(topk_error(&t), 0);
    assert_bounds(&t);
    topk_fini(&t);
}

static int greater(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

static void the_heaviest_come_first(void **state)
{
    const struct topk_entry *list[TOP];
    struct topk t;
    (void)state;
    seed = 9;
    memset(exact, 0, sizeof exact);
    prepare_zipf(1.1);
    assert_int_equal(topk_init(&t, 2000), 0);
    for (int n = 0; n < DRAWS; n++)
        add(&t, draw(), 1);
    assert_int_equal(topk_list(&t, list, TOP), TOP);
    static uint64_t sorted[KEYS];
    memcpy(sorted, exact, sizeof sorted);
    qsort(sorted, KEYS, sizeof sorted[0], greater);
    for (int i = 0; i < TOP; i++) {
        assert_true(i == 0 || list[i - 1]->weight >= list[i]->weight);
        assert_true(list[i]->weight <= sorted[i]);
        assert_true(sorted[i] <= list[i]->weight + topk_error(&t));
    }
    topk_clear(&t);
    assert_int_equal(topk_list(&t, list, TOP), 0);
    topk_fini(&t);
}

static void a_cleared_table_knows_nothing_of_before(void **state)
{
    const struct topk_entry *list[TOP];
    struct topk t, other;
    (void)state;
    assert_int_equal(topk_init(&t, 64), 0);
    assert_int_equal(topk_init(&other, 64), 0);
    for (int round = 0; round < 3; round++) {
        topk_clear(&t);
        assert_int_equal(topk_list(&t, list, TOP), 0);
        for (int i = 0; i < 40 + round; i++) {
            char key[16];
            int length = snprintf(key, sizeof key, "%d:%d", round, i);
            topk_add(&t, topk_hash(key, (size_t)length), key, (size_t)length, (uint64_t)i + 1);
        }
        assert_int_equal(topk_find(&t, topk_hash("0:1", 3)) != NULL, round == 0);
        assert_int_equal(topk_list(&t, list, TOP), 40 + round < TOP ? 40 + round : TOP);
        assert_int_equal(list[0]->weight, 40 + round);
        topk_clear(&other);
        topk_merge(&other, &t);
        assert_int_equal(other.count, 40 + round);
    }
    topk_fini(&t);
    topk_fini(&other);
}

static void merged_tables_keep_the_bound(void **state)
{
    struct topk parts[4], all;
    (void)state;
    seed = 11;
    memset(exact, 0, sizeof exact);
    prepare_zipf(0.9);
    assert_int_equal(topk_init(&all, 500), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(topk_init(&parts[i], 200U << i), 0);
        for (int n = 0; n < DRAWS / 4; n++)
            add(&parts[i], draw(), 1);
        topk_merge(&all, &parts[i]);
        topk_fini(&parts[i]);
    }
    uint64_t total = 0;
    for (int key = 0; key < KEYS; key++) {
        char text[16];
        const struct topk_entry *e = topk_find(&all, hash_of(key, text));
        uint64_t told = e ? e->weight : 0;
        assert_true(told <= exact[key] && exact[key] <= told + topk_error(&all));
        total += exact[key];
    }
    assert_int_equal(all.total, total);
    topk_fini(&all);
}

static void long_keys_are_told_apart_and_cut(void **state)
{
    struct topk t;
    char key[300];
    (void)state;
    memset(key, 'x', sizeof key);
    assert_int_equal(topk_init(&t, 16), 0);
    for (int i = 0; i < 3; i++) {
        key[299] = (char)('0' + i);
        struct topk_entry *e = topk_add(&t, topk_hash(key, sizeof key), key, sizeof key, 1);
        assert_int_equal(e->length, TOPK_TEXT_MOST);
        assert_int_equal(e->full_length, sizeof key);
    }
    assert_int_equal(t.count, 3);
    assert_null(topk_add(&t, topk_hash("none", 4), "none", 4, 0));
    topk_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_within_the_error_that_is_told),
        cmocka_unit_test(few_keys_are_counted_exactly),
        cmocka_unit_test(the_heaviest_come_first),
        cmocka_unit_test(a_cleared_table_knows_nothing_of_before),
        cmocka_unit_test(merged_tables_keep_the_bound),
        cmocka_unit_test(long_keys_are_told_apart_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
