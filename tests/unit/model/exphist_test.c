// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "lib/model/exphist.h"

static uint64_t random_state = 88172645463325252u;

static uint64_t random_64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Log-uniform over about 2^-30 to 2^40. */
static double random_value(void)
{
    return exp2((double)(random_64() >> 11) * 0x1p-53 * 70 - 30);
}

/* By the definition, in 64 bits of mantissa. */
static int32_t reference_index(double value, int32_t scale)
{
    return (int32_t)ceill(ldexpl(log2l(value), scale)) - 1;
}

static void a_boundary_belongs_to_the_bucket_below_it(void **state)
{
    (void)state;
    for (int32_t exponent = -1000; exponent <= 1000; exponent += 125) {
        for (int32_t k = 0; k < 64; k++) {
            long double exact = exp2l((long double)k / 64);
            double below = (double)exact; /* to nearest */
            if ((long double)below > exact)
                below = nextafter(below, 0);
            double above = ldexp(nextafter(below, 4), exponent);
            below = ldexp(below, exponent);
            int32_t bucket = exponent * 64 + k;
            assert_int_equal(exphist_index(below, 6), bucket - 1);
            assert_int_equal(exphist_index(above, 6), bucket);
            assert_int_equal(exphist_index(below, 3), (bucket - 1) >> 3);
            assert_int_equal(exphist_index(above, -2), bucket >> 8);
        }
    }
}

static void every_power_of_two_down_to_the_least_subnormal_ends_a_bucket(void **state)
{
    (void)state;
    for (int32_t exponent = -1074; exponent <= 1023; exponent++) {
        double power = ldexp(1, exponent);
        assert_int_equal(exphist_index(power, 6), exponent * 64 - 1);
        if (exponent > -1022)
            assert_int_equal(exphist_index(nextafter(power, INFINITY), 6), exponent * 64);
    }
    assert_int_equal(exphist_index(DBL_MAX, 6), 1024 * 64 - 1);
}

static void any_value_has_the_index_of_the_definition_at_every_scale(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        double value = random_value();
        for (int32_t scale = EXPHIST_SCALE_LEAST; scale <= EXPHIST_SCALE; scale++)
            assert_int_equal(exphist_index(value, scale), reference_index(value, scale));
    }
}

static uint64_t counted(const struct exphist *h)
{
    uint64_t sum = h->zeros;
    for (uint32_t i = 0; i < h->positive.used; i++)
        sum += h->positive.counts[i];
    for (uint32_t i = 0; i < h->negative.used; i++)
        sum += h->negative.counts[i];
    return sum;
}

static void assert_same(const struct exphist *a, const struct exphist *b)
{
    assert_int_equal(a->scale, b->scale);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->zeros, b->zeros);
    assert_true(a->min == b->min && a->max == b->max);
    const struct exphist_range *left[2] = {&a->positive, &a->negative};
    const struct exphist_range *right[2] = {&b->positive, &b->negative};
    for (int sign = 0; sign < 2; sign++) {
        assert_int_equal(left[sign]->used, right[sign]->used);
        assert_int_equal(left[sign]->first, right[sign]->first);
        for (uint32_t i = 0; i < left[sign]->used; i++)
            assert_int_equal(left[sign]->counts[i], right[sign]->counts[i]);
    }
}

static void merged_is_as_if_all_had_been_added_to_one(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct exphist parts[3], whole;
        exphist_init(&whole, 300);
        for (int p = 0; p < 3; p++)
            exphist_init(&parts[p], 300);
        for (int i = 0; i < 300; i++) {
            double value = random_value();
            uint64_t kind = random_64() % 10;
            value = kind == 0 ? 0 : kind == 1 ? -value : value;
            assert_int_equal(exphist_add(&whole, value, 1 + kind), 0);
            assert_int_equal(exphist_add(&parts[random_64() % 3], value, 1 + kind), 0);
        }
        assert_int_equal(exphist_merge(&parts[0], &parts[1]), 0);
        assert_int_equal(exphist_merge(&parts[0], &parts[2]), 0);
        assert_same(&parts[0], &whole);
        for (int p = 0; p < 3; p++)
            exphist_fini(&parts[p]);
        exphist_fini(&whole);
    }
}

static void buckets_stay_within_the_limit_and_no_value_is_lost(void **state)
{
    (void)state;
    struct exphist h;
    exphist_init(&h, 40);
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(exphist_add(&h, random_value(), 1), 0);
        assert_true(h.positive.used <= 40);
    }
    assert_int_equal(counted(&h), 5000);
    assert_int_equal(h.count, 5000);
    assert_true(h.scale < EXPHIST_SCALE);
    assert_int_equal(exphist_add(&h, DBL_MAX, 1), 0);
    assert_int_equal(exphist_add(&h, 0x1p-1074, 1), 0);
    assert_true(h.positive.used <= 40);
    assert_int_equal(counted(&h), 5002);
    exphist_fini(&h);
}

static void downscaling_is_the_same_before_and_after_adding(void **state)
{
    (void)state;
    struct exphist before, after;
    exphist_init(&before, 0);
    exphist_init(&after, 0);
    exphist_downscale(&before, 2);
    for (int i = 0; i < 1000; i++) {
        double value = 1 + (double)(random_64() % 100000) / 7;
        assert_int_equal(exphist_add(&before, value, 1), 0);
        assert_int_equal(exphist_add(&after, value, 1), 0);
    }
    exphist_downscale(&after, 2);
    assert_same(&before, &after);
    exphist_fini(&before);
    exphist_fini(&after);
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void quantiles_are_within_a_bucket_of_the_true_ones(void **state)
{
    (void)state;
    enum { VALUES = 10001 };
    static double values[VALUES];
    struct exphist h;
    exphist_init(&h, 2000);
    for (int i = 0; i < VALUES; i++) {
        values[i] = exp2((double)(random_64() >> 11) * 0x1p-53 * 20);
        assert_int_equal(exphist_add(&h, values[i], 1), 0);
    }
    assert_int_equal(h.scale, EXPHIST_SCALE);
    qsort(values, VALUES, sizeof *values, by_value);
    for (int percent = 0; percent <= 100; percent++) {
        double truth = values[percent * 100];
        double told = exphist_quantile(&h, percent / 100.0);
        assert_true(fabs(told - truth) <= truth * 0.012);
        if (percent > 0 && percent < 100)
            assert_true(fabs(exphist_rank(&h, truth) - percent / 100.0) < 0.002);
    }
    exphist_fini(&h);
}

static void negative_values_and_zeros_stand_below_positive_ones(void **state)
{
    (void)state;
    struct exphist h;
    exphist_init(&h, 0);
    assert_true(isnan(exphist_quantile(&h, 0.5)));
    assert_true(isnan(exphist_rank(&h, 1)));
    assert_int_equal(exphist_add(&h, -8, 2), 0);
    assert_int_equal(exphist_add(&h, 0, 2), 0);
    assert_int_equal(exphist_add(&h, 100, 4), 0);
    assert_int_equal(exphist_add(&h, NAN, 1), 0);
    assert_int_equal(exphist_add(&h, INFINITY, 1), 0);
    assert_int_equal(h.not_finite, 2);
    assert_int_equal(h.count, 8);
    assert_true(h.sum == 384);
    assert_true(exphist_quantile(&h, 0) == -8);
    assert_true(exphist_quantile(&h, 0.1) <= -7.9);
    assert_true(exphist_quantile(&h, 0.4) == 0);
    assert_true(exphist_quantile(&h, 0.9) > 98);
    assert_true(exphist_quantile(&h, 1) == 100);
    assert_true(exphist_rank(&h, 0) == 0.25);
    assert_true(exphist_rank(&h, 1) == 0.5);
    assert_true(exphist_rank(&h, 101) == 1);
    assert_true(exphist_rank(&h, -9) == 0);
    exphist_fini(&h);
}

static void an_upper_bound_lies_in_its_own_bucket(void **state)
{
    (void)state;
    assert_true(exphist_upper_bound(-1, 6) == 1);
    assert_true(exphist_upper_bound(63, 6) == 2);
    assert_true(exphist_upper_bound(0, 0) == 2);
    assert_true(exphist_upper_bound(0, -2) == 16);
    assert_int_equal(exphist_index(exphist_upper_bound(127, 6), 6), 127);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_boundary_belongs_to_the_bucket_below_it),
        cmocka_unit_test(every_power_of_two_down_to_the_least_subnormal_ends_a_bucket),
        cmocka_unit_test(any_value_has_the_index_of_the_definition_at_every_scale),
        cmocka_unit_test(merged_is_as_if_all_had_been_added_to_one),
        cmocka_unit_test(buckets_stay_within_the_limit_and_no_value_is_lost),
        cmocka_unit_test(downscaling_is_the_same_before_and_after_adding),
        cmocka_unit_test(quantiles_are_within_a_bucket_of_the_true_ones),
        cmocka_unit_test(negative_values_and_zeros_stand_below_positive_ones),
        cmocka_unit_test(an_upper_bound_lies_in_its_own_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
