// SPDX-License-Identifier: Apache-2.0
/* TraceQL's trees as canonical text: one space around operators, parentheses only where the
 * tree would be another without them, intrinsics by their short names. Parsing it gives the same
 * tree again. Memory that is out shows in the buffer's `failed`. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_PRINT_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_PRINT_H

#include "collector/query/traceql/ast.h"
#include "lib/base/buffer.h"

void traceql_print(struct buffer *out, const struct traceql_query *q);
void traceql_print_pipeline(struct buffer *out, const struct traceql_pipeline *l);
void traceql_print_set(struct buffer *out, const struct traceql_set *s);
void traceql_print_scalar(struct buffer *out, const struct traceql_scalar *s);
void traceql_print_expr(struct buffer *out, const struct traceql_expr *e);
void traceql_print_field(struct buffer *out, const struct traceql_field *f);
void traceql_print_value(struct buffer *out, const struct traceql_value *v);

#endif
