// SPDX-License-Identifier: Apache-2.0
/* What the store's two threads (collector/store/keeper.h) do. A generation is cut when it is
 * sealed; the newest is sealed when it is old. */
#include "collector/traces/store_internal.h"
#include "lib/base/clock.h"

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
static void *to_cut(void *store)
{
    struct store *s = store;
    pthread_rwlock_wrlock(&s->lock);
    struct generation *g = s->count > 0 ? s->ring[0] : NULL; /* none: all was cut */
    if (g && s->count == 1 && !g->sealed && g->staged == 0 && is_old(s, g))
        g->sealed = true; /* the inserting thread begins another */
    if (g && (!g->sealed || g->staged > 0))
        g = NULL;
    pthread_rwlock_unlock(&s->lock);
    return g;
}

static int cut(void *store, void *generation)
{
    return store_cut(store, generation);
}

/* ---- retention and merging --------------------------------------------------------------- */

static bool is_too_much(void *store)
{
    const struct store *s = store;
    struct catalog_stats stats;
    catalog_stats(s->catalog, &stats);
    struct edition *e = catalog_hold(s->catalog);
    uint64_t newest = e->count > 0 ? e->entries[0]->summary->end_max_unix_ns : 0;
    catalog_release(s->catalog, &e);
    bool much = s->options.limit_bytes && stats.bytes > s->options.limit_bytes;
    bool old = s->options.max_age_ns && newest + s->options.max_age_ns < clock_unix_ns();
    return stats.segments > 1 && (much || old);
}

static int remove_oldest(void *store)
{
    struct store *s = store;
    return catalog_remove_oldest(s->catalog);
}

static void note_damage(void *store)
{
    struct store *s = store;
    catalog_note_damage(s->catalog);
}

static int merge(void *store)
{
    return store_merge(store);
}

/* ---- the threads ------------------------------------------------------------------------- */

int store_start_threads(struct store *s)
{
    static const struct keeper_work work = {
        .store = "traces",
        .file = "segment",
        .files = "segments",
        .next = to_cut,
        .cut = cut,
        .is_too_much = is_too_much,
        .remove_oldest = remove_oldest,
        .note_damage = note_damage,
        .merge = merge,
    };
    s->keeper = (struct keeper){.work = &work,
                                .store = s,
                                .directory = s->options.directory,
                                .wakeup = &s->wakeup,
                                .look_ms = KEEPER_LOOK_MS};
    return keeper_start(&s->keeper);
}
