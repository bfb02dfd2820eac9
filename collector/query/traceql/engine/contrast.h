// SPDX-License-Identifier: Apache-2.0
/* compare(): how often each value of each attribute occurs among the selected spans and among the
 * others, the baseline.
 *
 * Counted are name, status, kind, statusMessage, rootName, rootServiceName, and all attributes of
 * spans and resources; no ids and no durations, which tell too many things apart. Of one attribute
 * so many values are told apart; further ones only count in its total, and it is marked. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_CONTRAST_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_CONTRAST_H

#include "collector/query/traceql/engine/frame.h"
#include "collector/query/traceql/engine/series.h"

enum { CONTRAST_VALUES_MAX = 10000 };

enum contrast_side { CONTRAST_BASELINE, CONTRAST_SELECTION, CONTRAST_SIDES };

struct contrast_value {
    struct traceql_value value;
    uint64_t hash;
    double *counts[CONTRAST_SIDES]; /* by step; NULL: none yet */
};

struct contrast_attribute {
    struct batch_str name; /* "name", "span.http.method" */
    uint64_t hash;
    double *totals[CONTRAST_SIDES];
    struct contrast_value *values;
    uint32_t count, capacity, *slots, mask;
    bool too_many;
};

struct contrast {
    struct arena arena;
    uint32_t steps;
    size_t limit_bytes;      /* of the arena; 0: none */
    bool failed, over_limit; /* memory was out, or beyond the limit: something was not counted */
    struct contrast_attribute *attributes;
    uint32_t count, capacity;
};

struct measure;

void contrast_init(struct contrast *c, uint32_t steps);
void contrast_fini(struct contrast *c);
void contrast_merge(struct contrast *to, const struct contrast *from);

/* Counts `rows` of a block. False: the view failed, or memory is out. */
bool contrast_count(struct contrast *c, const struct measure *m, struct frame *f,
                    const uint64_t *rows, uint64_t *spans);

/* The most frequent `top` values of each attribute on each side, the totals, and for attributes
 * with more values a mark. */
struct series_list contrast_series(struct series_shape *s, const struct contrast *c, int64_t top);

/* ---- what contrast_count.c adds with ----------------------------------------------------- */

/* BLOCK_NONE: memory is out. */
uint32_t contrast_attribute(struct contrast *c, struct batch_str name);
/* The value's number; BLOCK_NONE: one too many (the attribute is marked), or memory is out. */
uint32_t contrast_value(struct contrast *c, uint32_t attribute, const struct traceql_value *value);
/* `value`: BLOCK_NONE for one that is not told apart. */
void contrast_add(struct contrast *c, uint32_t attribute, uint32_t value, enum contrast_side side,
                  uint32_t step, double times);

#endif
