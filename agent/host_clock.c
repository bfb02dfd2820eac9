// SPDX-License-Identifier: Apache-2.0
#include "agent/host_clock.h"

#include "lib/base/clock.h"

uint64_t host_clock_now_unix_ns(void)
{
    return clock_read_ns(CLOCK_REALTIME);
}

/* One moment on two clocks: of several tries the one that was least disturbed. */
static void pair(enum slab_clock clock, clockid_t id, uint64_t *ticks, uint64_t *ns)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 8; i++) {
        uint64_t before = ticks_now(clock);
        uint64_t t = clock_read_ns(id);
        uint64_t after = ticks_now(clock);
        if (after - before < least) {
            least = after - before;
            *ticks = before + least / 2;
            *ns = t;
        }
    }
}

void host_clock_renew(struct host_clock *c)
{
    uint64_t ticks, ns;
    if (c->clock != SLAB_CLOCK_MONOTONIC) {
        pair(c->clock, CLOCK_MONOTONIC, &ticks, &ns);
        c->ns_per_tick_q32 = (uint64_t)(((unsigned __int128)(ns - c->first_monotonic_ns) << 32) /
                                        (ticks - c->first_ticks));
    }
    pair(c->clock, CLOCK_REALTIME, &c->base_ticks, &c->base_unix_ns);
}

void host_clock_init(struct host_clock *c, enum slab_clock clock)
{
    *c = (struct host_clock){.clock = clock, .ns_per_tick_q32 = (uint64_t)1 << 32};
    if (clock != SLAB_CLOCK_MONOTONIC) {
        pair(clock, CLOCK_MONOTONIC, &c->first_ticks, &c->first_monotonic_ns);
        struct timespec pause = {.tv_nsec = 20000000};
        nanosleep(&pause, NULL);
    }
    host_clock_renew(c);
}
