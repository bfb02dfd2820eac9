// SPDX-License-Identifier: Apache-2.0
/* Keys that take more than their share of a cache's calls: while one does, it has a mark (one for
 * the whole period, which ends with the last window in which it did) and the series
 * weft_cache_hot_key_share{host, cache, key}, which ends with the first window in which it does
 * not.
 * Where no such window comes (the cache is idle, the collector was restarted) it ends as any series
 * does of which nothing is heard.
 *
 * One thread: the observer's (observe.h). Calls wait for the disk. */
#ifndef WEFT_COLLECTOR_CACHES_HOT_KEYS_H
#define WEFT_COLLECTOR_CACHES_HOT_KEYS_H

#include <stddef.h>

#include "collector/marks/marks.h"
#include "lib/codec/batch.h"

struct hot_keys;

struct hot_keys_options {
    double share;       /* of a window's calls, from which on a key is hot; beyond 1: none is */
    double calls_per_s; /* and so many at least */
    struct marks *marks;
    /* Makes an encoded batch of samples durable; takes over `memory` (malloc'ed). 0; -1 and a
     * sentence. */
    int (*write)(void *context, void *memory, size_t length, char *why, size_t why_size);
    void *context;
};

/* NULL: no memory. */
struct hot_keys *hot_keys_create(const struct hot_keys_options *options);
void hot_keys_destroy(struct hot_keys **h);

/* 0; MARKS_EDISK and a sentence: to be tried again. A window that comes again changes nothing. */
int hot_keys_see(struct hot_keys *h, const struct batch_window *w, char *why, size_t why_size);

#endif
