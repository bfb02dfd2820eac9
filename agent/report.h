// SPDX-License-Identifier: Apache-2.0
/* What the agent says of itself: to the collector each second (weft.AgentReport), and on its own
 * loopback address as Prometheus text. */
#ifndef WEFT_AGENT_REPORT_H
#define WEFT_AGENT_REPORT_H

#include "agent/counters.h"
#include "agent/outbox.h"
#include "lib/base/buffer.h"

/* Appends the encoded message. */
void report_encode(struct buffer *out, const struct counters *counters,
                   const struct outbox_stats *stats);
/* Appends the metrics. Any thread. */
void report_metrics(struct buffer *out, const struct counters *counters,
                    const struct outbox_stats *stats);

#endif
