// SPDX-License-Identifier: Apache-2.0
/* Which keys of a cache are hot, which patterns of keys, which clients; and how many different keys
 * there were: of a window of some seconds, in fixed memory (lib/model/topk.h, distinct.h).
 *
 * A pattern is a key with each run of digits as one '*': "user:123:inbox" is of "user:*:inbox".
 *
 * Each sketch's entries carry, beside the weight by which they are sorted, the calls, bytes and
 * misses that were counted since they are in it. One thread. */
#ifndef WEFT_AGENT_TAP_HOT_H
#define WEFT_AGENT_TAP_HOT_H

#include "agent/tap/exchange.h"
#include "agent/tap/packet.h"
#include "lib/model/distinct.h"
#include "lib/model/topk.h"

enum hot_sum { HOT_CALLS, HOT_BYTES, HOT_MISSES, HOT_SUMS }; /* topk_entry.sums */
enum hot_kind {
    HOT_KEYS_BY_CALLS,
    HOT_KEYS_BY_BYTES, /* of values */
    HOT_KEYS_BY_MISSES,
    HOT_PATTERNS, /* by calls */
    HOT_CLIENTS,  /* by calls */
    HOT_KINDS
};

/* What of keys may be told. */
enum hot_privacy {
    HOT_WHOLE,  /* them */
    HOT_FOLDED, /* their patterns alone */
    HOT_HASHED  /* "#" and 16 hexadecimal digits */
};

struct hot {
    struct topk tops[HOT_KINDS];
    struct distinct keys;
    enum hot_privacy privacy;
    uint64_t calls;                    /* of keys, in this window */
    uint64_t second;                   /* the Unix second that is being counted */
    uint64_t second_calls, peak_calls; /* in it; in the fullest one */
    uint64_t begun_unix_ns;
};

/* -1: no memory. `keys`: how many are counted at a time. */
int hot_init(struct hot *h, uint32_t keys, enum hot_privacy privacy);
void hot_fini(struct hot *h);
size_t hot_bytes(const struct hot *h);

void hot_add(struct hot *h, const struct tap_address *client, const struct tap_exchange *e);
/* The next window begins. */
void hot_clear(struct hot *h, uint64_t now_unix_ns);

/* The pattern of a key, into `out` of TAP_KEY_KEPT bytes; its length. */
size_t hot_pattern(const uint8_t *key, size_t length, char *out);

#endif
