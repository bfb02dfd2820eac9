// SPDX-License-Identifier: Apache-2.0
/* A base-2 exponential histogram, as OpenTelemetry's and Prometheus' native ones: bucket i of
 * scale s holds the values in (b^i, b^(i+1)] with b = 2^(2^-s). Two of them merge without loss,
 * and a scale is halved exactly by adding neighbours.
 *
 * It begins at scale 6 (64 buckets for each doubling; a bucket's middle is within 0.54 % of all
 * that is in it) and is downscaled when its values would need more than `limit` buckets. Memory
 * is what lies between the least and the greatest bucket in use. Where there is no memory for
 * more, it is downscaled instead: it loses resolution, never a value.
 *
 * The index is exact (lib/model/exphist_index.h).
 *
 * One thread at a time. Values may be negative or zero; NaN and infinities are only counted.
 */
#ifndef WEFT_MODEL_EXPHIST_H
#define WEFT_MODEL_EXPHIST_H

#include <stdbool.h>
#include <stdint.h>

enum { EXPHIST_SCALE = 6, EXPHIST_SCALE_LEAST = -10, EXPHIST_LIMIT = 1280 };

/* Values of one sign, by their absolute value. */
struct exphist_range {
    uint64_t *counts; /* of the buckets first, first + 1 … */
    int32_t first;
    uint32_t used, capacity;
};

struct exphist {
    int32_t scale;
    uint32_t limit; /* of buckets, for each sign */
    uint64_t count; /* of values, zeros included */
    uint64_t zeros, not_finite;
    double sum, min, max; /* min and max are 0 while count is */
    struct exphist_range positive, negative;
};

/* Takes no memory yet. `limit`: at least 8; 0: EXPHIST_LIMIT. */
void exphist_init(struct exphist *h, uint32_t limit);
void exphist_fini(struct exphist *h);
/* Empty, at the first scale, its memory kept. */
void exphist_clear(struct exphist *h);

/* `times` values at once. -1 when not even the first buckets find memory: nothing is counted. */
int exphist_add(struct exphist *h, double value, uint64_t times);
/* `from` stays as it is, `to` takes the lower scale. -1 as above. */
int exphist_merge(struct exphist *to, const struct exphist *from);
/* To a lower scale; a higher one than it has changes nothing. */
void exphist_downscale(struct exphist *h, int32_t scale);

/* The value below which the part q (0 to 1) of the values lies, interpolated within its bucket on
 * the logarithmic scale, never beyond min and max: off by less than its bucket's width, a factor of
 * 2^(2^-scale), 1.1 % at scale 6. NaN when empty. */
double exphist_quantile(const struct exphist *h, double q);
/* The part of the values that are less than `value` (those in its own bucket are taken to lie
 * evenly on the logarithmic scale). NaN when empty. */
double exphist_rank(const struct exphist *h, double value);

/* The bucket of a positive, finite value at `scale` (6 or less). */
int32_t exphist_index(double value, int32_t scale);
/* The upper bound of a bucket, as exactly as exp2 is. */
double exphist_upper_bound(int32_t index, int32_t scale);

#endif
