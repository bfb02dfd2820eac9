// SPDX-License-Identifier: Apache-2.0
/* Conditions whose waits end at a moment of the clock that is never set back (clock.h).
 *
 *     int64_t until_ms = clock_monotonic_ms() + 500;
 *     while (!there_is_work() && condition_wait(&changed, &lock, until_ms))
 *         ;
 */
#ifndef WEFT_BASE_CONDITION_H
#define WEFT_BASE_CONDITION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* In place of pthread_cond_init. pthread_cond_destroy ends it. */
void condition_init(pthread_cond_t *condition);

/* Holding the lock: until it is signalled (or for nothing, as pthread_cond_wait may come back).
 * False: the moment has come. */
bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_monotonic_ms);

#endif
