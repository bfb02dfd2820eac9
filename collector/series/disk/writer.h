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

/* A series: its samples, rising in time, in any number of calls, some as the chunks that they were
 * in another block; then its labels. One without samples is left out. */
int block_writer_points(struct block_writer *w, const struct points *p);
int block_writer_chunk(struct block_writer *w, const struct block_chunk *chunk,
                       const uint8_t *bytes);
int block_writer_series(struct block_writer *w, const struct labels *labels, bool counts);
/* Sorted by metric. */
int block_writer_metadata(struct block_writer *w, const struct series_metadata *m);
/* Fills in what is counted of the summary. */
int block_writer_finish(struct block_writer *w, struct block_summary *summary);
/* Written so far. */
uint64_t block_writer_bytes(const struct block_writer *w);

#endif
