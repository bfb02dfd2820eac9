// SPDX-License-Identifier: Apache-2.0
/* What is different between two traces, or two sets of traces (before and after a deploy; fast
 * and slow ones): by operation, or by path.
 *
 *   DIFF_BY_OPERATION  service, name, kind: for sets, and for traces of different shape
 *   DIFF_BY_PATH       the chain of operations from the top: for two single traces, where the same
 *                      operation in another place is another thing
 *
 * Rows are told with the ones that matter most first: by how much the time that an operation
 * holds on the critical path of an average trace has changed; then its self time; then how often
 * it is there.
 *
 * Fed one tree at a time; memory is bounded by `limit` (operations, and paths), what is beyond it
 * is summed up in one row.
 */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_DIFF_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_DIFF_H

#include "collector/query/analysis/critical_path.h"
#include "collector/query/analysis/operations.h"
#include "collector/query/analysis/pairs.h"

enum diff_by { DIFF_BY_OPERATION, DIFF_BY_PATH };
enum diff_side { DIFF_A, DIFF_B, DIFF_SIDES };

struct diff_sum {
    uint64_t traces; /* in which it is */
    uint64_t spans, errors, died;
    uint64_t self_ns, total_ns, critical_ns; /* of all its spans together */
    struct trace_id exemplar;                /* where its critical time was longest */
    uint64_t exemplar_critical_ns;
};

struct diff_row {
    uint32_t key; /* by operation: in `operations`; by path: in `paths`; 0: the rest */
    struct diff_sum side[DIFF_SIDES];
    /* B's average trace less A's; traces without it count as 0. */
    double critical_change_ns, self_change_ns, spans_change;
};

struct diff_accumulated;

struct diff {
    enum diff_by by;
    struct operations operations;
    struct pairs paths; /* left: the path above, or PAIR_NONE; right: the operation */
    struct diff_accumulated *sums;
    uint32_t capacity;
    uint64_t traces[DIFF_SIDES];
    uint64_t total_ns[DIFF_SIDES]; /* of the traces' roots */
};

void diff_init(struct diff *d, enum diff_by by, uint32_t limit);
void diff_fini(struct diff *d);
/* `l` and `p` are of `t`. -1 when memory is out: some of the trace may be counted. */
int diff_add(struct diff *d, enum diff_side side, const struct tree *t, const struct timeline *l,
             const struct critical_path *p, struct trace_id id);

/* The rows that are there, in order; freed by the caller. NULL when memory is out. */
struct diff_row *diff_rows(const struct diff *d, uint32_t *count);
/* The operation of a row: of a path, its last. */
const struct operation *diff_operation(const struct diff *d, uint32_t key);

#endif
