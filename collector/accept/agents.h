// SPDX-License-Identifier: Apache-2.0
/* The agents that were heard of since this start: when, with which clock, and what they say of
 * themselves. Any thread may call anything. */
#ifndef WEFT_COLLECTOR_ACCEPT_AGENTS_H
#define WEFT_COLLECTOR_ACCEPT_AGENTS_H

#include "collector/query/status.h"

enum { AGENTS_MAX = 1 << 14 };

struct agents;

struct agents *agents_create(void);
void agents_destroy(struct agents **a);

/* A message came that says it was sent at `sent_unix_ns`. The least difference of a minute is
 * taken as the skew of the clocks, as every message also took its time on the way. */
void agents_seen(struct agents *a, const char *agent, uint64_t sent_unix_ns, uint64_t now_unix_ns);
/* By how much its clock is behind the collector's; 0 where it was not heard of. */
int64_t agents_skew(struct agents *a, const char *agent);
/* A weft.AgentReport. -1 if it is none. */
int agents_report(struct agents *a, const char *agent, const void *bytes, size_t length);
void agents_accepted(struct agents *a, const char *agent, uint64_t spans);

/* All of them, by id; malloc'ed. NULL when memory is out (and *count is 0). */
struct status_agent *agents_copy(struct agents *a, uint64_t now_unix_ns, size_t *count);
unsigned agents_connected(struct agents *a, uint64_t now_unix_ns);

#endif
