// SPDX-License-Identifier: Apache-2.0
#include "plugins/collectd/sender.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/feed/channel.h"
#include "plugins/collectd/pack.h"

enum {
    GATHER_MS = 100, /* from the first value on, until a batch is made */
    IDLE_MS = 1000,
    PAUSE_LEAST_MS = 500, /* between attempts */
    PAUSE_MOST_MS = 2000,
    BUSY_PAUSE_MS = 500,
    END_PAUSE_MS = 50, /* while the end waits for the last batch */
    DROPPED_EVERY_MS = 1000
};

struct sender {
    struct queue *queue;
    struct sender_options options;
    pthread_t thread;
    _Atomic int64_t stop_at_ms; /* INT64_MAX: it goes on */

    struct channel channel;
    struct pack pack;
    struct buffer body, frame; /* the batch that is under way */
    uint32_t entries;          /* in it; they are not settled */
    uint64_t number;
    int64_t pause_ms;
    bool away; /* it was said that the agent does not answer */
    struct log_site away_site, dropped_site, refused_site;
    uint64_t dropped_said;
    int64_t dropped_told_ms;
};

/* ---- saying -------------------------------------------------------------------------------- */

static void say_away(struct sender *s, const char *why)
{
    char sentence[512];
    struct queue_counts counts;
    uint64_t suppressed;
    s->away = true;
    if (!log_site_opens(&s->away_site, &suppressed))
        return;
    queue_counts(s->queue, &counts);
    snprintf(sentence, sizeof sentence, "the agent at %s: %s; %" PRIu64 " values wait",
             s->options.socket, why, counts.waiting);
    s->options.say(SENDER_WARNING, sentence);
}

static void say_back(struct sender *s)
{
    char sentence[256];
    s->pause_ms = PAUSE_LEAST_MS;
    if (!s->away)
        return;
    s->away = false;
    snprintf(sentence, sizeof sentence, "the agent at %s answers again", s->options.socket);
    s->options.say(SENDER_INFO, sentence);
}

static void say_dropped(struct sender *s)
{
    char sentence[256];
    struct queue_counts counts;
    uint64_t suppressed;
    queue_counts(s->queue, &counts);
    if (counts.dropped == s->dropped_said || !log_site_opens(&s->dropped_site, &suppressed))
        return;
    snprintf(sentence, sizeof sentence, "%" PRIu64 " values were dropped, %" PRIu64 " in all",
             counts.dropped - s->dropped_said, counts.dropped);
    s->options.say(SENDER_WARNING, sentence);
    s->dropped_said = counts.dropped;
}

static void say_refused(struct sender *s, const struct feed_frame *frame)
{
    char sentence[768];
    uint64_t suppressed;
    if (!log_site_opens(&s->refused_site, &suppressed))
        return;
    snprintf(sentence, sizeof sentence, "the agent refuses a batch of %u values: %.*s", s->entries,
             (int)frame->length, (const char *)frame->body);
    s->options.say(SENDER_WARNING, sentence);
}

/* ---- a batch ------------------------------------------------------------------------------- */

static void tell_dropped(struct sender *s)
{
    struct queue_counts counts;
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms < s->dropped_told_ms + DROPPED_EVERY_MS && !queue_has_ended(s->queue))
        return;
    queue_counts(s->queue, &counts);
    pack_add_dropped(&s->pack, s->options.host, clock_unix_ns(), counts.dropped);
    s->dropped_told_ms = now_ms;
}

static bool make_frame(struct sender *s)
{
    buffer_clear(&s->body);
    buffer_clear(&s->frame);
    return pack_end(&s->pack, &s->body) == 0 &&
           feed_frame_write(&s->frame, FEED_BATCH, ++s->number, s->body.data, s->body.length) &&
           !s->frame.failed;
}

/* Makes a batch of what is queued; false: there is nothing. */
static bool gather(struct sender *s)
{
    pack_begin(&s->pack);
    s->entries = 0;
    for (struct entry *e; !pack_is_full(&s->pack) && (e = queue_take(s->queue)); s->entries++) {
        pack_add(&s->pack, e);
        free(e);
    }
    if (s->entries == 0)
        return false;
    tell_dropped(s);
    if (make_frame(s))
        return true;
    queue_settle(s->queue, s->entries, true); /* no memory for it */
    s->entries = 0;
    return false;
}

/* ---- handing it over ----------------------------------------------------------------------- */

static int64_t deadline(const struct sender *s)
{
    int64_t at_ms = clock_monotonic_ms() + s->options.timeout_ms;
    int64_t stop_at_ms = atomic_load(&s->stop_at_ms);
    return at_ms < stop_at_ms ? at_ms : stop_at_ms;
}

/* The answer; or FEED_TYPES, and the connection is closed. */
static enum feed_type exchange(struct sender *s, struct feed_frame *frame, char *why, size_t size)
{
    if (s->channel.fd < 0 && channel_open(&s->channel, s->options.socket, why, size) != 0)
        return FEED_TYPES;
    int64_t until_ms = deadline(s);
    if (channel_send(&s->channel, s->frame.data, s->frame.length, until_ms, why, size) != 0 ||
        channel_receive(&s->channel, frame, until_ms, why, size) != 0)
        return FEED_TYPES;
    if (frame->number == s->number &&
        (frame->type == FEED_STORED || frame->type == FEED_BUSY || frame->type == FEED_REFUSED))
        return frame->type;
    snprintf(why, size, "what it says answers nothing");
    channel_close(&s->channel);
    return FEED_TYPES;
}

static void pause_for(struct sender *s, int64_t pause_ms)
{
    int64_t at_ms = clock_monotonic_ms() + pause_ms, stop_at_ms = atomic_load(&s->stop_at_ms);
    if (stop_at_ms == INT64_MAX)
        queue_sleep(s->queue, at_ms);
    else /* the queue has ended and would not let us sleep */
        usleep(END_PAUSE_MS * 1000);
}

/* One attempt. True: the batch is settled. */
static bool hand_over(struct sender *s)
{
    struct feed_frame frame;
    char why[256] = "";
    switch (exchange(s, &frame, why, sizeof why)) {
    case FEED_STORED:
        queue_settle(s->queue, s->entries, false);
        say_back(s);
        return true;
    case FEED_REFUSED:
        queue_settle(s->queue, s->entries, true);
        say_back(s);
        say_refused(s, &frame);
        return true;
    case FEED_BUSY:
        say_away(s, "its spool is full or fails");
        pause_for(s, BUSY_PAUSE_MS);
        return false;
    default:
        say_away(s, why);
        pause_for(s, s->pause_ms);
        s->pause_ms = s->pause_ms < PAUSE_MOST_MS / 2 ? 2 * s->pause_ms : PAUSE_MOST_MS;
        return false;
    }
}

static bool has_time(const struct sender *s)
{
    return clock_monotonic_ms() < atomic_load(&s->stop_at_ms);
}

static void *run(void *context)
{
    struct sender *s = context;
    while (has_time(s)) {
        say_dropped(s);
        if (queue_wait(s->queue, 1, clock_monotonic_ms() + IDLE_MS) > 0)
            queue_wait(s->queue, PACK_ENTRIES_MAX, clock_monotonic_ms() + GATHER_MS);
        else if (queue_has_ended(s->queue))
            break;
        if (!gather(s))
            continue;
        while (!hand_over(s) && has_time(s))
            say_dropped(s);
    }
    return NULL;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void destroy(struct sender **place)
{
    struct sender *s = *place;
    channel_close(&s->channel);
    pack_fini(&s->pack);
    buffer_fini(&s->body);
    buffer_fini(&s->frame);
    free(s);
    *place = NULL;
}

/* Signals are collectd's. */
static bool start_thread(struct sender *s)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&s->thread, NULL, run, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

struct sender *sender_create(struct queue *q, const struct sender_options *options)
{
    struct sender *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->queue = q;
    s->options = *options;
    s->pause_ms = PAUSE_LEAST_MS;
    atomic_store(&s->stop_at_ms, INT64_MAX);
    channel_init(&s->channel);
    if (!pack_init(&s->pack) || !start_thread(s))
        destroy(&s);
    return s;
}

uint64_t sender_stop(struct sender **place)
{
    struct sender *s = *place;
    struct queue_counts counts;
    if (!s)
        return 0;
    atomic_store(&s->stop_at_ms, clock_monotonic_ms() + s->options.timeout_ms);
    queue_end(s->queue);
    pthread_join(s->thread, NULL);
    queue_counts(s->queue, &counts);
    destroy(place);
    return counts.waiting;
}
