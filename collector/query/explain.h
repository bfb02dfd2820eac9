// SPDX-License-Identifier: Apache-2.0
/* One trace explained: every analysis of it at once (query/analysis/ says what each means), its
 * spans ranked among the spans of the newest traces that begin as it does. */
#ifndef WEFT_COLLECTOR_QUERY_EXPLAIN_H
#define WEFT_COLLECTOR_QUERY_EXPLAIN_H

#include "collector/query/analysis/calls.h"
#include "collector/query/analysis/critical_path.h"
#include "collector/query/analysis/culprit.h"
#include "collector/query/analysis/holes.h"
#include "collector/query/analysis/rank.h"
#include "collector/query/analysis/skew.h"
#include "collector/query/analysis/timeline.h"
#include "collector/query/query.h"

struct explanation {
    struct skew skew;
    struct timeline timeline;
    struct critical_path path;
    struct culprit culprit;
    struct holes holes;
    struct rank rank;
    uint64_t *self_ns;            /* of each node */
    uint32_t ranked_among;        /* traces */
    struct service_list services; /* who is known to record */
};

/* `among`: how many traces to rank among at most; 0: none. The view stays the caller's and must
 * outlive the explanation. -1: no memory; then there is nothing to free. */
int explain_trace(const struct query *q, const struct trace_view *view, uint32_t among,
                  uint64_t now_unix_ns, struct explanation *e);
void explanation_fini(struct explanation *e);
/* What holes_find was asked, for hole_sentence. */
struct holes_question explanation_question(const struct trace_view *view, struct explanation *e,
                                           uint64_t now_unix_ns);

#endif
