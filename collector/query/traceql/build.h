// SPDX-License-Identifier: Apache-2.0
/* Makes TraceQL's tree, called by the grammar's actions. What memory, depth or (later told)
 * meaning forbids is remembered in the parser; false or NULL only where parsing cannot go on:
 * memory is out, or the tree is too deep. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_BUILD_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_BUILD_H

#include "collector/query/traceql/parser.h"

/* ---- inside { } -------------------------------------------------------------------------- */

struct traceql_expr *traceql_build_literal(struct traceql_parser *p, struct traceql_value value,
                                           struct language_place at);
struct traceql_expr *traceql_build_field(struct traceql_parser *p, struct traceql_field field);
/* Negated literals become literals. */
struct traceql_expr *traceql_build_unary(struct traceql_parser *p, enum traceql_op op,
                                         struct traceql_expr *of, struct language_place at);
/* Comparisons with nil become EXISTS and MISSING. */
struct traceql_expr *traceql_build_binary(struct traceql_parser *p, enum traceql_op op,
                                          struct traceql_expr *left, struct traceql_expr *right,
                                          struct language_place at);

/* ---- sets, scalars, series --------------------------------------------------------------- */

bool traceql_build_filter(struct traceql_parser *p, struct traceql_expr *filter,
                          struct language_place at, struct traceql_operand *out);
bool traceql_build_number(struct traceql_parser *p, struct traceql_value value, bool negative,
                          struct language_place at, struct traceql_operand *out);
bool traceql_build_aggregate(struct traceql_parser *p, enum traceql_aggregate aggregate,
                             struct traceql_expr *of, struct language_place at,
                             struct traceql_operand *out);
bool traceql_build_metrics(struct traceql_parser *p, const struct traceql_metrics *metrics,
                           struct traceql_operand *out);
bool traceql_build_top(struct traceql_parser *p, enum traceql_series_form form, int64_t limit,
                       struct language_place at, struct traceql_operand *out);
/* What stands in parentheses. */
bool traceql_build_group(struct traceql_parser *p, const struct traceql_flow *flow,
                         struct language_place at, struct traceql_operand *out);
/* What an operator makes of its sides: `op` if they are scalars or series, `set_op` if they are
 * sets; LITERAL and FILTER where it is none of these. */
bool traceql_build_joined(struct traceql_parser *p, const struct traceql_operand *left,
                          const struct traceql_operand *right, enum traceql_op op,
                          enum traceql_set_op set_op, struct language_place at,
                          struct traceql_operand *out);

/* ---- pipelines --------------------------------------------------------------------------- */

bool traceql_flow_begin(struct traceql_parser *p, const struct traceql_operand *first,
                        struct traceql_flow *flow);
bool traceql_flow_begin_stage(struct traceql_parser *p, const struct traceql_stage *first,
                              struct traceql_flow *flow);
bool traceql_flow_add(struct traceql_parser *p, struct traceql_flow *flow,
                      const struct traceql_operand *next);
/* BY, COALESCE or SELECT; copied. */
bool traceql_flow_add_stage(struct traceql_parser *p, struct traceql_flow *flow,
                            const struct traceql_stage *next);
bool traceql_build_query(struct traceql_parser *p, const struct traceql_flow *flow,
                         const struct traceql_hint_list *hints);

/* ---- lists ------------------------------------------------------------------------------- */

bool traceql_numbers_add(struct traceql_parser *p, struct traceql_numbers *n, double number);
bool traceql_fields_add(struct traceql_parser *p, struct traceql_field_list *l,
                        const struct traceql_field *field);
bool traceql_hints_add(struct traceql_parser *p, struct traceql_hint_list *l,
                       const struct traceql_hint *hint);

#endif
