// SPDX-License-Identifier: Apache-2.0
/* Which file of the archive has which series, and how far each rule has come: a SQLite database,
 * "archive.db", beside the files. One thread. */
#ifndef WEFT_COLLECTOR_ARCHIVE_INDEX_H
#define WEFT_COLLECTOR_ARCHIVE_INDEX_H

#include "collector/database.h"
#include "lib/codec/labels.h"

struct archive_index {
    struct database_options options;
    struct database database;
};

int archive_index_open(struct archive_index *ix, const char *directory, char *why, size_t why_size);
void archive_index_close(struct archive_index *ix);

/* Calls `each` for every series; what it gets is valid until it returns. -1: it said so, or the
 * disk. */
int archive_index_each(struct archive_index *ix,
                       int (*each)(void *context, const char *file, bool is_raw, int64_t since_s,
                                   const struct labels *labels),
                       void *context);
/* -1: the disk; then nothing of it is there. One that is there already stays as it is. */
int archive_index_add(struct archive_index *ix, const char *file, bool is_raw, int64_t since_s,
                      const struct labels *labels);
/* -1: the disk. */
int archive_index_remove(struct archive_index *ix, const char *file);
/* 0: it has not begun. */
int64_t archive_index_done_s(struct archive_index *ix, const char *rule);
int archive_index_set_done(struct archive_index *ix, const char *rule, int64_t done_s);

#endif
