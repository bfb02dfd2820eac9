// SPDX-License-Identifier: Apache-2.0
/* Words about the answer, each once: as Prometheus says them, with the place in the query that they
 * are about. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_ANNOTATIONS_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_ANNOTATIONS_H

#include "collector/query/promql/engine/evaluation.h"

void annotate_warning(struct evaluation *ev, struct language_place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void annotate_info(struct evaluation *ev, struct language_place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Those that several functions have. `metric`: the name in the labels, which may be empty. */
void annotate_mixed(struct evaluation *ev, struct language_place at, struct batch_str metric);
void annotate_mixed_schemas(struct evaluation *ev, struct language_place at,
                            struct batch_str metric);
void annotate_ignored_in_range(struct evaluation *ev, struct language_place at,
                               struct batch_str metric);
void annotate_ignored_in_aggregation(struct evaluation *ev, struct language_place at,
                                     const char *aggregation);
void annotate_not_counter(struct evaluation *ev, struct language_place at, struct batch_str metric);
void annotate_not_gauge(struct evaluation *ev, struct language_place at, struct batch_str metric);
void annotate_quantile(struct evaluation *ev, struct language_place at, double q);
/* What adding (`operation`: "addition", "subtraction", "aggregation") noted. */
void annotate_reconciled(struct evaluation *ev, struct language_place at, const char *operation);
void annotate_collision(struct evaluation *ev, struct language_place at, const char *operation);

/* Of one classic histogram whose counts fell: told once for a series, with how often it was. */
struct monotonicity {
    double from, to, difference; /* the widest */
    int64_t first_ms, last_ms;
    uint64_t count;
};
void annotate_monotonicity(struct evaluation *ev, struct language_place at, struct batch_str metric,
                           const struct monotonicity *m);

/* Into the result. */
void annotations_finish(struct evaluation *ev);

#endif
