// SPDX-License-Identifier: Apache-2.0
/* The agent's end of the link: one thread calls everything here but link_client_seal and
 * link_client_wake.
 *
 * nanomsg reconnects by itself with back-off; this adds what it lacks: a jittered first
 * interval (so that 1,200 agents do not come back in step), a hello before the first batch and
 * after the collector was restarted, several requests in flight, and sending again what was
 * not answered in time (nanomsg drops requests silently when a connection breaks).
 */
#ifndef WEFT_LINK_CLIENT_H
#define WEFT_LINK_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/link/link.h"

struct link_client;

struct link_client_options {
    const char *address, *control_address; /* "tcp://HOST:PORT" */
    const char *agent;                     /* this agent's id */
    const char *key_file;                  /* NULL: open; then the address must be loopback */
    uint32_t max_in_flight;                /* batches; 16 */
    uint32_t answer_timeout_ms;            /* then a batch is sent again; 5000 */
};

enum link_state {
    LINK_CONNECTING, /* no answer yet, or the peer went quiet */
    LINK_READY,      /* hello was answered */
    LINK_FAILED      /* refused for a reason that waiting does not mend: see `problem`. It goes on
                      * asking, slowly, so that it recovers when somebody mends it */
};

struct link_client_status {
    enum link_state state;
    char problem[256];     /* for people: "the collector does not know agent box7: copy …" */
    int64_t clock_skew_ns; /* collector's clock less ours, at the last hello; half the round
                            * trip is its error */
    uint32_t in_flight;
    uint64_t sent, resent, acknowledged, duplicates, refused, reconnects;
};

struct link_event {
    enum { LINK_EVENT_ANSWER, LINK_EVENT_RECORDING, LINK_EVENT_INQUIRIES } kind;
    struct link_sequence sequence; /* ANSWER: of the batch */
    enum link_verdict verdict;     /* ANSWER: ACCEPTED, DUPLICATE or REFUSED only; the rest is
                                    * dealt with here by sending again */
    char service[128];             /* RECORDING */
    bool on;
    void *body; /* INQUIRIES: weft.Inquiries; the taker frees it */
    size_t length;
};

/* NULL and a sentence in `why` (bad address, unreadable key, open link to elsewhere). */
struct link_client *link_client_create(const struct link_client_options *options, char *why,
                                       size_t why_size);
void link_client_destroy(struct link_client **c);

/* Seals `plain` (an encoded batch) for the spool: the bytes that link_client_send takes, now or
 * after a restart with the same key. Appends to `out`. 0, or -1 when memory is out. Any thread. */
struct buffer;
int link_client_seal(const struct link_client *c, struct link_sequence sequence, const void *plain,
                     size_t length, struct buffer *out);

/* Hands over a sealed batch; copied. 0; -1 while max_in_flight are unanswered or the link is not
 * ready (the caller tries again after link_client_poll said something or the state changed). A
 * batch that was sealed open, before there was a key, is sealed by it now; one that no collector
 * can take (another key's, too large) is answered with REFUSED by the collector or here. */
int link_client_send(struct link_client *c, struct link_sequence sequence,
                     struct link_sequence oldest, const void *sealed, size_t length);
/* Sends and forgets (LINK_INFLIGHT, LINK_REPORT, LINK_WATCH); sealed here. Nothing happens unless
 * ready. */
void link_client_tell(struct link_client *c, enum link_type type, const void *body, size_t length);

/* Receives, keeps time (hello, sending again) and waits up to timeout_ms for an event.
 * 1: *event is filled. 0: none. */
int link_client_poll(struct link_client *c, struct link_event *event, int timeout_ms);
/* Makes a waiting poll, or else the next one, return soon. Any thread. */
void link_client_wake(struct link_client *c);
void link_client_status(const struct link_client *c, struct link_client_status *out);

#endif
