// SPDX-License-Identifier: Apache-2.0
/* Switches (which services record), and the message that tells all agents of them.
 *
 * A message carries every switch, so the latest alone counts and a lost one does no harm:
 *
 *     "weftctl1"  protobuf weft.Control  Ed25519 signature of all before it, 64 bytes
 */
#ifndef WEFT_LINK_CONTROL_H
#define WEFT_LINK_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"

enum {
    LINK_SERVICE_MAX = 127,
    LINK_SWITCHES_MAX = 1024,
    LINK_CONTROL_KEY_BYTES = 32,
    LINK_CONTROL_SECRET_BYTES = 64,
};
#define LINK_CONTROL_PREFIX "weftctl1"

struct link_switch {
    char service[LINK_SERVICE_MAX + 1];
    bool on;
};

struct link_switches {
    bool all_off; /* what a service does that is not among the items */
    size_t count;
    struct link_switch items[LINK_SWITCHES_MAX]; /* those that do otherwise */
};

bool link_switches_on(const struct link_switches *s, const char *service);
/* "*" sets all and forgets the items. False if there is no room, or the name is too long. */
bool link_switches_set(struct link_switches *s, const char *service, bool on);

/* Calls `each` so that who follows the calls gets from `before` to `after`: "*" first, where
 * that changed. */
void link_switches_difference(const struct link_switches *before, const struct link_switches *after,
                              void (*each)(void *context, const char *service, bool on),
                              void *context);

/* Between here and repeated Switch of proto/weft.proto. The messages point into `s` and into
 * `room` (of LINK_SWITCHES_MAX + 1 each). */
struct Weft__Switch;
struct link_switch_messages {
    struct Weft__Switch *messages;
    struct Weft__Switch **pointers;
    size_t count;
};
/* 0, or -1 when memory is out; free with link_switch_messages_fini. */
int link_switch_messages_init(struct link_switch_messages *m, const struct link_switches *s);
void link_switch_messages_fini(struct link_switch_messages *m);
void link_switches_read(struct link_switches *s, struct Weft__Switch *const *messages,
                        size_t count);

/* Appends a signed message. 0, or -1 when memory is out. */
int link_control_write(struct buffer *out, const struct link_switches *s, uint64_t counter,
                       const uint8_t secret[LINK_CONTROL_SECRET_BYTES]);
/* Reads one that `key` signed: true, and *counter and *s are filled. */
bool link_control_read(const void *bytes, size_t length, const uint8_t key[LINK_CONTROL_KEY_BYTES],
                       uint64_t *counter, struct link_switches *s);

#endif
