// SPDX-License-Identifier: Apache-2.0
#include "collector/series/disk/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/series/disk/catalog_open.h"
#include "lib/base/log.h"

struct series_catalog {
    char *path;
    int directory;           /* flock'ed */
    pthread_mutex_t writing; /* one at a time changes the directory */
    pthread_mutex_t lock;    /* all below */
    struct block_edition *current;
    struct damage_list damage;
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
    if (!c || !(c->path = strdup(directory))) {
        free(c);
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->writing, NULL);
    if (catalog_read_directory(c->path, &c->directory, &c->current, &c->damage, why, why_size) != 0)
        series_catalog_close(&c);
    return c;
}

void series_catalog_close(struct series_catalog **place)
{
    struct series_catalog *c = *place;
    if (!c)
        return;
    series_catalog_release(&c->current);
    if (c->directory >= 0)
        close(c->directory);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->writing);
    free(c->damage.list);
    free(c->path);
    free(c);
    *place = NULL;
}

int series_catalog_directory(const struct series_catalog *c)
{
    return c->directory;
}

/* ---- damage ------------------------------------------------------------------------------ */

void series_catalog_note_damage(struct series_catalog *c)
{
    char why[SERIES_DAMAGE_WHY_MAX];
    struct block_edition *e = series_catalog_hold(c);
    for (size_t i = 0; i < e->count; i++) {
        struct block_entry *entry = e->entries[i];
        if (!block_damage(entry->block, why, sizeof why))
            continue;
        pthread_mutex_lock(&c->lock);
        bool news = !entry->damage_told;
        entry->damage_told = true;
        if (news)
            damage_remember(&c->damage, entry->name, why);
        pthread_mutex_unlock(&c->lock);
        if (news)
            LOG_ERROR("series %s: %s: %s is damaged; the rest of it is used", c->path, entry->name,
                      why);
    }
    series_catalog_release(&e);
}

struct series_damage *series_catalog_damaged(struct series_catalog *c, size_t *count)
{
    series_catalog_note_damage(c);
    pthread_mutex_lock(&c->lock);
    *count = c->damage.count;
    struct series_damage *copy = *count ? malloc(*count * sizeof *copy) : NULL;
    if (copy)
        memcpy(copy, c->damage.list, *count * sizeof *copy);
    else
        *count = 0;
    pthread_mutex_unlock(&c->lock);
    return copy;
}

/* ---- changing ---------------------------------------------------------------------------- */

int series_catalog_create(struct series_catalog *c, uint64_t first, uint64_t last)
{
    char name[SERIES_DAMAGE_NAME_MAX];
    block_file_name(first, last, ".new", name);
    int fd = openat(c->directory, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

void series_catalog_discard(struct series_catalog *c, uint64_t first, uint64_t last)
{
    char name[SERIES_DAMAGE_NAME_MAX];
    block_file_name(first, last, ".new", name);
    unlinkat(c->directory, name, 0);
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

static int make_durable(struct series_catalog *c, int fd, const char *from, const char *to)
{
    if (fsync(fd) != 0 || renameat(c->directory, from, c->directory, to) != 0)
        return -errno;
    return fsync(c->directory) == 0 ? 0 : -errno;
}

/* Parts that are merged now: their files are not needed any more. One that was written anew has
 * the name of the old one. */
static void unlink_parts(struct series_catalog *c, const struct block_edition *old,
                         const struct block_entry *entry)
{
    for (size_t i = 0; i < old->count; i++) {
        const struct block_entry *other = old->entries[i];
        if (is_part(other->summary, entry->summary) && strcmp(other->name, entry->name) != 0 &&
            unlinkat(c->directory, other->name, 0) != 0)
            LOG_WARN("series %s: %s cannot be deleted: %s", c->path, other->name, strerror(errno));
    }
}

static int prepare(struct series_catalog *c, int fd, uint64_t first, uint64_t last,
                   struct block_entry **entry, struct block_edition **fresh)
{
    char to[SERIES_DAMAGE_NAME_MAX], why[SERIES_DAMAGE_WHY_MAX];
    int error = 0;
    block_file_name(first, last, "", to);
    struct block *block = block_open(fd, &error, why, sizeof why);
    if (!block) {
        LOG_ERROR("series %s: %s was written and cannot be read: %s", c->path, to, why);
        close(fd);
        return error == BLOCK_ENOMEM ? -ENOMEM : -EIO;
    }
    *entry = block_entry_create(block, to);
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
    char from[SERIES_DAMAGE_NAME_MAX], to[SERIES_DAMAGE_NAME_MAX];
    struct block_entry *entry = NULL;
    struct block_edition *fresh = NULL;
    block_file_name(first, last, ".new", from);
    block_file_name(first, last, "", to);
    int error = prepare(c, fd, first, last, &entry, &fresh);
    if (error == 0) {
        error = make_durable(c, fd, from, to);
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
    if (unlinkat(c->directory, old->entries[0]->name, 0) != 0 && errno != ENOENT) {
        free(fresh);
        return -errno;
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
