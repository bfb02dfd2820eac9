// SPDX-License-Identifier: Apache-2.0
/* A source of series that lie in memory, for tests of PromQL: no store, no files.
 *
 * Histograms get what the store's chunks would know of resets: the first of a run that could stand
 * in one chunk is not known to begin anew, the others are known not to. One thread adds; when it is
 * done, any number may ask. */
#ifndef WEFT_TESTS_PROMQLTEST_MEMORY_SOURCE_H
#define WEFT_TESTS_PROMQLTEST_MEMORY_SOURCE_H

#include "collector/series/source.h"

struct memory_series;

struct memory_source {
    struct series_source source; /* what is given to promql_evaluate */
    struct arena arena;
    size_t count, capacity;
    struct memory_series **series;
    uint64_t selects, reads; /* how often it was asked */
};

void memory_source_init(struct memory_source *m);
void memory_source_fini(struct memory_source *m);
void memory_source_clear(struct memory_source *m);

/* Labels are copied, sorted and freed of empty ones; `h` (NULL: a float) is copied. A second sample
 * of one time is left out. `start_ms`: when the counter began, 0: not known. Aborts when memory is
 * out. */
void memory_source_add(struct memory_source *m, const struct labels *labels, int64_t unix_ms,
                       double value, const struct histogram *h, int64_t start_ms);

#endif
