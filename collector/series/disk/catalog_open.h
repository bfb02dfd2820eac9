// SPDX-License-Identifier: Apache-2.0
/* What a start finds in the directory of blocks; part of catalog.c. */
#ifndef WEFT_COLLECTOR_SERIES_DISK_CATALOG_OPEN_H
#define WEFT_COLLECTOR_SERIES_DISK_CATALOG_OPEN_H

#include "collector/series/disk/catalog.h"

struct damage_list {
    struct series_damage *list;
    size_t count;
};
void damage_remember(struct damage_list *d, const char *name, const char *why);

void block_file_name(uint64_t first, uint64_t last, const char *suffix,
                     char name[SERIES_DAMAGE_NAME_MAX]);
/* NULL: no memory. */
struct block_entry *block_entry_create(struct block *block, const char *name);
struct block_edition *block_edition_create(size_t count);
void block_edition_add(struct block_edition *e, struct block_entry *entry);

/* Opens and locks the directory, removes what was never finished, sets aside what is damaged, and
 * lists the rest. 0; -1 and a sentence. */
int catalog_read_directory(const char *path, int *directory, struct block_edition **edition,
                           struct damage_list *damage, char *why, size_t why_size);

#endif
