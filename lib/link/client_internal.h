// SPDX-License-Identifier: Apache-2.0
/* The client's inside, shared by client.c (life, sending, time) and client_answers.c (what
 * comes back). */
#ifndef WEFT_LINK_CLIENT_INTERNAL_H
#define WEFT_LINK_CLIENT_INTERNAL_H

#include "lib/base/buffer.h"
#include "lib/link/client.h"
#include "lib/link/control.h"
#include "lib/link/envelope.h"
#include "lib/link/keys.h"
#include "lib/link/socket.h"

/* A batch under way. */
struct flight {
    bool used;
    bool waits; /* sent; due_ms is when to give up on the answer. Else: when to send */
    struct link_sequence sequence, oldest;
    struct buffer sealed;
    uint32_t request;
    uint64_t counter; /* of the message that was sent last */
    int64_t due_ms;
    unsigned tries;
};

/* What is sent and forgotten; the newest of its type. */
struct tell {
    bool pending;
    struct buffer body; /* room for the cover in front */
    uint64_t counter;   /* of the message that was sent last */
};

struct link_client {
    char *address, *control_address, *key_file;
    char agent[LINK_AGENT_ID_MAX + 1];
    bool keyed;
    uint8_t key[LINK_KEY_BYTES];
    uint32_t max_in_flight, answer_timeout_ms;
    int requests, control; /* nanomsg's sockets */
    int requests_fd, control_fd, wake_fd;

    enum link_state state;
    char problem[256];
    struct link_client_status counts; /* its numbers alone */
    uint64_t session, counter;
    uint32_t last_request;
    int64_t first_unheard_ms; /* when the first message since the last answer was sent; 0: none */
    bool blocked;             /* the socket took no more */

    struct {
        uint64_t nonce; /* of this round of hellos: the epoch they carry */
        uint64_t attempt;
        int64_t due_ms, interval_ms, sent_ms;
        uint64_t sent_unix_ns;
    } hello;

    struct flight *flights; /* max_in_flight of them */
    struct tell inflight, report, watch;

    bool control_key_known;
    uint8_t control_key[LINK_CONTROL_KEY_BYTES];
    uint64_t control_counter;
    struct link_switches switches;

    struct link_event *events; /* not yet fetched */
    size_t event_first, event_count, event_capacity;
};

/* Begins a round of hellos, the first at once. */
void link_client_begin_hello(struct link_client *c);
/* Answers a batch in the collector's place. 0, or -1 when memory is out. */
int link_client_refuse(struct link_client *c, struct link_sequence sequence);
/* Receives everything that is there from both sockets. */
void link_client_receive(struct link_client *c);

#endif
