// SPDX-License-Identifier: Apache-2.0
/* Columns of doubles in a chunk (docs/format/series.md), bit for bit. Those that are decimals with
 * few places (whole numbers, 0.25, 21.7) become integers; a few that are not, as the marker of
 * staleness, stand beside them; all others are kept as differences of their bits. */
#ifndef WEFT_COLLECTOR_SERIES_CHUNK_VALUES_H
#define WEFT_COLLECTOR_SERIES_CHUNK_VALUES_H

#include "lib/codec/column.h"

/* `count`: 1 to CHUNK_SAMPLES_MAX (chunk.h). */
void chunk_values_put(const double *values, size_t count, struct column *out);
/* in->bad where they contradict the format; then `values` are anything. */
void chunk_values_get(struct column_reader *in, size_t count, double *values);

#endif
