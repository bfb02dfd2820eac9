// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/store/lock.h"
#include "collector/traces/store_internal.h"
#include "lib/base/clock.h"

enum { GENERATIONS_DEFAULT = 4, GENERATIONS_LEAST = 3 };

static struct generation *begin_generation(struct store *s, size_t expected_traces)
{
    struct generation *g = generation_create(++s->next_generation, expected_traces);
    if (g)
        s->ring[s->count++] = g;
    return g;
}

struct store *store_open(const struct store_options *options, char *why, size_t why_size)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s || store_lock_init(&s->lock) != 0) {
        free(s);
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    wakeup_init(&s->wakeup);
    s->options = *options;
    unsigned generations = options->generations ? options->generations : GENERATIONS_DEFAULT;
    if (generations < GENERATIONS_LEAST)
        generations = GENERATIONS_LEAST;
    s->generation_bytes = options->head_bytes / generations;
    s->catalog = catalog_open(options->directory, why, why_size);
    if (s->catalog && begin_generation(s, 0) && store_start_threads(s) == 0)
        return s;
    if (s->catalog)
        snprintf(why, why_size, "traces %s: no memory", options->directory);
    store_close(&s);
    return NULL;
}

void store_close(struct store **place)
{
    struct store *s = *place;
    if (!s)
        return;
    keeper_stop(&s->keeper);
    for (unsigned i = 0; i < s->count; i++)
        generation_destroy(&s->ring[i]);
    catalog_close(&s->catalog);
    wakeup_fini(&s->wakeup);
    pthread_rwlock_destroy(&s->lock);
    free(s);
    *place = NULL;
}

struct journal_position store_ledger_end(struct store *s)
{
    struct catalog_stats stats;
    catalog_stats(s->catalog, &stats);
    if (stats.ledger_begun_unix_ns != s->options.ledger_begun_unix_ns)
        return (struct journal_position){0};
    return stats.ledger_end;
}

struct journal_position store_ledger_needed(struct store *s)
{
    pthread_rwlock_rdlock(&s->lock);
    struct journal_position passed = s->passed;
    bool empty = true;
    for (unsigned i = 0; i < s->count; i++)
        empty = empty && s->ring[i]->batch_count == 0 && s->ring[i]->staged == 0;
    pthread_rwlock_unlock(&s->lock);
    return empty && passed.segment ? passed : store_ledger_end(s);
}

/* ---- generations ------------------------------------------------------------------------- */

void store_let_go(struct store *s, struct generation *g)
{
    if (--g->references > 0)
        return;
    if (g->retired)
        s->retired_bytes -= g->bytes;
    generation_destroy(&g);
    wakeup_all(&s->wakeup);
}

static uint64_t bytes_now(const struct store *s)
{
    uint64_t bytes = s->retired_bytes;
    for (unsigned i = 0; i < s->count; i++)
        bytes += s->ring[i]->bytes;
    return bytes;
}

/* Whether something else will make room: a sealed generation that nothing staged holds back, or
 * one that is still being read. */
static bool room_will_come(const struct store *s)
{
    return (s->count > 1 && s->ring[0]->sealed && s->ring[0]->staged == 0) || s->retired_bytes > 0;
}

/* Under the write lock: from now on the cutting thread leaves it alone. */
static struct generation *stage(struct generation *g)
{
    if (g) {
        g->references++;
        g->staged++;
    }
    return g;
}

/* A fresh generation in the place of the full one, staged. NULL with *wait: there must be room
 * first. */
static struct generation *next_generation(struct store *s, bool *wait)
{
    pthread_rwlock_wrlock(&s->lock);
    struct generation *full = s->count > 0 ? s->ring[s->count - 1] : NULL, *fresh = NULL;
    bool seal = full && !full->sealed;
    if (seal) {
        full->sealed = true;
        full->bytes = generation_bytes(full);
    }
    bool room = bytes_now(s) + s->generation_bytes <= s->options.head_bytes &&
                s->count < STORE_GENERATIONS_MAX;
    *wait = !room && room_will_come(s);
    if (!*wait && s->count < STORE_GENERATIONS_MAX)
        fresh = stage(begin_generation(s, full ? full->trace_count : 0));
    pthread_rwlock_unlock(&s->lock);
    if (seal)
        wakeup_all(&s->wakeup);
    return fresh;
}

/* The generation to decode into, staged; NULL: no memory, or interrupted. */
static struct generation *current(struct store *s)
{
    for (;;) {
        /* Looked at and staged in one: else it could be old, and sealed, in between. */
        pthread_rwlock_wrlock(&s->lock);
        struct generation *g = s->count > 0 ? s->ring[s->count - 1] : NULL;
        bool has_room = g && !g->sealed && generation_bytes(g) < s->generation_bytes;
        if (has_room)
            stage(g);
        pthread_rwlock_unlock(&s->lock);
        if (has_room)
            return g;
        unsigned seen = wakeup_seen(&s->wakeup);
        bool wait = false;
        struct generation *fresh = next_generation(s, &wait);
        if (!wait)
            return fresh;
        if (!wakeup_wait(&s->wakeup, seen, 0))
            return NULL;
    }
}

/* ---- inserting --------------------------------------------------------------------------- */

int store_decode(struct store *s, struct arena *samples, const void *bytes, size_t length,
                 size_t max_bytes, struct store_staged *staged)
{
    struct generation *g = current(s);
    if (!g)
        return BATCH_ENOMEM;
    /* The arena is the inserting thread's alone: readers look at batches, not at it. */
    int error = BATCH_ENOMEM;
    struct batch *b = batch_decode_apart(&g->arena, samples, bytes, length, max_bytes, &error);
    *staged = (struct store_staged){b, g};
    if (!b || batch_is_samples(b)) {
        store_discard(s, staged);
        staged->batch = b;
    }
    return b ? BATCH_OK : error;
}

void store_pass(struct store *s, struct journal_position ledger_end)
{
    pthread_rwlock_wrlock(&s->lock);
    s->passed = ledger_end;
    pthread_rwlock_unlock(&s->lock);
}

static const char *keep_agent(struct generation *g, const char *agent)
{
    /* Batches of one agent come in groups; one copy does for them. */
    if (g->batch_count > 0) {
        const char *last = g->batches[g->batch_count - 1].agent;
        if (strcmp(last, agent) == 0)
            return last;
    }
    return arena_copy(&g->arena, agent, strlen(agent) + 1);
}

static int index_batch(struct store *s, struct generation *g, const struct batch *batch,
                       const char *agent)
{
    agent = keep_agent(g, agent);
    if (!agent)
        return -1;
    for (uint32_t i = 0; i < batch->process_count; i++)
        batch->processes[i].agent = (struct batch_str){agent, (uint32_t)strlen(agent)};
    if (generation_reserve(g, batch) != 0)
        return -1;
    struct generation *newest_first[STORE_GENERATIONS_MAX];
    struct edition *segments = catalog_hold(s->catalog);
    struct generation_past past = {.generations = newest_first, .segments = segments};
    for (unsigned i = s->count; i-- > 0;) {
        if (s->ring[i]->number < g->number)
            newest_first[past.count++] = s->ring[i];
    }
    generation_index(g, batch, agent, &past);
    catalog_release(s->catalog, &segments);
    return 0;
}

int store_insert(struct store *s, struct store_staged *staged, const char *agent,
                 struct journal_position ledger_end)
{
    struct generation *g = staged->generation;
    if (!g) {
        store_pass(s, ledger_end);
        return 0;
    }
    batch_forget_samples(staged->batch);
    pthread_rwlock_wrlock(&s->lock);
    s->passed = ledger_end;
    int result = index_batch(s, g, staged->batch, agent);
    if (result != 0)
        s->stats.not_indexed += staged->batch->span_count;
    if (!g->begun_unix_ns)
        g->begun_unix_ns = clock_unix_ns();
    g->ledger_end = ledger_end;
    g->staged--;
    g->bytes = generation_bytes(g);
    bool wanted = g->sealed && g->staged == 0;
    store_let_go(s, g);
    pthread_rwlock_unlock(&s->lock);
    if (wanted)
        wakeup_all(&s->wakeup);
    *staged = (struct store_staged){0};
    return result;
}

void store_discard(struct store *s, struct store_staged *staged)
{
    struct generation *g = staged->generation;
    if (!g)
        return;
    pthread_rwlock_wrlock(&s->lock);
    g->staged--;
    bool wanted = g->sealed && g->staged == 0;
    store_let_go(s, g);
    pthread_rwlock_unlock(&s->lock);
    if (wanted)
        wakeup_all(&s->wakeup);
    *staged = (struct store_staged){0};
}

/* ---- sums -------------------------------------------------------------------------------- */

void store_stats(struct store *s, struct store_stats *out)
{
    struct catalog_stats segments;
    pthread_rwlock_rdlock(&s->lock);
    catalog_stats(s->catalog, &segments);
    *out = s->stats;
    out->keeping = keeper_state(&s->keeper);
    out->head_limit_bytes = s->options.head_bytes;
    out->segments_limit_bytes = s->options.limit_bytes;
    uint64_t oldest = segments.oldest_unix_ns ? segments.oldest_unix_ns : UINT64_MAX;
    for (unsigned i = 0; i < s->count; i++) {
        const struct generation *g = s->ring[i];
        out->head_traces += g->trace_count;
        out->head_spans += g->spans;
        if (g->spans > 0 && g->bounds.start_min_unix_ns < oldest)
            oldest = g->bounds.start_min_unix_ns;
    }
    out->head_bytes = bytes_now(s);
    out->generations = s->count;
    pthread_rwlock_unlock(&s->lock);
    out->oldest_unix_ns = oldest == UINT64_MAX ? 0 : oldest;
    out->segments = segments;
}

struct files_damage *store_damaged(struct store *s, size_t *count)
{
    return catalog_damaged(s->catalog, count);
}
