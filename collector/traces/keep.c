// SPDX-License-Identifier: Apache-2.0
/* The store's two threads. One cuts: it waits for a generation to be sealed, seals the newest
 * itself when that is old, and tries again with growing pauses where the disk refuses. The other
 * merges small segments and removes the oldest. Both stop within a moment. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "collector/traces/store_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { LOOK_MS = 500, RETRY_FIRST_MS = 100, RETRY_MOST_MS = 5000 };

void store_interrupt(struct store *s)
{
    wakeup_stop(&s->wakeup);
}

/* ---- cutting ----------------------------------------------------------------------------- */

static bool is_old(const struct store *s, const struct generation *g)
{
    return s->options.cut_after_ns && g->begun_unix_ns &&
           clock_unix_ns() > g->begun_unix_ns + s->options.cut_after_ns;
}

/* The oldest generation, if it can be cut; NULL. */
static struct generation *to_cut(struct store *s)
{
    pthread_rwlock_wrlock(&s->lock);
    struct generation *g = s->count > 0 ? s->ring[0] : NULL; /* none: all was cut */
    if (g && s->count == 1 && !g->sealed && g->staged == 0 && is_old(s, g))
        g->sealed = true; /* the inserting thread begins another */
    if (g && (!g->sealed || g->staged > 0))
        g = NULL;
    pthread_rwlock_unlock(&s->lock);
    return g;
}

static void set_health(struct store *s, int error)
{
    enum store_health health = STORE_OK;
    if (error == -ENOSPC || error == -EDQUOT)
        health = STORE_FULL;
    else if (error != 0)
        health = STORE_FAILED;
    pthread_rwlock_wrlock(&s->lock);
    bool changed = s->stats.health != health;
    s->stats.health = health;
    s->stats.error = -error;
    pthread_rwlock_unlock(&s->lock);
    if (changed && health == STORE_OK)
        LOG_INFO("traces %s: segments can be written again", s->options.directory);
    else if (changed)
        LOG_ERROR("traces %s: a segment cannot be written: %s: when memory is full nothing more "
                  "is accepted; agents keep what they have",
                  s->options.directory, strerror(-error));
}

static void *cut_generations(void *context)
{
    struct store *s = context;
    unsigned pause_ms = RETRY_FIRST_MS;
    while (!wakeup_is_stopping(&s->wakeup)) {
        unsigned seen = wakeup_seen(&s->wakeup);
        struct generation *g = to_cut(s);
        if (!g) {
            wakeup_wait(&s->wakeup, seen, LOOK_MS);
            continue;
        }
        int error = store_cut(s, g);
        if (error == -ECANCELED)
            break;
        set_health(s, error);
        if (error == 0) {
            pause_ms = RETRY_FIRST_MS;
            wakeup_all(&s->wakeup);
            continue;
        }
        wakeup_wait(&s->wakeup, wakeup_seen(&s->wakeup), pause_ms);
        pause_ms = pause_ms * 2 < RETRY_MOST_MS ? pause_ms * 2 : RETRY_MOST_MS;
    }
    return NULL;
}

/* ---- merging and retention --------------------------------------------------------------- */

static void remove_old(struct store *s)
{
    struct catalog_stats stats;
    for (;;) {
        catalog_stats(s->catalog, &stats);
        struct edition *e = catalog_hold(s->catalog);
        uint64_t newest = e->count > 0 ? e->entries[0]->summary->end_max_unix_ns : 0;
        catalog_release(s->catalog, &e);
        bool much = s->options.limit_bytes && stats.bytes > s->options.limit_bytes;
        bool old = s->options.max_age_ns && newest + s->options.max_age_ns < clock_unix_ns();
        if (stats.segments < 2 || (!much && !old))
            return;
        int error = catalog_remove_oldest(s->catalog);
        if (error != 0) {
            LOG_WARN_EVERY("traces %s: the oldest segment cannot be removed: %s",
                           s->options.directory, strerror(-error));
            return;
        }
    }
}

static void *merge_segments(void *context)
{
    struct store *s = context;
    /* Merging gives way to what agents send and people ask. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
    while (!wakeup_is_stopping(&s->wakeup)) {
        unsigned seen = wakeup_seen(&s->wakeup);
        remove_old(s);
        catalog_note_damage(s->catalog);
        int result = store_merge(s);
        if (result == 1) {
            pthread_rwlock_wrlock(&s->lock);
            s->stats.merges++;
            pthread_rwlock_unlock(&s->lock);
            continue;
        }
        if (result < 0 && result != -ECANCELED)
            LOG_WARN_EVERY("traces %s: segments cannot be merged: %s", s->options.directory,
                           strerror(-result));
        wakeup_wait(&s->wakeup, result < 0 ? wakeup_seen(&s->wakeup) : seen,
                    result < 0 ? RETRY_MOST_MS : LOOK_MS);
    }
    return NULL;
}

/* ---- the threads ------------------------------------------------------------------------- */

int store_start_threads(struct store *s)
{
    s->cutting_runs = pthread_create(&s->cutting, NULL, cut_generations, s) == 0;
    s->merging_runs = pthread_create(&s->merging, NULL, merge_segments, s) == 0;
    return s->cutting_runs && s->merging_runs ? 0 : -1;
}

void store_stop_threads(struct store *s)
{
    store_interrupt(s);
    if (s->cutting_runs)
        pthread_join(s->cutting, NULL);
    if (s->merging_runs)
        pthread_join(s->merging, NULL);
    s->cutting_runs = s->merging_runs = false;
}
