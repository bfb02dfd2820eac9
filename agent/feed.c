// SPDX-License-Identifier: Apache-2.0
#include "agent/feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/codec/batch.h"
#include "lib/feed/frame.h"
#include "lib/feed/peer.h"
#include "weft.pb-c.h"

enum { ROOM_BYTES = 64 << 10, UNREAD_BYTES_MAX = 1 << 20, ARENA_BLOCK_BYTES = 64 << 10 };

struct connection {
    uv_pipe_t pipe;
    struct feed *feed;
    struct connection *next;
    struct buffer in;
    bool closing;
};

struct feed {
    uv_pipe_t listener;
    struct feed_parts parts;
    struct connection *connections;
    uint32_t connection_count;
    struct arena arena; /* of the batch that is looked at */
    bool open;
};

/* ---- connections --------------------------------------------------------------------------- */

static void on_connection_closed(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    struct connection **at = &c->feed->connections;
    while (*at && *at != c)
        at = &(*at)->next;
    if (*at) {
        *at = c->next;
        c->feed->connection_count--;
    }
    buffer_fini(&c->in);
    free(c);
}

static void close_connection(struct connection *c)
{
    if (c->closing)
        return;
    c->closing = true;
    uv_close((uv_handle_t *)&c->pipe, on_connection_closed);
}

/* ---- answers ------------------------------------------------------------------------------- */

struct answer {
    uv_write_t request;
    struct buffer bytes;
};

static void on_answered(uv_write_t *request, int status)
{
    struct answer *a = request->data;
    (void)status; /* reading will notice */
    buffer_fini(&a->bytes);
    free(a);
}

static void answer(struct connection *c, enum feed_type type, uint64_t number, const void *body,
                   size_t length)
{
    struct answer *a = calloc(1, sizeof *a);
    uv_stream_t *stream = (uv_stream_t *)&c->pipe;
    uv_buf_t bytes;
    if (!a || uv_stream_get_write_queue_size(stream) > UNREAD_BYTES_MAX ||
        !feed_frame_write(&a->bytes, type, number, body, length) || a->bytes.failed)
        goto fail;
    a->request.data = a;
    bytes = uv_buf_init(a->bytes.data, (unsigned)a->bytes.length);
    if (uv_write(&a->request, stream, &bytes, 1, on_answered) == 0)
        return;
fail:
    if (a)
        buffer_fini(&a->bytes);
    free(a);
    close_connection(c);
}

/* ---- batches ------------------------------------------------------------------------------- */

static int64_t now_ms(const struct feed *f)
{
    return (int64_t)uv_now(f->listener.loop);
}

/* NULL: it may be kept. */
static const char *fault_of(const struct batch *b, int error)
{
    if (!b)
        return batch_error_text(error);
    if (!batch_is_samples(b))
        return "found spans, processes or losses, or nothing; expected samples, marks and windows "
               "alone";
    for (uint32_t i = 0; i < b->samples.count; i++)
        if (b->samples.kind[i] == SAMPLE_DELTA || b->samples.kind[i] == SAMPLE_HISTOGRAM_DELTA)
            return "found deltas, expected values as their source counts them";
    return NULL;
}

/* What a good batch is of; false: it was answered that it is none. */
static bool look_at(struct connection *c, const struct feed_frame *frame, struct shown_key *key)
{
    struct feed *f = c->feed;
    int error;
    arena_init(&f->arena, ARENA_BLOCK_BYTES);
    const struct batch *b =
        batch_decode(&f->arena, frame->body, frame->length, FEED_PLAIN_BYTES_MAX, &error);
    const char *fault = fault_of(b, error);
    if (!fault)
        *key = shown_key_of(b, frame->type == FEED_SHOW);
    arena_fini(&f->arena);
    if (!b && error == BATCH_ENOMEM) {
        answer(c, FEED_BUSY, frame->number, NULL, 0);
        return false;
    }
    if (fault) {
        counters_add(&f->parts.counters->feed_refused, 1);
        LOG_WARN_EVERY("a batch from the feed is refused: %s", fault);
        answer(c, FEED_REFUSED, frame->number, fault, strlen(fault));
    }
    return !fault;
}

static void take_batch(struct connection *c, const struct feed_frame *frame)
{
    struct feed *f = c->feed;
    struct counters *counters = f->parts.counters;
    struct shown_key key;
    if (!look_at(c, frame, &key))
        return;
    int error = outbox_put(f->parts.outbox, frame->body, frame->length, 0, NULL, 0);
    if (error != 0) {
        counters_add(&counters->spool_errors, 1);
        LOG_ERROR_EVERY("a batch from the feed cannot be spooled: %s; it comes again",
                        strerror(-error));
        answer(c, FEED_BUSY, frame->number, NULL, 0);
        return;
    }
    outbox_release(f->parts.outbox);
    counters_add(&counters->feed_batches, 1);
    counters_add(&counters->batches, 1);
    counters_add(&counters->batch_bytes, frame->length);
    shown_keep(f->parts.shown, key, frame->body, frame->length, now_ms(f));
    answer(c, FEED_STORED, frame->number, NULL, 0);
}

/* ---- what is shown ------------------------------------------------------------------------- */

static void take_shown(struct connection *c, const struct feed_frame *frame)
{
    struct feed *f = c->feed;
    struct shown_key key;
    if (!look_at(c, frame, &key))
        return;
    shown_keep(f->parts.shown, key, frame->body, frame->length, now_ms(f));
    answer(c, FEED_STORED, frame->number, NULL, 0);
}

static void tell_shown(struct connection *c, uint64_t number)
{
    struct feed *f = c->feed;
    const void *bytes = NULL;
    size_t length = 0;
    if (number < SHOWN_MOST)
        shown_get(f->parts.shown, (uint32_t)number, now_ms(f), &bytes, &length);
    answer(c, FEED_SHOWN, number, bytes, length);
}

/* ---- summaries ----------------------------------------------------------------------------- */

static size_t put_services(const struct services *s, Weft__ServiceSummary *items,
                           Weft__ServiceSummary **list)
{
    uint32_t count = services_count(s);
    for (uint32_t i = 0; i < count; i++) {
        struct service_summary summary;
        services_get(s, i, &summary);
        weft__service_summary__init(&items[i]);
        items[i].service = (char *)(uintptr_t)summary.service;
        items[i].requests = summary.requests;
        items[i].errors = summary.errors;
        items[i].measured = summary.measured;
        items[i].p50_seconds = summary.p50_seconds;
        items[i].p99_seconds = summary.p99_seconds;
        list[i] = &items[i];
    }
    return count;
}

static size_t put_losses(const struct counters *counters, Weft__LossSummary *items,
                         Weft__LossSummary **list)
{
    size_t count = 0;
    for (unsigned reason = SLAB_LOSS_REASONS; reason < LOSS_REASONS; reason++) {
        const char *place = loss_reason_place(reason);
        if (strcmp(place, "agent") != 0 && strcmp(place, "spool") != 0 &&
            strcmp(place, "link") != 0)
            continue;
        weft__loss_summary__init(&items[count]);
        items[count].reason = (char *)(uintptr_t)loss_reason_name(reason);
        items[count].count = counters_get(&counters->lost[reason]);
        list[count] = &items[count];
        count++;
    }
    return count;
}

static void tell_summaries(struct connection *c, uint64_t number)
{
    const struct feed_parts *parts = &c->feed->parts;
    Weft__ServiceSummary services[SERVICES_MAX], *service_list[SERVICES_MAX];
    Weft__LossSummary losses[LOSS_REASONS], *loss_list[LOSS_REASONS];
    Weft__Summaries message = WEFT__SUMMARIES__INIT;
    struct outbox_stats stats;
    struct buffer body = {0};
    outbox_stats(parts->outbox, &stats);
    message.services = service_list;
    message.n_services = put_services(parts->services, services, service_list);
    message.losses = loss_list;
    message.n_losses = put_losses(parts->counters, losses, loss_list);
    message.processes = counters_get(&parts->counters->processes);
    message.spool_batches = stats.spool_batches;
    uint8_t *to = (uint8_t *)buffer_reserve(&body, weft__summaries__get_packed_size(&message));
    if (to)
        body.length += weft__summaries__pack(&message, to);
    answer(c, FEED_SUMMARIES, number, body.data, body.length);
    buffer_fini(&body);
}

/* ---- frames -------------------------------------------------------------------------------- */

/* False: nobody who knows the feed says this. */
static bool take_frame(struct connection *c, const struct feed_frame *frame)
{
    if (frame->type == FEED_BATCH)
        take_batch(c, frame);
    else if (frame->type == FEED_ASK)
        tell_summaries(c, frame->number);
    else if (frame->type == FEED_SHOW)
        take_shown(c, frame);
    else if (frame->type == FEED_ASK_SHOWN)
        tell_shown(c, frame->number);
    else
        return false;
    return true;
}

static void take_frames(struct connection *c)
{
    struct feed_frame frame;
    size_t at = 0, taken;
    int found = 0;
    while (!c->closing &&
           (found = feed_frame_read(c->in.data + at, c->in.length - at, &frame, &taken)) == 1) {
        at += taken;
        if (!take_frame(c, &frame)) {
            found = -1;
            break;
        }
    }
    if (found < 0) {
        LOG_WARN_EVERY("the feed: somebody says what is no frame; let go");
        close_connection(c);
    }
    memmove(c->in.data, c->in.data + at, c->in.length - at);
    c->in.length -= at;
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct connection *c = handle->data;
    char *at = buffer_reserve(&c->in, ROOM_BYTES);
    (void)suggested;
    *room = uv_buf_init(at, at ? ROOM_BYTES : 0);
}

static void on_bytes(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes)
{
    struct connection *c = stream->data;
    (void)bytes;
    if (length < 0) {
        close_connection(c);
        return;
    }
    c->in.length += (size_t)length;
    take_frames(c);
}

/* ---- who connects -------------------------------------------------------------------------- */

static bool is_welcome(const struct connection *c)
{
    uv_os_fd_t fd;
    uid_t uid;
    if (uv_fileno((const uv_handle_t *)&c->pipe, &fd) != 0 || !feed_peer_uid(fd, &uid))
        return false;
    if (uid == 0 || uid == geteuid())
        return true;
    LOG_WARN_EVERY("the feed: a process of user %u is refused, only root's and our own may feed",
                   (unsigned)uid);
    return false;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct feed *f = listener->data;
    struct connection *c = status == 0 ? calloc(1, sizeof *c) : NULL;
    if (!c)
        return;
    c->feed = f;
    uv_pipe_init(listener->loop, &c->pipe, 0);
    c->pipe.data = c;
    c->next = f->connections;
    f->connections = c;
    f->connection_count++;
    bool taken = uv_accept(listener, (uv_stream_t *)&c->pipe) == 0 && is_welcome(c);
    if (taken && f->connection_count > FEED_CONNECTIONS_MAX) {
        LOG_WARN_EVERY("the feed: more than %d connect at a time", FEED_CONNECTIONS_MAX);
        taken = false;
    }
    if (!taken || uv_read_start((uv_stream_t *)&c->pipe, on_room, on_bytes) != 0)
        close_connection(c);
}

/* ---- beginning and ending ------------------------------------------------------------------ */

static void free_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static int start_listening(struct feed *f, const char *path)
{
    unlink(path); /* of an agent that was killed */
    mode_t before = umask(0177);
    int error = uv_pipe_bind(&f->listener, path);
    umask(before);
    return error ? error
                 : uv_listen((uv_stream_t *)&f->listener, FEED_CONNECTIONS_MAX, on_connection);
}

struct feed *feed_create(uv_loop_t *loop, const char *directory, const struct feed_parts *parts,
                         char *why, size_t why_size)
{
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    int length = snprintf(path, sizeof path, "%s/%s", directory, FEED_SOCKET_NAME);
    if (length < 0 || (size_t)length >= sizeof path) {
        snprintf(why, why_size, "feed: %s is too long for the path of a socket", directory);
        return NULL;
    }
    struct feed *f = calloc(1, sizeof *f);
    if (!f) {
        snprintf(why, why_size, "feed: no memory");
        return NULL;
    }
    f->parts = *parts;
    f->open = true;
    uv_pipe_init(loop, &f->listener, 0);
    f->listener.data = f;
    int error = start_listening(f, path);
    if (error == 0)
        return f;
    snprintf(why, why_size, "feed: %s: %s", path, uv_strerror(error));
    uv_close((uv_handle_t *)&f->listener, free_closed);
    return NULL;
}

void feed_stop(struct feed *f)
{
    if (!f || !f->open)
        return;
    f->open = false;
    uv_close((uv_handle_t *)&f->listener, NULL);
    for (struct connection *c = f->connections; c; c = c->next)
        close_connection(c);
}

void feed_destroy(struct feed **place)
{
    free(*place);
    *place = NULL;
}
