// SPDX-License-Identifier: Apache-2.0
#include "collector/query/budget.h"

#include "lib/base/clock.h"
#include "lib/base/condition.h"

void budget_init(struct budget *b, uint64_t total)
{
    *b = (struct budget){.total = total};
    pthread_mutex_init(&b->lock, NULL);
    condition_init(&b->changed);
}

void budget_fini(struct budget *b)
{
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
}

uint64_t budget_take(struct budget *b, uint64_t amount, unsigned timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    bool in_time = true;
    if (amount > b->total)
        amount = b->total;
    pthread_mutex_lock(&b->lock);
    while (b->taken + amount > b->total && in_time)
        in_time = condition_wait(&b->changed, &b->lock, until_ms);
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
