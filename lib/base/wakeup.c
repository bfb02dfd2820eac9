// SPDX-License-Identifier: Apache-2.0
#include "lib/base/wakeup.h"

#include "lib/base/clock.h"
#include "lib/base/condition.h"

void wakeup_init(struct wakeup *w)
{
    *w = (struct wakeup){.count = 0};
    pthread_mutex_init(&w->lock, NULL);
    condition_init(&w->changed);
}

void wakeup_fini(struct wakeup *w)
{
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
}

static void change(struct wakeup *w, bool stopping)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = w->stopping || stopping;
    w->count++;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

void wakeup_all(struct wakeup *w)
{
    change(w, false);
}

void wakeup_stop(struct wakeup *w)
{
    change(w, true);
}

unsigned wakeup_seen(struct wakeup *w)
{
    pthread_mutex_lock(&w->lock);
    unsigned seen = w->count;
    pthread_mutex_unlock(&w->lock);
    return seen;
}

bool wakeup_is_stopping(struct wakeup *w)
{
    pthread_mutex_lock(&w->lock);
    bool stopping = w->stopping;
    pthread_mutex_unlock(&w->lock);
    return stopping;
}

bool wakeup_wait(struct wakeup *w, unsigned seen, unsigned timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    bool in_time = true;
    pthread_mutex_lock(&w->lock);
    while (w->count == seen && !w->stopping && in_time) {
        if (timeout_ms)
            in_time = condition_wait(&w->changed, &w->lock, until_ms);
        else
            pthread_cond_wait(&w->changed, &w->lock);
    }
    bool go_on = !w->stopping;
    pthread_mutex_unlock(&w->lock);
    return go_on;
}
