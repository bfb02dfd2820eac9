// SPDX-License-Identifier: Apache-2.0
/* The groups of an aggregation: by the labels that are listed, or by those that are not. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_GROUPING_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_GROUPING_H

#include "collector/query/promql/engine/labelset.h"

struct grouping {
    struct labels_index index; /* labels of each group */
    uint32_t capacity;
    void **states; /* the aggregation's, made for each new group */
    uint8_t *drop_name;
};

/* The group's number. `*added`: its state is to be made. */
uint32_t grouping_add(struct evaluation *ev, struct grouping *g, const struct promql_expr *e,
                      const struct labels *labels, bool *added);

#endif
