// SPDX-License-Identifier: Apache-2.0
/* The times of what a series has in one place (a block, or a run of the head), and whether
 * deletions took all of it. No locks: the caller holds what it asks about. */
#ifndef WEFT_COLLECTOR_SERIES_REACH_H
#define WEFT_COLLECTOR_SERIES_REACH_H

#include "collector/series/disk/block.h"
#include "collector/series/disk/tombstones.h"
#include "collector/series/head/head.h"

/* From the first to the last time within [from, to], as far as the index tells: no sample there
 * lies outside. False: there is nothing. */
bool reach_of_run(const struct head_run *run, int64_t from_ms, int64_t to_ms,
                  struct time_range *out);
bool reach_of_chunks(const struct block_chunk *chunks, uint32_t count, int64_t from_ms,
                     int64_t to_ms, struct time_range *out);

/* Whether one deletion takes all of it away. `last`: the number of the block or generation;
 * deletions up to `cleaned` were made true in it. */
bool reach_is_deleted(const struct tombstones *t, const struct labels *labels, uint64_t last,
                      uint64_t cleaned, struct time_range reach);

#endif
