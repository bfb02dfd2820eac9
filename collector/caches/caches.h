// SPDX-License-Identifier: Apache-2.0
/* Windows of caches (lib/codec/batch_windows.h), as taps told them: which keys were hot, and when.
 *
 * Windows as they were told are kept for an hour; then those of a minute are summed up to one,
 * which is kept for a day; then those of an hour. A sum takes the place of its parts in one
 * transaction. Beyond `limit_bytes` the oldest go.
 *
 * In a SQLite database (collector/database.h), "caches.db"; a window's lists stand there as an
 * encoded batch (docs/format/batch.md). Any thread; each call may wait for the disk. Who asks reads
 * over a connection of its own: what is told meanwhile does not wait, and is not seen. */
#ifndef WEFT_COLLECTOR_CACHES_CACHES_H
#define WEFT_COLLECTOR_CACHES_CACHES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/journal.h"
#include "lib/codec/batch.h"

enum {
    CACHES_EDISK = -1,    /* the database cannot be written, or read, now */
    CACHES_EREFUSED = -2, /* it could be, but does not take this */
    CACHES_ETIME = -3,    /* the deadline came first */
};

struct caches;

struct caches_options {
    const char *directory; /* made if missing; kept as it is */
    uint64_t age_ns;       /* what is older goes */
    uint64_t limit_bytes;
};

/* NULL and a sentence in `why`. */
struct caches *caches_open(const struct caches_options *options, char *why, size_t why_size);
void caches_close(struct caches **c);
/* What was wrong the last time that something failed; "" if nothing did. */
void caches_error(struct caches *c, char *out, size_t size);

/* ---- telling ------------------------------------------------------------------------------ */

/* Stores a window; one of the same cache and beginning is replaced. 0, CACHES_EDISK or
 * CACHES_EREFUSED: it lies in the future. */
int caches_put(struct caches *c, const struct batch_window *w, int64_t now_unix_ms);
/* Sums up what is old enough, and removes what is too old or too much. 0 or CACHES_EDISK. */
int caches_age(struct caches *c, int64_t now_unix_ms);

/* How far in the ledger everything is written. 1; 0: nobody said; CACHES_EDISK. */
int caches_reached(struct caches *c, struct journal_position *at);
int caches_set_reached(struct caches *c, struct journal_position at);

/* ---- asking ------------------------------------------------------------------------------- */

struct cache_view {
    uint64_t id;
    const char *host, *address, *protocol;
    int64_t seen_unix_ms; /* the end of its last window */
};
struct caches_filter {
    uint64_t id;                 /* 0: any */
    const char *host, *protocol; /* NULL: any */
    int64_t from_unix_ms, to_unix_ms;
    uint64_t deadline_ns; /* on CLOCK_MONOTONIC; 0: none */
};
/* All that `filter` names and that were seen in its time or later, by host and address, in the
 * arena. 0 or CACHES_EDISK. */
int caches_list(struct caches *c, const struct caches_filter *filter, struct arena *arena,
                struct cache_view **list, uint32_t *count);
/* Gives `each` all windows that touch the time, by cache; false from it ends that. The window is
 * valid during the call. 0, CACHES_EDISK or CACHES_ETIME. */
int caches_windows(struct caches *c, const struct caches_filter *filter,
                   bool (*each)(void *context, uint64_t cache, const struct batch_window *w),
                   void *context);

struct caches_stats {
    uint64_t bytes, limit_bytes;
    uint64_t aged_windows; /* that went for age or size, since the start */
};
void caches_read_stats(struct caches *c, struct caches_stats *out);

#endif
