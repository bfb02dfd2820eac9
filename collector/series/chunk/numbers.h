// SPDX-License-Identifier: Apache-2.0
/* Columns of 64-bit integers in a chunk (docs/format/series.md): times, and values that are
 * decimals. What is left of a number after it was foreseen from those before it is written in
 * Rice's code, so a series that goes on as it did costs nothing, and noise what it must. */
#ifndef WEFT_COLLECTOR_SERIES_CHUNK_NUMBERS_H
#define WEFT_COLLECTOR_SERIES_CHUNK_NUMBERS_H

#include "lib/codec/column.h"

/* `count`: at least 1. Any numbers; differences wrap around. */
void chunk_numbers_put(const int64_t *numbers, size_t count, struct column *out);
/* in->bad where they contradict the format; then `numbers` are anything. */
void chunk_numbers_get(struct column_reader *in, size_t count, int64_t *numbers);

#endif
