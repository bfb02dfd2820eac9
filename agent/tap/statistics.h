// SPDX-License-Identifier: Apache-2.0
/* What the tap counts of each cache: by command how often it came, what it found, what it moved,
 * how long it took. All of it grows from the tap's start; report.c tells it as series.
 *
 * Which keys are hot is in hot.h. One thread. */
#ifndef WEFT_AGENT_TAP_STATISTICS_H
#define WEFT_AGENT_TAP_STATISTICS_H

#include "agent/tap/exchange.h"
#include "lib/model/exphist.h"

enum { STATISTICS_ERRORS_MOST = 32 };

struct command_statistics {
    uint64_t calls; /* all that follow are parts of it, or of what it named */
    uint64_t unanswered, not_seen, withdrawn, failed;
    uint64_t keys, hits, misses;
    uint64_t request_bytes, reply_bytes;
    struct exphist service_seconds; /* of those that have a time */
    struct exphist value_bytes;     /* of values that were read or written */
};

struct error_statistics {
    uint16_t command;
    const char *error; /* as tap_exchange.error */
    uint64_t count;
};

struct cache_statistics {
    struct command_statistics **commands; /* by command; NULL: it never came */
    uint16_t command_count;
    struct error_statistics errors[STATISTICS_ERRORS_MOST];
    uint32_t error_count;
    uint64_t other_errors; /* beyond those */
    uint64_t no_memory;    /* exchanges that could not be counted */
};

/* -1: no memory. */
int cache_statistics_init(struct cache_statistics *s, uint16_t command_count);
void cache_statistics_fini(struct cache_statistics *s);
void cache_statistics_add(struct cache_statistics *s, const struct tap_exchange *e);

#endif
