// SPDX-License-Identifier: Apache-2.0
/* StatsD on a UDP port of loopback, for whoever has no libweft: counters, gauges (with signs),
 * timers and histograms, sets; sample rates, tags, many lines in a packet. Names and tags are taken
 * as they are; the label `host` is added.
 *
 * A counter sampled at 0.1 counts tenfold, a timer so sampled has each value ten times. A set's
 * value is how many different ones came within the last ten seconds.
 *
 * The loop's thread. Packets that the kernel dropped, as we were slow, are counted by it, and told
 * as weft_agent_statsd_dropped_total; lines that are none as weft_agent_statsd_bad_lines_total. */
#ifndef WEFT_AGENT_STATS_STATSD_H
#define WEFT_AGENT_STATS_STATSD_H

#include <uv.h>

#include "agent/stats/table.h"

struct statsd;

/* The names that are told about the port become the agent's. */
void statsd_reserve(struct stats_table *t);
/* Listens on `address` ("127.0.0.1:8125", "[::1]:0"). NULL with a sentence in `why`; what was
 * opened is closed when the loop runs next. */
struct statsd *statsd_create(uv_loop_t *loop, const char *address, struct stats_table *t, char *why,
                             size_t why_size);
/* Nothing comes any more; the loop ends without it. */
void statsd_stop(struct statsd *s);
void statsd_destroy(struct statsd **s);
unsigned statsd_port(const struct statsd *s);

/* Before the table's round ends. */
void statsd_round(struct statsd *s);
/* What a packet says; for tests. */
void statsd_packet(struct statsd *s, const char *bytes, size_t length);

#endif
