// SPDX-License-Identifier: Apache-2.0
/* A histogram that grows: the last one of a stream, to which the next is compared, and the sum of a
 * series' deltas. */
#ifndef WEFT_COLLECTOR_SERIES_CHUNK_RUNNING_HISTOGRAM_H
#define WEFT_COLLECTOR_SERIES_CHUNK_RUNNING_HISTOGRAM_H

#include "lib/model/histogram.h"

/* The last histogram of a stream, or the sum that a series has come to: buckets by index. */
struct running_histogram {
    struct histogram h; /* custom: malloc'ed too */
    uint32_t positive_capacity, negative_capacity;
    bool is_whole; /* every count is a whole number below 2^53 */
};
void running_histogram_fini(struct running_histogram *sum);
uint64_t running_histogram_bytes(const struct running_histogram *sum);
/* Becomes a copy of `h`; adds `delta` to it (which must have its bounds, but may have another
 * schema: the coarser one counts, and the sum becomes that). False: they do not go together; then
 * nothing has changed. -1: no memory. */
int running_histogram_set(struct running_histogram *sum, const struct histogram *h);
int running_histogram_add(struct running_histogram *sum, const struct histogram *delta, bool *fits);

/* ---- parts ------------------------------------------------------------------------------- */

void running_buckets_fini(struct histogram_buckets *b);
/* Room for `count` buckets. -1: no memory. */
int running_buckets_reserve(struct histogram_buckets *b, uint32_t *capacity, uint32_t count);
/* Without those that are 0; there must be room. */
void running_buckets_copy(struct histogram_buckets *to, const struct histogram_buckets *from);
/* `more` is of a schema that is `down` finer; there must be room for all. */
void running_buckets_add(struct histogram_buckets *to, const struct histogram_buckets *more,
                         unsigned down);
/* Every count is a whole number from 0 to 2^53. */
bool running_is_whole(const struct histogram *h);
bool running_same_bounds(const struct histogram *a, const struct histogram *b);

#endif
