// SPDX-License-Identifier: Apache-2.0
/* One metrics function of a query: the program that chooses its spans, and what is counted of
 * them. A query with arithmetic has several; each unit is opened once for all of them. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_MEASURE_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_MEASURE_H

#include "collector/query/traceql/engine/contrast.h"
#include "collector/query/traceql/engine/run.h"
#include "collector/query/traceql/engine/series.h"

struct measure {
    struct program program;
    const struct traceql_metrics *metrics;
    uint32_t by[TRACEQL_BY_MAX]; /* slots */
    uint32_t of;                 /* slot of what is measured */
    uint32_t selection;          /* filter, of compare() */
    struct batch_str *names;     /* of the by() fields */
    uint64_t start_unix_ns, end_unix_ns, step_ns;
    uint32_t steps, exemplar_slots;
};

/* What a worker, or all, counted for a measure. */
struct tally {
    struct table table;
    struct contrast contrast; /* of compare() */
    uint64_t spans;
};

/* -1: no memory. measure_fini all the same. */
int measure_init(struct measure *m, const struct traceql_series *leaf);
void measure_fini(struct measure *m);

void tally_init(struct tally *t, const struct measure *m);
void tally_fini(struct tally *t);
void tally_merge(struct tally *to, const struct tally *from);
size_t tally_bytes(const struct tally *t);
/* Memory was out, or beyond the limit. */
bool tally_failed(const struct tally *t);
bool tally_over_limit(const struct tally *t);
/* What it may grow to; 0: no bound. */
void tally_limit(struct tally *t, size_t bytes);

/* Counts the spans of a unit. False: it could not be told, or memory is out. */
bool measure_unit(const struct measure *m, struct worker *w, struct tally *t, size_t unit,
                  struct block *block);

#endif
