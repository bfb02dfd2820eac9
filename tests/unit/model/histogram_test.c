// SPDX-License-Identifier: Apache-2.0
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/model/histogram.h"

static struct arena arena;

static int make_arena(void **state)
{
    (void)state;
    arena_init(&arena, 4096);
    return 0;
}

static int end_arena(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

/* Buckets from `first` on, up to one below 0. */
static struct histogram_buckets buckets(int32_t first, const double *values)
{
    struct histogram_buckets b = {0};
    while (values[b.count] >= 0)
        b.count++;
    b.index = arena_alloc(&arena, (b.count + 1) * sizeof *b.index);
    b.value = arena_alloc(&arena, (b.count + 1) * sizeof *b.value);
    for (uint32_t i = 0; i < b.count; i++) {
        b.index[i] = first + (int32_t)i;
        b.value[i] = values[i];
    }
    return b;
}

#define VALUES(...) ((const double[]){__VA_ARGS__, -1})
#define NONE        ((const double[]){-1})

static struct histogram *exponential(int8_t schema, double sum, double zero, int32_t first,
                                     const double *positive, const double *negative)
{
    struct histogram h = {.schema = schema, .sum = sum, .zero_count = zero, .count = zero};
    h.zero_threshold = zero > 0 ? 0.001 : 0;
    h.positive = buckets(first, positive);
    h.negative = buckets(first, negative);
    for (uint32_t i = 0; i < h.positive.count; i++)
        h.count += h.positive.value[i];
    for (uint32_t i = 0; i < h.negative.count; i++)
        h.count += h.negative.value[i];
    return histogram_copy(&arena, &h);
}

static struct histogram *custom(double sum, const double *bounds, uint32_t count,
                                const double *values)
{
    struct histogram h = {.schema = HISTOGRAM_CUSTOM, .sum = sum};
    h.custom = bounds, h.custom_count = count;
    h.positive = buckets(0, values);
    for (uint32_t i = 0; i < h.positive.count; i++)
        h.count += h.positive.value[i];
    return histogram_copy(&arena, &h);
}

static void prints_as(const struct histogram *h, const char *text)
{
    struct buffer out = {0};
    histogram_print(&out, h);
    buffer_byte(&out, 0);
    assert_string_equal(out.data, text);
    buffer_fini(&out);
}

static int add(struct histogram *to, const struct histogram *other, double sign,
               struct histogram_notes *notes)
{
    *notes = (struct histogram_notes){0};
    return histogram_add(&arena, to, NULL, other, sign, notes);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void a_histogram_is_printed_with_its_bounds(void **state)
{
    (void)state;
    prints_as(exponential(0, 5, 1, 1, VALUES(2, 0, 3), VALUES(4)),
              "{count:10, sum:5, [-2,-1):4, [-0.001,0.001]:1, (1,2]:2, (4,8]:3}");
    prints_as(custom(7, (const double[]){1, 5}, 2, VALUES(1, 2, 3)),
              "{count:6, sum:7, [-Inf,1]:1, (1,5]:2, (5,+Inf]:3}");
}

static void bounds_are_powers_of_the_schema_s_base(void **state)
{
    (void)state;
    assert_true(histogram_upper_bound(0, 0) == 1);
    assert_true(histogram_upper_bound(3, 0) == 8);
    assert_true(histogram_upper_bound(-2, 0) == 0.25);
    assert_true(histogram_upper_bound(2, 1) == 2);
    assert_true(histogram_upper_bound(1, -2) == 16);
    assert_true(fabs(histogram_upper_bound(1, 3) - pow(2, 0.125)) < 1e-15);
    assert_true(histogram_upper_bound(1024, 0) == DBL_MAX);
}

static void empty_buckets_are_as_absent_ones(void **state)
{
    (void)state;
    struct histogram *a = exponential(0, 5, 0, 1, VALUES(2, 0, 3, 0), NONE);
    struct histogram *b = exponential(0, 5, 0, 0, VALUES(0, 2, 0, 3), NONE);
    assert_true(histogram_equal(a, b));
    histogram_compact(a);
    assert_int_equal(a->positive.count, 2);
    assert_true(histogram_equal(a, b));
    b->positive.value[3] = 4;
    assert_false(histogram_equal(a, b));
}

static void a_copy_shares_nothing(void **state)
{
    (void)state;
    struct histogram *a = exponential(0, 5, 1, 1, VALUES(2, 3), VALUES(4));
    struct histogram *b = histogram_copy(&arena, a);
    histogram_multiply(b, 2);
    assert_true(a->count == 10 && b->count == 20 && b->sum == 10 && b->zero_count == 2);
    assert_true(a->positive.value[0] == 2 && b->positive.value[0] == 4);
    assert_true(b->negative.value[0] == 8);
    histogram_divide(b, 2);
    assert_true(histogram_equal(a, b));
}

static void schemas_meet_at_the_lower_one(void **state)
{
    (void)state;
    struct histogram_notes notes;
    struct histogram *fine = exponential(1, 3, 0, 1, VALUES(1, 2, 3, 4), NONE);
    struct histogram *coarse = exponential(0, 4, 0, 1, VALUES(10, 20), NONE);
    assert_int_equal(add(fine, coarse, 1, &notes), HISTOGRAM_SOUND);
    prints_as(fine, "{count:40, sum:7, (1,2]:13, (2,4]:27}");
    assert_int_equal(add(fine, coarse, -1, &notes), HISTOGRAM_SOUND);
    prints_as(fine, "{count:10, sum:3, (1,2]:3, (2,4]:7}");
}

static void the_wider_zero_bucket_takes_in_what_lies_within(void **state)
{
    (void)state;
    struct histogram_notes notes;
    struct histogram *a = exponential(0, 1, 0, -1, VALUES(1, 2, 3), NONE);
    struct histogram *wide = exponential(0, 0, 5, 1, NONE, NONE);
    wide->zero_threshold = 0.6; /* within the bucket (0.5, 1], which it swallows */
    assert_int_equal(add(a, wide, 1, &notes), HISTOGRAM_SOUND);
    assert_true(a->zero_threshold == 1 && a->zero_count == 8);
    prints_as(a, "{count:11, sum:1, [-1,1]:8, (1,2]:3}");
}

static void custom_bounds_meet_at_those_that_both_have(void **state)
{
    (void)state;
    struct histogram_notes notes;
    struct histogram *a = custom(1, (const double[]){1, 2, 5}, 3, VALUES(1, 2, 3, 4));
    struct histogram *b = custom(2, (const double[]){1, 3, 5}, 3, VALUES(10, 20, 30, 40));
    assert_int_equal(add(a, b, 1, &notes), HISTOGRAM_SOUND);
    assert_true(notes.reconciled);
    prints_as(a, "{count:110, sum:3, [-Inf,1]:11, (1,5]:55, (5,+Inf]:44}");
    struct histogram *same = histogram_copy(&arena, a);
    assert_int_equal(add(a, same, 1, &notes), HISTOGRAM_SOUND);
    assert_false(notes.reconciled);
    struct histogram *other = exponential(0, 1, 0, 1, VALUES(1), NONE);
    assert_int_equal(add(a, other, 1, &notes), HISTOGRAM_EMIXED);
}

static void what_is_known_of_resets_may_collide(void **state)
{
    (void)state;
    struct histogram_notes notes;
    struct histogram *a = exponential(0, 1, 0, 1, VALUES(1), NONE);
    struct histogram *b = exponential(0, 1, 0, 1, VALUES(1), NONE);
    a->reset = HISTOGRAM_RESET, b->reset = HISTOGRAM_NO_RESET;
    assert_int_equal(add(a, b, 1, &notes), HISTOGRAM_SOUND);
    assert_true(notes.reset_collision);
    assert_int_equal(a->reset, HISTOGRAM_RESET_UNKNOWN);
    a->reset = HISTOGRAM_GAUGE, b->reset = HISTOGRAM_GAUGE;
    assert_int_equal(add(a, b, 1, &notes), HISTOGRAM_SOUND);
    assert_false(notes.reset_collision);
    assert_int_equal(a->reset, HISTOGRAM_GAUGE);
}

static void a_lower_count_anywhere_is_a_reset(void **state)
{
    (void)state;
    struct histogram *a = exponential(0, 5, 1, 1, VALUES(2, 3), VALUES(4));
    struct histogram *b = histogram_copy(&arena, a);
    assert_false(histogram_was_reset(b, a));
    b->count += 10;
    b->positive.value[1] = 2;
    assert_true(histogram_was_reset(b, a));
    b->positive.value[1] = 13;
    assert_false(histogram_was_reset(b, a));
    b->zero_count = 0;
    assert_true(histogram_was_reset(b, a));
    b = histogram_copy(&arena, a);
    assert_int_equal(histogram_downscale(&arena, b, -1), 0);
    assert_false(histogram_was_reset(b, a)); /* the same values, counted more coarsely */
    assert_true(histogram_was_reset(a, b));
}

static void compensation_gives_back_what_rounding_loses(void **state)
{
    (void)state;
    struct histogram_notes notes = {0};
    struct histogram *sum = exponential(0, 1e17, 0, 1, VALUES(1), NONE);
    struct histogram *c = histogram_compensation(&arena, sum);
    struct histogram *one = exponential(0, 1, 0, 1, VALUES(1), NONE);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(histogram_add(&arena, sum, c, one, 1, &notes), HISTOGRAM_SOUND);
    assert_true(sum->sum + c->sum == 1e17 + 1000);
    assert_true(sum->count == 1001);
}

static void quantiles_and_fractions(void **state)
{
    (void)state;
    struct histogram_bucket scratch[64];
    struct histogram *h = exponential(0, 100, 0, 1, VALUES(10, 10), NONE); /* (1,2] (2,4] */
    assert_true(fabs(histogram_quantile(h, 0.5, scratch) - 2) < 1e-12);
    assert_true(fabs(histogram_quantile(h, 0.25, scratch) - sqrt(2)) < 1e-12);
    assert_true(histogram_quantile(h, 1, scratch) == 4);
    assert_true(isinf(histogram_quantile(h, 2, scratch)));
    assert_true(isnan(histogram_quantile(exponential(0, 0, 0, 1, NONE, NONE), 0.5, scratch)));
    assert_true(fabs(histogram_fraction(h, 2, INFINITY, scratch) - 0.5) < 1e-12);
    assert_true(fabs(histogram_fraction(h, sqrt(2), 2, scratch) - 0.25) < 1e-12);
    struct histogram *c = custom(0, (const double[]){10, 20}, 2, VALUES(0, 10));
    assert_true(fabs(histogram_quantile(c, 0.5, scratch) - 15) < 1e-12); /* linear */
}

/* Values are taken to lie at the geometric middle of their buckets. */
static void variance_is_around_the_sum_s_mean(void **state)
{
    (void)state;
    struct histogram_bucket scratch[64];
    struct histogram *h = exponential(0, 60, 0, 1, VALUES(10, 10), NONE); /* (1,2] (2,4], mean 3 */
    double low = sqrt(2) - 3, high = sqrt(8) - 3;
    assert_true(fabs(histogram_variance(h, scratch) - (low * low + high * high) / 2) < 1e-12);
    h->sum = NAN;
    assert_true(isnan(histogram_variance(h, scratch)));
}

static void trimming_leaves_what_is_on_one_side(void **state)
{
    (void)state;
    struct histogram *h = exponential(0, 100, 0, 1, VALUES(10, 20, 30), NONE);
    histogram_trim(h, 4, true);
    assert_true(h->count == 30);
    histogram_trim(h, 2, false);
    assert_true(h->count == 20);
    histogram_compact(h);
    assert_int_equal(h->positive.count, 1);
    assert_int_equal(h->positive.index[0], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_histogram_is_printed_with_its_bounds),
        cmocka_unit_test(bounds_are_powers_of_the_schema_s_base),
        cmocka_unit_test(empty_buckets_are_as_absent_ones),
        cmocka_unit_test(a_copy_shares_nothing),
        cmocka_unit_test(schemas_meet_at_the_lower_one),
        cmocka_unit_test(the_wider_zero_bucket_takes_in_what_lies_within),
        cmocka_unit_test(custom_bounds_meet_at_those_that_both_have),
        cmocka_unit_test(what_is_known_of_resets_may_collide),
        cmocka_unit_test(a_lower_count_anywhere_is_a_reset),
        cmocka_unit_test(compensation_gives_back_what_rounding_loses),
        cmocka_unit_test(quantiles_and_fractions),
        cmocka_unit_test(variance_is_around_the_sum_s_mean),
        cmocka_unit_test(trimming_leaves_what_is_on_one_side),
    };
    return cmocka_run_group_tests(tests, make_arena, end_arena);
}
