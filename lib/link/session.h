// SPDX-License-Identifier: Apache-2.0
/* What stands against replays, on the collector's side (docs/format/link.md says why it is
 * sound). A hello is answered with a fresh random session; everything else that the agent sends
 * carries it with a counter, and a counter passes once. A new session replaces the current one
 * only when a message in it arrives, which needs the key: replaying an old hello gains nothing.
 */
#ifndef WEFT_LINK_SESSION_H
#define WEFT_LINK_SESSION_H

#include <stdbool.h>
#include <stdint.h>

struct replay_window {
    uint64_t highest; /* counter seen */
    uint64_t seen;    /* bit i: highest - i was seen */
};

/* Whether the counter passes: it is above all seen before, or within 64 of the highest and not
 * seen yet (nanomsg may reorder around a reconnection). 0 never passes. */
bool replay_window_accept(struct replay_window *w, uint64_t counter);

enum { LINK_SESSIONS_OFFERED = 4 };

struct link_sessions {
    uint64_t current; /* 0: none */
    struct replay_window window;
    struct {
        uint64_t session, nonce; /* the hello's */
    } offered[LINK_SESSIONS_OFFERED];
    unsigned next_offer;
};

/* The session to answer a hello with: the same again for the same hello. */
uint64_t link_sessions_offer(struct link_sessions *s, uint64_t hello_nonce);

enum link_session_verdict { SESSION_FINE, SESSION_UNKNOWN, SESSION_REPLAYED };
enum link_session_verdict link_sessions_check(struct link_sessions *s, uint64_t session,
                                              uint64_t counter);

#endif
