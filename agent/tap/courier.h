// SPDX-License-Identifier: Apache-2.0
/* The courier: a thread that hands the tap's batches to the agent over its feed (lib/feed), so that
 * who reads packets never waits. Batches wait in a bounded queue; beyond it the oldest go, and
 * are counted: what the tap counts grows, so that a later batch tells of it too.
 *
 * A batch that is not answered is told again, over a new connection if need be. */
#ifndef WEFT_AGENT_TAP_COURIER_H
#define WEFT_AGENT_TAP_COURIER_H

#include <stdint.h>

#include "lib/base/buffer.h"

struct courier;

struct courier_stats {
    uint64_t stored, refused, dropped; /* batches */
    uint32_t waiting;
};

/* `socket` is copied. NULL: no memory, or no thread. */
struct courier *courier_create(const char *socket);
/* Its batches are to be shown, not to be kept: few wait, and those that newer ones push out are no
 * loss. */
struct courier *courier_create_to_show(const char *socket);
/* Waits up to `timeout_ms` until all is stored, and some seconds more for an answer that an agent
 * does not give. */
void courier_destroy(struct courier **c, int64_t timeout_ms);

/* Takes what is in `batch` (encoded), which is empty afterwards. */
void courier_send(struct courier *c, struct buffer *batch);
void courier_stats(struct courier *c, struct courier_stats *out);

#endif
