// SPDX-License-Identifier: Apache-2.0
/* Filters as plans (program.h); internal to the program. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_PLAN_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_PLAN_H

#include "collector/query/traceql/engine/program.h"

/* NULL expression: every span. NULL result: memory is out, p->failed. */
struct plan *plan_make(struct program *p, const struct traceql_expr *e);
struct calc *plan_calc(struct program *p, const struct traceql_expr *e);

/* False only if no row of a block with these bounds can pass. */
bool plan_may_match(const struct plan *plan, const struct block_bounds *bounds);

/* Zeroed memory of the program's; NULL: p->failed. */
void *program_new(struct program *p, size_t bytes);
/* The regex is destroyed with the program. False: memory is out (it is destroyed at once). */
bool program_own_regex(struct program *p, struct regex *regex);

#endif
