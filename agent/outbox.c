// SPDX-License-Identifier: Apache-2.0
#include "agent/outbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/spool.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define WAIT_MS 200 /* of a poll without work; what is put wakes it */

/* What is told goes by type; the latest of each waits here. */
enum { TELL_IN_FLIGHT, TELL_REPORT, TELL_WATCH, TELLS };
static const enum link_type tell_types[TELLS] = {
    [TELL_IN_FLIGHT] = LINK_INFLIGHT, [TELL_REPORT] = LINK_REPORT, [TELL_WATCH] = LINK_WATCH};

struct outbox {
    const struct agent_config *config;
    struct counters *counters;
    struct cursors *cursors; /* only while the spool is opened */
    struct outbox_listener listener;
    struct link_client *link; /* the outbox's thread, but for sealing and waking */
    struct buffer sealed;     /* the sweeper's */
    pthread_t thread;
    bool running;

    pthread_mutex_t mutex; /* guards what follows */
    struct spool *spool;
    struct link_sequence released; /* batches before this one may be sent */
    struct buffer tells[TELLS];
    struct outbox_stats stats;
    bool stopping;
    uint64_t stop_at_ns; /* then whatever waits stays in the spool */
};

static void on_lost(void *context, enum loss_reason reason, uint64_t count)
{
    struct outbox *o = context;
    counters_add(&o->counters->lost[reason], count);
    if (reason == LOSS_SPOOL_FULL)
        LOG_WARN_EVERY("spool %s is full: %llu of the oldest spans are gone", o->config->spool,
                       (unsigned long long)count);
    else
        LOG_WARN("spool %s: %llu damaged batches are gone", o->config->spool,
                 (unsigned long long)count);
}

static void on_cursors(void *context, const void *bytes, size_t length)
{
    struct outbox *o = context;
    cursors_read(o->cursors, bytes, length);
}

/* ---- the sweeper's side ------------------------------------------------------------------ */

int outbox_put(struct outbox *o, const void *encoded, size_t length, size_t spans,
               const void *cursors, size_t cursors_length)
{
    buffer_clear(&o->sealed);
    pthread_mutex_lock(&o->mutex);
    struct link_sequence sequence = spool_sequence(o->spool);
    int error = link_client_seal(o->link, sequence, encoded, length, &o->sealed);
    if (error == 0)
        error = spool_put(o->spool, (uint32_t)spans, cursors, cursors_length, o->sealed.data,
                          o->sealed.length);
    else
        error = -ENOMEM;
    pthread_mutex_unlock(&o->mutex);
    return error;
}

void outbox_release(struct outbox *o)
{
    pthread_mutex_lock(&o->mutex);
    o->released = spool_sequence(o->spool);
    pthread_mutex_unlock(&o->mutex);
    link_client_wake(o->link);
}

void outbox_tell(struct outbox *o, enum link_type type, const void *bytes, size_t length)
{
    int at = 0;
    while (tell_types[at] != type)
        at++;
    struct buffer *tell = &o->tells[at];
    pthread_mutex_lock(&o->mutex);
    buffer_clear(tell);
    buffer_append(tell, bytes, length);
    pthread_mutex_unlock(&o->mutex);
    link_client_wake(o->link);
}

void outbox_stats(struct outbox *o, struct outbox_stats *out)
{
    pthread_mutex_lock(&o->mutex);
    o->stats.spool_bytes = spool_bytes(o->spool);
    o->stats.spool_limit_bytes = o->config->spool_limit;
    o->stats.spool_batches = spool_waiting(o->spool);
    *out = o->stats;
    pthread_mutex_unlock(&o->mutex);
}

/* ---- the thread -------------------------------------------------------------------------- */

static bool is_released(const struct outbox *o, struct link_sequence sequence)
{
    return sequence.epoch < o->released.epoch ||
           (sequence.epoch == o->released.epoch && sequence.number < o->released.number);
}

/* Holding the mutex. Hands the link what it takes. */
static void send_batches(struct outbox *o)
{
    struct spool_batch batch;
    int found;
    while ((found = spool_next(o->spool, &batch)) == 1 && is_released(o, batch.sequence)) {
        if (link_client_send(o->link, batch.sequence, spool_oldest(o->spool), batch.sealed,
                             batch.length) != 0)
            return;
        spool_sent(o->spool);
    }
    if (found < 0)
        LOG_ERROR_EVERY("spool %s cannot be read: %s", o->config->spool, strerror(-found));
}

static void send_tells(struct outbox *o)
{
    for (int i = 0; i < TELLS; i++) {
        if (o->tells[i].length && !o->tells[i].failed)
            link_client_tell(o->link, tell_types[i], o->tells[i].data, o->tells[i].length);
        buffer_clear(&o->tells[i]);
    }
}

static void note_status(struct outbox *o)
{
    enum link_state before = o->stats.link.state;
    char problem[sizeof o->stats.link.problem];
    memcpy(problem, o->stats.link.problem, sizeof problem);
    link_client_status(o->link, &o->stats.link);
    const struct link_client_status *link = &o->stats.link;
    if (link->problem[0] && strcmp(problem, link->problem) != 0)
        LOG_WARN("%s", link->problem);
    else if (link->state == LINK_READY && before != LINK_READY)
        LOG_INFO("the collector at %s answers", o->config->collector);
    else if (link->state != LINK_READY && before == LINK_READY)
        LOG_WARN("the collector at %s does not answer; batches wait in %s", o->config->collector,
                 o->config->spool);
}

static void on_answer(struct outbox *o, const struct link_event *event)
{
    pthread_mutex_lock(&o->mutex);
    uint32_t spans = spool_acknowledge(o->spool, event->sequence);
    pthread_mutex_unlock(&o->mutex);
    if (event->verdict != LINK_REFUSED)
        return;
    counters_add(&o->counters->lost[LOSS_REFUSED], spans);
    LOG_ERROR_EVERY("the collector refused a batch of %u spans for good", spans);
}

static void on_event(struct outbox *o, const struct link_event *event)
{
    const struct outbox_listener *l = &o->listener;
    switch (event->kind) {
    case LINK_EVENT_ANSWER:
        on_answer(o, event);
        break;
    case LINK_EVENT_RECORDING:
        l->recording(l->context, event->service, event->on);
        break;
    case LINK_EVENT_INQUIRIES:
        if (l->inquiries)
            l->inquiries(l->context, event->body, event->length);
        else
            free(event->body);
        break;
    }
}

static bool is_finished(struct outbox *o)
{
    return o->stopping && (spool_waiting(o->spool) == 0 || clock_monotonic_ns() >= o->stop_at_ns);
}

static void *ship(void *context)
{
    struct outbox *o = context;
    struct link_event event;
    for (;;) {
        pthread_mutex_lock(&o->mutex);
        send_tells(o);
        send_batches(o);
        note_status(o);
        bool finished = is_finished(o), stopping = o->stopping;
        pthread_mutex_unlock(&o->mutex);
        if (finished)
            return NULL;
        int timeout_ms = stopping ? 20 : WAIT_MS;
        while (link_client_poll(o->link, &event, timeout_ms) == 1) {
            timeout_ms = 0;
            on_event(o, &event);
        }
    }
}

/* ---- beginning and ending ---------------------------------------------------------------- */

static bool open_link(struct outbox *o)
{
    char why[512];
    const struct link_client_options options = {.address = o->config->collector,
                                                .control_address = o->config->control,
                                                .agent = o->config->agent,
                                                .key_file = o->config->key_file,
                                                .max_in_flight = (uint32_t)o->config->in_flight,
                                                .answer_timeout_ms = 5000};
    o->link = link_client_create(&options, why, sizeof why);
    if (!o->link)
        LOG_ERROR("%s", why);
    return o->link != NULL;
}

static bool open_spool(struct outbox *o, struct cursors *cursors)
{
    char why[512];
    const struct spool_options options = {.directory = o->config->spool,
                                          .limit_bytes = o->config->spool_limit,
                                          .lost = on_lost,
                                          .cursors = on_cursors,
                                          .context = o};
    o->cursors = cursors;
    o->spool = spool_open(&options, why, sizeof why);
    if (!o->spool) {
        LOG_ERROR("%s", why);
        return false;
    }
    if (spool_waiting(o->spool))
        LOG_INFO("%llu batches wait in the spool", (unsigned long long)spool_waiting(o->spool));
    return true;
}

struct outbox *outbox_create(const struct agent_config *config, struct counters *counters,
                             struct cursors *cursors, const struct outbox_listener *listener)
{
    struct outbox *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->config = config;
    o->counters = counters;
    o->listener = *listener;
    pthread_mutex_init(&o->mutex, NULL);
    if (open_link(o) && open_spool(o, cursors))
        o->running = pthread_create(&o->thread, NULL, ship, o) == 0;
    if (!o->running)
        outbox_destroy(&o, 0);
    return o;
}

void outbox_destroy(struct outbox **outbox, uint64_t drain_ns)
{
    struct outbox *o = *outbox;
    if (!o)
        return;
    pthread_mutex_lock(&o->mutex);
    o->stopping = true;
    o->stop_at_ns = clock_monotonic_ns() + drain_ns;
    pthread_mutex_unlock(&o->mutex);
    if (o->running) {
        link_client_wake(o->link);
        pthread_join(o->thread, NULL);
        if (spool_waiting(o->spool))
            LOG_INFO("%llu batches stay in the spool", (unsigned long long)spool_waiting(o->spool));
    }
    spool_close(&o->spool);
    link_client_destroy(&o->link);
    buffer_fini(&o->sealed);
    for (int i = 0; i < TELLS; i++)
        buffer_fini(&o->tells[i]);
    pthread_mutex_destroy(&o->mutex);
    free(o);
    *outbox = NULL;
}
