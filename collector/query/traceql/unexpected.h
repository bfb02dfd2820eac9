// SPDX-License-Identifier: Apache-2.0
/* Syntax errors in people's words: tokens that could stand somewhere are told in groups, as
 * "a comparison" and not as eight operators. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_UNEXPECTED_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_UNEXPECTED_H

#include "collector/query/traceql/parser.h"

/* In the order in which they are told. */
enum traceql_expected {
    TRACEQL_EXPECT_NOTHING, /* tokens that are told by another of their group */
    TRACEQL_EXPECT_OPEN_BRACE,
    TRACEQL_EXPECT_OPEN,
    TRACEQL_EXPECT_FIELD,
    TRACEQL_EXPECT_STRING,
    TRACEQL_EXPECT_INTEGER,
    TRACEQL_EXPECT_FLOAT,
    TRACEQL_EXPECT_DURATION,
    TRACEQL_EXPECT_TRUTH,
    TRACEQL_EXPECT_NIL,
    TRACEQL_EXPECT_AGGREGATE,
    TRACEQL_EXPECT_FUNCTION,
    TRACEQL_EXPECT_BY,
    TRACEQL_EXPECT_COALESCE,
    TRACEQL_EXPECT_SELECT,
    TRACEQL_EXPECT_TOP,
    TRACEQL_EXPECT_HINT,
    TRACEQL_EXPECT_EQUAL,
    TRACEQL_EXPECT_COMPARISON,
    TRACEQL_EXPECT_MATCH,
    TRACEQL_EXPECT_STRUCTURE,
    TRACEQL_EXPECT_ARITHMETIC,
    TRACEQL_EXPECT_MINUS,
    TRACEQL_EXPECT_NOT,
    TRACEQL_EXPECT_AND,
    TRACEQL_EXPECT_PIPE,
    TRACEQL_EXPECT_COMMA,
    TRACEQL_EXPECT_CLOSE_BRACE,
    TRACEQL_EXPECT_CLOSE,
    TRACEQL_EXPECT_WITH,
    TRACEQL_EXPECT_END,
    TRACEQL_EXPECTATIONS,
};

/* Tells that the token at `at` cannot stand there. `is_word`: it is a word without a meaning.
 * `expected`: a bit for each group. */
void traceql_unexpected(struct traceql_parser *p, struct language_place at, bool is_word,
                        uint64_t expected);

#endif
