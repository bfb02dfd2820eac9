// SPDX-License-Identifier: Apache-2.0
/* What tests of the writer need beside segment.h. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_WRITER_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_WRITER_H

#include "collector/traces/segment/segment.h"

/* Groups end with the trace that brings them to `rows`, and have never more than `rows_max`,
 * which is at most SEGMENT_GROUP_ROWS_MAX. */
void segment_writer_limit_groups(struct segment_writer *w, uint32_t rows, uint32_t rows_max);

#endif
