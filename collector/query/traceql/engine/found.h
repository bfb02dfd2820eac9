// SPDX-License-Identifier: Apache-2.0
/* A trace that was found, as it is told: made from its block, independent of it afterwards. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_FOUND_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_FOUND_H

#include "collector/query/traceql/engine.h"
#include "collector/query/traceql/engine/sets.h"

/* `names`: of the fields that spans are told with, as program.told has them. NULL: memory is out,
 * or the view failed. */
struct traceql_found *found_create(struct scene *s, uint32_t trace, const struct set *sets,
                                   uint32_t spans_per_set, const struct batch_str *names);
void found_destroy(struct traceql_found **f);
/* What it costs. */
size_t found_bytes(const struct traceql_found *f);

#endif
