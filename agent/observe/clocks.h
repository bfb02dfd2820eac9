// SPDX-License-Identifier: Apache-2.0
/* How far this host's clock is from those of the hosts whose spans are inquired about. It begins
 * with what the collector knows, give or take some milliseconds, and is narrowed by what matches
 * (match.h), down to some microseconds; as clocks drift, it widens with time. One thread. */
#ifndef WEFT_AGENT_OBSERVE_CLOCKS_H
#define WEFT_AGENT_OBSERVE_CLOCKS_H

#include <stdbool.h>

#include "agent/observe/match.h"
#include "lib/link/link.h"

enum { CLOCKS_MOST = 1024 };

struct clocks {
    const char
        *agent; /* our own name: a clock that is only as far off as libweft's reading of it */
    struct known_clock {
        char agent[LINK_AGENT_ID_MAX + 1];
        struct clock_offset offset;
        int64_t said_ns; /* by the collector, last */
        int64_t at_ms;
        uint32_t in_vain; /* rounds in which nothing matched */
    } list[CLOCKS_MOST];
    uint32_t count;
};

/* Our clock less that of `agent`, as known now; valid until the next call. Beyond CLOCKS_MOST the
 * one that was not asked for for longest is forgotten. */
struct known_clock *clocks_of(struct clocks *c, const char *agent, int64_t said_ns, int64_t now_ms);

/* What a round came to: after some in which exchanges were there and nothing matched, a clock was
 * set, and it begins anew with what the collector says now. */
void clocks_learn(struct clocks *c, struct known_clock *k, struct clock_offset narrowed,
                  bool found_any, int64_t said_ns);

#endif
