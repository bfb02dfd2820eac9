// SPDX-License-Identifier: Apache-2.0
/* PromQL's words: one table of all that have a meaning. Case does not matter in them. An
 * aggregation is one only with what follows it, as `sum` may be a metric too; so are the fill
 * modifiers. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "collector/query/promql/lexer.h"

enum needs { ANYWHERE, BEFORE_PARENTHESIS, BEFORE_GROUPING };

static const struct {
    const char *word;
    short token;
    uint8_t needs;
    uint8_t meaning;
} words[] = {
    {"sum", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_SUM},
    {"avg", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_AVG},
    {"count", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_COUNT},
    {"min", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_MIN},
    {"max", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_MAX},
    {"group", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_GROUP},
    {"stddev", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_STDDEV},
    {"stdvar", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_STDVAR},
    {"topk", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_TOPK},
    {"bottomk", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_BOTTOMK},
    {"quantile", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_QUANTILE},
    {"count_values", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_COUNT_VALUES},
    {"limitk", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_LIMITK},
    {"limit_ratio", PROMQL_TOKEN_AGGREGATE, BEFORE_GROUPING, PROMQL_LIMIT_RATIO},
    {"and", PROMQL_TOKEN_AND, ANYWHERE, 0},
    {"or", PROMQL_TOKEN_OR, ANYWHERE, 0},
    {"unless", PROMQL_TOKEN_UNLESS, ANYWHERE, 0},
    {"atan2", PROMQL_TOKEN_ATAN2, ANYWHERE, 0},
    {"offset", PROMQL_TOKEN_OFFSET, ANYWHERE, 0},
    {"anchored", PROMQL_TOKEN_ANCHORED, ANYWHERE, 0},
    {"smoothed", PROMQL_TOKEN_SMOOTHED, ANYWHERE, 0},
    {"by", PROMQL_TOKEN_BY, ANYWHERE, 0},
    {"without", PROMQL_TOKEN_WITHOUT, ANYWHERE, 0},
    {"on", PROMQL_TOKEN_ON, ANYWHERE, 0},
    {"ignoring", PROMQL_TOKEN_IGNORING, ANYWHERE, 0},
    {"group_left", PROMQL_TOKEN_GROUP_LEFT, ANYWHERE, 0},
    {"group_right", PROMQL_TOKEN_GROUP_RIGHT, ANYWHERE, 0},
    {"bool", PROMQL_TOKEN_BOOL, ANYWHERE, 0},
    {"fill", PROMQL_TOKEN_FILL, BEFORE_PARENTHESIS, 0},
    {"fill_left", PROMQL_TOKEN_FILL_LEFT, BEFORE_PARENTHESIS, 0},
    {"fill_right", PROMQL_TOKEN_FILL_RIGHT, BEFORE_PARENTHESIS, 0},
};

const char *promql_aggregate_name(enum promql_aggregate a)
{
    return words[a].word; /* they are the first of the table, in the order of the enum */
}

static bool is_word(const char *word, const char *bytes, size_t length)
{
    return strlen(word) == length && strncasecmp(word, bytes, length) == 0;
}

/* What stands behind the word that was read, past spaces and comments. */
static const char *next_of(const struct promql_parser *p)
{
    const char *at = p->in.cursor;
    while (at < p->in.end) {
        if (*at == '#')
            while (at < p->in.end && *at != '\n')
                at++;
        else if (strchr(" \t\r\n", *at))
            at++;
        else
            break;
    }
    return at;
}

static bool begins_with_word(const struct promql_parser *p, const char *at, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(p->in.end - at) < length || strncasecmp(at, word, length) != 0)
        return false;
    return at + length == p->in.end || strchr(" \t\r\n(#", at[length]);
}

static bool follows(const struct promql_parser *p, uint8_t needs)
{
    if (needs == ANYWHERE)
        return true;
    const char *at = next_of(p);
    if (at < p->in.end && *at == '(')
        return true;
    return needs == BEFORE_GROUPING &&
           (begins_with_word(p, at, "by") || begins_with_word(p, at, "without"));
}

static int keyword(const struct promql_parser *p, const char *bytes, size_t length,
                   union PROMQL_TOKEN_VALUE *value)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is_word(words[i].word, bytes, length) && follows(p, words[i].needs)) {
            value->meaning = words[i].meaning;
            return words[i].token;
        }
    }
    if (is_word("inf", bytes, length) || is_word("nan", bytes, length)) {
        value->number = (bytes[0] | 0x20) == 'i' ? INFINITY : NAN;
        return PROMQL_TOKEN_NUMBER;
    }
    return 0;
}

int promql_lex_word(struct promql_parser *p, struct language_place at,
                    union PROMQL_TOKEN_VALUE *value)
{
    const char *bytes = p->in.text.bytes + at.begin;
    size_t length = at.end - at.begin;
    if (!p->in_braces) {
        int token = keyword(p, bytes, length, value);
        if (token)
            return token;
    }
    value->text = (struct batch_str){bytes, (uint32_t)length};
    return memchr(bytes, ':', length) ? PROMQL_TOKEN_METRIC : PROMQL_TOKEN_IDENTIFIER;
}
