// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/unexpected.h"

#define BIT(group) (UINT32_C(1) << (group))

static const char *const phrases[PROMQL_EXPECTATIONS] = {
    [PROMQL_EXPECT_SELECTOR] = "a metric or a function",
    [PROMQL_EXPECT_NAME] = "a name",
    [PROMQL_EXPECT_NUMBER] = "a number or a duration",
    [PROMQL_EXPECT_STRING] = "a string",
    [PROMQL_EXPECT_AGGREGATION] = "an aggregation (sum, avg, topk and so on)",
    [PROMQL_EXPECT_SIGN] = "\"+\", \"-\"",
    [PROMQL_EXPECT_OPEN] = "\"(\"",
    [PROMQL_EXPECT_OPEN_BRACE] = "\"{\"",
    [PROMQL_EXPECT_OPEN_BRACKET] = "\"[\"",
    [PROMQL_EXPECT_OFFSET] = "offset",
    [PROMQL_EXPECT_AT] = "\"@\"",
    [PROMQL_EXPECT_BOOL] = "bool",
    [PROMQL_EXPECT_MATCHING] = "on(), ignoring()",
    [PROMQL_EXPECT_GROUP] = "group_left, group_right",
    [PROMQL_EXPECT_GROUPING] = "by(), without()",
    [PROMQL_EXPECT_MATCH] = "= != =~ or !~",
    [PROMQL_EXPECT_OPERATOR] = "an operator",
    [PROMQL_EXPECT_COLON] = "\":\"",
    [PROMQL_EXPECT_COMMA] = "\",\"",
    [PROMQL_EXPECT_CLOSE] = "\")\"",
    [PROMQL_EXPECT_CLOSE_BRACE] = "\"}\"",
    [PROMQL_EXPECT_CLOSE_BRACKET] = "\"]\"",
    [PROMQL_EXPECT_END] = "the end of the query",
};

/* Where a larger group is expected, the smaller ones in it go without saying. */
static uint32_t without_smaller(uint32_t expected)
{
    if (expected & BIT(PROMQL_EXPECT_SELECTOR))
        expected &=
            ~(BIT(PROMQL_EXPECT_NAME) | BIT(PROMQL_EXPECT_OPEN_BRACE) | BIT(PROMQL_EXPECT_OFFSET) |
              BIT(PROMQL_EXPECT_GROUPING) | BIT(PROMQL_EXPECT_SIGN));
    if (expected & BIT(PROMQL_EXPECT_OPERATOR))
        expected &= ~BIT(PROMQL_EXPECT_SIGN);
    return expected;
}

void promql_unexpected(struct promql_parser *p, struct language_place at, uint32_t expected)
{
    static const struct language_groups groups = {phrases, PROMQL_EXPECTATIONS};
    language_unexpected(&p->in, at, &groups, without_smaller(expected), "");
}
