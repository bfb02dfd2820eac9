// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <nanomsg/nn.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/link/address.h"
#include "lib/link/client_internal.h"
#include "lib/link/cover.h"
#include "weft.pb-c.h"

enum {
    HELLO_INTERVAL_LEAST_MS = 100,
    HELLO_INTERVAL_MOST_MS = 2000,
    HELLO_INTERVAL_FAILED_MS = 5000,
    RECONNECT_LEAST_MS = 50, /* and as much again, by chance */
    RECONNECT_MOST_MS = 2000,
    WAIT_MOST_MS = 1000, /* between two looks at the clock */
    RETRY_MS = 100,      /* after an error of the socket or of memory */
};

/* From a half more to a half less, so that many agents spread out. */
static int64_t jitter(int64_t ms)
{
    return ms / 2 + randombytes_uniform((uint32_t)ms + 1);
}

/* ---- life -------------------------------------------------------------------------------- */

static int connect_to(int protocol, const char *address, char *why, size_t why_size)
{
    int first = RECONNECT_LEAST_MS + (int)randombytes_uniform(RECONNECT_LEAST_MS);
    int most = RECONNECT_MOST_MS;
    int socket = link_socket_open(protocol, address);
    if (socket < 0) {
        snprintf(why, why_size, "nanomsg: %s", nn_strerror(-socket));
        return -1;
    }
    if (nn_setsockopt(socket, NN_SOL_SOCKET, NN_RECONNECT_IVL, &first, sizeof first) < 0 ||
        nn_setsockopt(socket, NN_SOL_SOCKET, NN_RECONNECT_IVL_MAX, &most, sizeof most) < 0 ||
        (protocol == NN_SUB && nn_setsockopt(socket, NN_SUB, NN_SUB_SUBSCRIBE, LINK_CONTROL_PREFIX,
                                             strlen(LINK_CONTROL_PREFIX)) < 0) ||
        nn_connect(socket, address) < 0) {
        snprintf(why, why_size, "%s: %s", address, nn_strerror(nn_errno()));
        nn_close(socket);
        return -1;
    }
    return socket;
}

static int open_sockets(struct link_client *c, char *why, size_t why_size)
{
    c->requests = connect_to(NN_REQ, c->address, why, why_size);
    if (c->requests < 0)
        return -1;
    c->control = connect_to(NN_SUB, c->control_address, why, why_size);
    if (c->control < 0)
        return -1;
    c->requests_fd = link_socket_receive_fd(c->requests);
    c->control_fd = link_socket_receive_fd(c->control);
    if (c->requests_fd < 0 || c->control_fd < 0) {
        snprintf(why, why_size, "nanomsg gives no descriptors");
        return -1;
    }
    return 0;
}

static void close_sockets(struct link_client *c)
{
    if (c->requests >= 0)
        nn_close(c->requests);
    if (c->control >= 0)
        nn_close(c->control);
    c->requests = c->control = c->requests_fd = c->control_fd = -1;
}

/* 0, or -1 with both closed. */
static int reopen_sockets(struct link_client *c)
{
    char why[256];
    close_sockets(c);
    if (open_sockets(c, why, sizeof why) == 0)
        return 0;
    LOG_ERROR_EVERY("%s", why);
    close_sockets(c);
    return -1;
}

static bool copy_options(struct link_client *c, const struct link_client_options *options)
{
    snprintf(c->agent, sizeof c->agent, "%s", options->agent);
    c->max_in_flight = options->max_in_flight ? options->max_in_flight : 16;
    c->answer_timeout_ms = options->answer_timeout_ms ? options->answer_timeout_ms : 5000;
    c->address = strdup(options->address);
    c->control_address = strdup(options->control_address);
    c->key_file = strdup(options->key_file ? options->key_file : "");
    c->flights = calloc(c->max_in_flight, sizeof *c->flights);
    c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return c->address && c->control_address && c->key_file && c->flights && c->wake_fd >= 0;
}

static bool check_options(const struct link_client_options *options, char *why, size_t why_size)
{
    bool open = !options->key_file;
    if (!link_agent_id_is_valid(options->agent)) {
        snprintf(why, why_size,
                 "found agent id \"%s\", expected 1 to %d letters, digits, dots, dashes",
                 options->agent, LINK_AGENT_ID_MAX);
        return false;
    }
    return link_address_check(options->address, open, why, why_size) &&
           link_address_check(options->control_address, open, why, why_size);
}

struct link_client *link_client_create(const struct link_client_options *options, char *why,
                                       size_t why_size)
{
    if (!check_options(options, why, why_size))
        return NULL;
    struct link_client *c = calloc(1, sizeof *c);
    if (!c || sodium_init() < 0) {
        snprintf(why, why_size, "no memory, or no source of random numbers");
        free(c);
        return NULL;
    }
    c->requests = c->control = c->wake_fd = -1;
    c->keyed = options->key_file != NULL;
    if (!copy_options(c, options)) {
        snprintf(why, why_size, "no memory, or no more descriptors");
        link_client_destroy(&c);
    } else if ((c->keyed && link_key_load(options->key_file, c->key, why, why_size) < 0) ||
               open_sockets(c, why, why_size) < 0) {
        link_client_destroy(&c);
    } else {
        link_client_begin_hello(c);
    }
    return c;
}

void link_client_destroy(struct link_client **client)
{
    struct link_client *c = *client;
    if (!c)
        return;
    close_sockets(c);
    if (c->wake_fd >= 0)
        close(c->wake_fd);
    for (uint32_t i = 0; c->flights && i < c->max_in_flight; i++)
        buffer_fini(&c->flights[i].sealed);
    buffer_fini(&c->inflight.body);
    buffer_fini(&c->report.body);
    buffer_fini(&c->watch.body);
    for (size_t i = 0; i < c->event_count; i++)
        free(c->events[c->event_first + i].body);
    free(c->flights);
    free(c->events);
    free(c->address);
    free(c->control_address);
    free(c->key_file);
    sodium_memzero(c->key, sizeof c->key);
    free(c);
    *client = NULL;
}

/* ---- sending ----------------------------------------------------------------------------- */

/* Seals `body` in an envelope of `type` and sends it, with `attached` (may be NULL) behind.
 * 0, or -errno; with -EAGAIN nothing was sent and the client is marked as blocked. */
static int send_message(struct link_client *c, enum link_type type, struct link_sequence sequence,
                        const void *body, size_t length, const struct buffer *attached,
                        uint32_t *request)
{
    struct envelope e = {.version = LINK_VERSION, .type = (uint8_t)type, .sequence = sequence};
    struct buffer bytes = {0};
    memcpy(e.agent, c->agent, sizeof e.agent);
    int result = -ENOMEM;
    if (envelope_write(&bytes, &e, c->keyed ? c->key : NULL, body, length) == 0) {
        *request = ++c->last_request & 0x7fffffffu;
        struct link_route route = link_route_of_request(*request);
        struct link_piece pieces[] = {
            {bytes.data, bytes.length},
            {attached ? attached->data : NULL, attached ? attached->length : 0}};
        result = link_socket_send(c->requests, &route, pieces, attached ? 2 : 1);
    }
    buffer_fini(&bytes);
    if (result == -EAGAIN)
        c->blocked = true;
    else if (result < 0)
        LOG_WARN_EVERY("sending to %s: %s", c->address, nn_strerror(-result));
    if (result == 0 && c->first_unheard_ms == 0)
        c->first_unheard_ms = clock_monotonic_ms();
    return result;
}

void link_client_begin_hello(struct link_client *c)
{
    randombytes_buf(&c->hello.nonce, sizeof c->hello.nonce);
    c->hello.attempt = 0;
    c->hello.interval_ms =
        c->state == LINK_FAILED ? HELLO_INTERVAL_FAILED_MS : HELLO_INTERVAL_LEAST_MS;
    c->hello.due_ms = clock_monotonic_ms();
    if (c->state == LINK_FAILED)
        c->hello.due_ms += jitter(HELLO_INTERVAL_FAILED_MS);
    else
        c->state = LINK_CONNECTING;
}

static void send_hello(struct link_client *c, int64_t now)
{
    uint8_t body[64];
    uint32_t request;
    Weft__Hello hello = WEFT__HELLO__INIT;
    hello.sent_unix_ns = clock_unix_ns();
    size_t length = weft__hello__pack(&hello, body);
    struct link_sequence sequence = {c->hello.nonce, c->hello.attempt + 1};
    if (c->requests < 0 && reopen_sockets(c) < 0) {
        c->hello.due_ms = now + RETRY_MS;
        return;
    }
    int result = send_message(c, LINK_HELLO, sequence, body, length, NULL, &request);
    if (result < 0) {
        c->hello.due_ms = now + (result == -EAGAIN ? 0 : RETRY_MS);
        return;
    }
    c->hello.attempt++;
    c->hello.sent_ms = now;
    c->hello.sent_unix_ns = hello.sent_unix_ns;
    c->hello.due_ms = now + jitter(c->hello.interval_ms);
    int64_t most = c->state == LINK_FAILED ? HELLO_INTERVAL_FAILED_MS : HELLO_INTERVAL_MOST_MS;
    c->hello.interval_ms = c->hello.interval_ms * 2 < most ? c->hello.interval_ms * 2 : most;
}

static void write_cover(struct link_client *c, uint8_t *bytes, struct link_sequence oldest)
{
    struct link_cover cover = {
        .sent_unix_ns = clock_unix_ns(), .oldest = oldest, .control_counter = c->control_counter};
    link_cover_write(bytes, &cover);
}

static void send_flight(struct link_client *c, struct flight *f, int64_t now)
{
    uint8_t cover[LINK_COVER_BYTES];
    struct link_sequence sequence = {c->session, c->counter + 1};
    write_cover(c, cover, f->oldest);
    int result =
        send_message(c, LINK_BATCH, sequence, cover, sizeof cover, &f->sealed, &f->request);
    if (result < 0) {
        f->due_ms = now + (result == -EAGAIN ? 0 : RETRY_MS);
        return;
    }
    f->counter = ++c->counter;
    f->waits = true;
    f->due_ms = now + c->answer_timeout_ms;
    c->counts.sent += f->tries == 0;
    c->counts.resent += f->tries > 0;
    f->tries++;
}

static void send_tell(struct link_client *c, struct tell *tell, enum link_type type)
{
    uint32_t request;
    struct link_sequence sequence = {c->session, c->counter + 1};
    write_cover(c, (uint8_t *)tell->body.data, (struct link_sequence){0, 0});
    int result =
        send_message(c, type, sequence, tell->body.data, tell->body.length, NULL, &request);
    if (result == -EAGAIN)
        return;
    tell->counter = ++c->counter;
    tell->pending = false;
}

/* Everything that is due, oldest batches first, until the socket takes no more. */
static void send_due(struct link_client *c, int64_t now)
{
    c->blocked = false;
    if (c->state != LINK_READY && now >= c->hello.due_ms)
        send_hello(c, now);
    while (c->state == LINK_READY && !c->blocked) {
        struct flight *oldest = NULL;
        for (uint32_t i = 0; i < c->max_in_flight; i++) {
            struct flight *f = &c->flights[i];
            if (!f->used || f->waits || f->due_ms > now)
                continue;
            if (!oldest || f->sequence.epoch < oldest->sequence.epoch ||
                (f->sequence.epoch == oldest->sequence.epoch &&
                 f->sequence.number < oldest->sequence.number))
                oldest = f;
        }
        if (!oldest)
            break;
        send_flight(c, oldest, now);
        if (!oldest->waits)
            break;
    }
    if (c->state == LINK_READY && !c->blocked && c->report.pending)
        send_tell(c, &c->report, LINK_REPORT);
    if (c->state == LINK_READY && !c->blocked && c->inflight.pending)
        send_tell(c, &c->inflight, LINK_INFLIGHT);
    if (c->state == LINK_READY && !c->blocked && c->watch.pending)
        send_tell(c, &c->watch, LINK_WATCH);
}

static struct tell *tell_of(struct link_client *c, enum link_type type)
{
    if (type == LINK_WATCH)
        return &c->watch;
    return type == LINK_REPORT ? &c->report : &c->inflight;
}

/* ---- the caller's calls ------------------------------------------------------------------ */

int link_client_seal(const struct link_client *c, struct link_sequence sequence, const void *plain,
                     size_t length, struct buffer *out)
{
    struct envelope e = {.version = LINK_VERSION, .type = LINK_SPOOLED, .sequence = sequence};
    memcpy(e.agent, c->agent, sizeof e.agent);
    return envelope_write(out, &e, c->keyed ? c->key : NULL, plain, length);
}

/* Copies a spooled batch; seals by the key what was written before there was one. What is
 * damaged goes as it is, for the collector to refuse. 0, or -1 when memory is out. */
static int copy_sealed(const struct link_client *c, const void *sealed, size_t length,
                       struct buffer *out)
{
    struct envelope e;
    if (c->keyed && envelope_parse(sealed, length, &e) && !e.sealed) {
        uint8_t *plain = malloc(envelope_plain_length(&e) + 1);
        if (!plain)
            return -1;
        bool opened = envelope_open(&e, NULL, plain);
        int result =
            opened ? link_client_seal(c, e.sequence, plain, envelope_plain_length(&e), out) : 0;
        free(plain);
        if (opened)
            return result;
    }
    buffer_append(out, sealed, length);
    return out->failed ? -1 : 0;
}

int link_client_send(struct link_client *c, struct link_sequence sequence,
                     struct link_sequence oldest, const void *sealed, size_t length)
{
    struct flight *f = c->flights, *end = c->flights + c->max_in_flight;
    while (f < end && f->used)
        f++;
    if (c->state != LINK_READY || f == end)
        return -1;
    if (length > LINK_BATCH_MAX) /* nanomsg at the other end would hang up without a word */
        return link_client_refuse(c, sequence);
    buffer_clear(&f->sealed);
    if (copy_sealed(c, sealed, length, &f->sealed) < 0)
        return -1;
    f->used = true;
    f->waits = false;
    f->sequence = sequence;
    f->oldest = oldest;
    f->tries = 0;
    f->due_ms = clock_monotonic_ms();
    c->counts.in_flight++;
    send_due(c, f->due_ms);
    return 0;
}

void link_client_tell(struct link_client *c, enum link_type type, const void *body, size_t length)
{
    if (c->state != LINK_READY)
        return;
    struct tell *tell = tell_of(c, type);
    static const uint8_t cover[LINK_COVER_BYTES];
    buffer_clear(&tell->body);
    buffer_append(&tell->body, cover, sizeof cover);
    buffer_append(&tell->body, body, length);
    tell->pending = !tell->body.failed;
    send_due(c, clock_monotonic_ms());
}

/* ---- time -------------------------------------------------------------------------------- */

/* A collector that says nothing at all is called anew: the connection may be dead without
 * either end's kernel knowing, and nanomsg would wait for many minutes. */
static void call_anew(struct link_client *c)
{
    snprintf(c->problem, sizeof c->problem, "the collector at %s does not answer", c->address);
    LOG_WARN_EVERY("%s", c->problem);
    reopen_sockets(c);
    c->first_unheard_ms = 0;
    link_client_begin_hello(c);
}

/* Batches whose answers did not come are sent again. */
static void keep_time(struct link_client *c, int64_t now)
{
    for (uint32_t i = 0; i < c->max_in_flight; i++) {
        struct flight *f = &c->flights[i];
        if (f->used && f->waits && now >= f->due_ms) {
            f->waits = false;
            f->due_ms = now;
        }
    }
    bool quiet = c->first_unheard_ms && now - c->first_unheard_ms > 2 * c->answer_timeout_ms;
    if (quiet && c->state == LINK_READY)
        call_anew(c);
}

static int64_t next_due(const struct link_client *c, int64_t now)
{
    int64_t due = now + WAIT_MOST_MS;
    if (c->state != LINK_READY && !c->blocked && c->hello.due_ms < due)
        due = c->hello.due_ms;
    for (uint32_t i = 0; i < c->max_in_flight; i++) {
        const struct flight *f = &c->flights[i];
        bool can = f->used && (f->waits || (c->state == LINK_READY && !c->blocked));
        if (can && f->due_ms < due)
            due = f->due_ms;
    }
    return due > now ? due : now;
}

static void wait_for_something(struct link_client *c, int timeout_ms)
{
    int send_fd = -1;
    size_t size = sizeof send_fd;
    if (c->blocked)
        nn_getsockopt(c->requests, NN_SOL_SOCKET, NN_SNDFD, &send_fd, &size);
    struct pollfd fds[] = {{c->requests_fd, POLLIN, 0},
                           {c->control_fd, POLLIN, 0},
                           {c->wake_fd, POLLIN, 0},
                           {send_fd, POLLIN, 0}}; /* nanomsg's send descriptor polls readable */
    poll(fds, send_fd >= 0 ? 4 : 3, timeout_ms);
}

static bool take_event(struct link_client *c, struct link_event *event)
{
    if (c->event_count == 0)
        return false;
    *event = c->events[c->event_first++];
    if (--c->event_count == 0)
        c->event_first = 0;
    return true;
}

static bool was_woken(struct link_client *c)
{
    uint64_t count;
    return read(c->wake_fd, &count, sizeof count) == sizeof count;
}

int link_client_poll(struct link_client *c, struct link_event *event, int timeout_ms)
{
    int64_t now = clock_monotonic_ms(), deadline = now + timeout_ms;
    for (;;) {
        link_client_receive(c);
        keep_time(c, now);
        send_due(c, now);
        if (take_event(c, event))
            return 1;
        if (was_woken(c) || now >= deadline)
            return 0;
        int64_t due = next_due(c, now);
        wait_for_something(c, (int)((due < deadline ? due : deadline) - now));
        now = clock_monotonic_ms();
    }
}

void link_client_wake(struct link_client *c)
{
    uint64_t one = 1;
    ssize_t ignored = write(c->wake_fd, &one, sizeof one);
    (void)ignored;
}

void link_client_status(const struct link_client *c, struct link_client_status *out)
{
    *out = c->counts;
    out->state = c->state;
    memcpy(out->problem, c->problem, sizeof out->problem);
}
