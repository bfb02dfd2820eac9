// SPDX-License-Identifier: Apache-2.0
/* A connection to the agent's feed (lib/feed/frame.h). Nothing waits beyond its deadline, which is
 * one of the monotonic clock. One thread at a time. */
#ifndef WEFT_FEED_CHANNEL_H
#define WEFT_FEED_CHANNEL_H

#include "lib/feed/frame.h"

struct channel {
    int fd; /* -1: not connected */
    struct buffer in;
    size_t taken; /* of `in`, by the frame that was received last */
};

/* Not connected. */
void channel_init(struct channel *c);
void channel_close(struct channel *c);

/* Connects to the socket, if root, our own user or the owner of its directory listens there. 0; -1
 * with a sentence in `why`. */
int channel_open(struct channel *c, const char *path, char *why, size_t why_size);
/* 0; -1: it broke, or the deadline is over. Then it is closed, with a sentence in `why`. */
int channel_send(struct channel *c, const void *bytes, size_t length, int64_t deadline_ms,
                 char *why, size_t why_size);
/* The next frame; its body stays until the next call. 0; -1 as above. */
int channel_receive(struct channel *c, struct feed_frame *frame, int64_t deadline_ms, char *why,
                    size_t why_size);

#endif
