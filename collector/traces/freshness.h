// SPDX-License-Identifier: Apache-2.0
/* How long after its end a span can be asked for: a histogram of the last minute in slots of a
 * second, and one of all time in powers of two for /metrics.
 *
 * Buckets are log-linear, eight to a power of two (an error of 6 % at most). What died has no
 * end that anybody saw and is not counted, and what was observed comes when it was asked for; an
 * end in the future (a clock that is off) is 0.
 */
#ifndef WEFT_COLLECTOR_TRACES_FRESHNESS_H
#define WEFT_COLLECTOR_TRACES_FRESHNESS_H

#include <pthread.h>

#include "lib/codec/batch.h"

enum {
    FRESHNESS_SECONDS = 60,
    FRESHNESS_OCTAVE_FIRST = 16, /* 2^16 ns: 65 us */
    FRESHNESS_OCTAVE_LAST = 40,  /* 2^40 ns: 18 minutes */
    FRESHNESS_OCTAVES = FRESHNESS_OCTAVE_LAST - FRESHNESS_OCTAVE_FIRST + 1,
    FRESHNESS_BUCKETS = FRESHNESS_OCTAVES * 8,
};

struct freshness_slot {
    uint64_t second;
    uint64_t count;
    uint32_t buckets[FRESHNESS_BUCKETS];
};

struct freshness {
    pthread_mutex_t lock;
    struct freshness_slot slots[FRESHNESS_SECONDS];
    uint64_t octaves[FRESHNESS_OCTAVES]; /* [i]: below 2^(FIRST + i + 1) ns, the last: any */
    uint64_t count;
    double sum_s;
};

struct freshness_summary {
    uint64_t count, p50_ns, p99_ns; /* of the last minute */
    uint64_t total;                 /* of all time, as are: */
    double total_sum_s;
    uint64_t octaves[FRESHNESS_OCTAVES];
};

void freshness_init(struct freshness *f);
void freshness_fini(struct freshness *f);
/* The batch became visible now. Any thread. */
void freshness_add(struct freshness *f, const struct batch *batch, uint64_t now_unix_ns);
void freshness_read(struct freshness *f, uint64_t now_unix_ns, struct freshness_summary *out);

#endif
