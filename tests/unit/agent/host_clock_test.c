// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/host_clock.h"

static void known_rate_turns_ticks_into_time_on_both_sides_of_the_base(void **state)
{
    (void)state;
    const struct host_clock c = {.clock = SLAB_CLOCK_TSC,
                                 .base_ticks = 1000000,
                                 .base_unix_ns = 1700000000000000000u,
                                 .ns_per_tick_q32 = (uint64_t)1 << 31}; /* half a nanosecond */
    assert_true(host_clock_unix_ns(&c, 1000000) == 1700000000000000000u);
    assert_true(host_clock_unix_ns(&c, 1000200) == 1700000000000000100u);
    assert_true(host_clock_unix_ns(&c, 999800) == 1699999999999999900u);
    assert_true(host_clock_duration_ns(&c, 3) == 1);
    /* a century of ticks does not overflow */
    assert_true(host_clock_duration_ns(&c, (uint64_t)1 << 62) == (uint64_t)1 << 61);
}

static void measured_clock_agrees_with_the_system(void **state)
{
    (void)state;
    const enum slab_clock clocks[] = {ticks_clock(), SLAB_CLOCK_MONOTONIC};
    for (int i = 0; i < 2; i++) {
        struct host_clock c;
        host_clock_init(&c, clocks[i]);
        host_clock_renew(&c);
        uint64_t before = host_clock_now_unix_ns();
        uint64_t told = host_clock_unix_ns(&c, ticks_now(clocks[i]));
        uint64_t after = host_clock_now_unix_ns();
        assert_true(told + 1000000 > before && told < after + 1000000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_rate_turns_ticks_into_time_on_both_sides_of_the_base),
        cmocka_unit_test(measured_clock_agrees_with_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
