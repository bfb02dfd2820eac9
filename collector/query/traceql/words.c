// SPDX-License-Identifier: Apache-2.0
/* TraceQL's words: one table of all that have a meaning. */
#include <stdio.h>
#include <string.h>

#include "collector/query/traceql/lexer.h"
#include "lib/model/span.h"

static const struct {
    const char *word;
    short token;
    short meaning; /* of which enum depends on the token */
} words[] = {
    {"true", TRACEQL_TOKEN_TRUTH, true},
    {"false", TRACEQL_TOKEN_TRUTH, false},
    {"nil", TRACEQL_TOKEN_NIL, 0},
    {"unset", TRACEQL_TOKEN_STATUS, SPAN_UNSET},
    {"ok", TRACEQL_TOKEN_STATUS, SPAN_OK},
    {"error", TRACEQL_TOKEN_STATUS, SPAN_ERROR},
    {"died", TRACEQL_TOKEN_STATUS, SPAN_DIED},
    {"in_flight", TRACEQL_TOKEN_STATUS, SPAN_IN_FLIGHT},
    {"unspecified", TRACEQL_TOKEN_KIND, TRACEQL_KIND_UNSPECIFIED},
    {"internal", TRACEQL_TOKEN_KIND, SPAN_INTERNAL},
    {"server", TRACEQL_TOKEN_KIND, SPAN_SERVER},
    {"client", TRACEQL_TOKEN_KIND, SPAN_CLIENT},
    {"producer", TRACEQL_TOKEN_KIND, SPAN_PRODUCER},
    {"consumer", TRACEQL_TOKEN_KIND, SPAN_CONSUMER},
    {"name", TRACEQL_TOKEN_FIELD, TRACEQL_NAME},
    {"status", TRACEQL_TOKEN_FIELD, TRACEQL_STATUS_OF},
    {"statusMessage", TRACEQL_TOKEN_FIELD, TRACEQL_STATUS_MESSAGE},
    {"kind", TRACEQL_TOKEN_FIELD, TRACEQL_KIND_OF},
    {"duration", TRACEQL_TOKEN_FIELD, TRACEQL_DURATION_OF},
    {"childCount", TRACEQL_TOKEN_FIELD, TRACEQL_CHILD_COUNT},
    {"parent", TRACEQL_TOKEN_FIELD, TRACEQL_PARENT},
    {"nestedSetLeft", TRACEQL_TOKEN_FIELD, TRACEQL_NESTED_LEFT},
    {"nestedSetRight", TRACEQL_TOKEN_FIELD, TRACEQL_NESTED_RIGHT},
    {"nestedSetParent", TRACEQL_TOKEN_FIELD, TRACEQL_NESTED_PARENT},
    {"traceDuration", TRACEQL_TOKEN_FIELD, TRACEQL_TRACE_DURATION},
    {"rootName", TRACEQL_TOKEN_FIELD, TRACEQL_ROOT_NAME},
    {"rootServiceName", TRACEQL_TOKEN_FIELD, TRACEQL_ROOT_SERVICE},
    {"count", TRACEQL_TOKEN_COUNT, TRACEQL_COUNT},
    {"min", TRACEQL_TOKEN_AGGREGATE, TRACEQL_MIN},
    {"max", TRACEQL_TOKEN_AGGREGATE, TRACEQL_MAX},
    {"avg", TRACEQL_TOKEN_AGGREGATE, TRACEQL_AVG},
    {"sum", TRACEQL_TOKEN_AGGREGATE, TRACEQL_SUM},
    {"by", TRACEQL_TOKEN_BY, 0},
    {"coalesce", TRACEQL_TOKEN_COALESCE, 0},
    {"select", TRACEQL_TOKEN_SELECT, 0},
    {"with", TRACEQL_TOKEN_WITH, 0},
    {"rate", TRACEQL_TOKEN_COUNTING, TRACEQL_RATE},
    {"count_over_time", TRACEQL_TOKEN_COUNTING, TRACEQL_COUNT_OVER_TIME},
    {"min_over_time", TRACEQL_TOKEN_OVER_TIME, TRACEQL_MIN_OVER_TIME},
    {"max_over_time", TRACEQL_TOKEN_OVER_TIME, TRACEQL_MAX_OVER_TIME},
    {"avg_over_time", TRACEQL_TOKEN_OVER_TIME, TRACEQL_AVG_OVER_TIME},
    {"sum_over_time", TRACEQL_TOKEN_OVER_TIME, TRACEQL_SUM_OVER_TIME},
    {"histogram_over_time", TRACEQL_TOKEN_OVER_TIME, TRACEQL_HISTOGRAM_OVER_TIME},
    {"quantile_over_time", TRACEQL_TOKEN_QUANTILE, TRACEQL_QUANTILE_OVER_TIME},
    {"compare", TRACEQL_TOKEN_COMPARE, TRACEQL_COMPARE},
    {"topk", TRACEQL_TOKEN_TOP, TRACEQL_SERIES_TOPK},
    {"bottomk", TRACEQL_TOKEN_TOP, TRACEQL_SERIES_BOTTOMK},
};

static void set_meaning(union TRACEQL_TOKEN_VALUE *value, int token, short meaning,
                        struct language_place at)
{
    switch (token) {
    case TRACEQL_TOKEN_TRUTH:
        value->value = (struct traceql_value){.type = TRACEQL_BOOL, .boolean = meaning};
        break;
    case TRACEQL_TOKEN_NIL:
        value->value = (struct traceql_value){.type = TRACEQL_NIL};
        break;
    case TRACEQL_TOKEN_STATUS:
        value->value = (struct traceql_value){.type = TRACEQL_STATUS, .keyword = (uint8_t)meaning};
        break;
    case TRACEQL_TOKEN_KIND:
        value->value = (struct traceql_value){.type = TRACEQL_KIND, .keyword = (uint8_t)meaning};
        break;
    case TRACEQL_TOKEN_FIELD:
        value->field = (struct traceql_field){
            TRACEQL_INTRINSIC, (enum traceql_intrinsic)meaning, false, {"", 0}, at};
        break;
    default:
        value->meaning = meaning;
    }
}

static bool is_word(const char *word, const char *bytes, size_t length)
{
    return strlen(word) == length && memcmp(word, bytes, length) == 0;
}

int traceql_lex_word(struct traceql_parser *p, struct language_place at,
                     union TRACEQL_TOKEN_VALUE *value)
{
    const char *bytes = p->in.text.bytes + at.begin;
    size_t length = at.end - at.begin;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is_word(words[i].word, bytes, length)) {
            set_meaning(value, words[i].token, words[i].meaning, at);
            return words[i].token;
        }
    }
    bool least = is_word("minInt", bytes, length);
    if (least || is_word("maxInt", bytes, length)) {
        value->value =
            (struct traceql_value){.type = TRACEQL_INT, .integer = least ? INT64_MIN : INT64_MAX};
        return TRACEQL_TOKEN_INTEGER;
    }
    value->word = (struct batch_str){bytes, (uint32_t)length};
    return TRACEQL_TOKEN_IDENTIFIER;
}

/* ---- scope:word -------------------------------------------------------------------------- */

static const struct {
    const char *scope, *word;
    enum traceql_intrinsic intrinsic;
} scoped[] = {
    {"span", "name", TRACEQL_NAME},
    {"span", "status", TRACEQL_STATUS_OF},
    {"span", "statusMessage", TRACEQL_STATUS_MESSAGE},
    {"span", "kind", TRACEQL_KIND_OF},
    {"span", "duration", TRACEQL_DURATION_OF},
    {"span", "id", TRACEQL_SPAN_ID},
    {"span", "parentID", TRACEQL_PARENT_ID},
    {"span", "childCount", TRACEQL_CHILD_COUNT},
    {"trace", "id", TRACEQL_TRACE_ID},
    {"trace", "duration", TRACEQL_TRACE_DURATION},
    {"trace", "rootName", TRACEQL_ROOT_NAME},
    {"trace", "rootService", TRACEQL_ROOT_SERVICE},
    {"event", "name", TRACEQL_EVENT_NAME},
    {"event", "timeSinceStart", TRACEQL_EVENT_TIME},
    {"link", "traceID", TRACEQL_LINK_TRACE_ID},
    {"link", "spanID", TRACEQL_LINK_SPAN_ID},
    {"instrumentation", "name", TRACEQL_INSTRUMENTATION_NAME},
    {"instrumentation", "version", TRACEQL_INSTRUMENTATION_VERSION},
};

static void no_such_intrinsic(struct traceql_parser *p, struct language_place at, const char *scope,
                              size_t scope_length)
{
    char known[200] = "";
    size_t used = 0;
    bool any = false;
    for (size_t i = 0; i < sizeof scoped / sizeof *scoped && used < sizeof known; i++) {
        if (!is_word(scoped[i].scope, scope, scope_length))
            continue;
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s:%s", any ? ", " : "",
                                 scoped[i].scope, scoped[i].word);
        any = true;
    }
    uint32_t shown = at.end - at.begin < 40 ? at.end - at.begin : 40;
    const char *text = p->in.text.bytes + at.begin;
    if (any)
        language_fail_syntax(&p->in, at, "there is no %.*s; there are %s", (int)shown, text, known);
    else
        language_fail_syntax(&p->in, at,
                             "there is no %.*s; before \":\" stand span, trace, event, link "
                             "or instrumentation",
                             (int)shown, text);
}

int traceql_lex_scoped(struct traceql_parser *p, struct language_place at,
                       union TRACEQL_TOKEN_VALUE *value)
{
    const char *bytes = p->in.text.bytes + at.begin;
    const char *colon = memchr(bytes, ':', at.end - at.begin);
    size_t scope_length = (size_t)(colon - bytes);
    size_t word_length = at.end - at.begin - scope_length - 1;
    for (size_t i = 0; i < sizeof scoped / sizeof *scoped; i++) {
        if (is_word(scoped[i].scope, bytes, scope_length) &&
            is_word(scoped[i].word, colon + 1, word_length)) {
            set_meaning(value, TRACEQL_TOKEN_FIELD, (short)scoped[i].intrinsic, at);
            return TRACEQL_TOKEN_FIELD;
        }
    }
    no_such_intrinsic(p, at, bytes, scope_length);
    return TRACEQL_TOKEN_WRONG;
}
