// SPDX-License-Identifier: Apache-2.0
#include "collector/series/disk/catalog_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/log.h"

struct reading {
    struct files *files;
    struct block_entry **found;
    size_t count, capacity;
};

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

static int open_file(void *context, const char *name, uint64_t first, uint64_t last)
{
    struct reading *r = context;
    char why[FILES_WHY_MAX];
    int error = 0, fd = openat(r->files->directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct block *block = block_open(fd, &error, why, sizeof why);
    if (!block)
        close(fd);
    if (!block && error != BLOCK_EDAMAGED) {
        LOG_ERROR("series %s: %s: %s", r->files->path, name, why);
        return error == BLOCK_ENOMEM ? -ENOMEM : error == BLOCK_EVERSION ? -EPROTO : -EIO;
    }
    const struct block_summary *s = block ? block_summary(block) : NULL;
    if (!s || s->first != first || s->last != last) {
        files_set_aside(r->files, name, s ? "its footer has other numbers than its name" : why);
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
        files_delete(r->files, entry->name);
        block_close(&entry->block);
        free(entry);
    }
    return 0;
}

int catalog_read_directory(struct files *files, const char *path, struct block_edition **edition)
{
    static const struct files_kind kind = {"series", "block", "series"};
    struct reading r = {.files = files};
    int error = files_open(files, &kind, path);
    if (error == 0)
        error = files_read(files, open_file, &r);
    if (error == 0)
        error = make_edition(&r, edition);
    for (size_t i = 0; error != 0 && i < r.count; i++) {
        block_close(&r.found[i]->block);
        free(r.found[i]);
    }
    free((void *)r.found);
    return error;
}
