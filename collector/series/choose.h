// SPDX-License-Identifier: Apache-2.0
/* Which series of an index the matchers accept: postings for what can be looked up, and a list of
 * matchers that are left to be asked for each series, where that is less work. */
#ifndef WEFT_COLLECTOR_SERIES_CHOOSE_H
#define WEFT_COLLECTOR_SERIES_CHOOSE_H

#include "collector/series/disk/block.h"
#include "collector/series/head/head.h"

/* Bit i of *rest: matcher i is left. The caller frees *found (by roaring_bitmap_free; NULL on
 * errors). `count`: at most MATCHERS_MAX. BLOCK_OK or another of its errors. */
int choose_in_block(struct block_reader *r, const struct matcher *matchers, size_t count,
                    roaring_bitmap_t **found, uint64_t *rest);
/* Under the store's lock. */
int choose_in_head(const struct head *h, const struct matcher *matchers, size_t count,
                   roaring_bitmap_t **found, uint64_t *rest);

#endif
