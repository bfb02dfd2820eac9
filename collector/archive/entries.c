// SPDX-License-Identifier: Apache-2.0
#include "collector/archive/entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

void archive_entries_init(struct archive_entries *e)
{
    *e = (struct archive_entries){0};
    pthread_rwlock_init(&e->lock, NULL);
    arena_init(&e->arena, 64 << 10);
}

void archive_entries_fini(struct archive_entries *e)
{
    for (size_t i = 0; i < e->count; i++)
        pthread_mutex_destroy(&e->list[i]->lock);
    free((void *)e->list);
    arena_fini(&e->arena);
    pthread_rwlock_destroy(&e->lock);
}

/* Lengths stand before the texts, so that no two sets of labels look the same. Not seeded: the name
 * has to be the same after years. */
void archive_entry_file(const struct labels *labels, char out[ENTRY_FILE_BYTES])
{
    XXH3_state_t *state = XXH3_createState();
    XXH128_hash_t hash = {0, 0};
    if (state) {
        XXH3_128bits_reset(state);
        for (uint32_t i = 0; i < labels->count; i++) {
            const struct batch_str texts[2] = {labels->items[i].name, labels->items[i].value};
            for (int k = 0; k < 2; k++) {
                uint8_t length[4];
                for (int b = 0; b < 4; b++)
                    length[b] = (uint8_t)(texts[k].length >> (8 * b));
                XXH3_128bits_update(state, length, sizeof length);
                XXH3_128bits_update(state, texts[k].bytes, texts[k].length);
            }
        }
        hash = XXH3_128bits_digest(state);
        XXH3_freeState(state);
    }
    snprintf(out, ENTRY_FILE_BYTES, "%016llx%016llx.rrd", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
}

static size_t bucket_of(const char *file)
{
    char front[9];
    snprintf(front, sizeof front, "%.8s", file);
    return strtoul(front, NULL, 16) % ENTRY_BUCKETS;
}

struct archive_entry *archive_entries_find(const struct archive_entries *e, const char *file)
{
    struct archive_entry *at = e->buckets[bucket_of(file)];
    while (at && strcmp(at->file, file) != 0)
        at = at->next_in_bucket;
    return at;
}

/* ---- adding ------------------------------------------------------------------------------ */

static int make_room(struct archive_entries *e)
{
    if (e->count < e->capacity)
        return 0;
    size_t capacity = e->capacity ? e->capacity * 2 : 64;
    struct archive_entry **larger =
        realloc((void *)e->list, capacity * sizeof(struct archive_entry *));
    if (!larger)
        return -1;
    e->list = larger;
    e->capacity = capacity;
    return 0;
}

struct archive_entry *archive_entries_add(struct archive_entries *e, const struct labels *labels,
                                          bool is_raw, int64_t since_s, int64_t last_s)
{
    pthread_rwlock_wrlock(&e->lock);
    struct archive_entry *entry = arena_calloc(&e->arena, 1, sizeof *entry);
    if (!entry || !labels_copy(&e->arena, labels, &entry->labels) || make_room(e) != 0) {
        entry = NULL;
    } else {
        archive_entry_file(labels, entry->file);
        entry->is_raw = is_raw;
        entry->since_s = since_s;
        atomic_init(&entry->last_s, last_s);
        pthread_mutex_init(&entry->lock, NULL);
        struct archive_entry **bucket = &e->buckets[bucket_of(entry->file)];
        entry->next_in_bucket = *bucket;
        *bucket = entry;
        e->list[e->count++] = entry;
    }
    pthread_rwlock_unlock(&e->lock);
    return entry;
}

/* ---- looking ----------------------------------------------------------------------------- */

static int by_labels(const void *left, const void *right)
{
    const struct archive_entry *const *a = left, *const *b = right;
    return labels_compare(&(*a)->labels, &(*b)->labels);
}

static bool is_wanted(const struct archive_entry *entry, const struct matcher *matchers,
                      size_t count, int64_t from_ms, int64_t to_ms, bool raw)
{
    if ((entry->is_raw && !raw) || entry->since_s > to_ms / 1000 ||
        atomic_load(&entry->last_s) < from_ms / 1000)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!matcher_matches(&matchers[i], labels_get(&entry->labels, matchers[i].name)))
            return false;
    return true;
}

int archive_entries_select(struct archive_entries *e, const struct matcher *matchers, size_t count,
                           int64_t from_ms, int64_t to_ms, bool raw, struct archive_entry ***list,
                           size_t *found)
{
    *found = 0;
    pthread_rwlock_rdlock(&e->lock);
    *list = malloc((e->count + 1) * sizeof(struct archive_entry *));
    for (size_t i = 0; *list && i < e->count; i++)
        if (is_wanted(e->list[i], matchers, count, from_ms, to_ms, raw))
            (*list)[(*found)++] = e->list[i];
    pthread_rwlock_unlock(&e->lock);
    if (*list && *found > 1)
        qsort((void *)*list, *found, sizeof(struct archive_entry *), by_labels);
    return *list ? 0 : -1;
}
