// SPDX-License-Identifier: Apache-2.0
/* What ledger.c (writing) and read_back.c (reading) share. */
#ifndef WEFT_COLLECTOR_LEDGER_INTERNAL_H
#define WEFT_COLLECTOR_LEDGER_INTERNAL_H

#include <pthread.h>

#include "collector/ledger/ledger.h"

enum { LEDGER_FRAME_MAX = 64 << 20 };

struct ledger_segment {
    uint64_t number, begun_unix_ns;
    uint64_t spans_before; /* accepted before it began */
};

struct ledger {
    struct ledger_options options;
    struct journal *journal;
    struct ledger_totals totals;
    struct ledger_segment *segments; /* oldest first; the last is being written */
    size_t segment_count, segment_capacity;
    struct ledger_state begun; /* of the segment begun last */
    struct buffer state;
    bool sync_failed;
    pthread_mutex_t lock; /* for the rest */
    struct ledger_stats stats;
    struct ledger_end durable;
};

/* Fills the table of segments from their preambles. 0 or -errno. */
int ledger_read_segments(struct ledger *l);
int ledger_learn_segment(struct ledger *l, uint64_t number, const struct ledger_state *state);
void ledger_refresh_stats(struct ledger *l);
/* All that was appended is durable. */
void ledger_publish(struct ledger *l);

#endif
