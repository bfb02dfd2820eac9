// SPDX-License-Identifier: Apache-2.0
/* Makes PromQL's tree, called by the grammar's actions. What memory, depth or (later told) meaning
 * forbids is remembered in the parser; false or NULL only where parsing cannot go on: memory is
 * out, or the tree is too deep. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_BUILD_H
#define WEFT_COLLECTOR_QUERY_PROMQL_BUILD_H

#include "collector/query/promql/parser.h"

bool promql_build_query(struct promql_parser *p, struct promql_expr *expr);

struct promql_expr *promql_build_number(struct promql_parser *p, double number,
                                        struct language_place at);
struct promql_expr *promql_build_text(struct promql_parser *p, struct batch_str text,
                                      struct language_place at);
struct promql_expr *promql_build_paren(struct promql_parser *p, struct promql_expr *of,
                                       struct language_place at);
struct promql_expr *promql_build_unary(struct promql_parser *p, bool negates,
                                       struct promql_expr *of, struct language_place at);
struct promql_expr *promql_build_binary(struct promql_parser *p, enum promql_op op,
                                        struct promql_expr *left,
                                        const struct promql_modifiers *modifiers,
                                        struct promql_expr *right, struct language_place at);
struct promql_expr *promql_build_call(struct promql_parser *p, struct batch_str name,
                                      const struct promql_expr_list *args,
                                      struct language_place name_at, struct language_place at);
struct promql_expr *promql_build_aggregation(struct promql_parser *p, enum promql_aggregate op,
                                             const struct promql_grouping *grouping,
                                             const struct promql_expr_list *args,
                                             struct language_place at);

/* ---- selectors and what is written behind them ------------------------------------------- */

/* `matchers`: NULL where there are no braces. */
struct promql_expr *promql_build_selector(struct promql_parser *p, struct batch_str name,
                                          const struct promql_matcher_list *matchers,
                                          struct language_place at);
struct promql_expr *promql_build_range(struct promql_parser *p, struct promql_expr *of,
                                       const struct promql_duration *range,
                                       struct language_place at);
struct promql_expr *promql_build_subquery(struct promql_parser *p, struct promql_expr *of,
                                          const struct promql_duration *range,
                                          const struct promql_duration *step,
                                          struct language_place at);
void promql_build_offset(struct promql_parser *p, struct promql_expr *of,
                         const struct promql_duration *offset, struct language_place at);
void promql_build_at_time(struct promql_parser *p, struct promql_expr *of, double seconds,
                          struct language_place at);
void promql_build_at_edge(struct promql_parser *p, struct promql_expr *of, struct batch_str edge,
                          struct language_place edge_at, struct language_place at);
void promql_build_extended(struct promql_parser *p, struct promql_expr *of, bool anchored,
                           struct language_place at);

/* ---- how operators match, durations ------------------------------------------------------ */

void promql_build_matching(struct promql_modifiers *m, bool on,
                           const struct promql_name_list *names);
void promql_build_group(struct promql_modifiers *m, bool left,
                        const struct promql_name_list *include);
void promql_build_fill(struct promql_modifiers *m, bool left, double value);

struct promql_duration *promql_build_seconds(struct promql_parser *p, double seconds,
                                             struct language_place at);
struct promql_duration *promql_build_duration(struct promql_parser *p,
                                              enum promql_duration_form form, enum promql_op op,
                                              const struct promql_duration *left,
                                              const struct promql_duration *right,
                                              struct language_place at);
/* step(), range(), min_of(,), max_of(,). */
struct promql_duration *promql_build_duration_of(struct promql_parser *p, struct batch_str name,
                                                 const struct promql_duration *left,
                                                 const struct promql_duration *right,
                                                 struct language_place at);

/* ---- lists ------------------------------------------------------------------------------- */

struct batch_str promql_text_at(const struct promql_parser *p, struct language_place at);
bool promql_exprs_add(struct promql_parser *p, struct promql_expr_list *l, struct promql_expr *e);
bool promql_names_add(struct promql_parser *p, struct promql_name_list *l, struct batch_str name,
                      struct language_place at);
bool promql_matchers_add(struct promql_parser *p, struct promql_matcher_list *l,
                         const struct promql_matcher *m);

#endif
