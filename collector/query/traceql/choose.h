// SPDX-License-Identifier: Apache-2.0
/* Which spans of a block a search's query lets through, block by block: for streams. Only what is
 * in the block counts: operators that relate spans see those that stand there together. One thread.
 */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_CHOOSE_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_CHOOSE_H

#include "collector/query/traceql/ast.h"
#include "collector/traces/block.h"

struct traceql_choice;

/* `query` has a pipeline and must outlive it. NULL: no memory. */
struct traceql_choice *traceql_choice_create(const struct traceql_query *query);
void traceql_choice_destroy(struct traceql_choice **c);
/* Sets bit r % 64 of rows[r / 64] for each row that comes out, clears all others. -1: no memory. */
int traceql_choose(struct traceql_choice *c, struct block *block, uint64_t *rows);

#endif
