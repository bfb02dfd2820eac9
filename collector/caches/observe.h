// SPDX-License-Identifier: Apache-2.0
/* Sees windows of caches in accepted batches, stores them (caches.h) and tells which keys are hot
 * (hot_keys.h). collector/observe/observer.h says how, and what is promised. */
#ifndef WEFT_COLLECTOR_CACHES_OBSERVE_H
#define WEFT_COLLECTOR_CACHES_OBSERVE_H

#include "collector/caches/caches.h"
#include "collector/caches/hot_keys.h"
#include "collector/observe/observer.h"

struct caches_watch {
    struct caches *caches;
    struct hot_keys *hot_keys; /* NULL: nobody asks */
    char why[128];             /* the last one; the observer's thread's, as all below */
    bool stored;               /* the window that is tried again */
    int64_t aged_unix_ms;
};

/* NULL: no memory, or no thread. Both must outlive it. */
struct observer *caches_observer_create(struct caches_watch *watch, struct ledger *l);

#endif
