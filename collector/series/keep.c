// SPDX-License-Identifier: Apache-2.0
/* What the store's two threads (collector/store/keeper.h) do. A generation is cut when it is
 * sealed; the newest is sealed when it is old. */
#include "collector/series/store_internal.h"
#include "lib/base/clock.h"

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
static void *to_cut(void *store)
{
    struct series_store *s = store;
    series_tidy(s);
    pthread_rwlock_wrlock(&s->lock);
    struct series_generation *g = s->count > 0 ? s->ring[0] : NULL;
    if (g && !g->sealed && !s->appending && is_old(s, g))
        series_next_generation(s, 0);
    bool ready = g && g->sealed && s->retired_count < SERIES_GENERATIONS_MAX;
    pthread_rwlock_unlock(&s->lock);
    return ready ? g : NULL;
}

static int cut(void *store, void *generation)
{
    int error = series_cut(store, generation);
    if (error == 0)
        series_tidy(store);
    return error;
}

/* How long a generation may be old before that is noticed. */
static unsigned look_ms(const struct series_store *s)
{
    uint64_t quarter_ms = s->options.cut_after_ns / 4000000 + 1;
    return s->options.cut_after_ns && quarter_ms < KEEPER_LOOK_MS ? (unsigned)quarter_ms
                                                                  : KEEPER_LOOK_MS;
}

/* ---- retention and merging --------------------------------------------------------------- */

static bool is_too_much(void *store)
{
    const struct series_store *s = store;
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

static int remove_oldest(void *store)
{
    struct series_store *s = store;
    return series_catalog_remove_oldest(s->catalog);
}

static void note_damage(void *store)
{
    struct series_store *s = store;
    series_catalog_note_damage(s->catalog);
}

static int merge(void *store)
{
    int result = series_merge(store);
    return result == 0 ? series_drop_tombstones(store) : result;
}

/* ---- the threads ------------------------------------------------------------------------- */

int series_start_threads(struct series_store *s)
{
    static const struct keeper_work work = {
        .store = "series",
        .file = "block",
        .files = "blocks",
        .next = to_cut,
        .cut = cut,
        .is_too_much = is_too_much,
        .remove_oldest = remove_oldest,
        .note_damage = note_damage,
        .merge = merge,
    };
    s->keeper = (struct keeper){.work = &work,
                                .store = s,
                                .directory = s->directory,
                                .wakeup = &s->wakeup,
                                .look_ms = look_ms(s)};
    return keeper_start(&s->keeper);
}
