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

#include "lib/base/arena.h"
#include "lib/base/buffer.h"

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

/* One bucket with its bounds: (lower, upper], mirrored for negative values, both included for the
 * zero bucket and for the first of custom ones. */
struct histogram_bucket {
    double lower, upper, count;
    bool zero; /* the zero bucket */
};

/* ---- one histogram ---------------------------------------------------------------------------
 * Those that make one return NULL, or -1, when memory is out. */

struct histogram *histogram_copy(struct arena *arena, const struct histogram *h);
/* Each count and the sum, in place. */
void histogram_multiply(struct histogram *h, double factor);
void histogram_divide(struct histogram *h, double divisor);
/* Buckets with a count of 0 go, in place. */
void histogram_compact(struct histogram *h);
/* Whether a count or the sum is infinite. */
bool histogram_overflows(const struct histogram *h);
/* All of it but the reset: buckets with a count of 0 are as absent ones. */
bool histogram_equal(const struct histogram *a, const struct histogram *b);

/* The upper bound of an exponential bucket; DBL_MAX for the last before infinity. */
double histogram_upper_bound(int32_t index, int schema);
/* How many buckets histogram_list writes at most. */
size_t histogram_list_most(const struct histogram *h);
/* All buckets that hold something, from the lowest to the highest values. Their number. */
size_t histogram_list(const struct histogram *h, struct histogram_bucket *out);
/* "{count:3, sum:5, [-1,-0.5):1, (1,2]:2}", as Prometheus writes it. */
void histogram_print(struct buffer *out, const struct histogram *h);

/* ---- two histograms -------------------------------------------------------------------------- */

enum histogram_fault {
    HISTOGRAM_SOUND = 0,
    HISTOGRAM_ENOMEM = -1,
    HISTOGRAM_EMIXED = -2, /* one has exponential buckets, the other custom ones */
};

/* What happened on the way, added to what is set. */
struct histogram_notes {
    bool reset_collision; /* one is known to begin anew, the other known not to */
    bool reconciled;      /* custom bounds differ; those that both have were kept */
};

/* Adds `other`, or with `sign` -1 subtracts it. The result has the lower schema, the larger zero
 * bucket, or the custom bounds that both have. `compensation` (may be NULL) has the same layout as
 * `to` and takes what rounding loses (Kahan); begin it by histogram_compensation. `to` may have
 * been changed where this fails. enum histogram_fault. */
int histogram_add(struct arena *arena, struct histogram *to, struct histogram *compensation,
                  const struct histogram *other, double sign, struct histogram_notes *notes);
/* A histogram of zeros in the layout of h. */
struct histogram *histogram_compensation(struct arena *arena, const struct histogram *h);
/* To a lower schema. -1 when memory is out. */
int histogram_downscale(struct arena *arena, struct histogram *h, int schema);
/* Whether h began anew since `earlier`: some count is lower. In doubt (memory is out) it did. */
bool histogram_was_reset(const struct histogram *h, const struct histogram *earlier);

/* ---- statistics ------------------------------------------------------------------------------ */

/* NaN when empty; -Inf and +Inf where q is beyond 0 and 1. `scratch` holds the list of buckets. */
double histogram_quantile(const struct histogram *h, double q, struct histogram_bucket *scratch);
/* The part of the values within (lower, upper]. */
double histogram_fraction(const struct histogram *h, double lower, double upper,
                          struct histogram_bucket *scratch);
/* The same of `count` buckets that are no histogram's: linear; `total` values in all. */
double histogram_bucket_fraction(const struct histogram_bucket *list, size_t count, double total,
                                 double lower, double upper);
double histogram_variance(const struct histogram *h, struct histogram_bucket *scratch);
/* Removes what is above (`upper`) or below the bound, in place. */
void histogram_trim(struct histogram *h, double bound, bool upper);

#endif
