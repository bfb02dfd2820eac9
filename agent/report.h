// SPDX-License-Identifier: Apache-2.0
/* What the agent says of itself: to the collector each second (weft.AgentReport), and as one list
 * of metrics, which its own loopback address prints and which goes into batches as series. */
#ifndef WEFT_AGENT_REPORT_H
#define WEFT_AGENT_REPORT_H

#include "agent/counters.h"
#include "agent/outbox.h"
#include "lib/codec/own_metrics.h"

/* Appends the encoded message. */
void report_encode(struct buffer *out, const struct counters *counters,
                   const struct outbox_stats *stats);
/* The list. Any thread. */
void report_metrics(struct own_metrics *m, const struct counters *counters,
                    const struct outbox_stats *stats);

#endif
