// SPDX-License-Identifier: Apache-2.0
/* Phases: over many traces, how much of the critical path each operation holds. "A dashboard
 * takes 80 ms, 31 of them in redis."
 *
 * Time that no span accounts for (traces without a root) is a row of its own, with the key
 * PHASES_UNKNOWN. Fed one tree at a time; at most `limit` operations, each with a histogram, and
 * one row for all beyond.
 */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_PHASES_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_PHASES_H

#include "collector/query/analysis/critical_path.h"
#include "collector/query/analysis/operations.h"
#include "lib/model/exphist.h"

enum { PHASES_EXEMPLARS = 3 };
#define PHASES_UNKNOWN UINT32_MAX

struct phase {
    uint32_t operation; /* in `operations`; OPERATION_REST; PHASES_UNKNOWN */
    uint64_t traces;    /* in whose critical path it is */
    uint64_t critical_ns;
    double share; /* of the critical time of all traces */
    /* Of its critical time in one trace; traces without it count as 0. */
    double p50_ns, p99_ns, max_ns;
    struct trace_id exemplars[PHASES_EXEMPLARS]; /* where it was longest, the longest first */
    uint32_t exemplar_count;
};

struct phase_sum;

struct phases {
    struct operations operations;
    struct phase_sum *sums; /* [0] of PHASES_UNKNOWN, else of the operation with one less */
    uint32_t capacity;
    uint32_t *touched; /* keys met in the trace being added */
    uint32_t touched_capacity;
    uint64_t traces, total_ns; /* added */
};

void phases_init(struct phases *p, uint32_t limit);
void phases_fini(struct phases *p);
/* -1 when memory is out: some of the trace may be counted. */
int phases_add(struct phases *p, const struct tree *t, const struct critical_path *path,
               struct trace_id id);
/* The largest share first; freed by the caller. NULL when memory is out. */
struct phase *phases_rows(const struct phases *p, uint32_t *count);

#endif
