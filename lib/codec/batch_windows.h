// SPDX-License-Identifier: Apache-2.0
/* Windows in a batch (docs/format/batch.md): what a tap counted of one cache over some seconds, as
 * sketches: its heaviest keys, patterns of keys and clients, and how many different keys there
 * were. Part of lib/codec/batch.h, which says who owns what. */
#ifndef WEFT_CODEC_BATCH_WINDOWS_H
#define WEFT_CODEC_BATCH_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/codec/batch_str.h"
#include "lib/model/distinct.h"
#include "lib/model/topk.h"

struct batch_builder;

/* Numbers that stand in batches; never renumbered. */
enum window_kind {
    WINDOW_KEYS_BY_CALLS = 0,
    WINDOW_KEYS_BY_BYTES = 1, /* of values */
    WINDOW_KEYS_BY_MISSES = 2,
    WINDOW_PATTERNS = 3, /* by calls; keys with each run of digits as "*" */
    WINDOW_CLIENTS = 4,  /* by calls; addresses as text */
    WINDOW_KINDS
};

enum {
    WINDOW_KEY_MOST = TOPK_TEXT_MOST, /* bytes of a key that are told */
    WINDOW_FULL_LENGTH_MOST = UINT16_MAX
};
/* Times in milliseconds are below, so that nobody who adds two, or counts in nanoseconds,
 * overflows. */
#define WINDOW_TIME_LIMIT_MS (INT64_C(1) << 43)

/* Of what was truly counted under the key, by what the list goes by:
 *     told <= true <= told + error */
struct window_entry {
    struct batch_str key; /* any bytes, up to WINDOW_KEY_MOST */
    uint32_t full_length; /* of the key; more where the rest is not told */
    uint64_t hash;        /* topk_hash of the whole key */
    uint64_t calls, bytes, misses;
    uint64_t error;
};

struct window_list {
    struct window_entry *entries;
    uint32_t count;
    uint64_t total; /* of what it goes by, over all keys */
    uint64_t rest;  /* nothing that is not among the entries has more */
};

struct batch_window {
    struct batch_str host, cache, protocol; /* cache: "10.0.0.5:6379" */
    int64_t begin_unix_ms, length_ms;
    uint64_t commands, peak_commands; /* all; in its fullest second */
    const uint8_t *registers;         /* DISTINCT_REGISTERS of the keys */
    struct window_list lists[WINDOW_KINDS];
};

/* What the list of that kind goes by. */
uint64_t window_weight(enum window_kind kind, const struct window_entry *e);

/* Everything is copied. An entry's hash is told only where its key was cut: the others' follows
 * from the key. */
void batch_window_add(struct batch_builder *b, const struct batch_window *w);
size_t batch_builder_windows(const struct batch_builder *b);

#endif
