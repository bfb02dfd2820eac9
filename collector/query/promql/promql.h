// SPDX-License-Identifier: Apache-2.0
/* PromQL's engine: a query and a source of series become a result.
 *
 * A range query is evaluated node by node, each over all of its steps: every selector selects once,
 * every series is read once, functions over ranges slide over the points, aggregations take in one
 * series after the other without keeping them.
 *
 * Any number of queries at once, each in one thread; there is no state but a query's own. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_PROMQL_H
#define WEFT_COLLECTOR_QUERY_PROMQL_PROMQL_H

#include <stdatomic.h>

#include "collector/query/promql/parse.h"
#include "collector/series/source.h"

enum {
    PROMQL_LOOKBACK_MS = 300000,
    PROMQL_SUBQUERY_STEP_MS = 60000,
    PROMQL_STEPS_MAX = 11000, /* of a range query over HTTP, as in Prometheus; not checked here */
};

struct promql_options {
    int64_t start_ms, end_ms;
    int64_t step_ms;            /* 0: an instant query, at start_ms */
    int64_t lookback_ms;        /* 0: PROMQL_LOOKBACK_MS */
    int64_t subquery_step_ms;   /* where none is written; 0: PROMQL_SUBQUERY_STEP_MS */
    uint64_t samples_max;       /* held in memory at a time; 0: no limit */
    uint64_t memory_bytes_max;  /* 0: no limit */
    bool histograms_coarse;     /* native histograms are read with schema ... */
    int histogram_schema_most;  /* ... this one at most: less to hold and to tell */
    uint64_t deadline_ns;       /* on CLOCK_MONOTONIC; 0: none */
    const atomic_bool *stopped; /* the query ends soon after it becomes true; may be NULL */
};

enum promql_status {
    PROMQL_OK = 0,
    PROMQL_NO_MEMORY,
    PROMQL_LIMIT,      /* more samples or memory than allowed */
    PROMQL_TIMEOUT,    /* the deadline */
    PROMQL_STOPPED,    /* by the flag, or the source's asker went away */
    PROMQL_UNREADABLE, /* the source cannot read what it has */
    PROMQL_FAILED,     /* the query cannot be answered on this data: duplicates and so on */
};

enum promql_result_form {
    PROMQL_RESULT_SCALAR,
    PROMQL_RESULT_STRING,
    PROMQL_RESULT_VECTOR, /* each series has one point, at start_ms */
    PROMQL_RESULT_MATRIX, /* sorted by labels, each series has at least one point */
};

struct promql_series {
    struct labels labels;
    size_t count;
    int64_t *unix_ms;
    double *value;
    struct histogram **histogram; /* NULL: all are floats; else NULL for each float */
};

/* A word about the answer. Warnings say that something was left out or is doubtful. */
struct promql_annotation {
    bool warning; /* else an info */
    const char *text;
};

struct promql_stats {
    uint64_t samples;      /* read from the source */
    uint64_t samples_peak; /* most that were held at a time */
    uint64_t series;       /* selected */
    uint64_t memory_bytes;
};

struct promql_result {
    enum promql_status status;
    const char *message; /* unless PROMQL_OK: one sentence */
    enum promql_result_form form;
    double scalar;
    struct batch_str string;
    size_t series_count;
    struct promql_series *series;
    size_t annotation_count;
    struct promql_annotation *annotations; /* none twice */
    struct promql_stats stats;
    struct arena arena; /* holds all of it */
};

/* Evaluates. *out is made and wants promql_result_fini, whatever the status (which is also
 * returned). A query with a range selector on its top has a meaning only as an instant query. */
enum promql_status promql_evaluate(const struct promql_query *query,
                                   const struct series_source *source,
                                   const struct promql_options *options, struct promql_result *out);
void promql_result_fini(struct promql_result *r);

#endif
