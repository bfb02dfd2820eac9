// SPDX-License-Identifier: Apache-2.0
/* The sender: a thread that takes what is queued, makes batches of it, and hands them to the agent,
 * one at a time. A batch that is not answered "stored" is kept as it is and told again, over a new
 * connection if need be; the agent may then have it twice, which changes nothing.
 *
 * Attempts to connect are half a second apart at first, then up to two. What goes wrong is said by
 * `say`, with growing pauses. */
#ifndef WEFT_PLUGINS_COLLECTD_SENDER_H
#define WEFT_PLUGINS_COLLECTD_SENDER_H

#include <stdint.h>

#include "plugins/collectd/queue.h"

enum sender_tone { SENDER_INFO, SENDER_WARNING };

struct sender_options {
    const char *socket, *host; /* kept as they are */
    int64_t timeout_ms;        /* of an answer */
    /* On the sender's thread. */
    void (*say)(enum sender_tone tone, const char *sentence);
};

struct sender;

/* NULL: no memory, or no thread. The queue must outlive it. */
struct sender *sender_create(struct queue *q, const struct sender_options *options);
/* Ends the queue, waits up to the timeout until all of it is stored, gives up what is not. How many
 * entries that were. */
uint64_t sender_stop(struct sender **s);

#endif
