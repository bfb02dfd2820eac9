// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/courier.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/condition.h"
#include "lib/base/log.h"
#include "lib/feed/channel.h"

enum {
    WAITING_MOST = 64,
    TO_SHOW_MOST = 8,
    ANSWER_MS = 5000,
    PAUSE_LEAST_MS = 250,
    PAUSE_MOST_MS = 2000
};

struct courier {
    char *socket;
    enum feed_type type;
    uint32_t most; /* that wait */
    pthread_t thread;
    pthread_mutex_t lock; /* all below, but for the channel */
    pthread_cond_t changed;
    struct buffer waiting[WAITING_MOST]; /* frames, from `first` on, round and round */
    uint32_t first;
    uint64_t number; /* of the frame that came last */
    struct courier_stats stats;
    bool stopping;
    int64_t stop_at_ms;

    struct channel channel; /* the thread's */
};

/* ---- the queue ---------------------------------------------------------------------------- */

static struct buffer *frame_at(struct courier *c, uint32_t i)
{
    return &c->waiting[(c->first + i) % WAITING_MOST];
}

static void drop_first(struct courier *c)
{
    buffer_clear(frame_at(c, 0));
    c->first = (c->first + 1) % WAITING_MOST;
    c->stats.waiting--;
}

void courier_send(struct courier *c, struct buffer *batch)
{
    pthread_mutex_lock(&c->lock);
    if (c->stats.waiting == c->most) {
        drop_first(c);
        c->stats.dropped++;
    }
    struct buffer *frame = frame_at(c, c->stats.waiting);
    buffer_clear(frame);
    if (feed_frame_write(frame, c->type, c->number + 1, batch->data, batch->length) &&
        !frame->failed) {
        c->number++;
        c->stats.waiting++;
    } else {
        c->stats.dropped++;
        LOG_WARN_EVERY("tap: a report of %zu bytes is larger than the agent takes, or memory is "
                       "out: it is dropped",
                       batch->length);
    }
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    buffer_clear(batch);
}

void courier_stats(struct courier *c, struct courier_stats *out)
{
    pthread_mutex_lock(&c->lock);
    *out = c->stats;
    pthread_mutex_unlock(&c->lock);
}

/* A copy of the oldest frame, and its number. False: the courier ends. */
static bool take(struct courier *c, struct buffer *frame, uint64_t *number)
{
    pthread_mutex_lock(&c->lock);
    while (c->stats.waiting == 0 && !c->stopping)
        pthread_cond_wait(&c->changed, &c->lock);
    bool found = c->stats.waiting > 0;
    buffer_clear(frame);
    if (found) {
        buffer_append(frame, frame_at(c, 0)->data, frame_at(c, 0)->length);
        *number = c->number - c->stats.waiting + 1;
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

/* The frame has its answer, unless it was dropped meanwhile. */
static void settle(struct courier *c, uint64_t number, bool stored)
{
    pthread_mutex_lock(&c->lock);
    *(stored ? &c->stats.stored : &c->stats.refused) += 1;
    if (c->stats.waiting > 0 && c->number - c->stats.waiting + 1 == number)
        drop_first(c);
    pthread_mutex_unlock(&c->lock);
}

/* ---- handing over ------------------------------------------------------------------------- */

/* Until when an answer is waited for. */
static int64_t deadline_of(struct courier *c)
{
    int64_t until_ms = clock_monotonic_ms() + ANSWER_MS;
    pthread_mutex_lock(&c->lock);
    if (c->stopping && c->stop_at_ms < until_ms)
        until_ms = c->stop_at_ms;
    pthread_mutex_unlock(&c->lock);
    return until_ms;
}

static enum feed_type ask(struct courier *c, const struct buffer *frame, uint64_t number,
                          struct feed_frame *answer, char *why, size_t why_size)
{
    int64_t until_ms = deadline_of(c);
    if (c->channel.fd < 0 && channel_open(&c->channel, c->socket, why, why_size) != 0)
        return FEED_TYPES;
    if (channel_send(&c->channel, frame->data, frame->length, until_ms, why, why_size) != 0 ||
        channel_receive(&c->channel, answer, until_ms, why, why_size) != 0)
        return FEED_TYPES;
    if (answer->number == number)
        return answer->type;
    channel_close(&c->channel);
    snprintf(why, why_size, "what it says answers nothing");
    return FEED_TYPES;
}

/* False: it is time to end. */
static bool pause_for(struct courier *c, int64_t pause_ms)
{
    int64_t until_ms = clock_monotonic_ms() + pause_ms;
    bool goes_on;
    pthread_mutex_lock(&c->lock);
    do {
        int64_t now_ms = clock_monotonic_ms();
        goes_on = !c->stopping || now_ms < c->stop_at_ms;
        if (!goes_on || now_ms >= until_ms)
            break;
        condition_wait(&c->changed, &c->lock, until_ms);
    } while (true);
    pthread_mutex_unlock(&c->lock);
    return goes_on;
}

static bool deliver(struct courier *c, const struct buffer *frame, uint64_t number)
{
    char why[256] = "";
    struct feed_frame answer;
    for (int64_t pause_ms = PAUSE_LEAST_MS;;) {
        switch (ask(c, frame, number, &answer, why, sizeof why)) {
        case FEED_STORED:
            settle(c, number, true);
            return true;
        case FEED_REFUSED:
            LOG_WARN_EVERY("tap: the agent refuses a batch: %.*s", (int)answer.length,
                           (const char *)answer.body);
            settle(c, number, false);
            return true;
        case FEED_BUSY:
            LOG_WARN_EVERY("tap: the agent at %s: its spool is full or fails", c->socket);
            break;
        default:
            LOG_WARN_EVERY("tap: the agent at %s: %s", c->socket, why);
        }
        if (!pause_for(c, pause_ms))
            return false;
        pause_ms = pause_ms * 2 < PAUSE_MOST_MS ? pause_ms * 2 : PAUSE_MOST_MS;
    }
}

static void *run(void *context)
{
    struct courier *c = context;
    struct buffer frame = {0};
    uint64_t number;
    while (take(c, &frame, &number) && deliver(c, &frame, number))
        ;
    buffer_fini(&frame);
    return NULL;
}

/* ---- life --------------------------------------------------------------------------------- */

/* Signals are the main thread's. */
static bool start(struct courier *c)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&c->thread, NULL, run, c) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void destroy(struct courier *c)
{
    channel_close(&c->channel);
    for (int i = 0; i < WAITING_MOST; i++)
        buffer_fini(&c->waiting[i]);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c->socket);
    free(c);
}

static struct courier *create(const char *socket, enum feed_type type, uint32_t most)
{
    struct courier *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    condition_init(&c->changed);
    channel_init(&c->channel);
    c->type = type;
    c->most = most;
    c->socket = strdup(socket);
    if (c->socket && start(c))
        return c;
    destroy(c);
    return NULL;
}

struct courier *courier_create(const char *socket)
{
    return create(socket, FEED_BATCH, WAITING_MOST);
}

struct courier *courier_create_to_show(const char *socket)
{
    return create(socket, FEED_SHOW, TO_SHOW_MOST);
}

void courier_destroy(struct courier **place, int64_t timeout_ms)
{
    struct courier *c = *place;
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    c->stop_at_ms = clock_monotonic_ms() + timeout_ms;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    destroy(c);
    *place = NULL;
}
