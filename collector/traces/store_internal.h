// SPDX-License-Identifier: Apache-2.0
/* What the files of the store share: store.c (inserting), store_read.c (asking), keep.c (the
 * threads that make and merge segments), cut.c, merge.c. */
#ifndef WEFT_COLLECTOR_TRACES_STORE_INTERNAL_H
#define WEFT_COLLECTOR_TRACES_STORE_INTERNAL_H

#include <pthread.h>

#include "collector/store/keeper.h"
#include "collector/traces/generation.h"
#include "collector/traces/store.h"

struct store {
    struct store_options options;
    char *directory;
    uint64_t generation_bytes; /* a generation is full beyond this */
    struct catalog *catalog;

    pthread_rwlock_t lock; /* the ring, and what of generations is said to be under it */
    struct generation *ring[STORE_GENERATIONS_MAX]; /* oldest first; the last is being filled */
    unsigned count;
    uint64_t retired_bytes; /* of generations that a segment has, but somebody still reads */
    uint64_t next_generation;
    struct journal_position passed; /* the ledger's end, as far as it was told */
    struct store_stats stats;       /* those that are counted: cuts, not_indexed */

    /* Waiting: for a generation to cut, for room, for the end. */
    struct wakeup wakeup;
    struct keeper keeper;
};

/* Makes a segment of a sealed generation. 0, -ECANCELED, or -errno: then nothing has changed. */
int store_cut(struct store *s, struct generation *g);
/* Merges a few small neighbours, if there are any to merge. 1: it did. 0: there was nothing to
 * do. Else -errno. */
int store_merge(struct store *s);

/* keep.c */
int store_start_threads(struct store *s);

/* Under the write lock: one reader or the ring less. */
void store_let_go(struct store *s, struct generation *g);

#endif
