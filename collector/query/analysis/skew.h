// SPDX-License-Identifier: Apache-2.0
/* Clock skew of one trace, estimated from what called what over the network.
 *
 * A call in which the client's clock read c0 and c1 and the server's s0 and s1 bounds how far the
 * server's clock is ahead of the client's, as the server worked while the client waited:
 *
 *     c0 <= s0 - offset   and   s1 - offset <= c1      so      s1 - c1 <= offset <= s0 - c0
 *
 * Each such pair of spans gives an interval; for two hosts, the offset that lies in the most of
 * them is looked for (Marzullo's algorithm, as NTP chooses among servers). If that is 0, nothing
 * is corrected: everything nests already. Else the offset is the middle of the place where most
 * intervals overlap: of one call alone that is NTP's ((s0 - c0) + (s1 - c1)) / 2, and what
 * Jaeger's adjuster does for each span by itself; all calls between two hosts together are
 * tighter, and move all spans of a host alike.
 *
 * Only the upper bound holds for a server that outlives its client (timed out, or asynchronous),
 * for producer and consumer, and where an end is not known (died, in flight).
 *
 * Offsets are carried over the hosts from the root's, along the pairs that are surest. A host
 * is one clock; a process that names no host has one of its own. Hosts that no call connects
 * to the root are left as they are.
 */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_SKEW_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_SKEW_H

#include "collector/query/tree.h"

#define SKEW_NONE UINT32_MAX

struct skew_clock {
    struct batch_str host; /* empty: of one process alone */
    uint32_t process;      /* the first that has it, in tree.processes */
    uint32_t against;      /* the clock that it was compared with; SKEW_NONE: with none */
    int64_t offset_ns;     /* it is so far ahead of the root's clock: subtract it */
    /* The true offset is at most so far from that, if clocks did not drift and calls nest;
     * UINT64_MAX: bounded on one side only. */
    uint64_t uncertainty_ns;
    /* Calls between it and `against`, and those of them that the offset is consistent with. */
    uint32_t pairs, agreeing;
};

struct skew {
    struct skew_clock *clocks;
    uint32_t clock_count;
    uint32_t *clock_of; /* each of tree.processes */
    bool corrected;     /* an offset is not 0 */
};

/* O(n log n). -1 when memory is out; then there is nothing to free. */
int skew_estimate(struct skew *s, const struct tree *t);
void skew_fini(struct skew *s);

/* A node's start by the root's clock. `s` may be NULL: as it was recorded. */
uint64_t skew_start_unix_ns(const struct skew *s, const struct tree *t, uint32_t node);

#endif
