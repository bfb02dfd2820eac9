// SPDX-License-Identifier: Apache-2.0
/* What the agent counts, as values of collectd's stock types:
 *
 *   SERVICE  total_requests, errors           counts: outputs make rates of them
 *   SERVICE  latency-p50, latency-p99         seconds, of the last full ten
 *   -        derive-lost_REASON               the agent's own losses
 *   -        count-processes, queue_length-spool
 *
 * Nothing is kept between two questions. */
#ifndef WEFT_PLUGINS_COLLECTD_SUMMARIES_H
#define WEFT_PLUGINS_COLLECTD_SUMMARIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct summary {
    const char *instance; /* the service's name; "": the agent's own */
    const char *type, *type_instance;
    bool counts; /* `count`, else `value` */
    int64_t count;
    double value;
};
typedef void summary_visit(void *context, const struct summary *summary);

/* Asks the agent, waiting up to the timeout. 0; -1 with a sentence in `why`: nobody was visited. */
int summaries_ask(const char *socket, int64_t timeout_ms, summary_visit *visit, void *context,
                  char *why, size_t why_size);
/* The body of its answer. False: it is none. */
bool summaries_read(const void *body, size_t length, summary_visit *visit, void *context);

#endif
