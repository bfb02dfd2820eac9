// SPDX-License-Identifier: Apache-2.0
/* What is done between batches: sealing, and deleting samples. A tombstone is durable before
 * series_store_delete answers, and from then on every answer leaves them out. */
#include <errno.h>
#include <time.h>

#include "collector/series/choose.h"
#include "collector/series/store_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { PLACE_WAIT_MS = 5000 };

/* The write lock, with no batch half appended, and a place for another generation, if one comes
 * soon: where blocks cannot be written none does. */
static void lock_between_batches(struct series_store *s)
{
    int64_t until_ms = clock_monotonic_ms() + PLACE_WAIT_MS;
    for (;;) {
        pthread_rwlock_wrlock(&s->lock);
        if (!s->appending && (s->count < SERIES_GENERATIONS_MAX || clock_monotonic_ms() > until_ms))
            return;
        pthread_rwlock_unlock(&s->lock);
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
}

void series_store_seal(struct series_store *s)
{
    lock_between_batches(s);
    if (series_newest(s)->begun)
        series_next_generation(s, 0);
    pthread_rwlock_unlock(&s->lock);
    wakeup_all(&s->wakeup);
}

/* What was accepted before a deletion and is told again after a restart may fill more generations
 * than it did: so many numbers are kept free for them. */
#define NUMBERS_KEPT_FREE UINT64_C(1000000)

/* The tombstone concerns everything up to the newest generation, which is sealed. */
static int add_tombstone(struct series_store *s, struct tombstone *t)
{
    struct series_generation *g = series_newest(s);
    t->through = g->number + NUMBERS_KEPT_FREE;
    t->ledger_end = s->batch_end;
    if (!series_next_generation(s, t->through + 1))
        return SERIES_ENOMEM;
    struct tombstones *fresh = tombstones_with(s->tombstones, NULL, NULL, t);
    if (!fresh)
        return SERIES_ENOMEM;
    int error = tombstones_save(series_catalog_directory(s->catalog), fresh);
    if (error != 0) {
        LOG_ERROR("series %s: a deletion cannot be written: %s", s->directory, strerror(-error));
        tombstones_release(&fresh);
        return error == -ENOMEM ? SERIES_ENOMEM : SERIES_EDISK;
    }
    tombstones_release(&s->tombstones);
    s->tombstones = fresh;
    return SERIES_OK;
}

int series_store_delete(struct series_store *s, const struct matcher *matchers, size_t count,
                        int64_t from_ms, int64_t to_ms)
{
    struct tombstone t = {.from_ms = from_ms, .to_ms = to_ms, .count = count};
    if (count > MATCHERS_MAX)
        return SERIES_ELIMIT;
    t.matchers = (struct matcher *)matchers; /* copied, not changed */
    lock_between_batches(s);
    int error = add_tombstone(s, &t);
    pthread_rwlock_unlock(&s->lock);
    wakeup_all(&s->wakeup);
    return error;
}

/* ---- making it true ---------------------------------------------------------------------- */

static int has_match(struct block *b, const struct tombstone *t)
{
    struct arena arena;
    struct block_reader reader;
    roaring_bitmap_t *found = NULL;
    uint64_t rest;
    arena_init(&arena, 16 << 10);
    int error = block_reader_init(&reader, b, &arena);
    if (error == BLOCK_OK)
        error = choose_in_block(&reader, t->matchers, t->count, &found, &rest);
    int result = error == BLOCK_ENOMEM ? -1 : 1;
    if (error == BLOCK_OK) {
        result = !roaring_bitmap_is_empty(found);
        roaring_bitmap_free(found);
    }
    block_reader_fini(&reader);
    arena_fini(&arena);
    return result;
}

int series_needs_cleaning(struct block_entry *entry, const struct tombstones *t)
{
    const struct block_summary *b = entry->summary;
    for (size_t i = 0; i < t->count; i++) {
        const struct tombstone *one = &t->items[i];
        if (!series_is_concerned(one, b->last, atomic_load(&entry->cleaned)))
            continue;
        int match =
            one->from_ms <= b->max_ms && one->to_ms >= b->min_ms ? has_match(entry->block, one) : 0;
        if (match != 0)
            return match;
        atomic_store(&entry->cleaned, one->sequence);
    }
    return 0;
}

struct state {
    const struct block_edition *edition;
    uint64_t first_generation;
    struct journal_position ledger_end;
};

static bool is_done(const void *context, const struct tombstone *t)
{
    const struct state *state = context;
    struct journal_position end = state->ledger_end;
    if (state->first_generation <= t->through || end.segment < t->ledger_end.segment ||
        (end.segment == t->ledger_end.segment && end.offset < t->ledger_end.offset))
        return false;
    for (size_t i = 0; i < state->edition->count; i++) {
        const struct block_entry *entry = state->edition->entries[i];
        if (series_is_concerned(t, entry->summary->last, atomic_load(&entry->cleaned)))
            return false;
    }
    return true;
}

int series_drop_tombstones(struct series_store *s)
{
    int error = 0;
    bool any = false;
    struct state state = {.ledger_end = series_store_ledger_end(s)};
    pthread_rwlock_wrlock(&s->lock);
    struct block_edition *e = series_catalog_hold(s->catalog);
    state.edition = e;
    state.first_generation = s->ring[0]->number;
    for (size_t i = 0; i < s->tombstones->count; i++)
        any = any || is_done(&state, &s->tombstones->items[i]);
    struct tombstones *fresh = any ? tombstones_with(s->tombstones, is_done, &state, NULL) : NULL;
    if (any)
        error = fresh ? tombstones_save(series_catalog_directory(s->catalog), fresh) : -ENOMEM;
    if (fresh && error == 0) {
        struct tombstones *old = s->tombstones;
        s->tombstones = fresh;
        fresh = old;
    }
    tombstones_release(&fresh);
    pthread_rwlock_unlock(&s->lock);
    series_catalog_release(&e);
    return error;
}
