// SPDX-License-Identifier: Apache-2.0
/* The two workloads that the budgets are measured on, seeded: the same seed gives the same
 * spans.
 *
 *   dashboard   trees of 5 to 40 spans over web, firehose, two cells and the caches' clients;
 *               1 % errors; durations with a long tail; 2 to 4 attributes a span
 *   eleven      traces of 10 spans with 11 attributes each, out of 97 keys and 1,000 values
 *
 * Spans come as an agent sees them: those of one trace in one process follow each other,
 * children before their parents, while several traces are under way at a time.
 */
#ifndef WEFT_BENCH_WORKLOAD_H
#define WEFT_BENCH_WORKLOAD_H

#include "lib/codec/batch.h"

enum workload_kind { WORKLOAD_DASHBOARD, WORKLOAD_ELEVEN, WORKLOADS };
enum { WORKLOAD_ATTRIBUTES_MAX = 11, WORKLOAD_PROCESSES_MAX = 6 };

const char *workload_name(enum workload_kind kind);

struct workload_attribute {
    const char *key;
    enum value_type type; /* STRING or INT */
    const char *text;     /* STRING */
    int64_t number;       /* INT */
};

struct workload_span {
    unsigned process; /* below workload_processes() */
    const char *name;
    struct trace_id trace_id;
    uint64_t span_id, parent_id;
    uint64_t start_unix_ns, duration_ns;
    enum span_kind kind;
    enum span_status status;
    unsigned attribute_count;
    struct workload_attribute attributes[WORKLOAD_ATTRIBUTES_MAX];
};

struct workload;

/* NULL when memory is out. Traces begin at `start_unix_ns` and follow in steps of 1 ms. */
struct workload *workload_create(enum workload_kind kind, uint64_t seed, uint64_t start_unix_ns);
void workload_destroy(struct workload **w);

unsigned workload_processes(enum workload_kind kind);
/* One with the state alive; static. */
const struct batch_process_info *workload_process(enum workload_kind kind, unsigned process);

/* The next span, without end; valid until the next call. */
const struct workload_span *workload_next(struct workload *w);
/* Adds so many of the next spans, with the processes, to a fresh or reset builder. */
void workload_fill(struct workload *w, struct batch_builder *b, unsigned spans);

#endif
