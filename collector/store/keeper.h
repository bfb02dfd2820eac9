// SPDX-License-Identifier: Apache-2.0
/* The two threads of a store whose head is cut into files. One cuts: it waits for a generation of
 * the head that is ready, and tries again with growing pauses where the disk refuses. The other
 * removes the oldest files and merges, at a low priority: it gives way to what agents send and
 * people ask. Both stop within a moment.
 *
 * The store says what is to be done (struct keeper_work) and wakes both by its wakeup; the keeper
 * knows how cutting goes, and says so in the log. */
#ifndef WEFT_COLLECTOR_STORE_KEEPER_H
#define WEFT_COLLECTOR_STORE_KEEPER_H

#include <stdint.h>

#include "lib/base/wakeup.h"

/* All are given the store. */
struct keeper_work {
    const char *store, *file, *files; /* "traces", "segment", "segments": for the log */
    /* The cutting thread: the generation that is to be cut now; NULL: none. */
    void *(*next)(void *store);
    /* 0, -ECANCELED: it is to stop, or -errno: then it is tried again. */
    int (*cut)(void *store, void *generation);
    /* The merging thread: whether the oldest file is to go; removes it, 0 or -errno. */
    bool (*is_too_much)(void *store);
    int (*remove_oldest)(void *store);
    void (*note_damage)(void *store);
    /* 1: it did, and looks again. 0: there was nothing to do. -ECANCELED or -errno. */
    int (*merge)(void *store);
};

enum keeper_health { KEEPER_OK, KEEPER_FULL, KEEPER_FAILED }; /* of cutting: FULL is the disk */

struct keeper_state {
    enum keeper_health health;
    int error;       /* errno of the last failure while not OK */
    uint64_t merges; /* since the start */
};

struct keeper {
    const struct keeper_work *work;
    void *store;
    const char *directory;
    struct wakeup *wakeup;
    unsigned look_ms; /* how long a generation may be ready before that is noticed */
    pthread_mutex_t lock;
    struct keeper_state state; /* under the lock */
    pthread_t cutting, merging;
    bool begun, cutting_runs, merging_runs;
};

enum { KEEPER_LOOK_MS = 500 };

/* With work, store, directory, wakeup and look_ms set and all else zero. 0, or -1: a thread cannot
 * be started; keeper_stop all the same. */
int keeper_start(struct keeper *k);
/* Stops the wakeup and waits for both threads. Nothing where it was never started. */
void keeper_stop(struct keeper *k);

struct keeper_state keeper_state(struct keeper *k);

#endif
