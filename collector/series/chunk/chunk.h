// SPDX-License-Identifier: Apache-2.0
/* A chunk of a block: up to 512 samples of one series, in columns, with a checksum of its own
 * (docs/format/series.md). Floats stand in one column; histograms have their buckets' layout once
 * and a column for each bucket. */
#ifndef WEFT_COLLECTOR_SERIES_CHUNK_CHUNK_H
#define WEFT_COLLECTOR_SERIES_CHUNK_CHUNK_H

#include "collector/series/source.h"
#include "lib/codec/column.h"

enum {
    CHUNK_SAMPLES_MAX = 512,
    CHUNK_CELLS_MAX = 1 << 20, /* samples times buckets */
    CHUNK_BUCKETS_MAX = 1 << 17,
    CHUNK_BYTES_MAX = 64 << 20
};

/* Writes a chunk of the samples from `first` on: as many as fit, which are of one kind and can be
 * in one. How many that were, at least 1; out->failed when memory is out. */
size_t chunk_put(const struct points *p, size_t first, struct column *out);

enum { CHUNK_OK = 0, CHUNK_ENOMEM = -1, CHUNK_EDAMAGED = -2 };

/* Whether its checksum holds. */
bool chunk_is_whole(const uint8_t *bytes, size_t length);
/* Appends the samples within [from, to]. */
int chunk_get(const uint8_t *bytes, size_t length, int64_t from_ms, int64_t to_ms,
              struct points *out);

#endif
