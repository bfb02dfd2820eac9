// SPDX-License-Identifier: Apache-2.0
/* Series while they are counted: one for each combination of values of the by() fields, with an
 * accumulator for each step. Each worker has one of its own for each metrics function; at the end
 * they are merged into one.
 *
 *   rate, count_over_time    sum: spans
 *   sum, avg                 sum: of the values; extra: how many
 *   min, max                 sum: the least, the greatest; NaN: none yet
 *   quantile, histogram      buckets: spans by series, step and bucket of their value
 */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_TABLE_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_TABLE_H

#include "collector/query/traceql/engine.h"
#include "collector/query/traceql/engine/value.h"

#define TABLE_NONE UINT32_MAX

struct table_series {
    struct traceql_value *key;
    uint64_t hash;
    double *sum, *extra;
    struct traceql_exemplar *exemplars; /* one a slot; unix_ns 0: none */
};

/* Buckets of values by their absolute value: BUCKET_PARTS for each doubling (a base-2 exponential
 * histogram of scale 6). */
enum { BUCKET_SCALE = 6 };
struct table_bucket {
    uint32_t series, step;
    int32_t
        bucket; /* of a positive value 2^20 + index, of a negative one the negative of it; 0: 0 */
    uint64_t count;
};

struct table {
    struct arena arena;
    enum traceql_function function;
    uint32_t key_count, steps, exemplar_slots;
    size_t limit_bytes;      /* of the arena; 0: none */
    bool failed, over_limit; /* memory was out, or beyond the limit: something was not counted */
    struct table_series *series;
    uint32_t count, capacity;
    uint32_t *slots, mask;
    struct table_bucket *buckets;
    uint32_t bucket_count, bucket_capacity;
    uint32_t *bucket_slots, bucket_mask;
};

/* Takes no memory yet. */
void table_init(struct table *t, enum traceql_function function, uint32_t key_count, uint32_t steps,
                uint32_t exemplar_slots);
void table_fini(struct table *t);

/* The series with that key (its text is copied where it is new). TABLE_NONE: no memory. */
uint32_t table_find(struct table *t, const struct traceql_value *key);
/* One span; `value` does not matter to rate and count_over_time. */
void table_add(struct table *t, uint32_t series, uint32_t step, double value);
void table_offer(struct table *t, uint32_t series, uint32_t step,
                 const struct traceql_exemplar *exemplar);
/* `from` stays as it is. */
void table_merge(struct table *to, const struct table *from);

/* Buckets by series, step, value. */
void table_sort_buckets(struct table *t);
int32_t bucket_of(double value);
/* The index, at scale 0, of the power of two in which it lies. */
int32_t table_doubling(int32_t bucket);
/* The value in a bucket that lies at `part` (0 to 1) of it, from its lower to its upper bound. */
double bucket_value(int32_t bucket, double part);

#endif
