// SPDX-License-Identifier: Apache-2.0
/* A source of two: what the store has, and before that, what the archive has. A series that only
 * the archive has (its rule gave it a name) comes from there alone. */
#ifndef WEFT_COLLECTOR_ARCHIVE_MERGED_H
#define WEFT_COLLECTOR_ARCHIVE_MERGED_H

#include "collector/archive/entries.h"

struct merged_source {
    struct series_source source; /* what is asked; its context is this */
    const struct series_source *store;
    struct archive_entries *entries;
    const char *directory;
    int64_t (*oldest_ms)(void *context); /* of the store; 0: it has no samples */
    void *context;
};

/* The pointers in it are set before, and outlive it. */
void merged_source_init(struct merged_source *m);
/* Before it the store has aged out. */
int64_t merged_source_oldest_ms(const struct merged_source *m);

#endif
