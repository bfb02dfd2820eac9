// SPDX-License-Identifier: Apache-2.0
/* What comes back to the client: answers, and control messages. */
#include <errno.h>
#include <inttypes.h>
#include <nanomsg/nn.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/link/client_internal.h"
#include "weft.pb-c.h"

enum { BUSY_LEAST_MS = 100, BUSY_MOST_MS = 5000 };
#define SKEW_TOLERATED_NS (INT64_C(10) * 1000000000)

/* ---- events ------------------------------------------------------------------------------ */

/* NULL when memory is out. */
static struct link_event *add_event(struct link_client *c)
{
    if (c->event_first + c->event_count == c->event_capacity) {
        size_t capacity = c->event_capacity ? c->event_capacity * 2 : 32;
        struct link_event *events = realloc(c->events, capacity * sizeof *events);
        if (!events)
            return NULL;
        c->events = events;
        c->event_capacity = capacity;
    }
    struct link_event *event = &c->events[c->event_first + c->event_count++];
    memset(event, 0, sizeof *event);
    return event;
}

static void add_recording_event(void *context, const char *service, bool on)
{
    struct link_event *event = add_event(context);
    if (!event) {
        LOG_ERROR_EVERY("no memory to switch recording of %s", service);
        return;
    }
    event->kind = LINK_EVENT_RECORDING;
    event->on = on;
    snprintf(event->service, sizeof event->service, "%s", service);
}

static void take_switches(struct link_client *c, const struct link_switches *switches,
                          uint64_t counter)
{
    link_switches_difference(&c->switches, switches, add_recording_event, c);
    c->switches = *switches;
    c->control_counter = counter;
}

/* ---- refusals ---------------------------------------------------------------------------- */

static void fail(struct link_client *c, enum link_verdict verdict, const char *text)
{
    const char *key_file = c->keyed ? c->key_file : "a key that weft keygen makes";
    switch (verdict) {
    case LINK_UNKNOWN_AGENT:
        snprintf(c->problem, sizeof c->problem,
                 "the collector does not know agent %s: copy %s to its keys directory as %s.key",
                 c->agent, key_file, c->agent);
        break;
    case LINK_BAD_KEY:
        snprintf(c->problem, sizeof c->problem, "the collector has another key for agent %s: %s",
                 c->agent, text);
        break;
    default:
        snprintf(c->problem, sizeof c->problem, "%s", text);
    }
    LOG_WARN_EVERY("%s", c->problem);
    c->state = LINK_FAILED;
    link_client_begin_hello(c);
}

static bool is_failure(uint32_t verdict)
{
    return verdict == LINK_UNKNOWN_AGENT || verdict == LINK_BAD_KEY || verdict == LINK_TOO_OLD;
}

/* ---- answers ----------------------------------------------------------------------------- */

/* The collector's clock less ours, if the answer is to the hello that was sent last. */
static void measure_skew(struct link_client *c, uint64_t attempt, uint64_t received_unix_ns)
{
    if (attempt != c->hello.attempt)
        return;
    uint64_t round_trip_ns = (uint64_t)(clock_monotonic_ms() - c->hello.sent_ms) * 1000000u;
    uint64_t middle = c->hello.sent_unix_ns + round_trip_ns / 2;
    c->counts.clock_skew_ns = (int64_t)(received_unix_ns - middle);
    if (c->counts.clock_skew_ns > SKEW_TOLERATED_NS ||
        c->counts.clock_skew_ns < -SKEW_TOLERATED_NS) {
        snprintf(
            c->problem, sizeof c->problem,
            "this host's clock is %" PRId64 " s %s the collector's: set it (spans are sent "
            "nevertheless)",
            (c->counts.clock_skew_ns < 0 ? -c->counts.clock_skew_ns : c->counts.clock_skew_ns) /
                1000000000,
            c->counts.clock_skew_ns < 0 ? "ahead of" : "behind");
        LOG_WARN_EVERY("%s", c->problem);
    }
}

/* False for one that came twice, or is no welcome. */
static bool take_hello_answer(struct link_client *c, const struct envelope *e,
                              const Weft__Answer *answer)
{
    if (c->state == LINK_READY || answer->verdict != LINK_ACCEPTED || answer->session == 0 ||
        answer->control_key.len != sizeof c->control_key)
        return false;
    c->counts.reconnects += c->session != 0;
    c->session = answer->session;
    c->counter = 0;
    c->state = LINK_READY;
    c->problem[0] = '\0';
    memcpy(c->control_key, answer->control_key.data, sizeof c->control_key);
    c->control_key_known = true;
    measure_skew(c, e->sequence.number, answer->received_unix_ns);
    int64_t now = clock_monotonic_ms();
    for (uint32_t i = 0; i < c->max_in_flight; i++) {
        c->flights[i].waits = false; /* what was sent in another session is sent again */
        c->flights[i].due_ms = now;
    }
    return true;
}

/* False when memory is out. */
static bool add_answer_event(struct link_client *c, struct link_sequence sequence,
                             enum link_verdict verdict)
{
    struct link_event *event = add_event(c);
    if (!event)
        return false;
    event->kind = LINK_EVENT_ANSWER;
    event->sequence = sequence;
    event->verdict = verdict;
    return true;
}

int link_client_refuse(struct link_client *c, struct link_sequence sequence)
{
    if (!add_answer_event(c, sequence, LINK_REFUSED))
        return -1;
    c->counts.refused++;
    return 0;
}

static void finish_flight(struct link_client *c, struct flight *f, enum link_verdict verdict,
                          const char *text)
{
    if (!add_answer_event(c, f->sequence, verdict)) /* it is sent again, as a duplicate */
        return;
    c->counts.acknowledged += verdict == LINK_ACCEPTED;
    c->counts.duplicates += verdict == LINK_DUPLICATE;
    c->counts.refused += verdict == LINK_REFUSED;
    if (verdict == LINK_REFUSED)
        LOG_WARN_EVERY("the collector refused batch %" PRIu64 ": %s", f->sequence.number, text);
    f->used = false;
    c->counts.in_flight--;
}

static void postpone(struct flight *f)
{
    unsigned doublings = f->tries < 7 ? f->tries : 7;
    int64_t pause = (int64_t)BUSY_LEAST_MS << doublings;
    pause = pause < BUSY_MOST_MS ? pause : BUSY_MOST_MS;
    f->waits = false;
    f->due_ms = clock_monotonic_ms() + pause / 2 + randombytes_uniform((uint32_t)pause);
}

static void take_flight_answer(struct link_client *c, struct flight *f, const Weft__Answer *answer)
{
    switch (answer->verdict) {
    case LINK_ACCEPTED:
    case LINK_DUPLICATE:
    case LINK_REFUSED:
        finish_flight(c, f, (enum link_verdict)answer->verdict, answer->text);
        break;
    default:
        postpone(f);
    }
}

/* An old answer says nothing of the watch that was sent last: the next will be answered. */
static void take_inquiries(struct link_client *c, const struct envelope *e,
                           const Weft__Answer *answer)
{
    if (!answer->body.len || e->sequence.number != c->watch.counter)
        return;
    void *body = malloc(answer->body.len);
    struct link_event *event = body ? add_event(c) : NULL;
    if (!event) { /* it is given again */
        free(body);
        return;
    }
    memcpy(body, answer->body.data, answer->body.len);
    event->kind = LINK_EVENT_INQUIRIES;
    event->body = body;
    event->length = answer->body.len;
}

/* An answer that the collector sealed, or any where the link is open. */
static void take_authentic(struct link_client *c, const struct envelope *e, uint32_t request,
                           const Weft__Answer *answer)
{
    c->first_unheard_ms = 0;
    if (is_failure(answer->verdict)) {
        fail(c, (enum link_verdict)answer->verdict, answer->text);
        return;
    }
    bool to_hello = e->sequence.epoch == c->hello.nonce;
    if (to_hello ? !take_hello_answer(c, e, answer) : e->sequence.epoch != c->session)
        return;
    if (answer->has_switches && (to_hello || answer->control_counter > c->control_counter)) {
        struct link_switches switches;
        link_switches_read(&switches, answer->switches, answer->n_switches);
        take_switches(c, &switches, answer->control_counter);
    }
    if (!to_hello)
        take_inquiries(c, e, answer);
    for (uint32_t i = 0; i < c->max_in_flight && !to_hello; i++) {
        struct flight *f = &c->flights[i];
        if (f->used && f->waits && f->request == request && f->counter == e->sequence.number)
            take_flight_answer(c, f, answer);
    }
    if (answer->verdict == LINK_HELLO_FIRST && c->state == LINK_READY)
        link_client_begin_hello(c);
}

/* What anybody on the way could have sent: it is believed only so far as to complain. */
static void take_unsealed(struct link_client *c, const Weft__Answer *answer)
{
    if (is_failure(answer->verdict) && c->state != LINK_READY)
        fail(c, (enum link_verdict)answer->verdict, answer->text);
}

static void take_answer(struct link_client *c, const struct link_message *message)
{
    struct envelope e;
    uint32_t request;
    if (!link_route_request(&message->route, &request) ||
        !envelope_parse(message->bytes, message->length, &e) || e.type != LINK_ANSWER ||
        strcmp(e.agent, c->agent) != 0)
        return;
    size_t length = envelope_plain_length(&e);
    uint8_t *plain = malloc(length + 1);
    bool sealed = c->keyed && e.sealed;
    Weft__Answer *answer = NULL;
    if (plain && envelope_open(&e, sealed ? c->key : NULL, plain))
        answer = weft__answer__unpack(NULL, length, plain);
    if (answer && (sealed || !c->keyed))
        take_authentic(c, &e, request, answer);
    else if (answer)
        take_unsealed(c, answer);
    if (answer)
        weft__answer__free_unpacked(answer, NULL);
    free(plain);
}

static void take_control(struct link_client *c, const struct link_message *message)
{
    uint64_t counter;
    struct link_switches switches;
    if (!c->control_key_known)
        return;
    if (!link_control_read(message->bytes, message->length, c->control_key, &counter, &switches)) {
        LOG_WARN_EVERY("a control message that the collector did not sign came from %s",
                       c->control_address);
        return;
    }
    if (counter > c->control_counter)
        take_switches(c, &switches, counter);
}

static void receive_from(struct link_client *c, int socket,
                         void (*take)(struct link_client *c, const struct link_message *message))
{
    struct link_message message;
    int result;
    if (socket < 0)
        return;
    while ((result = link_socket_receive(socket, &message)) == 0) {
        take(c, &message);
        link_message_fini(&message);
    }
    if (result != -EAGAIN && result != -EINTR)
        LOG_ERROR_EVERY("receiving from %s: %s", c->address, nn_strerror(-result));
}

void link_client_receive(struct link_client *c)
{
    receive_from(c, c->requests, take_answer);
    receive_from(c, c->control, take_control);
}
