// SPDX-License-Identifier: Apache-2.0
#include "agent/observe/observer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/observe/answering.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum {
    ROUND_MS = 250,
    LOOK_MS = 1000,    /* for a tap */
    INBOX_MOST = 8,    /* messages; what finds no room is given again */
    BATCHES_MOST = 16, /* of a round */
};

struct message {
    void *body;
    size_t length;
};

struct cache_observer {
    struct cache_observer_parts parts;
    uv_timer_t timer;
    uv_work_t work;
    bool working, stopping;
    bool watched; /* the collector was told of caches */

    uv_mutex_t mutex; /* for the inbox */
    struct message inbox[INBOX_MOST];
    uint32_t inbox_count;

    /* The round's; the loop's while none is under way. */
    int64_t looked_ms;          /* for a tap, or whether it is still there */
    struct inquiry_watch watch; /* as it is sent next */
    uint64_t caches_generation;
    struct pending *pending;
    struct answering answering; /* its reader is NULL where there is no tap */
    struct buffer batches[BATCHES_MOST];
    size_t batch_spans[BATCHES_MOST];
    uint32_t batch_count;
};

/* ---- the tap ----------------------------------------------------------------------------- */

static void read_caches(struct cache_observer *o)
{
    struct exchange_address list[INQUIRY_CACHES_MOST];
    uint64_t generation = exchange_reader_caches_generation(o->answering.reader);
    if (generation == o->caches_generation && o->watch.cache_count)
        return;
    size_t count = exchange_reader_caches(o->answering.reader, list, INQUIRY_CACHES_MOST);
    for (size_t i = 0; i < count; i++) {
        memcpy(o->watch.caches[i].ip, list[i].ip, sizeof list[i].ip);
        o->watch.caches[i].port = list[i].port;
    }
    o->watch.cache_count = (uint32_t)count;
    o->caches_generation = generation;
}

static void close_dead(struct cache_observer *o)
{
    if (o->answering.reader && !exchange_reader_is_current(o->answering.reader))
        exchange_reader_close(&o->answering.reader);
}

static void look_for_tap(struct cache_observer *o)
{
    char why[256] = "";
    if (o->looked_ms && o->answering.now_ms - o->looked_ms < LOOK_MS)
        return;
    o->looked_ms = o->answering.now_ms;
    close_dead(o);
    if (o->answering.reader)
        return;
    o->watch.cache_count = 0;
    /* Its name: the directory may be another one by now. */
    int directory = open(o->parts.config->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return;
    o->answering.reader = exchange_reader_open(directory, why, sizeof why);
    close(directory);
    if (!o->answering.reader && why[0])
        LOG_WARN_EVERY("what the tap remembers cannot be read: %s", why);
    close_dead(o); /* a tap that was killed leaves its file */
}

/* ---- inquiries --------------------------------------------------------------------------- */

void cache_observer_take(struct cache_observer *o, void *body, size_t length)
{
    uv_mutex_lock(&o->mutex);
    bool room = o->inbox_count < INBOX_MOST;
    if (room)
        o->inbox[o->inbox_count++] = (struct message){body, length};
    uv_mutex_unlock(&o->mutex);
    if (!room)
        free(body);
}

struct taking {
    struct cache_observer *o;
    uint64_t epoch, first, count; /* of the message; the first two are known with its first */
};

/* An answer that begins before where we are was to an older watch. */
static bool is_stale(const struct taking *t)
{
    return t->epoch == t->o->watch.epoch && t->first < t->o->watch.received;
}

static void take_inquiry(void *context, const struct inquiry *i)
{
    struct taking *t = context;
    struct cache_observer *o = t->o;
    t->count++;
    if (!is_stale(t) && !pending_add(o->pending, i, o->answering.now_ms))
        counters_add(&o->parts.counters->inquiries[INQUIRY_NO_ROOM], 1);
}

static void take_message(struct cache_observer *o, const struct message *m)
{
    struct taking t = {.o = o};
    if (inquiries_read(m->body, m->length, &t.epoch, &t.first, take_inquiry, &t) != 0) {
        LOG_WARN_EVERY("what the collector inquires cannot be read");
    } else if (!is_stale(&t)) {
        o->watch.epoch = t.epoch;
        o->watch.received = t.first + t.count;
    }
}

static void take_inbox(struct cache_observer *o)
{
    struct message taken[INBOX_MOST];
    uv_mutex_lock(&o->mutex);
    uint32_t count = o->inbox_count;
    memcpy(taken, o->inbox, count * sizeof *taken);
    o->inbox_count = 0;
    uv_mutex_unlock(&o->mutex);
    for (uint32_t i = 0; i < count; i++) {
        take_message(o, &taken[i]);
        free(taken[i].body);
    }
}

/* ---- batches ----------------------------------------------------------------------------- */

static void close_batch(struct cache_observer *o)
{
    struct observed_rows *rows = &o->answering.rows;
    size_t spans = batch_builder_spans(rows->builder);
    if (spans == 0 || o->batch_count == BATCHES_MOST)
        return;
    struct buffer *batch = &o->batches[o->batch_count];
    if (batch_encode(rows->builder, batch) == 0)
        o->batch_spans[o->batch_count++] = spans;
    else
        buffer_fini(batch);
    observed_begin(rows);
    o->answering.full = o->batch_count + 1 >= BATCHES_MOST; /* the last is for what is begun */
}

static void on_added(void *context)
{
    struct cache_observer *o = context;
    if (batch_builder_bytes(o->answering.rows.builder) >= o->parts.config->batch_bytes)
        close_batch(o);
}

/* ---- rounds ------------------------------------------------------------------------------ */

/* In the pool. */
static void make_round(uv_work_t *work)
{
    struct cache_observer *o = work->data;
    o->answering.now_ms = clock_monotonic_ms();
    look_for_tap(o);
    take_inbox(o);
    if (!o->answering.reader)
        return;
    read_caches(o);
    o->answering.seen_unix_ns = exchange_reader_seen_unix_ns(o->answering.reader);
    o->answering.full = false;
    pending_round(o->pending, o->answering.now_ms, answering_visit, &o->answering);
    close_batch(o);
}

static void put_batches(struct cache_observer *o)
{
    for (uint32_t i = 0; i < o->batch_count; i++) {
        struct buffer *b = &o->batches[i];
        int error = outbox_put(o->parts.outbox, b->data, b->length, o->batch_spans[i], NULL, 0);
        if (error == 0) {
            counters_add(&o->parts.counters->observed_spans, o->batch_spans[i]);
        } else {
            counters_add(&o->parts.counters->spool_errors, 1);
            LOG_ERROR_EVERY("what was observed of caches cannot be spooled: %s", strerror(-error));
        }
        buffer_fini(b);
    }
    if (o->batch_count)
        outbox_release(o->parts.outbox);
    o->batch_count = 0;
}

static void send_watch(struct cache_observer *o)
{
    struct buffer message = {0};
    bool watches = o->answering.reader != NULL;
    /* That nobody watches any more is said once. */
    if ((watches || o->watched) && inquiry_watch_write(&message, &o->watch) == 0)
        outbox_tell(o->parts.outbox, LINK_WATCH, message.data, message.length);
    o->watched = watches;
    buffer_fini(&message);
}

static void on_round_done(uv_work_t *work, int status)
{
    struct cache_observer *o = work->data;
    (void)status;
    o->working = false;
    put_batches(o);
    if (!o->stopping)
        send_watch(o);
}

static void on_timer(uv_timer_t *timer)
{
    struct cache_observer *o = timer->data;
    if (!o->working && uv_queue_work(timer->loop, &o->work, make_round, on_round_done) == 0)
        o->working = true;
}

/* ---- life -------------------------------------------------------------------------------- */

struct cache_observer *cache_observer_create(uv_loop_t *loop,
                                             const struct cache_observer_parts *parts)
{
    struct cache_observer *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->parts = *parts;
    uv_mutex_init(&o->mutex);
    uv_timer_init(loop, &o->timer);
    o->timer.data = o->work.data = o;
    o->pending = pending_create();
    bool ready = answering_init(&o->answering, parts->config->agent, parts->host) == 0;
    o->answering.counters = parts->counters;
    o->answering.added = on_added;
    o->answering.context = o;
    uv_timer_start(&o->timer, on_timer, ROUND_MS, ROUND_MS);
    if (o->pending && ready)
        return o;
    cache_observer_stop(o);
    uv_run(loop, UV_RUN_NOWAIT);
    cache_observer_destroy(&o);
    return NULL;
}

void cache_observer_stop(struct cache_observer *o)
{
    if (!o)
        return;
    o->stopping = true;
    uv_close((uv_handle_t *)&o->timer, NULL);
}

void cache_observer_destroy(struct cache_observer **observer)
{
    struct cache_observer *o = *observer;
    if (!o)
        return;
    for (uint32_t i = 0; i < o->inbox_count; i++)
        free(o->inbox[i].body);
    exchange_reader_close(&o->answering.reader);
    pending_destroy(&o->pending);
    answering_fini(&o->answering);
    uv_mutex_destroy(&o->mutex);
    free(o);
    *observer = NULL;
}
