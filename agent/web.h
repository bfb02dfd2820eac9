// SPDX-License-Identifier: Apache-2.0
/* The agent's own little web server: /metrics and /healthz, on loopback. */
#ifndef WEFT_AGENT_WEB_H
#define WEFT_AGENT_WEB_H

#include "agent/counters.h"
#include "agent/outbox.h"

struct web;

/* `address`: "127.0.0.1:4041" or "[::1]:4041"; port 0 takes a free one. NULL, with a logged
 * reason. Runs a thread of its own. */
struct web *web_create(const char *address, const struct counters *counters, struct outbox *outbox);
void web_destroy(struct web **w);

#endif
