// SPDX-License-Identifier: Apache-2.0
/* What block.c (opening, chunks), block_values.c and block_series.c (pages) share. */
#ifndef WEFT_COLLECTOR_SERIES_DISK_BLOCK_INTERNAL_H
#define WEFT_COLLECTOR_SERIES_DISK_BLOCK_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "collector/series/disk/layout.h"

struct block {
    int fd;
    struct block_summary summary;
    struct footer_tables tables;
    atomic_bool damaged;
    pthread_mutex_t lock; /* of `damage` */
    char damage[200];
};

struct value_page {
    uint32_t count;
    struct batch_str text[BLOCK_PAGE_VALUES];
    struct column_reader series[BLOCK_PAGE_VALUES]; /* runs of numbers */
};

/* Notes the first damage; answers BLOCK_EDAMAGED. */
int block_note_damage(struct block *b, const char *what, uint64_t offset);
/* The page's bytes, checked, in `arena`. */
int block_page_read(struct block *b, const struct block_page *p, const char *what,
                    struct arena *arena, struct column_reader *in);

#endif
