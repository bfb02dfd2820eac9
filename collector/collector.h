// SPDX-License-Identifier: Apache-2.0
/* The collector as a whole: its parts, in the order in which data flows, and their threads.
 *
 *     link ─→ receiver ─→ queue ─→ commit ─→ ledger
 *                │                    └────→ head ─→ query ─→ web
 *                └─→ in flight, agents ──────────────↗
 *
 * The web answers from the start; "ready" comes when the ledger has been read back.
 */
#ifndef WEFT_COLLECTOR_COLLECTOR_H
#define WEFT_COLLECTOR_COLLECTOR_H

#include "collector/config.h"

struct collector;

/* Opens everything and starts the threads. NULL and a sentence in `why`. The configuration
 * must outlive the collector. */
struct collector *collector_start(const struct collector_config *config, char *why,
                                  size_t why_size);
/* The port that HTTP listens on. */
unsigned collector_http_port(const struct collector *c);
/* Takes over what may change while it runs: the rules. -1 and a sentence; then all stays as it was.
 */
int collector_reload(struct collector *c, const struct collector_config *fresh, char *why,
                     size_t why_size);
bool collector_is_ready(const struct collector *c);
/* Reading the ledger back failed: there is no point in going on. */
bool collector_has_failed(const struct collector *c);
/* Accepts nothing more, makes durable what is queued and answers it, closes. */
void collector_stop(struct collector **c);

#endif
