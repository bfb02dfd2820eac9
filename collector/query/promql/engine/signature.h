// SPDX-License-Identifier: Apache-2.0
/* The labels by which the sides of an operator are matched. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_SIGNATURE_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_SIGNATURE_H

#include "collector/query/promql/engine/labelset.h"

void signature_of(struct labelset *s, const struct promql_matching *m, const struct labels *labels);
/* Its number in the index. */
uint32_t signature_add(struct evaluation *ev, struct labels_index *x,
                       const struct promql_matching *m, const struct labels *labels, bool *added);

#endif
