// SPDX-License-Identifier: Apache-2.0
/* The filter of trace ids: a Bloom filter of lines of 512 bits for each group, so that a question
 * for an id costs one cache line. Lines are sized for one wrong answer in a hundred. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_FILTER_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/model/span.h"

enum { FILTER_LINE_BYTES = 64, FILTER_IDS_A_LINE = 48, FILTER_BITS_AN_ID = 7 };

/* Lines for so many ids: 1 at least. */
static inline uint32_t filter_lines(uint32_t ids)
{
    return ids / FILTER_IDS_A_LINE + 1;
}

void filter_add(uint8_t *lines, uint32_t line_count, struct trace_id id);
bool filter_may_have(const uint8_t *lines, uint32_t line_count, struct trace_id id);

#endif
