// SPDX-License-Identifier: Apache-2.0
/* A native histogram as Prometheus has it: what a sample of a histogram series is, and what PromQL
 * calculates with. (lib/model/exphist.h is what values are counted into.)
 *
 * Schema s from -4 to 8: bucket i holds the values in (b^(i-1), b^i] with b = 2^(2^-s); negative
 * values stand in `negative` by their absolute value; |v| <= zero_threshold is in the zero bucket.
 * (exphist's bucket i of scale s, (b^i, b^(i+1)], is i + 1 here.)
 * Schema HISTOGRAM_CUSTOM: bucket i holds (custom[i-1], custom[i]], the first from -Inf, the last
 * (i = custom_count) to +Inf; there are no negative buckets and no zero bucket.
 *
 * Counts are doubles: they are exact up to 2^53, and PromQL divides them. Buckets are sparse and
 * sorted by index; one with a count of 0 may stand or be absent, which means the same.
 *
 * Memory is the arena's, or whoever's the pointers say: a histogram is a value that is not changed
 * once others see it. */
#ifndef WEFT_MODEL_HISTOGRAM_H
#define WEFT_MODEL_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_SCHEMA_LEAST = -4, HISTOGRAM_SCHEMA_MOST = 8, HISTOGRAM_CUSTOM = -53 };

/* Whether this sample is known to begin anew, or known not to. */
enum histogram_reset {
    HISTOGRAM_RESET_UNKNOWN = 0,
    HISTOGRAM_RESET = 1,
    HISTOGRAM_NO_RESET = 2,
    HISTOGRAM_GAUGE = 3, /* not a counter: resets mean nothing */
};

struct histogram_buckets {
    uint32_t count;
    int32_t *index; /* rising */
    double *value;
};

struct histogram {
    int8_t schema;
    uint8_t reset; /* enum histogram_reset */
    double zero_threshold, zero_count;
    double count, sum;
    struct histogram_buckets positive, negative;
    uint32_t custom_count;
    const double *custom; /* upper bounds, rising, without +Inf */
};

static inline bool histogram_is_custom(const struct histogram *h)
{
    return h->schema == HISTOGRAM_CUSTOM;
}

#endif
