// SPDX-License-Identifier: Apache-2.0
/* Type, help and unit of each metric, in memory and in every block. Locks for itself. */
#ifndef WEFT_COLLECTOR_SERIES_METADATA_H
#define WEFT_COLLECTOR_SERIES_METADATA_H

#include <pthread.h>

#include "collector/series/head/slots.h"
#include "collector/series/source.h"

enum { METADATA_METRICS_MAX = 200000, METADATA_TEXT_MAX = 4096 };

struct metadata_table {
    pthread_mutex_t lock;
    struct slots slots;
    struct series_metadata *list; /* texts are malloc'ed */
    uint32_t count, capacity;
    uint64_t bytes;
};

void metadata_init(struct metadata_table *t);
void metadata_fini(struct metadata_table *t);
/* The last word counts; empty words and METRIC_UNKNOWN change nothing. Beyond METADATA_METRICS_MAX,
 * without memory, and texts beyond METADATA_TEXT_MAX: nothing changes. */
void metadata_describe(struct metadata_table *t, const struct series_metadata *m);
/* Of `metric` (NULL: all), sorted, in `arena`. -1: no memory. */
int metadata_list(struct metadata_table *t, const struct batch_str *metric, struct arena *arena,
                  struct series_metadata **list, size_t *count);

#endif
