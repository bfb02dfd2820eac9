// SPDX-License-Identifier: Apache-2.0
/* The feed: how a program on an agent's host (collectd, with our plugin) hands batches to it, over
 * a Unix stream socket in the agent's directory. docs/format/feed.md describes the bytes.
 *
 * Each message is a frame: a head of 16 bytes and a body.
 *
 *     0  2  "WF"
 *     2  1  version, 1
 *     3  1  type
 *     4  4  length of the body, little-endian
 *     8  8  number, little-endian: chosen by who asks, repeated by who answers
 *
 * Nothing here keeps anything; any thread. */
#ifndef WEFT_FEED_FRAME_H
#define WEFT_FEED_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"

#define FEED_SOCKET_NAME "feed.sock"

enum feed_type {
    FEED_BATCH = 1,     /* to the agent: an encoded batch of samples and marks */
    FEED_STORED = 2,    /* the agent's: it is in the spool */
    FEED_BUSY = 3,      /* it is not, the spool refuses: again later */
    FEED_REFUSED = 4,   /* it never will be; the body is a sentence */
    FEED_ASK = 5,       /* to the agent: its summaries */
    FEED_SUMMARIES = 6, /* the agent's: the message weft.Summaries */
    FEED_SHOW = 7,      /* to the agent: a batch of windows that are being counted, to be shown to
                           who asks, and not kept; answered as a batch is */
    FEED_ASK_SHOWN = 8, /* to the agent: one of the batches that it can show; the number says which,
                           from 0 on */
    FEED_SHOWN = 9,     /* the agent's: that batch; empty: there are no more */
    FEED_TYPES
};

enum {
    FEED_HEAD_BYTES = 16,
    FEED_BATCH_BYTES_MAX = 1 << 20,    /* of a body */
    FEED_PLAIN_BYTES_MAX = 8 << 20,    /* of a batch, decompressed */
    FEED_SUMMARIES_BYTES_MAX = 1 << 18 /* of a body */
};

struct feed_frame {
    enum feed_type type;
    uint64_t number;
    const void *body; /* within the bytes that were read */
    uint32_t length;
};

/* The frame at the beginning of `bytes`. 1: *frame and *taken, the bytes that it fills. 0: more are
 * needed. -1: this is no frame, and nothing behind it can be read. */
int feed_frame_read(const void *bytes, size_t length, struct feed_frame *frame, size_t *taken);

/* Appends a frame. False: the body is longer than its type may be, and nothing was appended; when
 * memory is out, out->failed says so. */
bool feed_frame_write(struct buffer *out, enum feed_type type, uint64_t number, const void *body,
                      size_t length);

#endif
