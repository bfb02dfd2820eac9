// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/unexpected.h"

#define BIT(group) (UINT64_C(1) << (group))

static const char *const phrases[TRACEQL_EXPECTATIONS] = {
    [TRACEQL_EXPECT_OPEN_BRACE] = "\"{\"",
    [TRACEQL_EXPECT_OPEN] = "\"(\"",
    [TRACEQL_EXPECT_FIELD] = "a field (name, duration, span.x, .x and so on)",
    [TRACEQL_EXPECT_STRING] =
        "a value (\"text\", 5, 1.5, 10ms, true, nil, error, server and so on)",
    [TRACEQL_EXPECT_INTEGER] = "a whole number",
    [TRACEQL_EXPECT_FLOAT] = "a number",
    [TRACEQL_EXPECT_DURATION] = "a number, a duration",
    [TRACEQL_EXPECT_AGGREGATE] = "count(), min(), max(), avg(), sum()",
    [TRACEQL_EXPECT_FUNCTION] = "a metrics function (rate(), quantile_over_time() and so on)",
    [TRACEQL_EXPECT_BY] = "by()",
    [TRACEQL_EXPECT_COALESCE] = "coalesce()",
    [TRACEQL_EXPECT_SELECT] = "select()",
    [TRACEQL_EXPECT_TOP] = "topk(), bottomk()",
    [TRACEQL_EXPECT_HINT] = "the name of a hint",
    [TRACEQL_EXPECT_EQUAL] = "\"=\"",
    [TRACEQL_EXPECT_COMPARISON] = "a comparison (= != < <= > >=)",
    [TRACEQL_EXPECT_MATCH] = "a comparison (= != < <= > >= =~ !~)",
    [TRACEQL_EXPECT_STRUCTURE] = "a structural operator (> >> < << ~ and so on)",
    [TRACEQL_EXPECT_ARITHMETIC] = "an arithmetic operator (+ - * / % ^)",
    [TRACEQL_EXPECT_MINUS] = "\"-\"",
    [TRACEQL_EXPECT_NOT] = "\"!\"",
    [TRACEQL_EXPECT_AND] = "\"&&\", \"||\"",
    [TRACEQL_EXPECT_PIPE] = "\"|\"",
    [TRACEQL_EXPECT_COMMA] = "\",\"",
    [TRACEQL_EXPECT_CLOSE_BRACE] = "\"}\"",
    [TRACEQL_EXPECT_CLOSE] = "\")\"",
    [TRACEQL_EXPECT_WITH] = "with()",
    [TRACEQL_EXPECT_END] = "the end of the query",
};

/* Where a larger group is expected, the smaller ones in it go without saying. */
static uint64_t without_smaller(uint64_t expected)
{
    static const struct {
        enum traceql_expected larger, smaller;
    } parts[] = {
        {TRACEQL_EXPECT_STRING, TRACEQL_EXPECT_DURATION},
        {TRACEQL_EXPECT_STRING, TRACEQL_EXPECT_FLOAT},
        {TRACEQL_EXPECT_STRING, TRACEQL_EXPECT_INTEGER},
        {TRACEQL_EXPECT_DURATION, TRACEQL_EXPECT_FLOAT},
        {TRACEQL_EXPECT_DURATION, TRACEQL_EXPECT_INTEGER},
        {TRACEQL_EXPECT_FLOAT, TRACEQL_EXPECT_INTEGER},
        {TRACEQL_EXPECT_MATCH, TRACEQL_EXPECT_COMPARISON},
        {TRACEQL_EXPECT_MATCH, TRACEQL_EXPECT_EQUAL},
        {TRACEQL_EXPECT_COMPARISON, TRACEQL_EXPECT_EQUAL},
        {TRACEQL_EXPECT_ARITHMETIC, TRACEQL_EXPECT_MINUS},
    };
    /* The grammar takes a function wherever a set can stand; it works only behind a "|". */
    if (!(expected & BIT(TRACEQL_EXPECT_COALESCE)))
        expected &= ~(BIT(TRACEQL_EXPECT_FUNCTION) | BIT(TRACEQL_EXPECT_TOP));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (expected & BIT(parts[i].larger))
            expected &= ~BIT(parts[i].smaller);
    }
    return expected;
}

void traceql_unexpected(struct traceql_parser *p, struct language_place at, bool is_word,
                        uint64_t expected)
{
    static const struct language_groups groups = {phrases, TRACEQL_EXPECTATIONS};
    bool attribute = is_word && (expected & BIT(TRACEQL_EXPECT_FIELD));
    language_unexpected(&p->in, at, &groups, without_smaller(expected),
                        attribute ? " (attributes begin with a scope: span.x, resource.x or .x)"
                                  : "");
}
