// SPDX-License-Identifier: Apache-2.0
#include "lib/link/server.h"

#include <errno.h>
#include <nanomsg/nn.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/link/address.h"
#include "lib/link/control.h"
#include "lib/link/cover.h"
#include "lib/link/envelope.h"
#include "lib/link/server_agents.h"
#include "lib/link/socket.h"
#include "weft.pb-c.h"

enum { RETRY_MS = 100 }; /* after an error of the socket */

struct link_server {
    int requests, control; /* nanomsg's sockets; -1: none */
    int requests_fd, stop_fd;
    atomic_bool stopped;
    struct server_agents agents;
    struct {
        _Atomic uint64_t received, bad_envelope, bad_key, unknown_agent, too_old, replayed;
    } stats;

    pthread_mutex_t lock; /* for what follows */
    struct link_switches switches;
    uint64_t control_counter;
    uint8_t control_key[LINK_CONTROL_KEY_BYTES];
    uint8_t control_secret[LINK_CONTROL_SECRET_BYTES];
};

/* Where an answer goes and how it is sealed. */
struct ticket {
    struct link_route route;
    char agent[LINK_AGENT_ID_MAX + 1];
    struct link_sequence sequence; /* session and counter of the request */
    bool sealed;
    uint8_t key[LINK_KEY_BYTES];
    uint64_t control_counter; /* that the agent knows */
};

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* ---- life -------------------------------------------------------------------------------- */

static int listen_on(int protocol, const char *address, char *why, size_t why_size)
{
    int socket = link_socket_open(protocol, address);
    if (socket < 0) {
        snprintf(why, why_size, "nanomsg: %s", nn_strerror(-socket));
        return -1;
    }
    if (nn_bind(socket, address) < 0) {
        snprintf(why, why_size, "%s: %s", address, nn_strerror(nn_errno()));
        nn_close(socket);
        return -1;
    }
    return socket;
}

static int open_sockets(struct link_server *s, const struct link_server_options *options, char *why,
                        size_t why_size)
{
    s->requests = listen_on(NN_REP, options->address, why, why_size);
    if (s->requests < 0)
        return -1;
    s->control = listen_on(NN_PUB, options->control_address, why, why_size);
    if (s->control < 0)
        return -1;
    s->requests_fd = link_socket_receive_fd(s->requests);
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->requests_fd < 0 || s->stop_fd < 0) {
        snprintf(why, why_size, "%s", strerror(errno));
        return -1;
    }
    return 0;
}

struct link_server *link_server_create(const struct link_server_options *options, char *why,
                                       size_t why_size)
{
    bool open = !options->keys_directory;
    if (!link_address_check(options->address, open, why, why_size) ||
        !link_address_check(options->control_address, open, why, why_size))
        return NULL;
    struct link_server *s = calloc(1, sizeof *s);
    if (!s || sodium_init() < 0) {
        snprintf(why, why_size, "no memory, or no source of random numbers");
        free(s);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    s->requests = s->control = s->stop_fd = -1;
    crypto_sign_keypair(s->control_key, s->control_secret);
    if (server_agents_init(&s->agents, options->keys_directory) < 0) {
        snprintf(why, why_size, "no memory");
        link_server_destroy(&s);
    } else if (open_sockets(s, options, why, why_size) < 0) {
        link_server_destroy(&s);
    }
    return s;
}

void link_server_stop(struct link_server *s)
{
    uint64_t one = 1;
    atomic_store(&s->stopped, true);
    ssize_t ignored = write(s->stop_fd, &one, sizeof one);
    (void)ignored;
}

void link_server_destroy(struct link_server **server)
{
    struct link_server *s = *server;
    if (!s)
        return;
    if (s->requests >= 0)
        nn_close(s->requests);
    if (s->control >= 0)
        nn_close(s->control);
    if (s->stop_fd >= 0)
        close(s->stop_fd);
    server_agents_fini(&s->agents);
    pthread_mutex_destroy(&s->lock);
    sodium_memzero(s->control_secret, sizeof s->control_secret);
    free(s);
    *server = NULL;
}

/* ---- answers ----------------------------------------------------------------------------- */

/* Packs, seals and sends. An answer that cannot be made or sent is as one that was lost: the
 * agent sends again. */
static void send_answer(struct link_server *s, const struct ticket *ticket,
                        const Weft__Answer *answer)
{
    struct envelope e = {
        .version = LINK_VERSION, .type = LINK_ANSWER, .sequence = ticket->sequence};
    memcpy(e.agent, ticket->agent, sizeof e.agent);
    struct buffer body = {0}, bytes = {0};
    size_t length = weft__answer__get_packed_size(answer);
    uint8_t *room = (uint8_t *)buffer_reserve(&body, length ? length : 1);
    if (room && !atomic_load(&s->stopped)) {
        weft__answer__pack(answer, room);
        if (envelope_write(&bytes, &e, ticket->sealed ? ticket->key : NULL, room, length) == 0) {
            struct link_piece piece = {bytes.data, bytes.length};
            link_socket_send(s->requests, &ticket->route, &piece, 1);
        }
    }
    buffer_fini(&body);
    buffer_fini(&bytes);
}

/* Adds the switches where the agent does not have the latest. */
static void send_with_switches(struct link_server *s, const struct ticket *ticket,
                               Weft__Answer *answer)
{
    struct link_switch_messages switches = {0};
    pthread_mutex_lock(&s->lock);
    answer->control_counter = s->control_counter;
    if (ticket->control_counter != s->control_counter &&
        link_switch_messages_init(&switches, &s->switches) == 0) {
        answer->has_switches = true;
        answer->switches = switches.pointers;
        answer->n_switches = switches.count;
    }
    send_answer(s, ticket, answer);
    pthread_mutex_unlock(&s->lock);
    link_switch_messages_fini(&switches);
}

static void refuse(struct link_server *s, const struct ticket *ticket, enum link_verdict verdict,
                   const char *text)
{
    Weft__Answer answer = WEFT__ANSWER__INIT;
    answer.verdict = verdict;
    answer.text = (char *)text;
    answer.received_unix_ns = clock_unix_ns();
    send_answer(s, ticket, &answer);
}

static void answer_and_forget(struct link_server *s, struct link_request *request,
                              Weft__Answer *answer)
{
    struct ticket *ticket = request->ticket;
    if (!ticket)
        return;
    answer->received_unix_ns = clock_unix_ns();
    send_with_switches(s, ticket, answer);
    sodium_memzero(ticket, sizeof *ticket);
    free(ticket);
    request->ticket = NULL;
}

void link_server_answer(struct link_server *s, struct link_request *request,
                        enum link_verdict verdict, const char *text)
{
    Weft__Answer answer = WEFT__ANSWER__INIT;
    answer.verdict = verdict;
    answer.text = (char *)(text ? text : "");
    answer_and_forget(s, request, &answer);
}

void link_server_answer_watch(struct link_server *s, struct link_request *request,
                              const void *inquiries, size_t length)
{
    Weft__Answer answer = WEFT__ANSWER__INIT;
    answer.verdict = LINK_ACCEPTED;
    answer.body = (ProtobufCBinaryData){length, (uint8_t *)(uintptr_t)inquiries};
    answer_and_forget(s, request, &answer);
}

void link_request_release(struct link_request *request)
{
    if (request->ticket)
        sodium_memzero(request->ticket, sizeof(struct ticket));
    free(request->ticket);
    free(request->memory);
    *request = (struct link_request){0};
}

/* ---- opening requests -------------------------------------------------------------------- */

static void answer_hello(struct link_server *s, struct ticket *ticket, struct server_agent *agent)
{
    Weft__Answer answer = WEFT__ANSWER__INIT;
    answer.verdict = LINK_ACCEPTED;
    answer.received_unix_ns = clock_unix_ns();
    answer.session = link_sessions_offer(&agent->sessions, ticket->sequence.epoch);
    answer.control_key = (ProtobufCBinaryData){sizeof s->control_key, s->control_key};
    ticket->control_counter = UINT64_MAX; /* whatever it knew was another collector's */
    send_with_switches(s, ticket, &answer);
}

/* Whether the version is one of ours and the agent is known, with its key in *ticket. */
static bool check_sender(struct link_server *s, const struct envelope *e, struct ticket *ticket,
                         struct server_agent **agent)
{
    char why[256] = "";
    if (e->version < LINK_VERSION_LEAST || e->version > LINK_VERSION) {
        count(&s->stats.too_old);
        snprintf(why, sizeof why, "the collector speaks versions %d to %d of the link, not %d",
                 LINK_VERSION_LEAST, LINK_VERSION, e->version);
        LOG_WARN_EVERY("agent %s speaks version %d of the link, not %d to %d", e->agent, e->version,
                       LINK_VERSION_LEAST, LINK_VERSION);
        refuse(s, ticket, LINK_TOO_OLD, why);
        return false;
    }
    enum link_verdict verdict = server_agents_find(&s->agents, e->agent, agent, why, sizeof why);
    if (verdict == LINK_UNKNOWN_AGENT) {
        count(&s->stats.unknown_agent);
        LOG_WARN_EVERY("agent %s is refused: %s", e->agent, why);
    }
    if (verdict != LINK_ACCEPTED) {
        refuse(s, ticket, verdict, why);
        return false;
    }
    if (s->agents.keys_directory)
        memcpy(ticket->key, (*agent)->key, sizeof ticket->key);
    return true;
}

/* The opened body, from malloc; NULL after the refusal was sent. */
static uint8_t *open_body(struct link_server *s, const struct envelope *e, struct ticket *ticket)
{
    bool keyed = s->agents.keys_directory != NULL;
    uint8_t *plain = malloc(envelope_plain_length(e) + 1);
    if (!plain) {
        LOG_ERROR_EVERY("no memory for a request of agent %s", e->agent);
        return NULL;
    }
    if (envelope_open(e, keyed ? ticket->key : NULL, plain)) {
        ticket->sealed = keyed;
        return plain;
    }
    free(plain);
    count(&s->stats.bad_key);
    LOG_WARN_EVERY("agent %s is refused: its messages are not sealed by the key known here",
                   e->agent);
    refuse(s, ticket, LINK_BAD_KEY,
           keyed ? "not sealed by the key that the collector has for this agent"
                 : "sealed, but the collector has no keys");
    return NULL;
}

/* Opens the spooled batch behind the cover into the request. */
static bool open_batch(struct link_server *s, const struct envelope *cover,
                       const struct ticket *ticket, struct link_request *request, size_t length)
{
    struct envelope e;
    const uint8_t *rest = cover->bytes + envelope_length(cover);
    length -= envelope_length(cover);
    if (!envelope_parse(rest, length, &e) || envelope_length(&e) != length ||
        e.type != LINK_SPOOLED || e.version > LINK_VERSION || strcmp(e.agent, cover->agent) != 0) {
        count(&s->stats.bad_envelope);
        refuse(s, ticket, LINK_REFUSED, "no batch, or another agent's");
        return false;
    }
    uint8_t *plain = malloc(envelope_plain_length(&e) + 1);
    if (!plain) {
        refuse(s, ticket, LINK_BUSY, "no memory");
        return false;
    }
    if (!envelope_open(&e, ticket->sealed ? ticket->key : NULL, plain)) {
        free(plain);
        count(&s->stats.bad_key);
        refuse(s, ticket, LINK_REFUSED, "a batch that was sealed by another key, or damaged");
        return false;
    }
    request->sequence = e.sequence;
    request->body = request->memory = plain;
    request->length = envelope_plain_length(&e);
    return true;
}

/* What an agent with a session sent: fills the request, or answers itself. */
static bool open_covered(struct link_server *s, const struct envelope *e,
                         struct server_agent *agent, struct ticket *ticket, uint8_t *plain,
                         struct link_request *request, size_t length)
{
    struct link_cover cover;
    size_t plain_length = envelope_plain_length(e);
    bool known = e->type == LINK_BATCH || e->type == LINK_INFLIGHT || e->type == LINK_REPORT ||
                 e->type == LINK_WATCH;
    if (!known || plain_length < LINK_COVER_BYTES) {
        count(&s->stats.bad_envelope);
        refuse(s, ticket, LINK_REFUSED, "a message of a kind that the collector does not know");
        return false;
    }
    enum link_session_verdict session =
        link_sessions_check(&agent->sessions, e->sequence.epoch, e->sequence.number);
    if (session == SESSION_UNKNOWN)
        refuse(s, ticket, LINK_HELLO_FIRST, "say hello first");
    else if (session == SESSION_REPLAYED)
        count(&s->stats.replayed);
    if (session != SESSION_FINE)
        return false;
    link_cover_read(plain, &cover);
    ticket->control_counter = cover.control_counter;
    request->type = (enum link_type)e->type;
    request->oldest = cover.oldest;
    request->sent_unix_ns = cover.sent_unix_ns;
    memcpy(request->agent, e->agent, sizeof request->agent);
    if (e->type == LINK_BATCH)
        return open_batch(s, e, ticket, request, length);
    request->body = plain + LINK_COVER_BYTES;
    request->length = plain_length - LINK_COVER_BYTES;
    request->memory = plain;
    return true;
}

/* True if `request` is filled; else it was answered, or cannot be. */
static bool open_request(struct link_server *s, const struct link_message *message,
                         struct ticket *ticket, struct link_request *request)
{
    struct envelope e;
    struct server_agent *agent;
    if (!envelope_parse(message->bytes, message->length, &e)) {
        count(&s->stats.bad_envelope);
        return false;
    }
    ticket->route = message->route;
    ticket->sequence = e.sequence;
    memcpy(ticket->agent, e.agent, sizeof ticket->agent);
    if (!check_sender(s, &e, ticket, &agent))
        return false;
    uint8_t *plain = open_body(s, &e, ticket);
    if (!plain)
        return false;
    bool filled = false;
    if (e.type == LINK_HELLO)
        answer_hello(s, ticket, agent);
    else
        filled = open_covered(s, &e, agent, ticket, plain, request, message->length);
    if (request->memory != plain)
        free(plain);
    return filled;
}

static void accept_told(struct link_server *s, const struct ticket *ticket)
{
    Weft__Answer answer = WEFT__ANSWER__INIT;
    answer.verdict = LINK_ACCEPTED;
    answer.received_unix_ns = clock_unix_ns();
    send_with_switches(s, ticket, &answer);
}

static bool take_message(struct link_server *s, struct link_message *message,
                         struct link_request *request)
{
    count(&s->stats.received);
    *request = (struct link_request){0};
    struct ticket *ticket = calloc(1, sizeof *ticket);
    bool filled = ticket && open_request(s, message, ticket, request);
    if (filled && (request->type == LINK_BATCH || request->type == LINK_WATCH)) {
        request->ticket = ticket;
    } else if (ticket) {
        if (filled) /* nothing more can become of it; and the agent hears that we live */
            accept_told(s, ticket);
        sodium_memzero(ticket, sizeof *ticket);
        free(ticket);
    }
    link_message_fini(message);
    return filled;
}

int link_server_receive(struct link_server *s, struct link_request *request, int timeout_ms)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    while (!atomic_load(&s->stopped)) {
        struct link_message message;
        int result = link_socket_receive(s->requests, &message);
        if (result == 0) {
            if (take_message(s, &message, request))
                return 1;
            continue;
        }
        int64_t left = deadline - clock_monotonic_ms();
        if (left <= 0)
            return 0;
        struct pollfd fds[] = {{s->stop_fd, POLLIN, 0}, {s->requests_fd, POLLIN, 0}};
        bool failed = result != -EAGAIN && result != -EINTR;
        if (failed)
            LOG_ERROR_EVERY("receiving from agents: %s", nn_strerror(-result));
        poll(fds, failed ? 1 : 2, (int)(failed && left > RETRY_MS ? RETRY_MS : left));
    }
    return 0;
}

/* ---- control and numbers ----------------------------------------------------------------- */

int link_server_publish_recording(struct link_server *s, const char *service, bool on)
{
    struct buffer message = {0};
    int result = -1;
    pthread_mutex_lock(&s->lock);
    if (link_switches_set(&s->switches, service, on)) {
        s->control_counter++;
        result = link_control_write(&message, &s->switches, s->control_counter, s->control_secret);
    }
    if (result == 0) {
        struct link_piece piece = {message.data, message.length};
        link_socket_send(s->control, NULL, &piece, 1);
    }
    pthread_mutex_unlock(&s->lock);
    buffer_fini(&message);
    return result;
}

bool link_server_recording(struct link_server *s, const char *service)
{
    pthread_mutex_lock(&s->lock);
    bool on = link_switches_on(&s->switches, service);
    pthread_mutex_unlock(&s->lock);
    return on;
}

void link_server_stats(const struct link_server *s, struct link_server_stats *out)
{
#define LOAD(name) .name = atomic_load_explicit(&s->stats.name, memory_order_relaxed)
    *out = (struct link_server_stats){LOAD(received),      LOAD(bad_envelope), LOAD(bad_key),
                                      LOAD(unknown_agent), LOAD(too_old),      LOAD(replayed)};
#undef LOAD
}
