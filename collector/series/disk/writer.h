// SPDX-License-Identifier: Apache-2.0
/* Writes a block: series after series in the order of labels_compare, each with its samples.
 *
 * Chunks go to the disk as they come. The index is built in memory and written at the end: some
 * 100 bytes for each series with eight labels. Errors are -errno and stay: after the first, nothing
 * more is written, and block_writer_finish tells it. One thread. */
#ifndef WEFT_COLLECTOR_SERIES_DISK_WRITER_H
#define WEFT_COLLECTOR_SERIES_DISK_WRITER_H

#include "collector/series/disk/block.h"

struct block_writer;

struct block_writer *block_writer_create(int fd); /* stays the caller's. NULL: no memory */
void block_writer_destroy(struct block_writer **w);

/* `p` rises in time; none: the series is left out. */
int block_writer_series(struct block_writer *w, const struct labels *labels, bool counts,
                        const struct points *p);
/* Sorted by metric. */
int block_writer_metadata(struct block_writer *w, const struct series_metadata *m);
/* Fills in what is counted of the summary. */
int block_writer_finish(struct block_writer *w, struct block_summary *summary);
/* Written so far. */
uint64_t block_writer_bytes(const struct block_writer *w);

#endif
