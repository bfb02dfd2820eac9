// SPDX-License-Identifier: Apache-2.0
#include "collector/series/disk/catalog.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/series/disk/catalog_open.h"
#include "lib/base/log.h"

struct series_catalog {
    struct files files;
    pthread_mutex_t writing; /* one at a time changes the directory */
    pthread_mutex_t lock;    /* what is below */
    struct block_edition *current;
};

/* ---- editions ---------------------------------------------------------------------------- */

struct block_edition *block_edition_create(size_t count)
{
    struct block_edition *e = calloc(1, sizeof *e + count * sizeof e->entries[0]);
    if (e)
        atomic_init(&e->references, 1);
    return e;
}

static void entry_release(struct block_entry *entry)
{
    if (atomic_fetch_sub(&entry->references, 1) > 1)
        return;
    block_close(&entry->block);
    free(entry);
}

void block_edition_add(struct block_edition *e, struct block_entry *entry)
{
    atomic_fetch_add(&entry->references, 1);
    e->entries[e->count++] = entry;
}

void series_catalog_release(struct block_edition **place)
{
    struct block_edition *e = *place;
    *place = NULL;
    if (!e || atomic_fetch_sub(&e->references, 1) > 1)
        return;
    for (size_t i = 0; i < e->count; i++)
        entry_release(e->entries[i]);
    free(e);
}

struct block_edition *series_catalog_hold(struct series_catalog *c)
{
    pthread_mutex_lock(&c->lock);
    struct block_edition *e = c->current;
    atomic_fetch_add(&e->references, 1);
    pthread_mutex_unlock(&c->lock);
    return e;
}

void series_catalog_publish(struct series_catalog *c, struct block_edition *fresh)
{
    pthread_mutex_lock(&c->lock);
    struct block_edition *old = c->current;
    c->current = fresh;
    pthread_mutex_unlock(&c->lock);
    series_catalog_release(&old);
}

/* ---- open and close ---------------------------------------------------------------------- */

struct series_catalog *series_catalog_open(const char *directory, char *why, size_t why_size)
{
    struct series_catalog *c = calloc(1, sizeof *c);
    if (!c) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->writing, NULL);
    int error = catalog_read_directory(&c->files, directory, &c->current);
    if (error == 0)
        return c;
    files_explain(&c->files, error, why, why_size);
    series_catalog_close(&c);
    return NULL;
}

void series_catalog_close(struct series_catalog **place)
{
    struct series_catalog *c = *place;
    if (!c)
        return;
    series_catalog_release(&c->current);
    files_close(&c->files);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->writing);
    free(c);
    *place = NULL;
}

int series_catalog_directory(const struct series_catalog *c)
{
    return c->files.directory;
}

/* ---- damage ------------------------------------------------------------------------------ */

void series_catalog_note_damage(struct series_catalog *c)
{
    char why[FILES_WHY_MAX];
    struct block_edition *e = series_catalog_hold(c);
    for (size_t i = 0; i < e->count; i++) {
        struct block_entry *entry = e->entries[i];
        if (!block_damage(entry->block, why, sizeof why))
            continue;
        if (atomic_exchange(&entry->damage_told, true))
            continue;
        files_remember_damage(&c->files, entry->name, why);
        LOG_ERROR("series %s: %s: %s is damaged; the rest of it is used", c->files.path,
                  entry->name, why);
    }
    series_catalog_release(&e);
}

struct files_damage *series_catalog_damaged(struct series_catalog *c, size_t *count)
{
    series_catalog_note_damage(c);
    return files_damaged(&c->files, count);
}

/* ---- changing ---------------------------------------------------------------------------- */

int series_catalog_create(struct series_catalog *c, uint64_t first, uint64_t last)
{
    return files_create(&c->files, first, last);
}

void series_catalog_discard(struct series_catalog *c, uint64_t first, uint64_t last)
{
    files_discard(&c->files, first, last);
}

static bool is_part(const struct block_summary *part, const struct block_summary *whole)
{
    return part->first >= whole->first && part->last <= whole->last;
}

/* The list with `entry` in the place of those whose numbers it has. */
static struct block_edition *edition_with(const struct block_edition *old,
                                          struct block_entry *entry)
{
    struct block_edition *fresh = block_edition_create(old->count + 1);
    bool placed = false;
    for (size_t i = 0; fresh && i < old->count; i++) {
        const struct block_summary *other = old->entries[i]->summary;
        if (is_part(other, entry->summary))
            continue;
        if (!placed && other->first > entry->summary->first) {
            block_edition_add(fresh, entry);
            placed = true;
        }
        block_edition_add(fresh, old->entries[i]);
    }
    if (fresh && !placed)
        block_edition_add(fresh, entry);
    return fresh;
}

/* Parts that are merged now: their files are not needed any more. One that was written anew has
 * the name of the old one. */
static void unlink_parts(struct series_catalog *c, const struct block_edition *old,
                         const struct block_entry *entry)
{
    for (size_t i = 0; i < old->count; i++) {
        const struct block_entry *other = old->entries[i];
        if (!is_part(other->summary, entry->summary) || strcmp(other->name, entry->name) == 0)
            continue;
        int error = files_delete(&c->files, other->name);
        if (error != 0)
            LOG_WARN("series %s: %s cannot be deleted: %s", c->files.path, other->name,
                     strerror(-error));
    }
}

static int prepare(struct series_catalog *c, int fd, uint64_t first, uint64_t last,
                   struct block_entry **entry, struct block_edition **fresh)
{
    char name[FILES_NAME_MAX], why[FILES_WHY_MAX];
    int error = 0;
    files_name(&c->files, first, last, name);
    struct block *block = block_open(fd, &error, why, sizeof why);
    if (!block) {
        LOG_ERROR("series %s: %s was written and cannot be read: %s", c->files.path, name, why);
        close(fd);
        return error == BLOCK_ENOMEM ? -ENOMEM : -EIO;
    }
    *entry = block_entry_create(block, name);
    if (!*entry) {
        block_close(&block);
        return -ENOMEM;
    }
    *fresh = edition_with(c->current, *entry);
    if (*fresh)
        return 0;
    block_close(&block);
    free(*entry);
    return -ENOMEM;
}

static int install(struct series_catalog *c, int fd, uint64_t first, uint64_t last,
                   void (*swap)(void *context, struct block_edition *fresh), void *context)
{
    struct block_entry *entry = NULL;
    struct block_edition *fresh = NULL;
    int error = prepare(c, fd, first, last, &entry, &fresh);
    if (error == 0) {
        error = files_install(&c->files, fd, first, last);
        if (error != 0)
            series_catalog_release(&fresh);
    }
    if (error != 0) {
        series_catalog_discard(c, first, last);
        return error;
    }
    struct block_edition *old = series_catalog_hold(c);
    if (swap)
        swap(context, fresh);
    else
        series_catalog_publish(c, fresh);
    unlink_parts(c, old, entry);
    series_catalog_release(&old);
    return 0;
}

int series_catalog_install(struct series_catalog *c, int fd, uint64_t first, uint64_t last,
                           void (*swap)(void *context, struct block_edition *fresh), void *context)
{
    pthread_mutex_lock(&c->writing);
    int error = install(c, fd, first, last, swap, context);
    pthread_mutex_unlock(&c->writing);
    return error;
}

static int remove_oldest(struct series_catalog *c, const struct block_edition *old)
{
    if (old->count < 2)
        return -ENOENT;
    struct block_edition *fresh = block_edition_create(old->count - 1);
    if (!fresh)
        return -ENOMEM;
    int error = files_delete(&c->files, old->entries[0]->name);
    if (error != 0 && error != -ENOENT) {
        free(fresh);
        return error;
    }
    for (size_t i = 1; i < old->count; i++)
        block_edition_add(fresh, old->entries[i]);
    series_catalog_publish(c, fresh);
    return 0;
}

int series_catalog_remove_oldest(struct series_catalog *c)
{
    pthread_mutex_lock(&c->writing);
    struct block_edition *old = series_catalog_hold(c);
    int error = remove_oldest(c, old);
    series_catalog_release(&old);
    pthread_mutex_unlock(&c->writing);
    return error;
}
