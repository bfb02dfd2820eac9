// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/connection.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Replies are tried after so many rounds, and believed after so many. A cache that is sent so
 * little serves all of it before it looks at another connection. */
enum { ROUNDS_UNTIL_TRIED = 4, ROUNDS_UNTIL_BELIEVED = 8, SERVED_AT_ONCE_BYTES = 4096 };
/* And after so long a silence nothing is under way, however much was asked. */
#define SILENCE_NS UINT64_C(50000000)

enum speaker { NOBODY, CLIENT, CACHE };

/* One of them: the client asks, the cache answers, and the client goes on when it has all. */
struct round {
    uint32_t before; /* rounds in a row that were as they should be */
    bool is_clean;   /* and this one is, so far */
    uint64_t commands, bytes;
};

struct tap_connection {
    const struct tap_protocol *protocol;
    const struct tap_sink *sink;
    struct tap_sink counting; /* counts, and hands on to `sink` */
    struct tap_budget *budget;
    struct tap_connection_counts *counts;
    struct tap_pending *pending;
    struct tap_stream requests, replies;
    bool reads_requests, reads_replies; /* the place among them is known */
    bool on_trial;                      /* replies are read, but not believed yet */
    bool whole;                         /* a SYN was seen, and no byte was lost since */
    uint32_t syn_sequence;              /* the client's, if `whole` */
    bool heard_cache;                   /* say something */
    bool foreign;
    bool reset;
    enum speaker last_speaker; /* of payload */
    bool is_turn;              /* the segment being added is one from which replies can be read */
    struct round round;        /* while replies are not believed */
    uint64_t spoken_ns;        /* when payload came last */
    uint64_t exchanges;
    size_t bytes;                           /* of this, with its states */
    _Alignas(max_align_t) uint8_t states[]; /* the requests' reader's, then the replies' */
};

static void *request_state(struct tap_connection *c)
{
    return c->states;
}

/* Both states begin at an address that any type may have. */
static size_t padded(size_t bytes)
{
    const size_t alignment = _Alignof(max_align_t);
    return (bytes + alignment - 1) / alignment * alignment;
}

static void *reply_state(struct tap_connection *c)
{
    return c->states + padded(c->protocol->request_bytes);
}

/* What it was answered is not certain. */
static void hand_on_unanswered(struct tap_connection *c, const struct tap_exchange *exchange)
{
    struct tap_exchange e = {
        .command = exchange->command,
        .ending = TAP_NOT_SEEN,
        .order = exchange->order,
        .asked_ns = exchange->asked_ns,
        .request_bytes = exchange->request_bytes,
        .keys = exchange->keys,
        .key_count = exchange->key_count,
        .keys_not_kept = exchange->keys_not_kept,
    };
    tap_pending_forget_outcomes(c->pending);
    c->sink->take(c->sink->context, &e);
}

static void take(void *context, const struct tap_exchange *exchange)
{
    struct tap_connection *c = context;
    c->exchanges++;
    if (c->on_trial && (exchange->ending == TAP_ANSWERED || exchange->ending == TAP_WITHDRAWN))
        hand_on_unanswered(c, exchange);
    else
        c->sink->take(c->sink->context, exchange);
}

struct tap_connection *tap_connection_create(const struct tap_protocol *protocol,
                                             const struct tap_sink *sink, struct tap_budget *budget,
                                             struct tap_connection_counts *counts)
{
    size_t bytes =
        sizeof(struct tap_connection) + padded(protocol->request_bytes) + protocol->reply_bytes;
    struct tap_pending *pending = tap_pending_create(budget);
    struct tap_connection *c =
        pending && budget->bytes + bytes <= budget->limit_bytes ? calloc(1, bytes) : NULL;
    if (!c) {
        budget->refused++;
        tap_pending_destroy(&pending);
        return NULL;
    }
    budget->bytes += bytes;
    c->bytes = bytes;
    c->protocol = protocol;
    c->sink = sink;
    c->counting = (struct tap_sink){take, c};
    c->budget = budget;
    c->counts = counts;
    c->pending = pending;
    return c;
}

void tap_connection_destroy(struct tap_connection **place)
{
    struct tap_connection *c = *place;
    if (!c)
        return;
    tap_pending_give_up(c->pending, &c->counting);
    tap_pending_destroy(&c->pending);
    tap_stream_fini(&c->requests, c->budget);
    tap_stream_fini(&c->replies, c->budget);
    c->budget->bytes -= c->bytes;
    free(c);
    *place = NULL;
}

/* ---- the place among requests and replies ------------------------------------------------- */

static void lose_replies(struct tap_connection *c)
{
    if (!c->reads_replies)
        return;
    c->reads_replies = c->on_trial = false;
    c->round = (struct round){0};
    c->counts->reply_losses++;
    tap_pending_give_up(c->pending, &c->counting);
}

/* Commands were missed: what comes next answers we do not know whom. */
static void lose_requests(struct tap_connection *c)
{
    lose_replies(c);
    if (!c->reads_requests)
        return;
    c->reads_requests = false;
    c->counts->request_losses++;
    c->foreign |= c->whole && c->exchanges == 0 && tap_pending_count(c->pending) == 0;
}

static void read_replies_from_here(struct tap_connection *c)
{
    tap_pending_give_up(c->pending, &c->counting);
    memset(reply_state(c), 0, c->protocol->reply_bytes);
    c->reads_replies = true;
}

static void read_requests_from_here(struct tap_connection *c)
{
    memset(request_state(c), 0, c->protocol->request_bytes);
    c->reads_requests = true;
}

/* ---- bytes ------------------------------------------------------------------------------- */

static void on_request(void *context, const uint8_t *bytes, uint32_t length, uint64_t now_ns)
{
    struct tap_connection *c = context;
    const struct tap_reading r = {c->pending, &c->counting, now_ns};
    bool begins = !c->reads_requests && c->protocol->may_begin(bytes, length);
    if (begins) {
        tap_pending_missed(c->pending);
        read_requests_from_here(c);
    }
    if (!c->reads_requests) {
        c->counts->skipped_request_bytes += length;
        return;
    }
    if (c->is_turn && !c->reads_replies) {
        read_replies_from_here(c);
        c->on_trial = true;
    }
    c->is_turn = false;
    size_t before = tap_pending_count(c->pending);
    uint64_t refused = c->budget->refused;
    if (c->protocol->request(request_state(c), &r, bytes, length) != TAP_GOES_ON) {
        c->whole &= c->budget->refused == refused; /* want of memory says nothing of the bytes */
        lose_requests(c);
    }
    c->round.commands += tap_pending_count(c->pending) - before;
    if (!c->reads_replies) /* nobody will say what they were answered */
        tap_pending_give_up(c->pending, &c->counting);
}

static void on_request_gap(void *context, uint32_t length)
{
    struct tap_connection *c = context;
    c->is_turn = c->whole = c->round.is_clean = false;
    if (c->reads_requests && c->protocol->request_passing(request_state(c)) >= length)
        c->protocol->request_pass(request_state(c), length);
    else
        lose_requests(c);
}

static void on_reply(void *context, const uint8_t *bytes, uint32_t length, uint64_t now_ns)
{
    struct tap_connection *c = context;
    const struct tap_reading r = {c->pending, &c->counting, now_ns};
    if (c->whole && !c->heard_cache && !c->protocol->reply_may_begin(bytes, length)) {
        c->foreign = true; /* what was taken for commands was none */
        tap_pending_clear(c->pending);
    }
    c->heard_cache = true;
    if (!c->reads_replies)
        c->counts->skipped_reply_bytes += length;
    else if (c->protocol->reply(reply_state(c), &r, bytes, length) != TAP_GOES_ON)
        lose_replies(c);
}

static void on_reply_gap(void *context, uint32_t length)
{
    struct tap_connection *c = context;
    c->whole = c->round.is_clean = false;
    if (c->reads_replies && c->protocol->reply_passing(reply_state(c)) >= length)
        c->protocol->reply_pass(reply_state(c), length);
    else
        lose_replies(c);
}

/* ---- rounds ------------------------------------------------------------------------------ */

/* The cache spoke last, the client has heard all of it, and now asks. */
static bool is_turn(const struct tap_connection *c, const struct tap_segment *segment)
{
    return c->last_speaker == CACHE && c->replies.known && !c->replies.held &&
           segment->flags & TAP_ACK && segment->acknowledged == c->replies.next &&
           segment->sequence == c->requests.next;
}

static bool is_short(const struct tap_connection *c)
{
    const struct round *r = &c->round;
    return r->commands <= 1 ||
           (r->commands <= c->protocol->served_at_once && r->bytes <= SERVED_AT_ONCE_BYTES);
}

/* The round that ends now: nothing of it is under way still. */
static bool is_even(const struct tap_connection *c, uint64_t now_ns)
{
    bool silent = now_ns >= c->spoken_ns + SILENCE_NS;
    return c->reads_requests && (silent || (c->round.is_clean && is_short(c))) &&
           (!c->on_trial || tap_pending_count(c->pending) == 0);
}

static void begin_round(struct tap_connection *c, uint64_t now_ns)
{
    uint32_t before = is_even(c, now_ns) ? c->round.before + 1 : 0;
    if (c->on_trial && before == 0)
        lose_replies(c);
    c->round = (struct round){.before = before, .is_clean = true};
    c->is_turn = before >= ROUNDS_UNTIL_TRIED;
    c->on_trial &= before < ROUNDS_UNTIL_BELIEVED;
}

/* The client says more. */
static void watch_client(struct tap_connection *c, const struct tap_segment *segment,
                         uint64_t now_ns)
{
    if (is_turn(c, segment))
        begin_round(c, now_ns);
    else if (c->last_speaker != CLIENT || segment->sequence != c->requests.next)
        c->round.is_clean = false;
    c->round.bytes += segment->length;
}

/* The cache says more: unless it has heard all of the client, it is of what was asked before. */
static void watch_cache(struct tap_connection *c, const struct tap_segment *segment)
{
    if (segment->acknowledged != c->requests.next || c->requests.held ||
        segment->sequence != c->replies.next)
        c->round.is_clean = false;
}

static bool is_new(const struct tap_stream *s, const struct tap_segment *segment)
{
    return segment->length > 0 &&
           (!s->known || (int32_t)(segment->sequence + segment->length - s->next) > 0);
}

/* Where replies are not read: is this where they can be read from? */
static void watch(struct tap_connection *c, bool from_client, const struct tap_segment *segment,
                  uint64_t now_ns)
{
    if (!is_new(from_client ? &c->requests : &c->replies, segment))
        return;
    bool is_believed = c->reads_replies && !c->on_trial;
    if (!is_believed && from_client)
        watch_client(c, segment, now_ns);
    else if (!is_believed)
        watch_cache(c, segment);
    c->spoken_ns = now_ns;
    c->last_speaker = from_client ? CLIENT : CACHE;
}

/* ---- segments ---------------------------------------------------------------------------- */

/* Where requests begin both sides' SYN tells, where replies begin the cache's alone. */
static void begin(struct tap_connection *c, bool from_client, const struct tap_segment *segment)
{
    struct tap_stream *s = from_client ? &c->requests : &c->replies;
    if (c->last_speaker != NOBODY || (s->known && s->next != segment->sequence + 1))
        return;
    c->whole = true;
    c->syn_sequence = from_client ? segment->sequence : segment->acknowledged - 1;
    if (!s->known)
        tap_stream_begin(s, segment->sequence);
    if (!c->reads_requests)
        read_requests_from_here(c);
    if (!from_client && !c->reads_replies)
        read_replies_from_here(c);
}

bool tap_connection_is_anothers(const struct tap_connection *c, const struct tap_segment *segment)
{
    return (segment->flags & (TAP_SYN | TAP_ACK)) == TAP_SYN &&
           !(c->whole && c->syn_sequence == segment->sequence);
}

void tap_connection_add(struct tap_connection *c, bool from_client,
                        const struct tap_segment *segment, uint64_t now_ns)
{
    const struct tap_stream_out requests = {on_request, on_request_gap, c, c->budget,
                                            &c->counts->streams};
    const struct tap_stream_out replies = {on_reply, on_reply_gap, c, c->budget,
                                           &c->counts->streams};
    if (segment->flags & TAP_SYN)
        begin(c, from_client, segment);
    else if (!c->requests.known && !c->replies.known)
        c->counts->joined++;
    if (segment->flags & TAP_ACK)
        tap_stream_acknowledge(from_client ? &c->replies : &c->requests, segment->acknowledged,
                               now_ns, from_client ? &replies : &requests);
    watch(c, from_client, segment, now_ns);
    /* Captured before what it answers: two processors hand over a packet each. */
    if (!from_client && tap_stream_lacks(&c->requests, segment->acknowledged))
        tap_stream_pause(&c->replies);
    if (from_client)
        tap_stream_add(&c->requests, segment, now_ns, &requests);
    else
        tap_stream_add(&c->replies, segment, now_ns, &replies);
    if (c->replies.paused && !tap_stream_lacks(&c->requests, c->requests.acknowledged))
        tap_stream_go_on(&c->replies, &replies);
    c->is_turn = false;
    c->reset |= (segment->flags & TAP_RST) != 0;
}

bool tap_connection_has_ended(const struct tap_connection *c)
{
    return c->reset || (c->requests.ended && c->replies.ended);
}

uint64_t tap_connection_exchanges(const struct tap_connection *c)
{
    return c->exchanges;
}

bool tap_connection_is_foreign(const struct tap_connection *c)
{
    return c->foreign;
}
