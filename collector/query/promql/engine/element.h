// SPDX-License-Identifier: Apache-2.0
/* Operators between two samples. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_ELEMENT_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_ELEMENT_H

#include "collector/query/promql/engine/evaluation.h"

struct sample {
    double value;
    struct histogram *histogram; /* NULL: a float */
};

/* Comparisons yield 0 and 1. */
double scalar_operation(enum promql_op op, double left, double right);

enum element_answer {
    ELEMENT_NONE, /* no result, which is told */
    ELEMENT_KEEP,
    ELEMENT_FALSE, /* a comparison that does not hold */
};

/* Of comparisons the result is the left sample. Annotates what has no result; new histograms lie
 * in `arena`. */
enum element_answer element_operation(struct evaluation *ev, const struct promql_expr *e,
                                      struct sample left, struct sample right, struct arena *arena,
                                      struct sample *result);

#endif
