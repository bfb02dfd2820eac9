// SPDX-License-Identifier: Apache-2.0
#include "collector/query/budget.h"

#include <errno.h>
#include <time.h>

void budget_init(struct budget *b, uint64_t total)
{
    pthread_condattr_t attributes;
    *b = (struct budget){.total = total};
    pthread_mutex_init(&b->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&b->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void budget_fini(struct budget *b)
{
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
}

static struct timespec after(unsigned timeout_ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}

uint64_t budget_take(struct budget *b, uint64_t amount, unsigned timeout_ms)
{
    struct timespec until = after(timeout_ms);
    int waited = 0;
    if (amount > b->total)
        amount = b->total;
    pthread_mutex_lock(&b->lock);
    while (b->taken + amount > b->total && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&b->changed, &b->lock, &until);
    if (b->taken + amount > b->total)
        amount = 0;
    b->taken += amount;
    pthread_mutex_unlock(&b->lock);
    return amount;
}

void budget_give(struct budget *b, uint64_t amount)
{
    pthread_mutex_lock(&b->lock);
    b->taken -= amount;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}
