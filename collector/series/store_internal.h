// SPDX-License-Identifier: Apache-2.0
/* What the files of the store share: store.c (opening, sums), append.c (one thread), cut.c and
 * merge.c (making blocks), keep.c (the threads that do), sums.c (going on after a start),
 * delete.c, select.c and ask.c (questions). */
#ifndef WEFT_COLLECTOR_SERIES_STORE_INTERNAL_H
#define WEFT_COLLECTOR_SERIES_STORE_INTERNAL_H

#include <pthread.h>

#include "collector/series/disk/catalog.h"
#include "collector/series/disk/tombstones.h"
#include "collector/series/exemplars.h"
#include "collector/series/generation.h"
#include "collector/series/metadata.h"
#include "collector/series/store.h"
#include "collector/store/keeper.h"

enum { SERIES_GENERATIONS_MAX = 32, REFUSED_METRICS = 64 };
#define SERIES_WINDOW_MS INT64_C(7200000) /* blocks are made to begin and end with these */

/* Who is refused most, by the algorithm of Misra and Gries: a count is too low by at most the
 * number of refusals by REFUSED_METRICS. */
struct refused_metric {
    char name[SERIES_METRIC_NAME_KEPT];
    uint64_t count;
};

struct series_store {
    struct series_store_options options;
    char *directory;
    unsigned generations; /* one is full when it takes this part of series_memory_bytes */
    struct series_catalog *catalog;
    struct series_source source;

    pthread_rwlock_t lock; /* all below, unless said otherwise */
    struct head head;
    struct series_generation *ring[SERIES_GENERATIONS_MAX]; /* oldest first; the last is filled */
    unsigned count;
    struct series_generation *retired[SERIES_GENERATIONS_MAX]; /* blocks have them; still read */
    unsigned retired_count;
    uint64_t next_number;
    struct tombstones *tombstones;
    struct exemplar_ring exemplars;
    struct refused_metric refused[REFUSED_METRICS];
    struct series_stats stats; /* those that are counted */
    int64_t newest_ms;         /* of all samples that were taken; INT64_MIN: none */

    /* A batch that is being appended. */
    bool appending;
    struct journal_position batch_end;
    unsigned slice;        /* samples since the lock was last given to others */
    uint32_t now_s;        /* the monotonic clock */
    int64_t future_ms;     /* times beyond are refused */
    struct column scratch; /* the appending thread's */
    struct running_histogram total;
    struct points late;

    struct metadata_table metadata; /* locks for itself */

    /* Waiting: for a generation to cut, for room, for the end. */
    struct wakeup wakeup;
    struct keeper keeper;
};

/* keep.c */
int series_start_threads(struct series_store *s);

/* Under the lock: what the chunks take, with those that are still read. */
uint64_t series_chunk_bytes(const struct series_store *s);
/* Under the lock: what they may take. It grows with the series that live: what a series costs in a
 * generation before its first sample is paid by each, and a block of few samples of each is all
 * index. */
uint64_t series_memory_bytes(const struct series_store *s);
/* Under the write lock: seals the newest generation and begins another, numbered `number` or
 * later. NULL: no memory, or no place. */
struct series_generation *series_next_generation(struct series_store *s, uint64_t number);
static inline struct series_generation *series_newest(const struct series_store *s)
{
    return s->count > 0 ? s->ring[s->count - 1] : NULL;
}
/* One reader less. A reader is added under the lock. */
void series_let_go(struct series_store *s, struct series_generation *g);

/* All streams of a run, in the order in which samples win over each other, into `out`. `scratch`
 * keeps the bytes. With `lock` they are copied under it. 0 or SERIES_ENOMEM. */
int series_read_run(const struct head_run *run, pthread_rwlock_t *lock, int64_t from_ms,
                    int64_t to_ms, struct column *scratch, struct points *out);
/* Sorts what was appended in several pieces; of one time the last counts. -1: no memory. */
int series_settle_points(struct points *p);

/* Makes a block of a sealed generation. 0, -ECANCELED, or -errno: then nothing has changed. */
int series_cut(struct series_store *s, struct series_generation *g);
/* Makes one block of neighbours, if there are any to merge, or writes one anew that has deleted
 * samples. 1: it did. 0: there was nothing to do. Else -errno. */
int series_merge(struct series_store *s);
/* Lets go of retired generations that nobody reads, and drops series without samples for long. */
void series_tidy(struct series_store *s);
/* Series that count go on from the sums that blocks have. -1: no memory. */
int series_load_sums(struct series_store *s);
/* Forgets tombstones that concern nothing any more. 0 or -errno. */
int series_drop_tombstones(struct series_store *s);
/* Whether deletions concern the block that are not made true in it: those up to entry->cleaned do
 * not, which is looked up and remembered. 1, 0, or -1: no memory. */
int series_needs_cleaning(struct block_entry *entry, const struct tombstones *t);
/* Whether the deletion may concern what is in a block or generation up to this number, of which
 * those up to `cleaned` were made true. */
static inline bool series_is_concerned(const struct tombstone *t, uint64_t last, uint64_t cleaned)
{
    return t->sequence > cleaned && last <= t->through;
}

#endif
