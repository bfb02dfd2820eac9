// SPDX-License-Identifier: Apache-2.0
#include "collector/series/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/series/select.h"
#include "collector/series/store_internal.h"
#include "collector/store/lock.h"

enum { GENERATIONS_DEFAULT = 4, GENERATIONS_LEAST = 3 };
#define HEAD_BYTES_DEFAULT (UINT64_C(256) << 20)
#define IDLE_DEFAULT_NS    UINT64_C(3600000000000)

static void take_options(struct series_store *s, const struct series_store_options *options)
{
    s->options = *options;
    if (!s->options.head_bytes)
        s->options.head_bytes = HEAD_BYTES_DEFAULT;
    if (!s->options.idle_ns)
        s->options.idle_ns = IDLE_DEFAULT_NS;
    unsigned generations = options->generations ? options->generations : GENERATIONS_DEFAULT;
    if (generations < GENERATIONS_LEAST)
        generations = GENERATIONS_LEAST;
    if (generations > SERIES_GENERATIONS_MAX / 2)
        generations = SERIES_GENERATIONS_MAX / 2;
    s->generations = generations;
    s->options.directory = s->directory;
}

/* Metadata of blocks, the newest last. */
static int load_metadata(struct series_store *s, const struct block_edition *e)
{
    struct arena arena;
    int error = 0;
    arena_init(&arena, 64 << 10);
    for (size_t i = 0; i < e->count && error != BLOCK_ENOMEM; i++) {
        struct series_metadata *list;
        size_t count;
        error = block_metadata(e->entries[i]->block, &arena, &list, &count);
        for (size_t k = 0; error == BLOCK_OK && k < count; k++)
            metadata_describe(&s->metadata, &list[k]);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return error == BLOCK_ENOMEM ? -1 : 0;
}

/* What the blocks say: how generations are numbered, and the newest time. */
static void go_on_from(struct series_store *s, const struct block_edition *e)
{
    s->newest_ms = INT64_MIN;
    s->next_number = 1;
    for (size_t i = 0; i < e->count; i++) {
        const struct block_summary *b = e->entries[i]->summary;
        s->next_number = b->last + 1;
        if (b->samples > 0 && b->max_ms > s->newest_ms)
            s->newest_ms = b->max_ms;
    }
    bool same_ledger = e->count == 0 || e->entries[e->count - 1]->summary->ledger_begun_unix_ns ==
                                            s->options.ledger_begun_unix_ns;
    for (size_t i = 0; !same_ledger && i < s->tombstones->count; i++)
        if (s->tombstones->items[i].through >= s->next_number)
            s->next_number = s->tombstones->items[i].through + 1;
}

static int load(struct series_store *s, char *why, size_t why_size)
{
    snprintf(why, why_size, "series %s: no memory", s->directory);
    int directory = series_catalog_directory(s->catalog);
    int error = tombstones_load(directory, &s->tombstones, why, why_size);
    if (error != 0) {
        if (error != -EBADMSG && error != -ENOMEM)
            snprintf(why, why_size, "series %s: tombstones: %s", s->directory, strerror(-error));
        return -1;
    }
    struct block_edition *e = series_catalog_hold(s->catalog);
    go_on_from(s, e);
    s->batch_end = series_store_ledger_end(s);
    error = load_metadata(s, e);
    series_catalog_release(&e);
    if (error != 0 || head_init(&s->head) != 0 ||
        exemplar_ring_init(&s->exemplars, s->options.exemplars) != 0 || series_load_sums(s) != 0 ||
        !series_next_generation(s, 0))
        return -1;
    return series_start_threads(s);
}

struct series_store *series_store_open(const struct series_store_options *options, char *why,
                                       size_t why_size)
{
    struct series_store *s = calloc(1, sizeof *s);
    if (!s || !(s->directory = strdup(options->directory)) || store_lock_init(&s->lock) != 0) {
        free(s ? s->directory : NULL);
        free(s);
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    wakeup_init(&s->wakeup);
    metadata_init(&s->metadata);
    points_init(&s->late);
    take_options(s, options);
    s->source = series_select_source(s);
    s->catalog = series_catalog_open(s->directory, why, why_size);
    if (!s->catalog || load(s, why, why_size) != 0)
        series_store_close(&s);
    return s;
}

void series_store_close(struct series_store **place)
{
    struct series_store *s = *place;
    if (!s)
        return;
    keeper_stop(&s->keeper);
    for (unsigned i = 0; i < s->count; i++)
        series_generation_destroy(&s->ring[i]);
    for (unsigned i = 0; i < s->retired_count; i++)
        series_generation_destroy(&s->retired[i]);
    series_catalog_close(&s->catalog);
    tombstones_release(&s->tombstones);
    exemplar_ring_fini(&s->exemplars);
    head_fini(&s->head);
    metadata_fini(&s->metadata);
    points_fini(&s->late);
    column_fini(&s->scratch);
    running_histogram_fini(&s->total);
    wakeup_fini(&s->wakeup);
    pthread_rwlock_destroy(&s->lock);
    free(s->directory);
    free(s);
    *place = NULL;
}

struct journal_position series_store_ledger_end(struct series_store *s)
{
    struct journal_position end = {0};
    struct block_edition *e = series_catalog_hold(s->catalog);
    if (e->count > 0 &&
        e->entries[e->count - 1]->summary->ledger_begun_unix_ns == s->options.ledger_begun_unix_ns)
        end = e->entries[e->count - 1]->summary->ledger_end;
    series_catalog_release(&e);
    return end;
}

const struct series_source *series_store_source(struct series_store *s)
{
    return &s->source;
}

/* ---- generations ------------------------------------------------------------------------- */

uint64_t series_chunk_bytes(const struct series_store *s)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < s->count; i++)
        bytes += series_generation_bytes(s->ring[i]);
    for (unsigned i = 0; i < s->retired_count; i++)
        bytes += series_generation_bytes(s->retired[i]);
    return bytes;
}

uint64_t series_memory_bytes(const struct series_store *s)
{
    return s->options.head_bytes + s->options.series_bytes * head_count(&s->head);
}

struct series_generation *series_next_generation(struct series_store *s, uint64_t number)
{
    struct series_generation *old = series_newest(s);
    if (s->count == SERIES_GENERATIONS_MAX)
        return NULL;
    if (number < s->next_number)
        number = s->next_number;
    /* One that nothing came into needs no block: it takes the number. */
    if (old && !old->begun && !old->sealed && old->samples == 0 && old->count == 0) {
        old->number = number;
        s->next_number = number + 1;
        return old;
    }
    struct series_generation *fresh = series_generation_create(number);
    if (!fresh)
        return NULL;
    if (old)
        old->sealed = true;
    s->ring[s->count++] = fresh;
    s->next_number = number + 1;
    return fresh;
}

void series_let_go(struct series_store *s, struct series_generation *g)
{
    if (atomic_fetch_sub(&g->references, 1) == 2)
        wakeup_all(&s->wakeup); /* the store's own is left: if it is retired, it can go */
}

int series_store_wait(struct series_store *s)
{
    for (;;) {
        unsigned seen = wakeup_seen(&s->wakeup);
        pthread_rwlock_rdlock(&s->lock);
        bool full = s->count > SERIES_GENERATIONS_MAX / 2 ||
                    (series_chunk_bytes(s) >= series_memory_bytes(s) &&
                     (s->count > 1 || s->retired_count > 0));
        pthread_rwlock_unlock(&s->lock);
        if (!full)
            return 0;
        if (!wakeup_wait(&s->wakeup, seen, 0))
            return -1;
    }
}

/* ---- sums -------------------------------------------------------------------------------- */

static void add_blocks(struct series_store *s, struct series_stats *out)
{
    struct block_edition *e = series_catalog_hold(s->catalog);
    uint64_t total = e->count > 0 ? e->entries[0]->summary->samples_before : 0;
    out->aged_samples = total;
    for (size_t i = 0; i < e->count; i++) {
        const struct block_summary *b = e->entries[i]->summary;
        out->blocks++;
        out->block_samples += b->samples;
        out->block_series += b->series;
        out->block_bytes += b->file_bytes;
        out->block_resident_bytes += block_resident_bytes(e->entries[i]->block);
        if (b->samples_before > total)
            out->damaged_samples += b->samples_before - total;
        total = b->samples_before + b->accepted;
        if (b->samples > 0 && b->min_ms < out->oldest_ms)
            out->oldest_ms = b->min_ms;
        if (b->samples > 0 && b->max_ms > out->newest_ms)
            out->newest_ms = b->max_ms;
    }
    series_catalog_release(&e);
}

static void add_head(const struct series_store *s, struct series_stats *out)
{
    out->series = head_count(&s->head);
    out->series_limit = s->options.series_limit;
    out->head_limit_bytes = series_memory_bytes(s);
    out->block_limit_bytes = s->options.limit_bytes;
    out->generations = s->count;
    out->exemplars = s->exemplars.count;
    out->tombstones = s->tombstones->count;
    out->head_chunk_bytes = series_chunk_bytes(s);
    out->head_index_bytes = head_bytes(&s->head);
    for (unsigned i = 0; i < s->count; i++) {
        const struct series_generation *g = s->ring[i];
        out->head_samples += g->samples;
        if (g->samples > 0 && g->min_ms < out->oldest_ms)
            out->oldest_ms = g->min_ms;
        if (g->samples > 0 && g->max_ms > out->newest_ms)
            out->newest_ms = g->max_ms;
    }
    for (int i = 0; i < REFUSED_METRICS; i++) {
        if (s->refused[i].count <= out->most_refused)
            continue;
        out->most_refused = s->refused[i].count;
        memcpy(out->most_refused_metric, s->refused[i].name, sizeof out->most_refused_metric);
    }
}

void series_store_stats(struct series_store *s, struct series_stats *out)
{
    pthread_rwlock_rdlock(&s->lock);
    *out = s->stats;
    out->keeping = keeper_state(&s->keeper);
    out->oldest_ms = INT64_MAX;
    out->newest_ms = INT64_MIN;
    add_head(s, out);
    add_blocks(s, out);
    pthread_rwlock_unlock(&s->lock);
    if (out->oldest_ms > out->newest_ms)
        out->oldest_ms = out->newest_ms = 0;
}

struct files_damage *series_store_damaged(struct series_store *s, size_t *count)
{
    return series_catalog_damaged(s->catalog, count);
}
