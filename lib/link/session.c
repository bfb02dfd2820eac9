// SPDX-License-Identifier: Apache-2.0
#include "lib/link/session.h"

#include <sodium.h>

enum { WINDOW_BITS = 64 };

bool replay_window_accept(struct replay_window *w, uint64_t counter)
{
    if (counter == 0)
        return false;
    if (counter > w->highest) {
        uint64_t ahead = counter - w->highest;
        w->seen = (ahead < WINDOW_BITS ? w->seen << ahead : 0) | 1;
        w->highest = counter;
        return true;
    }
    uint64_t behind = w->highest - counter;
    if (behind >= WINDOW_BITS || w->seen >> behind & 1)
        return false;
    w->seen |= UINT64_C(1) << behind;
    return true;
}

uint64_t link_sessions_offer(struct link_sessions *s, uint64_t hello_nonce)
{
    for (unsigned i = 0; i < LINK_SESSIONS_OFFERED; i++) {
        if (s->offered[i].session && s->offered[i].nonce == hello_nonce)
            return s->offered[i].session;
    }
    uint64_t session = 0;
    while (session == 0)
        randombytes_buf(&session, sizeof session);
    unsigned at = s->next_offer++ % LINK_SESSIONS_OFFERED;
    s->offered[at].session = session;
    s->offered[at].nonce = hello_nonce;
    return session;
}

/* Makes an offered session the current one. */
static bool take_offer(struct link_sessions *s, uint64_t session)
{
    for (unsigned i = 0; i < LINK_SESSIONS_OFFERED; i++) {
        if (s->offered[i].session != session)
            continue;
        s->offered[i].session = 0;
        s->current = session;
        s->window = (struct replay_window){0};
        return true;
    }
    return false;
}

enum link_session_verdict link_sessions_check(struct link_sessions *s, uint64_t session,
                                              uint64_t counter)
{
    if (session == 0 || (session != s->current && !take_offer(s, session)))
        return SESSION_UNKNOWN;
    return replay_window_accept(&s->window, counter) ? SESSION_FINE : SESSION_REPLAYED;
}
