// SPDX-License-Identifier: Apache-2.0
/* An expression, row by row: what no column answers as a whole (arithmetic, one field against
 * another), what by() and aggregates take, what is told of found spans. The expression is made
 * once for a query (any thread reads it); its fields are read through readers, one for each slot
 * of the query's fields, that belong to one block. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_CALC_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_CALC_H

#include "collector/query/traceql/engine/reader.h"
#include "collector/query/traceql/engine/value.h"
#include "lib/regex/regex.h"

struct calc {
    enum traceql_op op;
    struct calc *left, *right;
    struct traceql_value value; /* of LITERAL */
    uint32_t slot;              /* of FIELD */
    struct regex *regex;        /* of RE and NRE; owned by the program */
};

/* A row's value; NIL if it has none. `readers`: one for each slot. Without fields: row does not
 * matter, readers may be NULL. */
struct traceql_value calc_value(const struct calc *c, struct reader *readers, uint32_t row);

#endif
