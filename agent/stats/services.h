// SPDX-License-Identifier: Apache-2.0
/* Requests, errors and durations by service, added up over operations, versions and cells: what the
 * agent tells programs on its host that ask (agent/feed.h). Requests are spans of kind server and
 * consumer; quantiles are those of the last full interval of ten seconds.
 *
 * It reads what the table of statistics holds before a round is told, so a span costs nothing more.
 *
 * The loop's thread. Memory is bounded: of SERVICES_MAX services. */
#ifndef WEFT_AGENT_STATS_SERVICES_H
#define WEFT_AGENT_STATS_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/stats/table.h"

enum { SERVICES_MAX = 256 };

struct services;

struct service_summary {
    const char *service;       /* as long as the services */
    uint64_t requests, errors; /* since the agent began */
    bool measured;             /* some ended within the interval */
    double p50_seconds, p99_seconds;
};

/* NULL: no memory. */
struct services *services_create(void);
void services_destroy(struct services **s);

/* Before stats_table_emit and stats_table_tell, each time. `s` may be NULL. */
void services_gather(struct services *s, const struct stats_table *t, int64_t now_ms);

uint32_t services_count(const struct services *s);
void services_get(const struct services *s, uint32_t i, struct service_summary *out);

#endif
