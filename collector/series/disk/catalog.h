// SPDX-License-Identifier: Apache-2.0
/* Which blocks there are: the directory, and the list that questions hold.
 *
 * Files are named and set aside as collector/store/files.h says, by the numbers of generations;
 * beside them is the file of tombstones. Pages and chunks that turn out to be damaged later are
 * passed over; both are named in the log and by series_catalog_damaged.
 *
 * The list is an *edition*: immutable, counted; a change makes another one. An edition keeps its
 * blocks open, so a question reads what it began with though it was merged or aged out. Blocks
 * stand in it by number: of two samples of one time that of the later block counts.
 *
 * Any thread may call anything; changes wait for each other. */
#ifndef WEFT_COLLECTOR_SERIES_DISK_CATALOG_H
#define WEFT_COLLECTOR_SERIES_DISK_CATALOG_H

#include <stdatomic.h>

#include "collector/series/disk/block.h"
#include "collector/series/store.h"
#include "collector/store/files.h"

struct series_catalog;

struct block_entry {
    struct block *block;
    const struct block_summary *summary;
    char name[FILES_NAME_MAX];
    atomic_uint references; /* editions that list it */
    atomic_bool damage_told;
    atomic_ullong cleaned; /* tombstones up to this sequence do not concern it */
};

struct block_edition {
    atomic_uint references;
    size_t count;
    struct block_entry *entries[];
};

/* Opens the directory (made if missing, locked against a second process) and every block in it.
 * NULL and a sentence. */
struct series_catalog *series_catalog_open(const char *directory, char *why, size_t why_size);
/* Every edition must have been released. */
void series_catalog_close(struct series_catalog **c);
int series_catalog_directory(const struct series_catalog *c);

struct block_edition *series_catalog_hold(struct series_catalog *c);
void series_catalog_release(struct block_edition **e);

/* A file to write a block to; its name ends in ".new". -errno. */
int series_catalog_create(struct series_catalog *c, uint64_t first, uint64_t last);
void series_catalog_discard(struct series_catalog *c, uint64_t first, uint64_t last);
/* Makes the file that was written durable and puts it in the place of the blocks whose numbers it
 * has, then deletes these. With `swap` it becomes visible only by the series_catalog_publish that
 * swap must do: so the head can drop, under its own lock, what the block holds. Takes over fd.
 * 0 or -errno; then the file is gone and nothing has changed. */
int series_catalog_install(struct series_catalog *c, int fd, uint64_t first, uint64_t last,
                           void (*swap)(void *context, struct block_edition *fresh), void *context);
void series_catalog_publish(struct series_catalog *c, struct block_edition *fresh);
/* Removes the oldest block, never the only one: the newest knows how far the ledger was read. 0 or
 * -errno. */
int series_catalog_remove_oldest(struct series_catalog *c);

/* Looks whether reading has met damage since the last look, and logs it. */
void series_catalog_note_damage(struct series_catalog *c);
/* As files_damaged. */
struct files_damage *series_catalog_damaged(struct series_catalog *c, size_t *count);

#endif
