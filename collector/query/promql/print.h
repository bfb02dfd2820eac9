// SPDX-License-Identifier: Apache-2.0
/* A query as text in one canonical form: what the parser reads back as the same tree. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_PRINT_H
#define WEFT_COLLECTOR_QUERY_PROMQL_PRINT_H

#include "collector/query/promql/ast.h"
#include "lib/base/buffer.h"

void promql_print(struct buffer *out, const struct promql_query *query);
void promql_print_expr(struct buffer *out, const struct promql_expr *e);
/* Quoted and escaped as the lexer reads it. */
void promql_print_text(struct buffer *out, struct batch_str text);
/* The shortest that reads back as the same; "NaN", "+Inf", "-Inf". */
void promql_print_number(struct buffer *out, double number);
/* {__name__="x", job="y"} */
void promql_print_labels(struct buffer *out, const struct labels *l);

#endif
