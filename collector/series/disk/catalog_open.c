// SPDX-License-Identifier: Apache-2.0
#include "collector/series/disk/catalog_open.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"

struct reading {
    const char *path;
    int directory;
    struct damage_list *damage;
    struct block_entry **found;
    size_t count, capacity;
};

void damage_remember(struct damage_list *d, const char *name, const char *why)
{
    struct series_damage *bigger = realloc(d->list, (d->count + 1) * sizeof *d->list);
    if (!bigger)
        return;
    d->list = bigger;
    struct series_damage *one = &d->list[d->count++];
    *one = (struct series_damage){0};
    snprintf(one->name, sizeof one->name, "%s", name);
    snprintf(one->why, sizeof one->why, "%s", why);
}

void block_file_name(uint64_t first, uint64_t last, const char *suffix,
                     char name[SERIES_DAMAGE_NAME_MAX])
{
    snprintf(name, SERIES_DAMAGE_NAME_MAX, "%020llu-%020llu.series%s", (unsigned long long)first,
             (unsigned long long)last, suffix);
}

/* "FIRST-LAST.series" followed by `suffix` and nothing else. */
static bool parse_name(const char *name, const char *suffix, uint64_t *first, uint64_t *last)
{
    unsigned long long a, b;
    char again[SERIES_DAMAGE_NAME_MAX];
    if (sscanf(name, "%20llu-%20llu.series", &a, &b) != 2 || a > b)
        return false;
    block_file_name(a, b, suffix, again);
    *first = a;
    *last = b;
    return strcmp(name, again) == 0;
}

struct block_entry *block_entry_create(struct block *block, const char *name)
{
    struct block_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    entry->block = block;
    entry->summary = block_summary(block);
    atomic_init(&entry->cleaned, entry->summary->cleaned);
    snprintf(entry->name, sizeof entry->name, "%s", name);
    return entry;
}

static void set_aside(struct reading *r, const char *name, uint64_t first, uint64_t last,
                      const char *why)
{
    char aside[SERIES_DAMAGE_NAME_MAX];
    block_file_name(first, last, ".damaged", aside);
    if (renameat(r->directory, name, r->directory, aside) != 0)
        LOG_WARN("series %s: %s cannot be renamed: %s", r->path, name, strerror(errno));
    LOG_ERROR("series %s: %s is damaged and was set aside as %s: %s", r->path, name, aside, why);
    damage_remember(r->damage, aside, why);
}

static int remember(struct reading *r, struct block_entry *entry)
{
    if (r->count == r->capacity) {
        size_t more = r->capacity ? r->capacity * 2 : 64;
        struct block_entry **bigger =
            realloc((void *)r->found, more * sizeof(struct block_entry *));
        if (!bigger)
            return -ENOMEM;
        r->found = bigger;
        r->capacity = more;
    }
    r->found[r->count++] = entry;
    return 0;
}

static int open_file(struct reading *r, const char *name, uint64_t first, uint64_t last)
{
    char why[SERIES_DAMAGE_WHY_MAX];
    int error = 0, fd = openat(r->directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct block *block = block_open(fd, &error, why, sizeof why);
    if (!block)
        close(fd);
    if (!block && error != BLOCK_EDAMAGED) {
        LOG_ERROR("series %s: %s: %s", r->path, name, why);
        return error == BLOCK_ENOMEM ? -ENOMEM : error == BLOCK_EVERSION ? -EPROTO : -EIO;
    }
    const struct block_summary *s = block ? block_summary(block) : NULL;
    if (!s || s->first != first || s->last != last) {
        set_aside(r, name, first, last, s ? "its footer has other numbers than its name" : why);
        block_close(&block);
        return 0;
    }
    struct block_entry *entry = block_entry_create(block, name);
    error = entry ? remember(r, entry) : -ENOMEM;
    if (error != 0) {
        block_close(&block);
        free(entry);
    }
    return error;
}

static int read_names(struct reading *r)
{
    int fd = openat(r->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return -errno;
    int error = 0;
    struct dirent *d;
    while (error == 0 && (d = readdir(directory)) != NULL) {
        uint64_t first, last;
        if (parse_name(d->d_name, ".new", &first, &last))
            unlinkat(r->directory, d->d_name, 0);
        else if (parse_name(d->d_name, ".damaged", &first, &last))
            damage_remember(r->damage, d->d_name, "it was set aside before this start");
        else if (parse_name(d->d_name, "", &first, &last))
            error = open_file(r, d->d_name, first, last);
    }
    closedir(directory);
    return error;
}

/* By first number; of those that begin alike the one that reaches further first. */
static int by_number(const void *left, const void *right)
{
    const struct block_summary *a = (*(struct block_entry *const *)left)->summary;
    const struct block_summary *b = (*(struct block_entry *const *)right)->summary;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return (a->last < b->last) - (a->last > b->last);
}

/* Parts whose merged block is there too are what a crash left. */
static int make_edition(struct reading *r, struct block_edition **edition)
{
    if (r->count > 0)
        qsort((void *)r->found, r->count, sizeof(struct block_entry *), by_number);
    *edition = block_edition_create(r->count);
    if (!*edition)
        return -ENOMEM;
    uint64_t covered = 0;
    for (size_t i = 0; i < r->count; i++) {
        struct block_entry *entry = r->found[i];
        if (entry->summary->last > covered) {
            covered = entry->summary->last;
            block_edition_add(*edition, entry);
            continue;
        }
        unlinkat(r->directory, entry->name, 0);
        block_close(&entry->block);
        free(entry);
    }
    return 0;
}

static int open_directory(struct reading *r)
{
    if (mkdir(r->path, 0700) != 0 && errno != EEXIST)
        return -errno;
    r->directory = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->directory < 0)
        return -errno;
    return flock(r->directory, LOCK_EX | LOCK_NB) == 0 ? 0 : -EBUSY;
}

int catalog_read_directory(const char *path, int *directory, struct block_edition **edition,
                           struct damage_list *damage, char *why, size_t why_size)
{
    struct reading r = {.path = path, .directory = -1, .damage = damage};
    int error = open_directory(&r);
    if (error == 0)
        error = read_names(&r);
    if (error == 0)
        error = make_edition(&r, edition);
    for (size_t i = 0; error != 0 && i < r.count; i++) {
        block_close(&r.found[i]->block);
        free(r.found[i]);
    }
    free((void *)r.found);
    *directory = r.directory;
    if (error == -EBUSY)
        snprintf(why, why_size, "series %s: another process has it open", path);
    else if (error == -EPROTO)
        snprintf(why, why_size,
                 "series %s: a block there was written by a newer weft-collector (see the log): "
                 "use that one, or another directory",
                 path);
    else if (error != 0)
        snprintf(why, why_size, "series %s: %s", path, strerror(-error));
    return error == 0 ? 0 : -1;
}
