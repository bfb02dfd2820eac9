// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/freshness.h"

#include "tests/unit/collector/spans.h"

static struct freshness freshness;

static int setup(void **state)
{
    (void)state;
    freshness_init(&freshness);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    freshness_fini(&freshness);
    return 0;
}

static void add_flagged(uint64_t now, uint64_t lag_ms, enum span_status status, uint8_t flags)
{
    uint64_t start = now - lag_ms * MS - 5, duration = 5;
    uint8_t status_column = (uint8_t)status;
    struct batch b = {.span_count = 1,
                      .start_unix_ns = &start,
                      .duration_ns = &duration,
                      .status = &status_column,
                      .flags = &flags};
    freshness_add(&freshness, &b, now);
}

/* Spans that ended `lag_ms` before `now`, one for each status given. */
static void add(uint64_t now, uint64_t lag_ms, enum span_status status)
{
    add_flagged(now, lag_ms, status, 0);
}

static void assert_near(uint64_t value_ns, uint64_t expected_ms)
{
    double ratio = (double)value_ns / ((double)expected_ms * 1e6);
    if (ratio < 0.93 || ratio > 1.07)
        fail_msg("%llu ns is not %llu ms", (unsigned long long)value_ns,
                 (unsigned long long)expected_ms);
}

static void quantiles_are_within_six_percent(void **state)
{
    (void)state;
    struct freshness_summary s;
    for (uint64_t i = 1; i <= 1000; i++)
        add(EPOCH, i, SPAN_OK);
    freshness_read(&freshness, EPOCH, &s);
    assert_int_equal(s.count, 1000);
    assert_near(s.p50_ns, 500);
    assert_near(s.p99_ns, 990);
    assert_int_equal(s.total, 1000);
    assert_true(s.total_sum_s > 500.4 && s.total_sum_s < 500.6);
}

static void only_the_last_minute_counts_in_quantiles(void **state)
{
    (void)state;
    struct freshness_summary s;
    add(EPOCH, 900, SPAN_OK);
    add(EPOCH + 30000 * MS, 100, SPAN_OK);
    freshness_read(&freshness, EPOCH + 59000 * MS, &s);
    assert_int_equal(s.count, 2);
    freshness_read(&freshness, EPOCH + 61000 * MS, &s);
    assert_int_equal(s.count, 1);
    assert_near(s.p99_ns, 100);
    freshness_read(&freshness, EPOCH + 600000 * MS, &s);
    assert_int_equal(s.count, 0);
    assert_int_equal(s.total, 2);
}

static void the_dead_have_no_end_and_the_future_is_now(void **state)
{
    (void)state;
    struct freshness_summary s;
    uint64_t start = EPOCH + 1000 * MS, duration = 5, late_start = 0, forever = 1;
    uint8_t ok = SPAN_OK, flags = 0;
    add(EPOCH, 100, SPAN_DIED);
    freshness_add(&freshness,
                  &(struct batch){.span_count = 1,
                                  .start_unix_ns = &start,
                                  .duration_ns = &duration,
                                  .status = &ok,
                                  .flags = &flags},
                  EPOCH);
    freshness_add(&freshness,
                  &(struct batch){.span_count = 1,
                                  .start_unix_ns = &late_start,
                                  .duration_ns = &forever,
                                  .status = &ok,
                                  .flags = &flags},
                  EPOCH);
    freshness_read(&freshness, EPOCH, &s);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.octaves[0], 1);
    assert_int_equal(s.octaves[FRESHNESS_OCTAVES - 1], 1);
}

/* They are made when they are asked for. */
static void observed_spans_say_nothing_of_freshness(void **state)
{
    (void)state;
    struct freshness_summary s;
    add_flagged(EPOCH, 30000, SPAN_OK, SPAN_FLAG_OBSERVED);
    add(EPOCH, 10, SPAN_OK);
    freshness_read(&freshness, EPOCH, &s);
    assert_int_equal(s.count, 1);
    assert_near(s.p99_ns, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(quantiles_are_within_six_percent),
        TEST(only_the_last_minute_counts_in_quantiles),
        TEST(the_dead_have_no_end_and_the_future_is_now),
        TEST(observed_spans_say_nothing_of_freshness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
