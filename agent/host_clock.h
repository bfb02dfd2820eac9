// SPDX-License-Identifier: Apache-2.0
/* From the ticks of spans (lib/ring/ticks.h) to unix time.
 *
 * A rate, measured over as long a time as there was, and one moment on both clocks, renewed each
 * second, so that a step of the system's time shows in later starts while durations, which
 * depend on the rate alone, stay true. One thread. */
#ifndef WEFT_AGENT_HOST_CLOCK_H
#define WEFT_AGENT_HOST_CLOCK_H

#include <stdint.h>

#include "lib/ring/ticks.h"

struct host_clock {
    enum slab_clock clock;
    uint64_t first_ticks, first_monotonic_ns; /* where the rate's measure began */
    uint64_t base_ticks, base_unix_ns;
    uint64_t ns_per_tick_q32; /* times 2^32 */
};

/* Takes 20 ms to measure a first rate where the clock is not in nanoseconds itself. */
void host_clock_init(struct host_clock *c, enum slab_clock clock);
/* Measures anew. Call about once a second. */
void host_clock_renew(struct host_clock *c);

static inline uint64_t host_clock_duration_ns(const struct host_clock *c, uint64_t ticks)
{
    return (uint64_t)(((unsigned __int128)ticks * c->ns_per_tick_q32) >> 32);
}

static inline uint64_t host_clock_unix_ns(const struct host_clock *c, uint64_t ticks)
{
    return ticks >= c->base_ticks
               ? c->base_unix_ns + host_clock_duration_ns(c, ticks - c->base_ticks)
               : c->base_unix_ns - host_clock_duration_ns(c, c->base_ticks - ticks);
}

uint64_t host_clock_now_unix_ns(void);

#endif
