// SPDX-License-Identifier: Apache-2.0
#include "lib/base/condition.h"

#include <time.h>

void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_monotonic_ms)
{
    struct timespec until = {.tv_sec = until_monotonic_ms / 1000,
                             .tv_nsec = until_monotonic_ms % 1000 * 1000000};
    return pthread_cond_timedwait(condition, lock, &until) == 0;
}
