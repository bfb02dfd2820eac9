// SPDX-License-Identifier: Apache-2.0
/* Syntax errors in people's words: tokens that could stand somewhere are told in groups, as
 * "an operator" and not as seventeen of them. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_UNEXPECTED_H
#define WEFT_COLLECTOR_QUERY_PROMQL_UNEXPECTED_H

#include "collector/query/promql/parser.h"

/* In the order in which they are told. */
enum promql_expected {
    PROMQL_EXPECT_NOTHING, /* tokens that are told by another of their group */
    PROMQL_EXPECT_SELECTOR,
    PROMQL_EXPECT_NAME,
    PROMQL_EXPECT_NUMBER,
    PROMQL_EXPECT_STRING,
    PROMQL_EXPECT_AGGREGATION,
    PROMQL_EXPECT_SIGN,
    PROMQL_EXPECT_OPEN,
    PROMQL_EXPECT_OPEN_BRACE,
    PROMQL_EXPECT_OPEN_BRACKET,
    PROMQL_EXPECT_OFFSET,
    PROMQL_EXPECT_AT,
    PROMQL_EXPECT_BOOL,
    PROMQL_EXPECT_MATCHING,
    PROMQL_EXPECT_GROUP,
    PROMQL_EXPECT_GROUPING,
    PROMQL_EXPECT_MATCH,
    PROMQL_EXPECT_OPERATOR,
    PROMQL_EXPECT_COLON,
    PROMQL_EXPECT_COMMA,
    PROMQL_EXPECT_CLOSE,
    PROMQL_EXPECT_CLOSE_BRACE,
    PROMQL_EXPECT_CLOSE_BRACKET,
    PROMQL_EXPECT_END,
    PROMQL_EXPECTATIONS,
};

/* Tells that the token at `at` cannot stand there. `expected`: a bit for each group. */
void promql_unexpected(struct promql_parser *p, struct language_place at, uint32_t expected);

#endif
