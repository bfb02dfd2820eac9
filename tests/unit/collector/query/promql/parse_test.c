// SPDX-License-Identifier: Apache-2.0
/* What is a query, what is none, and why: the place and the class of each fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/query/promql/parse.h"
#include "tests/unit/collector/query/promql/queries.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

struct wrong {
    const char *text;
    enum language_fault fault;
    uint32_t line, column;
    const char *said; /* within the message */
};

static const struct wrong wrong[] = {
    /* not a query */
    {"", LANGUAGE_ESYNTAX, 1, 1, "found the end of the query"},
    {"# a comment", LANGUAGE_ESYNTAX, 1, 12, "found the end of the query"},
    {"sum(", LANGUAGE_ESYNTAX, 1, 5, "a metric or a function"},
    {"foo{a=\"b\"", LANGUAGE_ESYNTAX, 1, 10, "\",\", \"}\""},
    {"foo{a=b}", LANGUAGE_ESYNTAX, 1, 7, "found \"b\"; here can stand: a string"},
    {"foo{a \"b\"}", LANGUAGE_ESYNTAX, 1, 7, "found \"b\"; here can stand: ="},
    {"foo[5m", LANGUAGE_ESYNTAX, 1, 7, "\"]\""},
    {"foo[5m] offset", LANGUAGE_ESYNTAX, 1, 15, "a number or a duration"},
    {"foo @", LANGUAGE_ESYNTAX, 1, 6, "found the end"},
    {"foo bar", LANGUAGE_ESYNTAX, 1, 5, "found \"bar\""},
    {"foo\n+ +\n)", LANGUAGE_ESYNTAX, 3, 1, "found \")\""},
    {"\"\xc3\xa4\xc3\xb6\" $", LANGUAGE_ESYNTAX, 1, 6, "means nothing"},
    {"(foo", LANGUAGE_ESYNTAX, 1, 5, "\")\""},
    {"foo)", LANGUAGE_ESYNTAX, 1, 4, "found \")\""},
    {"sum(foo) by", LANGUAGE_ESYNTAX, 1, 12, "\"(\""},
    {"sum by (a", LANGUAGE_ESYNTAX, 1, 10, "\")\""},
    {"a on(b) c", LANGUAGE_ESYNTAX, 1, 3, "found \"on\""},
    {"'abc", LANGUAGE_ESYNTAX, 1, 1, "no end"},
    {"foo{a=\"\\q\"}", LANGUAGE_ESYNTAX, 1, 8, "no escape"},
    {"1__0", LANGUAGE_ESYNTAX, 1, 1, "no number"},
    {"1_", LANGUAGE_ESYNTAX, 1, 1, "no number"},
    {"5k", LANGUAGE_ESYNTAX, 1, 1, "no number"},
    {"foo[5m5h]", LANGUAGE_ESYNTAX, 1, 5, "none stands twice"},
    /* a query that means nothing */
    {"rate(foo)", LANGUAGE_EMEANING, 1, 6, "takes a range vector here"},
    {"abs(foo[5m])", LANGUAGE_EMEANING, 1, 5, "takes an instant vector"},
    {"rate(foo[5m], 3)", LANGUAGE_EMEANING, 1, 1, "takes 1 argument"},
    {"nofunc(a)", LANGUAGE_EMEANING, 1, 1, "no function named nofunc"},
    {"1 + \"a\"", LANGUAGE_EMEANING, 1, 5, "this is a string"},
    {"foo[5m] + 1", LANGUAGE_EMEANING, 1, 1, "this is a range vector"},
    {"foo and 1", LANGUAGE_EMEANING, 1, 1, "between instant vectors"},
    {"1 == 1", LANGUAGE_EMEANING, 1, 1, "need bool"},
    {"sum(foo, bar)", LANGUAGE_EMEANING, 1, 1, "takes 1 argument"},
    {"topk(foo)", LANGUAGE_EMEANING, 1, 1, "takes 2 arguments"},
    {"topk(\"a\", foo)", LANGUAGE_EMEANING, 1, 6, "scalar"},
    {"{}", LANGUAGE_EMEANING, 1, 1, "needs a matcher"},
    {"{a=~\".*\"}", LANGUAGE_EMEANING, 1, 1, "needs a matcher"},
    {"{a!=\"b\"}", LANGUAGE_EMEANING, 1, 1, "needs a matcher"},
    {"x{a=~\"(\"}", LANGUAGE_EMEANING, 1, 3, "no regular expression"},
    {"foo{__name__=\"bar\"}", LANGUAGE_EMEANING, 1, 5, "set twice"},
    {"foo offset 5m offset 5m", LANGUAGE_EMEANING, 1, 1, "written twice"},
    {"foo[0]", LANGUAGE_EMEANING, 1, 5, "greater than 0"},
    {"a + on(b) group_left(b) c", LANGUAGE_EMEANING, 1, 1, "group_left"},
    {"1 + on(b) c", LANGUAGE_EMEANING, 1, 1, "vector"},
    {"a and on(b) group_left c", LANGUAGE_EMEANING, 1, 1, "group"},
    {"a + bool b", LANGUAGE_EMEANING, 1, 1, "bool"},
    {"1[5m:1m]", LANGUAGE_EMEANING, 1, 1, "instant vector"},
    {"(foo + bar) offset 5m", LANGUAGE_EMEANING, 1, 1, "offset"},
    {"(foo + bar)[5m]", LANGUAGE_EMEANING, 1, 1, "selector"},
};

static struct language_error error;

static enum language_fault parse(const char *text, size_t length)
{
    struct arena arena;
    struct promql_query *query;
    arena_init(&arena, 4096);
    memset(&error, 0, sizeof error);
    enum language_fault fault = promql_parse(&arena, text, length, &query, &error);
    assert_int_equal(query == NULL, fault != LANGUAGE_SOUND);
    arena_fini(&arena);
    return fault;
}

static void sound_queries_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sound_queries); i++)
        if (parse(sound_queries[i], strlen(sound_queries[i])) != LANGUAGE_SOUND)
            fail_msg("%s: %u:%u %s", sound_queries[i], error.line, error.column, error.message);
}

static void a_wrong_query_says_where_and_why(void **state)
{
    (void)state;
    size_t failures = 0;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const struct wrong *w = &wrong[i];
        enum language_fault fault = parse(w->text, strlen(w->text));
        if (fault == w->fault && error.fault == fault && error.line == w->line &&
            error.column == w->column && strstr(error.message, w->said))
            continue;
        failures++;
        print_error("%s: %d at %u:%u: %s\n", w->text, fault, error.line, error.column,
                    error.message);
    }
    assert_int_equal(failures, 0);
}

static void what_was_found_and_what_could_stand_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(parse("foo{a=b}", 8), LANGUAGE_ESYNTAX);
    assert_string_equal(error.found, "\"b\"");
    assert_string_equal(error.expected, "a string");
}

/* No query is cut short in silence, and no text makes the parser read beyond it. */
static void every_beginning_of_a_query_is_sound_or_has_an_error_within(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sound_queries); i++) {
        size_t length = strlen(sound_queries[i]);
        for (size_t cut = 0; cut <= length; cut++) {
            char *text = malloc(cut + 1);
            memcpy(text, sound_queries[i], cut);
            if (parse(text, cut) != LANGUAGE_SOUND) {
                assert_true(error.place.begin <= cut);
                assert_true(error.line > 0 && error.column > 0);
                assert_true(error.message[0] != 0);
            }
            free(text);
        }
    }
}

static void depth_and_length_are_limited(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    char *text = malloc(2 * DEEP + 1);
    memset(text, '(', DEEP);
    text[DEEP] = '1';
    memset(text + DEEP + 1, ')', DEEP);
    assert_int_equal(parse(text, 2 * DEEP + 1), LANGUAGE_ESYNTAX);
    memset(text, '-', DEEP);
    memcpy(text + DEEP, "foo", 3);
    assert_int_not_equal(parse(text, DEEP + 3), LANGUAGE_SOUND);
    free(text);
    size_t length = PROMQL_LENGTH_MAX + 1;
    text = malloc(length);
    memset(text, ' ', length);
    text[0] = '1';
    assert_int_equal(parse(text, length), LANGUAGE_ESYNTAX);
    assert_int_equal(parse(text, length - 1), LANGUAGE_SOUND);
    free(text);
}

static void every_function_is_found_by_its_name(void **state)
{
    (void)state;
    for (int id = 0; id < PROMQL_FUNCTION_COUNT; id++) {
        const struct promql_function *f = promql_function_at((enum promql_function_id)id);
        assert_ptr_equal(
            promql_function_named((struct batch_str){f->name, (uint32_t)strlen(f->name)}), f);
    }
    assert_null(promql_function_named((struct batch_str){"rat", 3}));
    assert_null(promql_function_named((struct batch_str){"rates", 5}));
    assert_null(promql_function_named((struct batch_str){"", 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_queries_are_read),
        cmocka_unit_test(a_wrong_query_says_where_and_why),
        cmocka_unit_test(what_was_found_and_what_could_stand_are_told_apart),
        cmocka_unit_test(every_beginning_of_a_query_is_sound_or_has_an_error_within),
        cmocka_unit_test(depth_and_length_are_limited),
        cmocka_unit_test(every_function_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
