// SPDX-License-Identifier: Apache-2.0
/* What a parser of a cache's protocol is to the tap: two readers, of what clients ask and of what
 * the cache replies, over the bytes of one connection in their order. connection.c feeds them,
 * whatever way packets cut the bytes; a reader keeps what it needs over the cut in its own state,
 * which has a fixed size, and copies nothing of values.
 *
 * Bytes are hostile. A reader never reads behind what it was given, never allocates but through
 * tap_pending, does work in proportion to the bytes, and says TAP_LOST where they are not what the
 * protocol allows: the connection then finds a new beginning.
 *
 * One thread. */
#ifndef WEFT_AGENT_TAP_PROTOCOL_H
#define WEFT_AGENT_TAP_PROTOCOL_H

#include <stddef.h>

#include "agent/tap/pending.h"

enum tap_read { TAP_GOES_ON, TAP_LOST };

/* What a reader is given beside the bytes. */
struct tap_reading {
    struct tap_pending *pending;
    const struct tap_sink *sink;
    uint64_t now_ns; /* of the packet in which the bytes are */
};

struct tap_protocol {
    const char *name; /* "memcached", "redis" */
    uint16_t (*command_count)(void);
    const char *(*command_name)(uint16_t command); /* lower case; 0 is "other" */
    size_t request_bytes, reply_bytes; /* of the two states; zeroed memory is a beginning */

    /* All of `bytes` are read when this returns TAP_GOES_ON. `request` calls tap_pending_commit for
     * each command that is complete, `reply` tap_pending_answer for each reply. A reply to which no
     * command waits, and one that cannot be that of the oldest command, is TAP_LOST. */
    enum tap_read (*request)(void *state, const struct tap_reading *r, const uint8_t *bytes,
                             size_t length);
    enum tap_read (*reply)(void *state, const struct tap_reading *r, const uint8_t *bytes,
                           size_t length);

    /* How many of the next bytes are only passed over (the rest of a value): if such bytes were
     * lost on the way to the tap nothing else is. The caller then tells by `*_pass` how many it
     * passed. */
    uint64_t (*request_passing)(const void *state);
    uint64_t (*reply_passing)(const void *state);
    void (*request_pass)(void *state, uint64_t bytes);
    void (*reply_pass)(void *state, uint64_t bytes);

    /* So many commands a cache serves before it looks at another connection, if they are short. */
    uint32_t served_at_once;
    /* Whether a request may begin with these bytes (a packet's first), where a connection was
     * joined in its middle. False for few bytes, rather than a guess. */
    bool (*may_begin)(const uint8_t *bytes, size_t length);
    /* Whether a reply may; asked of a port of which nothing is known yet. */
    bool (*reply_may_begin)(const uint8_t *bytes, size_t length);
};

extern const struct tap_protocol tap_memcached; /* text with meta commands, and binary */
extern const struct tap_protocol tap_redis;     /* RESP2, RESP3, inline commands */

#endif
