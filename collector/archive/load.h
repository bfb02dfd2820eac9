// SPDX-License-Identifier: Apache-2.0
/* The archive's series as its index and its directory have them, at the start. */
#ifndef WEFT_COLLECTOR_ARCHIVE_LOAD_H
#define WEFT_COLLECTOR_ARCHIVE_LOAD_H

#include "collector/archive/entries.h"
#include "collector/archive/index.h"

/* A damaged file is set aside, and another begun when its series goes on. A series of which no row
 * is left at `now_s` goes with its file; so does one whose file somebody has removed. -1: no
 * memory, or the index cannot be read. */
int archive_load(struct archive_entries *entries, struct archive_index *index,
                 const char *directory, int64_t now_s);

#endif
