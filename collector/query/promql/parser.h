// SPDX-License-Identifier: Apache-2.0
/* What the lexer, the grammar and the builder of the tree share; internal to the language. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_PARSER_H
#define WEFT_COLLECTOR_QUERY_PROMQL_PARSER_H

#include "collector/query/language/input.h"
#include "collector/query/promql/parse.h"

struct promql_parser {
    struct language_input in;
    bool in_braces, in_brackets; /* words and colons mean something else there */
    uint32_t nodes;
    struct promql_query *query;
};

/* Lists that grow while they are read, in the arena. */
struct promql_name_list {
    uint32_t count, capacity;
    struct batch_str *list;
};
struct promql_expr_list {
    uint32_t count, capacity;
    struct promql_expr **list;
};
struct promql_matcher_list {
    uint32_t count, capacity;
    struct promql_matcher *list;
};
struct promql_grouping {
    bool without, written;
    struct promql_name_list names;
};
struct promql_modifiers {
    bool to_bool;
    struct promql_matching matching;
};

/* Types, patterns and limits of the whole; tells meaning errors. */
void promql_check(struct promql_parser *p, struct promql_query *query);

#endif
