// SPDX-License-Identifier: Apache-2.0
/* What the files of the appending thread share: append.c (batches, series, what a sample says),
 * append_streams.c (where it goes), append_histogram.c (histograms and their sums). All within a
 * batch, under the lock. */
#ifndef WEFT_COLLECTOR_SERIES_APPEND_INTERNAL_H
#define WEFT_COLLECTOR_SERIES_APPEND_INTERNAL_H

#include "collector/series/store_internal.h"

struct sample { /* a float; a histogram; or a marker of staleness in a histogram's series */
    int64_t unix_ms;
    double value;
    const struct histogram *histogram; /* NULL: a float, or such a marker */
    bool is_histogram;
};

/* Behind all that the series has, or among it. -1: no memory. */
int series_append_front(struct series_store *s, struct head_series *series, uint32_t number,
                        const struct sample *p);
int series_append_late(struct series_store *s, struct head_series *series, uint32_t number,
                       const struct sample *p);

/* Counts it. */
enum series_refusal series_refuse(struct series_store *s, enum series_refusal why);
/* What becomes of a sample whose appending ended with this error. */
enum series_refusal series_taken(struct series_store *s, struct head_series *series, int error);
bool series_is_too_old(const struct series_store *s, int64_t unix_ms);
/* When a counter that was never seen had counted nothing yet. */
int64_t series_delta_begin(const struct series_store *s, const struct series_sample *sample);
/* When a delta is counted. */
int64_t series_delta_time(struct series_store *s, const struct head_series *series,
                          int64_t unix_ms);

bool series_histogram_is_good(const struct histogram *h);
enum series_refusal series_append_histogram(struct series_store *s, struct head_series *series,
                                            uint32_t number, int64_t unix_ms,
                                            const struct histogram *h);
enum series_refusal series_append_histogram_delta(struct series_store *s,
                                                  struct head_series *series, uint32_t number,
                                                  const struct series_sample *sample);

#endif
