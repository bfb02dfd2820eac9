// SPDX-License-Identifier: Apache-2.0
/* What is a query, what is none, and why: a table with the place and the class of each fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/query/traceql/parse.h"

static const char *const valid[] = {
    /* filters */
    "{ }",
    "{}",
    "{ true }",
    "{ !true }",
    "{ true && false }",
    "{ 1 = 2 }",
    "{ -1 = 2 }",
    "{ \"test\" =~ \"test\" }",
    "{ .a }",
    "{ !.a }",
    "{ .a && false }",
    "{ -.a = 2 }",
    "{ .a =~ `x.*` || .a !~ \"y\" }",
    "{ resource.a != 3 && span.a != 3 && event.a = 1 && link.a = 1 && instrumentation.a = 1 }",
    "{ !(\"test\" != .c || ((true && .b) || 3 < .a)) }",
    "{ status = ok || status = unset || status = error || status = died || status = in_flight }",
    "{ kind = internal || kind = server || kind = client || kind = producer || kind = consumer || "
    "kind = unspecified }",
    "{ statusMessage = \"\" }",
    "{ traceDuration > 1s }",
    "{ rootServiceName = \"foo\" && rootName != \"foo\" }",
    "{ 1 < 1h && 1 <= 1.1 }",
    "{ nestedSetLeft > 3 && nestedSetRight < 9 && nestedSetParent = -1 }",
    "{ childCount = 0 || span:childCount > 2 }",
    "{ parent = nil || nil != parent }",
    "{ parent.duration > 1s && parent.name = \"a\" && parent.kind = server }",
    "{ parent.a != 3 && parent.span.a = 1 && parent.resource.a }",
    "{ .a = nil && nil != .b && nil = nil }",
    "{ span.value != minInt && span.value != maxInt && .x > -minInt }",
    "{ span.\"a b\" = 1 && span.a.\"b c\".d = 1 && .\"1\\\"2\\\\\" = 1 }",
    "{ span.a-b*c/d+e%f = 1 }",
    "{span.a=1}",
    "{ trace:duration > 2s && trace:rootName = \"a\" && trace:rootService = \"a\" && trace:id = "
    "\"0f\" }",
    "{ span:duration > 2s && span:status = error && span:kind = client && span:statusMessage = "
    "\"m\" && span:id = \"61\" && span:parentID = \"61\" && span:name = \"n\" }",
    "{ event:name = \"exception\" && event:timeSinceStart > 1s }",
    "{ link:traceID = \"f1\" && link:spanID = \"f1\" }",
    "{ instrumentation:name = \"grpc\" && instrumentation:version = \"v3.34\" }",
    "{ 1 + 1 - 1 * 1 / 1 ^ 1 % 2 = 2 }",
    "{ (-(3 / 2) * .test - parent.blerg + .other) ^ 3 = 2 }",
    "{ duration > 1s * 2s }",
    "{ duration > 1h2m3.5ms && duration < 2d && duration != 1.5us && duration = 3\xc2\xb5s && "
    "duration < 1w1y }",
    "{ .a = .5 && .b = 1. && .c = 1e3 && .d = 1.5E-3 }",
    "{ .a = \"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\x41\\101\\u00e4\\U0001F600\" }",
    "{ .http.status >= \"200\" }",
    "{ .a = 1 } // the end",
    "/* a */ { /* b */ .a = 1 }",
    "{\n  name = \"a\" &&\n  kind = server\n}",
    "{\xc2\xa0name = \"a\"\xe2\x80\x83}",
    /* sets */
    "{ true } && { true } || { true }",
    "{ } > { } < { } >> { } << { } ~ { }",
    "{ } !> { } !< { } !>> { } !<< { } !~ { }",
    "{ } &> { } &< { } &>> { } &<< { } &~ { }",
    "({ } | count() > 1 | { false }) >> ({ } | count() > 1 | { false })",
    "(({ } >> { }) && ({ }))",
    "(count() > 1) && { true }",
    /* scalars */
    "avg(.field) > 1",
    "max(duration) >= 1s",
    "{ } | min(duration) = 1h",
    "{ } | sum(1 + .a) = 1",
    "max(duration) > 3s | { status = error || .http.status = 500 }",
    "{ } | count() + count() = 1",
    "min(.field) + max(childCount) > max(duration) - min(.field)",
    "min(childCount) < 2 / 6",
    "3 = 2",
    "-2 ^ 2 < count()",
    "({ } | count()) * ({ } | count()) < ({ } | count()) / ({ } | count())",
    "({ .http.status = 200 } | count()) + ({ name = `foo` } | avg(duration)) = 2",
    "(by(name) | coalesce() | count()) > 2 * 2",
    "2 < ({ } | count())",
    /* by, coalesce, select */
    "{ } | by(1 + .a) | coalesce()",
    "by(.a) | { true }",
    "{ } | by(resource.service.name) | count() > 2",
    "{ } | by(3 * .field - 2) | max(duration) < 1s",
    "select(.a)",
    "{} | select(.a,.b, span:id , name)",
    "({ } | by(name)) && { }",
    /* metrics */
    "{} | rate()",
    "{} | count_over_time() by (name) with(sample=0.1)",
    "{} | min_over_time(duration) by (span.http.path)",
    "{} | max_over_time(.x) | topk(3)",
    "{} | avg_over_time(duration) by (span.http.path, resource.service.name)",
    "{} | sum_over_time(span.bytes)",
    "{} | quantile_over_time(duration, 0, .9, 1) by (span.http.path)",
    "{} | histogram_over_time(duration)",
    "{} | compare({ status = error })",
    "{} | compare({}, 5)",
    "{} | compare({ status = error }, 5, 1700000000000000000, 1700000001000000000)",
    "{} >> { } | count() > 2 | rate() by (name) > 10 | topk(3) < 20 | bottomk(1)",
    "{} | rate() > 1ms",
    "{} | rate() != -1.5",
    "({ status = error } | rate()) / ({ } | rate())",
    "(({} | rate()) + ({} | rate() by (name) | topk(2))) * ({} | rate()) >= 0.5 | topk(2)",
    "{} with (most_recent=true) with (exemplars=5, sample=true)",
};

/* The column of the fault is where ^ stands in `mark`; the sentence has `says` in it. */
static const struct {
    const char *query, *mark;
    enum language_fault fault;
    const char *says;
} invalid[] = {
    /* syntax */
    {"", "^", LANGUAGE_ESYNTAX, "found the end of the query"},
    {"true", "^", LANGUAGE_ESYNTAX, "found \"true\""},
    {"[ true ]", "^", LANGUAGE_ESYNTAX, "a character"},
    {"( true )", "  ^", LANGUAGE_ESYNTAX, "found \"true\""},
    {"{ . }", "  ^", LANGUAGE_ESYNTAX, "name is missing"},
    {"{ span. }", "  ^", LANGUAGE_ESYNTAX, "name is missing"},
    {"{ span.\"\" }", "  ^", LANGUAGE_ESYNTAX, "name is empty"},
    {"{ < }", "  ^", LANGUAGE_ESYNTAX, "here can stand: \"(\", a field"},
    {"{ .a < }", "       ^", LANGUAGE_ESYNTAX, "found \"}\"; here can stand: \"(\", a field"},
    {"{ .a < 3", "        ^", LANGUAGE_ESYNTAX, "found the end of the query"},
    {"{ (.a < 3 }", "          ^", LANGUAGE_ESYNTAX, "\")\""},
    {"{ attribute = 4 }", "  ^", LANGUAGE_ESYNTAX, "attributes begin with a scope"},
    {"{ .attribute == 4 }", "             ^", LANGUAGE_ESYNTAX, "one \"=\""},
    {"{ } foo", "    ^", LANGUAGE_ESYNTAX, "the end of the query"},
    {"max(name) = \"foo\"", "            ^", LANGUAGE_ESYNTAX, "a number, a duration"},
    {"{ } | notAnAggregate() = 1", "      ^", LANGUAGE_ESYNTAX, "notAnAggregate"},
    {"{ } | count = 1", "            ^", LANGUAGE_ESYNTAX, "here can stand: \"(\""},
    {"{ } | max() = 1", "          ^", LANGUAGE_ESYNTAX, "found \")\""},
    {"{ } | by()", "         ^", LANGUAGE_ESYNTAX, "found \")\""},
    {"coalesce() | { }", "^", LANGUAGE_ESYNTAX, "found \"coalesce\""},
    {"select()", "       ^", LANGUAGE_ESYNTAX, "here can stand: a field"},
    {"select(.a", "         ^", LANGUAGE_ESYNTAX, "\",\", \")\""},
    {"select(1 + 1)", "       ^", LANGUAGE_ESYNTAX, "here can stand: a field"},
    {"{ trace:status = error }", "  ^", LANGUAGE_ESYNTAX, "there are trace:id, trace:duration"},
    {"{ trace:rootServiceName = \"a\" }", "  ^", LANGUAGE_ESYNTAX, "there is no"},
    {"{ resource:name = \"a\" }", "  ^", LANGUAGE_ESYNTAX, "before \":\" stand"},
    {"{ .a = 5x }", "       ^", LANGUAGE_ESYNTAX, "no number and no duration"},
    {"{ .a = 9223372036854775808 }", "       ^", LANGUAGE_ESYNTAX, "larger than"},
    {"{ .a = 1e999 }", "       ^", LANGUAGE_ESYNTAX, "too large"},
    {"{ .a = 300y }", "       ^", LANGUAGE_ESYNTAX, "too long"},
    {"{ .a = \"abc }", "       ^", LANGUAGE_ESYNTAX, "no end"},
    {"{ .a = `abc }", "       ^", LANGUAGE_ESYNTAX, "no end"},
    {"{ .a = 'abc' }", "       ^", LANGUAGE_ESYNTAX, "strings are written"},
    {"{ .a = \"a\\qb\" }", "         ^", LANGUAGE_ESYNTAX, "no escape \"\\q\""},
    {"{ .a = \"\\ud800\" }", "        ^", LANGUAGE_ESYNTAX, "no escape"},
    {"{ span.\"a\\n\" }", "  ^", LANGUAGE_ESYNTAX, "no escapes but"},
    {"{ } /* x", "    ^", LANGUAGE_ESYNTAX, "comment has no end"},
    {"{ .a = \xff }", "       ^", LANGUAGE_ESYNTAX, "not UTF-8"},
    {"{ \xc3\xa4 }", "  ^", LANGUAGE_ESYNTAX, "a character"},
    {"{ .a = \"\xc3\xa4\xc3\xb6\" < }", "              ^", LANGUAGE_ESYNTAX, "found \"}\""},
    {"{} | quantile_over_time(duration)", "                                ^", LANGUAGE_ESYNTAX,
     "here can stand: \",\""},
    {"{} | topk(1.5)", "          ^", LANGUAGE_ESYNTAX, "a whole number"},
    {"{} with (true=1)", "         ^", LANGUAGE_ESYNTAX, "the name of a hint"},
    {"{} with (x=status)", "           ^", LANGUAGE_ESYNTAX, "found \"status\""},
    /* both: what does not parse is a syntax error */
    {"{ } + { } <", "           ^", LANGUAGE_ESYNTAX, "found the end"},
    /* filters are true or false */
    {"{ status }", "  ^", LANGUAGE_EMEANING, "true or false for each span"},
    {"{ 1 + 1 }", "    ^", LANGUAGE_EMEANING, "1 + 1 is an integer"},
    {"{ \"foo\" }", "  ^", LANGUAGE_EMEANING, "a string"},
    {"{ nil }", "  ^", LANGUAGE_EMEANING, "nil is nil"},
    /* types of operands */
    {"{ duration = \"x\" }", "           ^", LANGUAGE_EMEANING, "duration is a duration"},
    {"{ 1 + \"a\" = 2 }", "    ^", LANGUAGE_EMEANING, "\"a\" is a string"},
    {"{ 1 / ok = 1 }", "    ^", LANGUAGE_EMEANING, "a status"},
    {"{ 1 ^ name = 1 }", "    ^", LANGUAGE_EMEANING, "name is a string"},
    {"{ 1 != true }", "    ^", LANGUAGE_EMEANING, "joins values of one kind"},
    {"{ 1 =~ \"2\" }", "    ^", LANGUAGE_EMEANING, "\"=~\" does not work on an integer"},
    {"{ 1 && \"foo\" }", "    ^", LANGUAGE_EMEANING, "\"&&\" does not work"},
    {"{ true || 1.1 }", "       ^", LANGUAGE_EMEANING, "1.1 is a number"},
    {"{ status > ok }", "         ^", LANGUAGE_EMEANING, "a status"},
    {"{ kind < consumer }", "       ^", LANGUAGE_EMEANING, "a kind"},
    {"{ status = server }", "         ^", LANGUAGE_EMEANING, "server is a kind"},
    {"{ status = \"error\" }", "         ^", LANGUAGE_EMEANING, "a string"},
    {"{ traceDuration > \"test\" }", "                ^", LANGUAGE_EMEANING, "a string"},
    {"{ rootServiceName = 1 }", "                  ^", LANGUAGE_EMEANING, "an integer"},
    {"{ nestedSetRight = false }", "                 ^", LANGUAGE_EMEANING, "true or false"},
    {"{ -true }", "  ^", LANGUAGE_EMEANING, "\"-\" does not work"},
    {"{ -name = \"foo\" }", "  ^", LANGUAGE_EMEANING, "\"-\" does not work"},
    {"{ !\"foo\" = \"bar\" }", "  ^", LANGUAGE_EMEANING, "\"!\" does not work"},
    {"{ !1h = 1 }", "  ^", LANGUAGE_EMEANING, "\"!\" does not work"},
    {"{ .a < nil }", "     ^", LANGUAGE_EMEANING, "nil compares by"},
    {"{ .a && nil }", "     ^", LANGUAGE_EMEANING, "nil compares by"},
    {"{ parent }", "  ^", LANGUAGE_EMEANING, "only compares with nil"},
    {"{ 1 >= parent }", "       ^", LANGUAGE_EMEANING, "only compares with nil"},
    {"{ 1 < 2 < 3 }", "        ^", LANGUAGE_EMEANING, "1 < 2 is true or false"},
    /* patterns */
    {"{ .a =~ \"[\" }", "        ^", LANGUAGE_EMEANING, "no regular expression"},
    {"{ .a =~ .b }", "        ^", LANGUAGE_EMEANING, "the pattern right of"},
    /* what operators join */
    {"{ true } + { true }", "         ^", LANGUAGE_EMEANING, "cannot join a set of spans"},
    {"{ true } = { true }", "         ^", LANGUAGE_EMEANING, "cannot join"},
    {"{ } > 2", "    ^", LANGUAGE_EMEANING, "a set of spans and a number"},
    {"count() > 3 && { true }", "            ^", LANGUAGE_EMEANING, "a condition on numbers"},
    {"({ } | rate()) / 2", "               ^", LANGUAGE_EMEANING, "series and a number"},
    {"({ } | rate()) % ({ } | rate())", "               ^", LANGUAGE_EMEANING, "cannot join"},
    {"{ } | rate() / rate()", "             ^", LANGUAGE_EMEANING, "stand in parentheses"},
    {"({ } | by(name)) > { }", "                 ^", LANGUAGE_EMEANING, "coalesce() joins them"},
    {"({ } | by(name) | count()) > 2", "^", LANGUAGE_EMEANING, "coalesce() joins them"},
    /* aggregates, by */
    {"{ } | count()", "      ^", LANGUAGE_EMEANING, "ends with a number"},
    {"avg(.field) + 1", "^", LANGUAGE_EMEANING, "ends with a number"},
    {"{ } | count() | { }", "                ^", LANGUAGE_EMEANING, "compare it"},
    {"max(name) = 1", "    ^", LANGUAGE_EMEANING, "name is a string"},
    {"max(kind) = 1", "    ^", LANGUAGE_EMEANING, "a kind"},
    {"min(1 = 3) = 1", "      ^", LANGUAGE_EMEANING, "true or false"},
    {"max(1h + 2h) > 1", "       ^", LANGUAGE_EMEANING, "same for all spans"},
    {"{ } | by(1)", "         ^", LANGUAGE_EMEANING, "same for all spans"},
    {"{ } | select(parent)", "             ^", LANGUAGE_EMEANING, "only compares with nil"},
    /* metrics */
    {"rate()", "^", LANGUAGE_EMEANING, "no spans to work on"},
    {"{} | rate() | count() > 1", "              ^", LANGUAGE_EMEANING, "series and no spans"},
    {"{} | rate() | { }", "              ^", LANGUAGE_EMEANING, "series and no spans"},
    {"{} | topk(3)", "     ^", LANGUAGE_EMEANING, "choose among series"},
    {"{} | rate() | topk(0)", "              ^", LANGUAGE_EMEANING, "1 or more"},
    {"{} | ({} | rate())", "     ^", LANGUAGE_EMEANING, "their own spans"},
    {"{} | avg_over_time(name)", "                   ^", LANGUAGE_EMEANING, "works on numbers"},
    {"{} | quantile_over_time(duration, 1.5)", "     ^", LANGUAGE_EMEANING, "between 0 and 1"},
    {"{} | compare({ status = error }, 0)", "     ^", LANGUAGE_EMEANING, "at least one"},
    {"{} | compare({}, 1, 5, 4)", "     ^", LANGUAGE_EMEANING, "a later end"},
    {"{} | compare({ 1 })", "               ^", LANGUAGE_EMEANING, "true or false"},
    {"{} with (foo=1)", "         ^", LANGUAGE_EMEANING, "there is no hint \"foo\""},
    {"{} with (most_recent=1)", "         ^", LANGUAGE_EMEANING, "true or false"},
};

static enum language_fault parse(const char *text, struct language_error *e)
{
    struct arena arena;
    struct traceql_query *query;
    arena_init(&arena, 4096);
    enum language_fault fault = traceql_parse(&arena, text, strlen(text), &query, e);
    assert_int_equal(fault, e->fault);
    assert_int_equal(fault == LANGUAGE_SOUND, query != NULL);
    arena_fini(&arena);
    return fault;
}

static void what_the_language_has_is_accepted(void **state)
{
    (void)state;
    struct language_error e;
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        if (parse(valid[i], &e) != LANGUAGE_SOUND)
            fail_msg("%s\nline %u, column %u: %s", valid[i], e.line, e.column, e.message);
    }
}

static void faults_are_told_with_their_place_and_class(void **state)
{
    (void)state;
    struct language_error e;
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        enum language_fault fault = parse(invalid[i].query, &e);
        uint32_t column = (uint32_t)strlen(invalid[i].mark);
        if (fault != invalid[i].fault || e.line != 1 || e.column != column ||
            !strstr(e.message, invalid[i].says))
            fail_msg(
                "%s\nclass %d instead of %d, column %u instead of %u: %s\nwhere this is not: %s",
                invalid[i].query, fault, invalid[i].fault, e.column, column, e.message,
                invalid[i].says);
    }
}

static void lines_are_counted(void **state)
{
    (void)state;
    struct language_error e;
    assert_int_equal(parse("{ name = \"a\" &&\n\t\xc3\xa4 }", &e), LANGUAGE_ESYNTAX);
    assert_int_equal(e.line, 2);
    assert_int_equal(e.column, 2);
}

static void found_and_expected_are_told_apart_from_the_sentence(void **state)
{
    (void)state;
    struct language_error e;
    assert_int_equal(parse("{ } | select(name", &e), LANGUAGE_ESYNTAX);
    assert_string_equal(e.found, "the end of the query");
    assert_string_equal(e.expected, "\",\", \")\"");
}

/* `first`, `count` times `part`, then `rest`. */
static char *repeated(const char *first, const char *part, size_t count, const char *rest)
{
    size_t length = strlen(part), begin = strlen(first);
    char *text = malloc(begin + length * count + strlen(rest) + 1);
    assert_non_null(text);
    memcpy(text, first, begin);
    for (size_t i = 0; i < count; i++)
        memcpy(text + begin + i * length, part, length);
    strcpy(text + begin + length * count, rest);
    return text;
}

static void depth_is_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *first, *part, *rest;
    } deep[] = {
        {"", "(", ""},
        {"", "{ } && ", "{ }"},
        {"{ } | rate()", " | topk(1) > 1", ""},
        {"{ .a = ", "-", ".b }"},
        {"{ .a = ", "(", ""},
        {"", "({ } | count() > 1) && ", "{ }"},
        {"{ .a = 1", " + 1", " }"},
        {"count() > ", "1 + ", "1"},
    };
    struct language_error e;
    for (size_t i = 0; i < sizeof deep / sizeof *deep; i++) {
        char *text = repeated(deep[i].first, deep[i].part, 4500, deep[i].rest);
        assert_int_equal(parse(text, &e), LANGUAGE_ESYNTAX);
        free(text);
    }
    char *text = repeated("", "(", 5000, "");
    assert_int_equal(parse(text, &e), LANGUAGE_ESYNTAX);
    assert_non_null(strstr(e.message, "nested"));
    free(text);
    text = repeated("", "{ } && ", 900, "{ }");
    assert_int_equal(parse(text, &e), LANGUAGE_SOUND);
    free(text);
}

static void patterns_are_counted(void **state)
{
    (void)state;
    struct language_error e;
    char *text = repeated("{ .a = 1", " || .b =~ \"x\"", TRACEQL_PATTERNS_MAX, " }");
    assert_int_equal(parse(text, &e), LANGUAGE_SOUND);
    free(text);
    text = repeated("{ .a = 1", " || .b =~ \"x\"", TRACEQL_PATTERNS_MAX + 1, " }");
    assert_int_equal(parse(text, &e), LANGUAGE_EMEANING);
    free(text);
    text = repeated("{ } | rate() by (.x", ", .x", TRACEQL_BY_MAX, ")");
    assert_int_equal(parse(text, &e), LANGUAGE_EMEANING);
    free(text);
}

static void length_is_bounded(void **state)
{
    (void)state;
    struct language_error e;
    char *text = repeated("", " ", TRACEQL_LENGTH_MAX + 1, "{ }");
    assert_int_equal(parse(text, &e), LANGUAGE_ESYNTAX);
    assert_non_null(strstr(e.message, "longer than"));
    free(text);
}

static void a_nul_is_no_end(void **state)
{
    (void)state;
    struct arena arena;
    struct traceql_query *query;
    struct language_error e;
    arena_init(&arena, 4096);
    assert_int_equal(traceql_parse(&arena, "{ }\0{ }", 7, &query, &e), LANGUAGE_ESYNTAX);
    assert_int_equal(e.column, 4);
    arena_fini(&arena);
}

static void durations_and_escapes_have_their_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } durations[] = {
        {"1h2m3.5ms", INT64_C(3720003500000)},    {"1.5s", 1500000000}, {"3\xc2\xb5s", 3000},
        {"1d", INT64_C(86400000000000)},          {"0.0000000001s", 0}, {".5us", 500},
        {"1.999999999999999999999s", 1999999999},
    };
    struct arena arena;
    struct traceql_query *query;
    struct language_error e;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        char text[64];
        snprintf(text, sizeof text, "{ duration = %s }", durations[i].text);
        assert_int_equal(traceql_parse(&arena, text, strlen(text), &query, &e), LANGUAGE_SOUND);
        assert_int_equal(query->pipeline->first->set->filter->right->value.integer,
                         durations[i].ns);
    }
    const char *text = "{ .\"a\\\"b\".c = \"\\x41\\101\\u00e4\\n\" }";
    assert_int_equal(traceql_parse(&arena, text, strlen(text), &query, &e), LANGUAGE_SOUND);
    const struct traceql_expr *filter = query->pipeline->first->set->filter;
    assert_int_equal(filter->left->field.key.length, 5);
    assert_memory_equal(filter->left->field.key.bytes, "a\"b.c", 5);
    assert_int_equal(filter->right->value.text.length, 5);
    assert_memory_equal(filter->right->value.text.bytes, "AA\xc3\xa4\n", 5);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_language_has_is_accepted),
        cmocka_unit_test(faults_are_told_with_their_place_and_class),
        cmocka_unit_test(lines_are_counted),
        cmocka_unit_test(found_and_expected_are_told_apart_from_the_sentence),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(patterns_are_counted),
        cmocka_unit_test(length_is_bounded),
        cmocka_unit_test(a_nul_is_no_end),
        cmocka_unit_test(durations_and_escapes_have_their_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
