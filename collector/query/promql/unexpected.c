// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/unexpected.h"

#include <stdio.h>
#include <string.h>

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

static void list(char *out, size_t size, uint32_t expected)
{
    size_t used = 0;
    out[0] = 0;
    for (unsigned g = 0; g < PROMQL_EXPECTATIONS && used < size; g++) {
        if (phrases[g] && (expected & BIT(g)))
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", phrases[g]);
    }
}

void promql_unexpected(struct promql_parser *p, struct promql_place at, uint32_t expected)
{
    if (p->syntax.fault != PROMQL_SOUND)
        return;
    struct promql_error e = {.fault = PROMQL_ESYNTAX};
    uint32_t length = at.end - at.begin, shown = length;
    if (shown > 40)
        for (shown = 40; shown > 0 && (p->text.bytes[at.begin + shown] & 0xc0) == 0x80;)
            shown--;
    if (length == 0)
        snprintf(e.found, sizeof e.found, "the end of the query");
    else if (strchr("\"'`", p->text.bytes[at.begin]) && shown == length)
        snprintf(e.found, sizeof e.found, "%.*s", (int)shown, p->text.bytes + at.begin);
    else
        snprintf(e.found, sizeof e.found, "\"%.*s%s\"", (int)shown, p->text.bytes + at.begin,
                 shown < length ? "…" : "");
    list(e.expected, sizeof e.expected, without_smaller(expected));
    promql_fail_syntax(p, at, "found %s%s%s", e.found, e.expected[0] ? "; here can stand: " : "",
                       e.expected);
    memcpy(p->syntax.found, e.found, sizeof e.found);
    memcpy(p->syntax.expected, e.expected, sizeof e.expected);
}
