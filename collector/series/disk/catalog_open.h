// SPDX-License-Identifier: Apache-2.0
/* What a start finds in the directory of blocks; part of catalog.c. */
#ifndef WEFT_COLLECTOR_SERIES_DISK_CATALOG_OPEN_H
#define WEFT_COLLECTOR_SERIES_DISK_CATALOG_OPEN_H

#include "collector/series/disk/catalog.h"

/* NULL: no memory. */
struct block_entry *block_entry_create(struct block *block, const char *name);
struct block_edition *block_edition_create(size_t count);
void block_edition_add(struct block_edition *e, struct block_entry *entry);

/* Opens the directory (collector/store/files.h), sets aside what is damaged, deletes what was
 * merged, and lists the rest. 0, or -errno as files_explain knows it; files_close all the same. */
int catalog_read_directory(struct files *files, const char *path, struct block_edition **edition);

#endif
