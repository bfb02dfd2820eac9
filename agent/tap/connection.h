// SPDX-License-Identifier: Apache-2.0
/* A connection between a client and a cache: two streams of bytes, a reader on each, and the
 * commands that wait for replies between them.
 *
 * Requests and replies are matched by their order alone. Where the order is not certain, because
 * the connection was joined in its middle or bytes were lost, nothing is guessed: commands end as
 * TAP_NOT_SEEN, and requests are read again from a packet that may begin one. Replies are read
 * again when the client has shown that it waits for them: for some rounds it asked only when all
 * that the cache had said was received, the cache answered only when it had heard all, and each
 * time so little was asked that a cache serves it in one go, or both were silent for a while before
 * the client went on, so that nothing can be under way still. Even then they are tried for some
 * rounds, which all must come out even, before one is believed. A client that always has commands
 * under way is not found again: what it asks is counted, but not what it is answered.
 *
 * One thread. */
#ifndef WEFT_AGENT_TAP_CONNECTION_H
#define WEFT_AGENT_TAP_CONNECTION_H

#include "agent/tap/protocol.h"
#include "agent/tap/stream.h"

struct tap_connection;

struct tap_connection_counts {
    struct tap_stream_counts streams;
    uint64_t joined;         /* in their middle */
    uint64_t request_losses; /* how often the place among requests was lost */
    uint64_t reply_losses;
    uint64_t skipped_request_bytes; /* until it was found again */
    uint64_t skipped_reply_bytes;
};

/* NULL: no memory, or the budget is used up. `sink`, `budget`, `counts` must outlive it. */
struct tap_connection *tap_connection_create(const struct tap_protocol *protocol,
                                             const struct tap_sink *sink, struct tap_budget *budget,
                                             struct tap_connection_counts *counts);
/* Commands that wait end as TAP_NOT_SEEN. */
void tap_connection_destroy(struct tap_connection **c);

/* Whether this segment, of the same addresses, begins another connection. */
bool tap_connection_is_anothers(const struct tap_connection *c, const struct tap_segment *segment);
/* A segment of this connection, from the client or from the cache. */
void tap_connection_add(struct tap_connection *c, bool from_client,
                        const struct tap_segment *segment, uint64_t now_ns);
/* It ended: both sides sent all they had, or one reset it. */
bool tap_connection_has_ended(const struct tap_connection *c);
/* How many exchanges it gave; and whether its first bytes, from the SYN on, were nothing that the
 * protocol knows: somebody else's port. */
uint64_t tap_connection_exchanges(const struct tap_connection *c);
bool tap_connection_is_foreign(const struct tap_connection *c);

#endif
