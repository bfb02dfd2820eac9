// SPDX-License-Identifier: Apache-2.0
/* The agent's numbers since it started: written by the thread that each belongs to, read by any
 * (the report, /metrics). */
#ifndef WEFT_AGENT_COUNTERS_H
#define WEFT_AGENT_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "lib/model/loss.h"

/* What became of the collector's inquiries (agent/observe/). */
enum inquiry_result {
    INQUIRY_OBSERVED,
    INQUIRY_NOT_SEEN,  /* the tap saw no exchange of it, or not its reply */
    INQUIRY_AMBIGUOUS, /* not to be told from others on its connection */
    INQUIRY_FORGOTTEN, /* of a time that the tap does not remember any more */
    INQUIRY_NO_ROOM,   /* too many at a time */
    INQUIRY_RESULTS
};

struct counters {
    uint64_t start_unix_ns;
    _Atomic uint64_t processes; /* followed now */
    _Atomic uint64_t spans;     /* swept, died ones among them */
    _Atomic uint64_t died_spans;
    _Atomic uint64_t batches;     /* spooled */
    _Atomic uint64_t batch_bytes; /* sealed */
    _Atomic uint64_t sweeps, bells;
    _Atomic uint64_t sweep_lag_ns; /* the longest pause between sweeps in the last full second */
    _Atomic uint64_t watched;      /* without their doing, now */
    _Atomic uint64_t watched_refused;
    _Atomic uint64_t feed_batches,
        feed_refused; /* of programs on this host; the first are spooled */
    _Atomic uint64_t inquiries[INQUIRY_RESULTS];
    _Atomic uint64_t observed_spans;     /* made of them, spooled */
    _Atomic uint64_t spool_errors;       /* a batch had to wait in memory */
    _Atomic uint64_t lost[LOSS_REASONS]; /* by the agent itself and its spool and link */
};

static inline void counters_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline uint64_t counters_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static inline void counters_set(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, n, memory_order_relaxed);
}

#endif
