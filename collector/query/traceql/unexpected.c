// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/unexpected.h"

#include <stdio.h>
#include <string.h>

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

static void list(char *out, size_t size, uint64_t expected)
{
    size_t used = 0;
    out[0] = 0;
    for (unsigned g = 0; g < TRACEQL_EXPECTATIONS && used < size; g++) {
        if (phrases[g] && (expected & BIT(g)))
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", phrases[g]);
    }
}

void traceql_unexpected(struct traceql_parser *p, struct traceql_place at, bool is_word,
                        uint64_t expected)
{
    if (p->syntax.fault != TRACEQL_SOUND)
        return;
    struct traceql_error e = {.fault = TRACEQL_ESYNTAX};
    uint32_t length = at.end - at.begin, shown = length;
    if (shown > 40)
        for (shown = 40; shown > 0 && (p->text.bytes[at.begin + shown] & 0xc0) == 0x80;)
            shown--;
    if (length == 0)
        snprintf(e.found, sizeof e.found, "the end of the query");
    else
        snprintf(e.found, sizeof e.found, "\"%.*s%s\"", (int)shown, p->text.bytes + at.begin,
                 shown < length ? "…" : "");
    list(e.expected, sizeof e.expected, without_smaller(expected));
    bool attribute = is_word && (expected & BIT(TRACEQL_EXPECT_FIELD));
    traceql_fail_syntax(
        p, at, "found %s%s%s%s", e.found, e.expected[0] ? "; here can stand: " : "", e.expected,
        attribute ? " (attributes begin with a scope: span.x, resource.x or .x)" : "");
    memcpy(p->syntax.found, e.found, sizeof e.found);
    memcpy(p->syntax.expected, e.expected, sizeof e.expected);
}
