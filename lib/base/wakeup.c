// SPDX-License-Identifier: Apache-2.0
#include "lib/base/wakeup.h"

#include <errno.h>
#include <time.h>

void wakeup_init(struct wakeup *w)
{
    pthread_condattr_t attributes;
    *w = (struct wakeup){.count = 0};
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &attributes);
    pthread_condattr_destroy(&attributes);
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

static struct timespec in_ms(unsigned ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}

bool wakeup_wait(struct wakeup *w, unsigned seen, unsigned timeout_ms)
{
    struct timespec until = in_ms(timeout_ms);
    int result = 0;
    pthread_mutex_lock(&w->lock);
    while (w->count == seen && !w->stopping && result != ETIMEDOUT)
        result = timeout_ms ? pthread_cond_timedwait(&w->changed, &w->lock, &until)
                            : pthread_cond_wait(&w->changed, &w->lock);
    bool go_on = !w->stopping;
    pthread_mutex_unlock(&w->lock);
    return go_on;
}
