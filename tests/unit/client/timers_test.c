// SPDX-License-Identifier: Apache-2.0
/* What WEFT_TIME measures is what a reader takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "lib/base/clock.h"
#include "tests/unit/client/counting.h"

static double monotonic_us(void)
{
    return (double)clock_monotonic_ns() * 1e-3;
}

static int leave_by(int way)
{
    for (int round = 0; round < 2; round++) {
        WEFT_TIME("left_us", "way", "all")
        {
            if (way == 0)
                break;
            if (way == 1)
                continue;
            if (way == 2)
                return 1;
            if (way == 3)
                goto out;
        }
        WEFT_TIME("behind_total") {}
    }
out:
    return 0;
}

static void a_block_is_timed_however_it_is_left(void **state)
{
    (void)state;
    for (int way = 0; way < 5; way++)
        leave_by(way);
    /* Two rounds, but for return and goto: `break` leaves the block, not the loop around. */
    assert_int_equal(take("left_us{way=all}")->histogram.count, 8);
    assert_int_equal(take("behind_total")->histogram.count, 6);
}

void count_in_cxx(int times);

static void cxx_counts_and_a_block_that_throws_is_timed(void **state)
{
    (void)state;
    count_in_cxx(5);
    assert_int_equal(take("cxx_total{kind=template}")->count, 10);
    assert_int_equal(take("cxx_us")->histogram.count, 5);
    assert_int_equal(take("cxx_inner_us")->histogram.count, 5);
    assert_true(take("cxx_caught")->value == 5);
}

static void time_is_in_the_unit_of_the_name(void **state)
{
    (void)state;
    const char *const texts[] = {"bound_milliseconds", NULL};
    struct weft_histogram *bound = weft_bind_histogram(texts);
    double inner_us = 0, outer_us = monotonic_us();
    WEFT_TIME("unit_ns")
    WEFT_TIME("unit_us") WEFT_TIME("unit_ms") WEFT_TIME("unit_seconds") WEFT_TIME_AS(bound)
    {
        double begin_us = monotonic_us();
        while ((inner_us = monotonic_us() - begin_us) < 500)
            ;
    }
    outer_us = monotonic_us() - outer_us;
    const struct {
        const char *name;
        double per_us;
    } units[] = {{"unit_ns", 1e3},
                 {"unit_us", 1},
                 {"unit_ms", 1e-3},
                 {"unit_seconds", 1e-6},
                 {"bound_milliseconds", 1e-3}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double us = take(units[i].name)->histogram.sum / units[i].per_us;
        assert_true(us >= inner_us * 0.999 && us <= outer_us * 1.001);
    }
}

static void time_by_the_agents_calibration(void **state)
{
    (void)state;
    uint64_t open_ticks = slab_reader_file(reader)->open_ticks;
    slab_set_clock(reader, open_ticks, 1, (uint64_t)1000 << 32); /* a tick is a microsecond */
    WEFT_TIME("by_ticks_us") {}
    double ticks = take("by_ticks_us")->histogram.sum;
    slab_set_clock(reader, open_ticks, 1, 0);
    assert_true(ticks == floor(ticks) && ticks >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, forget)
        TEST(a_block_is_timed_however_it_is_left),
        TEST(cxx_counts_and_a_block_that_throws_is_timed),
        TEST(time_is_in_the_unit_of_the_name),
        TEST(time_by_the_agents_calibration),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
