// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/condition.h"

struct shared {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool there;
};

static void *tell(void *context)
{
    struct shared *s = context;
    pthread_mutex_lock(&s->lock);
    s->there = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void a_wait_ends_when_its_moment_has_come(void **state)
{
    (void)state;
    struct shared s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    condition_init(&s.changed);
    int64_t until_ms = clock_monotonic_ms() + 20;
    pthread_mutex_lock(&s.lock);
    while (condition_wait(&s.changed, &s.lock, until_ms))
        ;
    assert_true(clock_monotonic_ms() >= until_ms);
    assert_false(condition_wait(&s.changed, &s.lock, 0));
    pthread_mutex_unlock(&s.lock);
    pthread_cond_destroy(&s.changed);
}

static void a_signal_ends_a_wait(void **state)
{
    (void)state;
    struct shared s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t teller;
    condition_init(&s.changed);
    int64_t until_ms = clock_monotonic_ms() + 60000;
    pthread_mutex_lock(&s.lock);
    assert_int_equal(pthread_create(&teller, NULL, tell, &s), 0);
    while (!s.there)
        assert_true(condition_wait(&s.changed, &s.lock, until_ms));
    pthread_mutex_unlock(&s.lock);
    pthread_join(teller, NULL);
    pthread_cond_destroy(&s.changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_ends_when_its_moment_has_come),
        cmocka_unit_test(a_signal_ends_a_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
