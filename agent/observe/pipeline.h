// SPDX-License-Identifier: Apache-2.0
/* Many exchanges of one client span, as a few: those with the same command and the same pattern of
 * their key together. So a pipeline of ten thousand commands is not ten thousand spans. Pure. */
#ifndef WEFT_AGENT_OBSERVE_PIPELINE_H
#define WEFT_AGENT_OBSERVE_PIPELINE_H

#include "lib/exchange/exchange.h"

enum {
    PIPELINE_EACH_MOST = 16,  /* so many are told one by one */
    PIPELINE_GROUPS_MOST = 16 /* the last one is of all that is in none before */
};

struct pipeline_group {
    const struct exchange_record *first; /* the one asked first */
    bool mixed;                          /* of several commands or patterns */
    uint32_t commands, failed;
    const char *error; /* of the first that failed */
    uint64_t keys, hits, misses, request_bytes, reply_bytes;
    uint64_t asked_unix_ns, answered_unix_ns; /* of the first; of the one answered last */
};

struct pipeline {
    struct pipeline_group groups[PIPELINE_GROUPS_MOST]; /* by their first exchange */
    uint32_t count;
};

/* In the order asked. `e` must outlive the pipeline. */
void pipeline_add(struct pipeline *p, const struct exchange_record *e);

#endif
