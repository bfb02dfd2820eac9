// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "collector/store/pace.h"
#include "lib/base/clock.h"

static void work_takes_as_long_as_its_bytes_should(void **state)
{
    (void)state;
    struct wakeup w;
    wakeup_init(&w);
    int64_t began_ms = clock_monotonic_ms();
    struct pace p = pace_begin(&w, 1000000);
    assert_int_equal(pace_keep(&p, 0), 0);
    assert_int_equal(pace_keep(&p, 60000), 0);
    assert_true(clock_monotonic_ms() >= began_ms + 60);
    wakeup_fini(&w);
}

static void without_a_limit_nothing_waits_and_with_an_end_neither(void **state)
{
    (void)state;
    struct wakeup w;
    wakeup_init(&w);
    struct pace p = pace_begin(&w, 0), slow = pace_begin(&w, 1);
    assert_int_equal(pace_keep(&p, UINT64_MAX), 0);
    wakeup_stop(&w);
    assert_int_equal(pace_keep(&slow, UINT64_C(1) << 40), -ECANCELED);
    wakeup_fini(&w);
}

static void *stop_it(void *w)
{
    wakeup_stop(w);
    return NULL;
}

static void a_wait_ends_when_it_is_to_stop(void **state)
{
    (void)state;
    struct wakeup w;
    pthread_t thread;
    wakeup_init(&w);
    struct pace p = pace_begin(&w, 1);
    assert_int_equal(pthread_create(&thread, NULL, stop_it, &w), 0);
    assert_int_equal(pace_keep(&p, UINT64_C(1) << 40), -ECANCELED);
    pthread_join(thread, NULL);
    wakeup_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_takes_as_long_as_its_bytes_should),
        cmocka_unit_test(without_a_limit_nothing_waits_and_with_an_end_neither),
        cmocka_unit_test(a_wait_ends_when_it_is_to_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
