// SPDX-License-Identifier: Apache-2.0
#include "demo/readers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "weft/weft.h"

enum { READERS_MAX = 16, REMEMBERED = 1 << 16, HERE_MS = 5000 };

struct reader {
    char name[16]; /* "c1" */
    bool known;
    unsigned long taken;
    int64_t asked_ms;
    struct weft_counter *done;
    struct weft_gauge *behind, *lag;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct reader readers[READERS_MAX];
static unsigned long newest;
static int64_t published_ms[REMEMBERED]; /* of message n at n % REMEMBERED */

static void begin(struct reader *r, unsigned cell)
{
    snprintf(r->name, sizeof r->name, "c%u", cell);
    const char *done[] = {"queue_taken_total", "queue", "firehose", "consumer", r->name, NULL};
    const char *behind[] = {"queue_behind", "queue", "firehose", "consumer", r->name, NULL};
    const char *lag[] = {"queue_lag_seconds", "queue", "firehose", "consumer", r->name, NULL};
    weft_describe("queue_behind", "", "Messages that the consumer has not done yet.");
    weft_describe("queue_lag_seconds", "seconds", "How long the oldest of them waits.");
    r->done = weft_bind_counter(done);
    r->behind = weft_bind_gauge(behind);
    r->lag = weft_bind_gauge(lag);
    r->known = true;
}

/* Under the lock. */
static void tell(int64_t now_ms)
{
    int here = 0;
    for (int i = 0; i < READERS_MAX; i++) {
        struct reader *r = &readers[i];
        if (!r->known)
            continue;
        unsigned long behind = newest > r->taken ? newest - r->taken : 0;
        unsigned long waits = behind < REMEMBERED ? behind : REMEMBERED - 1;
        int64_t since_ms = published_ms[(newest + 1 - waits) % REMEMBERED];
        weft_gauge_set(r->behind, (double)behind);
        weft_gauge_set(r->lag, waits > 0 ? (double)(now_ms - since_ms) / 1000 : 0);
        here += now_ms - r->asked_ms < HERE_MS;
    }
    weft_gauge_set(WEFT_GAUGE("queue_consumers", "queue", "firehose"), here);
}

void readers_published(void)
{
    int64_t now_ms = clock_monotonic_ms();
    weft_counter_add(WEFT_COUNTER("queue_published_total", "queue", "firehose"), 1);
    pthread_mutex_lock(&mutex);
    published_ms[++newest % REMEMBERED] = now_ms;
    tell(now_ms);
    pthread_mutex_unlock(&mutex);
}

void readers_read(unsigned cell, unsigned long taken)
{
    if (cell < 1 || cell > READERS_MAX)
        return;
    struct reader *r = &readers[cell - 1];
    int64_t now_ms = clock_monotonic_ms();
    pthread_mutex_lock(&mutex);
    if (!r->known) {
        begin(r, cell);
        r->taken = taken;
    }
    if (taken > r->taken)
        weft_counter_add(r->done, taken - r->taken);
    r->taken = taken;
    r->asked_ms = now_ms;
    tell(now_ms);
    pthread_mutex_unlock(&mutex);
}
