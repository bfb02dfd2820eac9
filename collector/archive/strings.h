// SPDX-License-Identifier: Apache-2.0
/* Names and values of labels in the archive, for who lists what there is. */
#ifndef WEFT_COLLECTOR_ARCHIVE_STRINGS_H
#define WEFT_COLLECTOR_ARCHIVE_STRINGS_H

#include "collector/archive/merged.h"
#include "collector/series/store.h"

/* The values of label `name` (empty: the names of labels) of series that the archive adds to the
 * store's answer to the same question. Distinct and sorted; their bytes are the entries'. Free
 * out->items. 0 or an enum series_error. Any thread. */
int archive_strings(const struct merged_source *m, struct batch_str name,
                    const struct matcher *matchers, size_t count, int64_t from_ms, int64_t to_ms,
                    struct series_strings *out);

#endif
