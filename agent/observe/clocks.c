// SPDX-License-Identifier: Apache-2.0
#include "agent/observe/clocks.h"

#include <stdio.h>
#include <string.h>

enum {
    OTHERS_NS = 5000000, /* the collector's word is good to the time of a message on the way */
    OWN_NS = 1000000,
    DRIFT_NS_PER_MS = 5, /* 5 ppm: what two clocks that somebody sets do at most, as a rule */
    IN_VAIN_MOST = 4,
};

static void begin(const struct clocks *c, struct known_clock *k, int64_t said_ns)
{
    int64_t width_ns = strcmp(k->agent, c->agent) == 0 ? OWN_NS : OTHERS_NS;
    k->said_ns = said_ns;
    k->in_vain = 0;
    k->offset = (struct clock_offset){said_ns - width_ns, said_ns + width_ns};
}

/* The collector's word moves by what messages take on their way; where it moves by more, a clock
 * was set. */
static void listen_to(const struct clocks *c, struct known_clock *k, int64_t said_ns)
{
    int64_t moved_ns = said_ns - k->said_ns;
    if (moved_ns > OTHERS_NS || moved_ns < -OTHERS_NS)
        begin(c, k, said_ns);
    else
        k->said_ns = said_ns;
}

static void widen(struct known_clock *k, int64_t now_ms)
{
    int64_t drift_ns = (now_ms - k->at_ms) * DRIFT_NS_PER_MS;
    k->offset.least_ns -= drift_ns;
    k->offset.most_ns += drift_ns;
    if (k->offset.least_ns < k->said_ns - OTHERS_NS)
        k->offset.least_ns = k->said_ns - OTHERS_NS;
    if (k->offset.most_ns > k->said_ns + OTHERS_NS)
        k->offset.most_ns = k->said_ns + OTHERS_NS;
    k->at_ms = now_ms;
}

static struct known_clock *add(struct clocks *c)
{
    if (c->count < CLOCKS_MOST)
        return &c->list[c->count++];
    struct known_clock *oldest = c->list;
    for (uint32_t i = 1; i < c->count; i++)
        if (c->list[i].at_ms < oldest->at_ms)
            oldest = &c->list[i];
    return oldest;
}

struct known_clock *clocks_of(struct clocks *c, const char *agent, int64_t said_ns, int64_t now_ms)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (strcmp(c->list[i].agent, agent) == 0) {
            listen_to(c, &c->list[i], said_ns);
            widen(&c->list[i], now_ms);
            return &c->list[i];
        }
    struct known_clock *k = add(c);
    snprintf(k->agent, sizeof k->agent, "%s", agent);
    k->at_ms = now_ms;
    begin(c, k, said_ns);
    return k;
}

void clocks_learn(struct clocks *c, struct known_clock *k, struct clock_offset narrowed,
                  bool found_any, int64_t said_ns)
{
    k->offset = narrowed;
    k->in_vain = found_any ? 0 : k->in_vain + 1;
    if (k->in_vain >= IN_VAIN_MOST)
        begin(c, k, said_ns);
}
