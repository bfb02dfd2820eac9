// SPDX-License-Identifier: Apache-2.0
#include "lib/base/wakeup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>

static void a_change_before_the_wait_is_not_missed(void **state)
{
    (void)state;
    struct wakeup w;
    wakeup_init(&w);
    unsigned seen = wakeup_seen(&w);
    wakeup_all(&w);
    assert_true(wakeup_wait(&w, seen, 0)); /* would stand for ever */
    assert_true(wakeup_wait(&w, wakeup_seen(&w), 1));
    wakeup_fini(&w);
}

static void who_is_stopped_does_not_wait(void **state)
{
    (void)state;
    struct wakeup w;
    wakeup_init(&w);
    assert_false(wakeup_is_stopping(&w));
    wakeup_stop(&w);
    assert_true(wakeup_is_stopping(&w));
    assert_false(wakeup_wait(&w, wakeup_seen(&w), 0));
    wakeup_fini(&w);
}

/* Two threads hand a number to and fro, each waiting for the other. */
struct game {
    struct wakeup w;
    atomic_int ball;
};
enum { THROWS = 20000 };

static void *play(void *context)
{
    struct game *g = context;
    for (int i = 1; i < THROWS; i += 2) {
        for (;;) {
            unsigned seen = wakeup_seen(&g->w);
            if (atomic_load(&g->ball) == i)
                break;
            wakeup_wait(&g->w, seen, 0);
        }
        atomic_store(&g->ball, i + 1);
        wakeup_all(&g->w);
    }
    return NULL;
}

static void threads_never_miss_each_other(void **state)
{
    (void)state;
    struct game g = {.ball = 0};
    pthread_t other;
    wakeup_init(&g.w);
    assert_int_equal(pthread_create(&other, NULL, play, &g), 0);
    for (int i = 0; i < THROWS; i += 2) {
        for (;;) {
            unsigned seen = wakeup_seen(&g.w);
            if (atomic_load(&g.ball) == i)
                break;
            wakeup_wait(&g.w, seen, 0);
        }
        atomic_store(&g.ball, i + 1);
        wakeup_all(&g.w);
    }
    pthread_join(other, NULL);
    assert_int_equal(atomic_load(&g.ball), THROWS);
    wakeup_fini(&g.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_before_the_wait_is_not_missed),
        cmocka_unit_test(who_is_stopped_does_not_wait),
        cmocka_unit_test(threads_never_miss_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
