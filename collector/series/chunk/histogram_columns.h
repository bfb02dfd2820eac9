// SPDX-License-Identifier: Apache-2.0
/* The columns of a chunk of histograms; part of chunk.c. */
#ifndef WEFT_COLLECTOR_SERIES_CHUNK_HISTOGRAM_COLUMNS_H
#define WEFT_COLLECTOR_SERIES_CHUNK_HISTOGRAM_COLUMNS_H

#include "collector/series/chunk/chunk.h"

/* How many of the `most` samples from `first` on may stand in one chunk: their schema, threshold
 * and bounds are the same. Stale markers go with them. At least 1. */
size_t histogram_columns_run(const struct points *p, size_t first, size_t most);
/* -1: no memory. */
int histogram_columns_put(const struct points *p, size_t first, size_t count, struct column *out);

/* Appends those of `count` samples (at unix_ms) that lie within [from, to]. */
int histogram_columns_get(struct column_reader *in, size_t count, const int64_t *unix_ms,
                          int64_t from_ms, int64_t to_ms, struct points *out);

#endif
