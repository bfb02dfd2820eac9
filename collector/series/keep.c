// SPDX-License-Identifier: Apache-2.0
/* The store's two threads. One cuts: it waits for a generation to be sealed, seals the newest
 * itself when that is old, and tries again with growing pauses where the disk refuses. The other
 * removes the oldest blocks and merges. Both stop within a moment. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "collector/series/store_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { LOOK_MS = 500, RETRY_FIRST_MS = 100, RETRY_MOST_MS = 5000 };

void series_store_interrupt(struct series_store *s)
{
    wakeup_stop(&s->wakeup);
}

/* ---- cutting ----------------------------------------------------------------------------- */

static bool is_old(const struct series_store *s, const struct series_generation *g)
{
    return g->begun && s->options.cut_after_ns &&
           clock_unix_ns() >= g->begun_unix_ns + s->options.cut_after_ns;
}

/* The oldest generation, if it can be cut; NULL. */
static struct series_generation *to_cut(struct series_store *s)
{
    pthread_rwlock_wrlock(&s->lock);
    struct series_generation *g = s->count > 0 ? s->ring[0] : NULL;
    if (g && !g->sealed && !s->appending && is_old(s, g))
        series_next_generation(s, 0);
    bool ready = g && g->sealed && s->retired_count < SERIES_GENERATIONS_MAX;
    pthread_rwlock_unlock(&s->lock);
    return ready ? g : NULL;
}

static void set_health(struct series_store *s, int error)
{
    enum series_health health = SERIES_HEALTH_OK;
    if (error == -ENOSPC || error == -EDQUOT)
        health = SERIES_HEALTH_FULL;
    else if (error != 0)
        health = SERIES_HEALTH_FAILED;
    pthread_rwlock_wrlock(&s->lock);
    bool changed = s->stats.health != health;
    s->stats.health = health;
    s->stats.error = -error;
    pthread_rwlock_unlock(&s->lock);
    if (changed && health == SERIES_HEALTH_OK)
        LOG_INFO("series %s: blocks can be written again", s->directory);
    else if (changed)
        LOG_ERROR("series %s: a block cannot be written: %s: when memory is full nothing more is "
                  "accepted; agents keep what they have",
                  s->directory, strerror(-error));
}

/* How long a generation may be old before that is noticed. */
static unsigned look_ms(const struct series_store *s)
{
    uint64_t quarter_ms = s->options.cut_after_ns / 4000000 + 1;
    return s->options.cut_after_ns && quarter_ms < LOOK_MS ? (unsigned)quarter_ms : LOOK_MS;
}

static void *cut_generations(void *context)
{
    struct series_store *s = context;
    unsigned pause_ms = RETRY_FIRST_MS;
    while (!wakeup_is_stopping(&s->wakeup)) {
        unsigned seen = wakeup_seen(&s->wakeup);
        series_tidy(s);
        struct series_generation *g = to_cut(s);
        if (!g) {
            wakeup_wait(&s->wakeup, seen, look_ms(s));
            continue;
        }
        int error = series_cut(s, g);
        if (error == -ECANCELED)
            break;
        set_health(s, error);
        if (error == 0) {
            pause_ms = RETRY_FIRST_MS;
            series_tidy(s);
            wakeup_all(&s->wakeup);
            continue;
        }
        wakeup_wait(&s->wakeup, wakeup_seen(&s->wakeup), pause_ms);
        pause_ms = pause_ms * 2 < RETRY_MOST_MS ? pause_ms * 2 : RETRY_MOST_MS;
    }
    return NULL;
}

/* ---- retention and merging --------------------------------------------------------------- */

static bool is_too_much(struct series_store *s)
{
    uint64_t bytes = 0, now_ms = clock_unix_ns() / 1000000;
    struct block_edition *e = series_catalog_hold(s->catalog);
    for (size_t i = 0; i < e->count; i++)
        bytes += e->entries[i]->summary->file_bytes;
    bool several = e->count > 1;
    const struct block_summary *oldest = several ? e->entries[0]->summary : NULL;
    bool old = several && s->options.max_age_ns &&
               (oldest->samples == 0 ||
                oldest->max_ms + (int64_t)(s->options.max_age_ns / 1000000) < (int64_t)now_ms);
    series_catalog_release(&e);
    return several && (old || (s->options.limit_bytes && bytes > s->options.limit_bytes));
}

static void remove_old(struct series_store *s)
{
    while (is_too_much(s)) {
        int error = series_catalog_remove_oldest(s->catalog);
        if (error == 0)
            continue;
        LOG_WARN_EVERY("series %s: the oldest block cannot be removed: %s", s->directory,
                       strerror(-error));
        return;
    }
}

static void *merge_blocks(void *context)
{
    struct series_store *s = context;
    /* Merging gives way to what agents send and people ask. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
    while (!wakeup_is_stopping(&s->wakeup)) {
        unsigned seen = wakeup_seen(&s->wakeup);
        remove_old(s);
        series_catalog_note_damage(s->catalog);
        int result = series_merge(s);
        if (result == 1) {
            pthread_rwlock_wrlock(&s->lock);
            s->stats.merges++;
            pthread_rwlock_unlock(&s->lock);
            continue;
        }
        if (result == 0)
            result = series_drop_tombstones(s);
        if (result < 0 && result != -ECANCELED)
            LOG_WARN_EVERY("series %s: blocks cannot be merged: %s", s->directory,
                           strerror(-result));
        wakeup_wait(&s->wakeup, result < 0 ? wakeup_seen(&s->wakeup) : seen,
                    result < 0 ? RETRY_MOST_MS : LOOK_MS);
    }
    return NULL;
}

/* ---- the threads ------------------------------------------------------------------------- */

int series_start_threads(struct series_store *s)
{
    s->cutting_runs = pthread_create(&s->cutting, NULL, cut_generations, s) == 0;
    s->merging_runs = pthread_create(&s->merging, NULL, merge_blocks, s) == 0;
    return s->cutting_runs && s->merging_runs ? 0 : -1;
}

void series_stop_threads(struct series_store *s)
{
    series_store_interrupt(s);
    if (s->cutting_runs)
        pthread_join(s->cutting, NULL);
    if (s->merging_runs)
        pthread_join(s->merging, NULL);
    s->cutting_runs = s->merging_runs = false;
}
