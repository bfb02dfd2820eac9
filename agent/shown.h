// SPDX-License-Identifier: Apache-2.0
/* What taps on this host told last, for who asks the agent itself (`weft top --agent`): of each tap
 * the latest report, and of its caches the latest window and the one that is being counted. They
 * are batches as they came: whoever asks decodes them.
 *
 * Memory is bounded by SHOWN_MOST batches and SHOWN_BYTES_MOST; beyond it what was kept first goes.
 * What is not renewed within SHOWN_FRESH_MS is not told, but for windows that ended.
 *
 * The loop's thread. */
#ifndef WEFT_AGENT_SHOWN_H
#define WEFT_AGENT_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/codec/batch.h"

enum { SHOWN_MOST = 64, SHOWN_BYTES_MOST = 8 << 20, SHOWN_FRESH_MS = 5000 };

struct shown;

/* What a batch is of. A later one with the same key takes its place. */
struct shown_key {
    enum { SHOWN_NOTHING, SHOWN_REPORT, SHOWN_ENDED, SHOWN_UNDER_WAY } kind;
    uint64_t hash; /* of the tap, or of the first cache that is told */
};

/* `under_way`: it came to be shown, not to be kept. */
struct shown_key shown_key_of(const struct batch *b, bool under_way);

/* NULL: no memory. */
struct shown *shown_create(void);
void shown_destroy(struct shown **s);

/* Copies the batch; of nothing none is kept. `s` may be NULL here and below. */
void shown_keep(struct shown *s, struct shown_key key, const void *bytes, size_t length,
                int64_t now_ms);
/* The i-th of those that are told now, valid until the next call of shown_keep. False: there are
 * fewer. */
bool shown_get(const struct shown *s, uint32_t i, int64_t now_ms, const void **bytes,
               size_t *length);

#endif
