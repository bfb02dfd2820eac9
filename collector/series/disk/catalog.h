// SPDX-License-Identifier: Apache-2.0
/* Which blocks there are: the directory, and the list that questions hold.
 *
 * A file is named by the generations it stands for, "FIRST-LAST.series", twenty digits each; a
 * merged one has those from the first of its parts to the last. So whatever moment a crash takes,
 * the directory tells what is right: a file whose numbers lie within those of another is a part
 * that was merged and goes, "*.new" was never finished and goes. Beside them is the file of
 * tombstones.
 *
 * What is damaged is set aside: a file whose footer cannot be read is renamed to "*.damaged" and
 * stays for a person to look at; pages and chunks that turn out to be damaged later are passed
 * over. Both are named in the log and by series_catalog_damaged.
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

struct series_catalog;

struct block_entry {
    struct block *block;
    const struct block_summary *summary;
    char name[SERIES_DAMAGE_NAME_MAX];
    atomic_uint references; /* editions that list it */
    bool damage_told;       /* guarded by the catalog's lock */
    atomic_ullong cleaned;  /* tombstones up to this sequence do not concern it */
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
struct series_damage *series_catalog_damaged(struct series_catalog *c, size_t *count);

#endif
