// SPDX-License-Identifier: Apache-2.0
/* What the lexer, the grammar and the builder of the tree share; internal to the language. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_PARSER_H
#define WEFT_COLLECTOR_QUERY_PROMQL_PARSER_H

#include "collector/query/promql/parse.h"

struct promql_parser {
    struct arena *arena;
    struct batch_str text;
    const char *cursor, *end;    /* what is not yet read; a NUL stands at the end */
    struct promql_error syntax;  /* the first of each kind: a query that is wrong in both ways */
    struct promql_error meaning; /* does not parse, so that is told */
    bool no_memory;
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

/* Remembers the first error of its class. The text is as for printf. */
void promql_fail_syntax(struct promql_parser *p, struct promql_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void promql_fail_meaning(struct promql_parser *p, struct promql_place place, const char *format,
                         ...) __attribute__((format(printf, 3, 4)));

/* Zeroed; NULL (and remembered) when memory is out. */
void *promql_new(struct promql_parser *p, size_t bytes);

/* Types, patterns and limits of the whole; tells meaning errors. */
void promql_check(struct promql_parser *p, struct promql_query *query);

#endif
