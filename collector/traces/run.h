// SPDX-License-Identifier: Apache-2.0
/* Rows of one trace that follow each other in one batch: how the stages behind the store refer
 * to spans, whether these came from the head, from a segment, or are in flight. */
#ifndef WEFT_COLLECTOR_TRACES_RUN_H
#define WEFT_COLLECTOR_TRACES_RUN_H

#include "lib/codec/batch.h"

struct segment;

struct span_run {
    const struct batch *batch;
    uint32_t row, count;
    struct segment *segment; /* whose group `group` the batch was made of; NULL: of none */
    uint32_t group;
};

#endif
