// SPDX-License-Identifier: Apache-2.0
/* TraceQL answered: searches (which traces, newest first) and metrics (series over time), from
 * whatever gives blocks (collector/traces/block.h), by several threads.
 *
 * A query goes through the source's units, the newest first. A unit whose bounds say that nothing
 * in it can match is passed over; of the others only the columns that the query needs are asked
 * for, cheap and selective conditions first. Traces that a source says lie elsewhere are passed
 * over where they are met in pieces.
 *
 * A call blocks until the answer is there, and works in the calling thread and in `threads` - 1
 * others that it starts. Callbacks come from any of these threads, one at a time, under the
 * query's lock: they must be quick and must not call the engine.
 *
 * Memory: what a query holds (bitmaps, lists, results) is counted, blocks are not. When that
 * exceeds `memory_bytes` the query ends and says so; what was found until then is given.
 */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_ENGINE_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_ENGINE_H

#include <stdatomic.h>

#include "collector/query/summary.h"
#include "collector/query/traceql/ast.h"
#include "collector/traces/block.h"
#include "lib/base/arena.h"

/* ---- where blocks come from -------------------------------------------------------------- */

struct traceql_source {
    void *context;
    size_t units; /* those with the newest starts first */
    const struct block_bounds *(*bounds)(void *context, size_t unit);
    struct block *(*open)(void *context, size_t unit); /* any thread; NULL: no memory */
    void (*close)(struct block **block);
    bool (*is_elsewhere)(void *context, size_t unit, struct trace_id id); /* any thread */
};

struct scan; /* collector/query/scan.h */
struct traceql_source traceql_source_of_scan(struct scan *s);

/* Blocks that are there already, for tests: each can be looked at any number of times, by one
 * thread at a time, and is not closed. Bounds are told or, where NULL, say nothing. */
struct traceql_blocks {
    struct block **list;
    const struct block_bounds *bounds;
    size_t count;
};
struct traceql_source traceql_source_of_blocks(struct traceql_blocks *blocks);

/* ---- what both kinds of questions have --------------------------------------------------- */

struct traceql_progress {
    uint64_t units, units_done; /* those passed over are done, too */
    uint64_t units_read;        /* those that were opened */
    uint64_t bytes, bytes_done; /* by the bounds */
    uint64_t rows, rows_done;
    uint64_t damaged_units; /* passed over: the answer is partial */
    uint64_t matched;       /* searches: traces held; metrics: spans counted */
};

enum traceql_end {
    TRACEQL_END_ALL = 0,   /* everything was looked at */
    TRACEQL_END_LIMIT,     /* nothing that is left can come before what was found */
    TRACEQL_END_CANCELLED, /* by the flag; as the next ones: the answer is what was found so far */
    TRACEQL_END_DEADLINE,
    TRACEQL_END_MEMORY,    /* the query's bound */
    TRACEQL_END_NO_MEMORY, /* the process' */
};
const char *traceql_end_text(enum traceql_end end);

struct traceql_found;

struct traceql_options {
    uint64_t start_unix_ns, end_unix_ns; /* [start, end) */
    unsigned threads;                    /* 0: one for each processor */
    uint64_t deadline_monotonic_ns;      /* CLOCK_MONOTONIC; 0: none */
    size_t memory_bytes;                 /* 0: no bound */
    const atomic_bool *cancel;           /* NULL: it cannot be */
    void *context;
    void (*on_progress)(void *context, const struct traceql_progress *progress); /* or NULL */
    /* A trace that is among the newest found so far; later ones may take its place, so it need not
     * be in the answer. It is valid during the call. NULL: not wanted. */
    void (*on_trace)(void *context, const struct traceql_found *trace);
};

/* ---- searches ---------------------------------------------------------------------------- */

struct traceql_named {
    struct batch_str name; /* "span.http.method", "by(name)", "count()" */
    struct traceql_value value;
};

struct traceql_span {
    uint64_t span_id, parent_id, start_unix_ns, duration_ns;
    struct batch_str name, service;
    uint8_t kind, status;
    uint32_t value_count; /* fields that the query mentions or selects and the span has */
    struct traceql_named *values;
};

struct traceql_spanset {
    uint32_t matched; /* spans in it, of which `spans` are the first, parents before children */
    uint32_t span_count;
    struct traceql_span *spans;
    uint32_t note_count; /* what by() and aggregates say of it */
    struct traceql_named *notes;
};

struct traceql_found {
    struct trace_summary trace;
    uint32_t set_count;
    struct traceql_spanset *sets;
    struct arena arena; /* of all that is in it */
};

struct traceql_search {
    enum traceql_end end;
    struct traceql_progress progress;
    bool more; /* there are older traces that match, or may */
    uint32_t count;
    struct traceql_found **traces; /* newest start first */
};

/* `query` has a pipeline. Traces that overlap [start, end) count. False: not even the beginning
 * found memory; the answer says END_NO_MEMORY and is to be given back all the same. */
bool traceql_search(const struct traceql_query *query, const struct traceql_source *source,
                    const struct traceql_options *options, uint32_t limit,
                    uint32_t spans_per_spanset, struct traceql_search *answer);
void traceql_search_fini(struct traceql_search *answer);

/* ---- metrics ----------------------------------------------------------------------------- */

struct traceql_exemplar {
    struct trace_id trace_id;
    uint64_t span_id, unix_ns;
    double value;
};

struct traceql_timeseries {
    uint32_t label_count;
    struct traceql_named *labels;
    double *values; /* one for each step; NaN: nothing there */
    uint32_t exemplar_count;
    struct traceql_exemplar *exemplars;
};

struct traceql_metrics_answer {
    enum traceql_end end;
    struct traceql_progress progress;
    uint64_t start_unix_ns, step_ns;
    uint32_t
        steps; /* step i holds the spans that start in [start + i × step, start + (i + 1) × step) */
    uint32_t count;
    struct traceql_timeseries *series; /* by their labels */
    struct arena arena;
};

enum { TRACEQL_STEPS_MAX = 11000 };

/* `query` has series. step_ns 0: one step, from start to end. More than TRACEQL_STEPS_MAX steps are
 * not asked for. `exemplars`: the most of each series; a hint in the query may say otherwise. False
 * as above. */
bool traceql_measure(const struct traceql_query *query, const struct traceql_source *source,
                     const struct traceql_options *options, uint64_t step_ns, uint32_t exemplars,
                     struct traceql_metrics_answer *answer);
void traceql_metrics_fini(struct traceql_metrics_answer *answer);

#endif
