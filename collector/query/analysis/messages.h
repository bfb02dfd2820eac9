// SPDX-License-Identifier: Apache-2.0
/* Links between traces, resolved while traces stream by: consumers name the spans whose messages
 * they got, and these come before or after them. Both sides are remembered, as many as fit; what
 * is pushed out leaves its links unresolved, which is counted. */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_MESSAGES_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/model/span.h"

enum { MESSAGES_REMEMBERED = 1 << 14 };

struct message_end {
    struct trace_id trace_id;
    uint64_t span_id; /* 0: free */
    uint32_t node;    /* the caller's number for whoever it is */
};

struct message_consumer {        /* of a message whose producer has not been seen */
    struct message_end producer; /* `node`: the consumer */
    struct trace_id trace_id;    /* the consumer's */
    uint64_t duration_ns;
    uint8_t status;
};

struct messages {
    struct message_end *producers;    /* by hash; a newer one takes the place */
    struct message_consumer *waiting; /* oldest first */
    uint32_t waiting_count;
};

void messages_fini(struct messages *m);
/* -1 when memory is out. */
int messages_produced(struct messages *m, struct message_end producer);
/* NULL: not known (now). */
const struct message_end *messages_producer(const struct messages *m, struct trace_id trace_id,
                                            uint64_t span_id);
/* False: there is no room (or memory) for it. */
bool messages_wait(struct messages *m, const struct message_consumer *consumer);

#endif
