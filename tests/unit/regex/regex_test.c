// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buffer.h"
#include "lib/regex/regex.h"

static bool matches(const char *pattern, const char *text)
{
    char why[100];
    struct regex *r = regex_create(pattern, strlen(pattern), why, sizeof why);
    assert_non_null(r);
    bool result = regex_matches(r, text, strlen(text));
    regex_destroy(&r);
    assert_null(r);
    return result;
}

static void patterns_match_the_whole_text(void **state)
{
    (void)state;
    assert_true(matches("GET|PUT", "PUT"));
    assert_false(matches("GET|PUT", "PUT /a"));
    assert_false(matches("a", "ba"));
    assert_true(matches(".*a.*", "x\nay"));
    assert_true(matches("", ""));
    assert_true(matches("(?i)get", "GeT"));
    assert_true(matches(".", "\xc3\xa4"));
}

static void a_text_that_is_not_utf8_is_matched_by_bytes(void **state)
{
    (void)state;
    assert_true(matches(".*caf.*", "un caf\xe9 noir"));
    assert_true(matches("un caf. noir", "un caf\xe9 noir"));
    assert_false(matches("un caf noir", "un caf\xe9 noir"));
    assert_true(matches("\xc3\xa4.", "\xc3\xa4\xff"));
    assert_true(matches("..", "\xc3\xa4\xc3\xb6"));
    assert_false(matches("....", "\xc3\xa4\xc3\xb6"));
}

static void a_wrong_pattern_says_why(void **state)
{
    (void)state;
    char why[100];
    assert_null(regex_create("a(", 2, why, sizeof why));
    assert_non_null(strstr(why, "missing )"));
    assert_null(regex_create("(a{1000}){1000}", 15, why, sizeof why));
}

static void no_pattern_takes_exponential_time(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 0;
    assert_false(matches("(a*)*(a*)*(a*)*b", text));
}

static void expands(const char *pattern, const char *text, const char *by, const char *to)
{
    char why[100];
    struct buffer out = {0};
    struct regex *r = regex_create(pattern, strlen(pattern), why, sizeof why);
    assert_non_null(r);
    bool matched = regex_expand(r, text, strlen(text), by, strlen(by), &out);
    assert_int_equal(matched, to != NULL);
    buffer_byte(&out, 0);
    assert_string_equal(out.data, to ? to : "");
    buffer_fini(&out);
    regex_destroy(&r);
}

static void a_template_takes_what_groups_matched(void **state)
{
    (void)state;
    expands("(.*)-(.*)", "a-b", "$2/$1", "b/a");
    expands("(.*)-(.*)", "a-b", "${1}0$10", "a0");
    expands("(?P<first>.)(.*)", "abc", "$first${first}_$2$", "aa_bc$");
    expands("(a)?(b)", "b", "[$1$2$3$none]", "[b]");
    expands("(.*)", "x", "$$1$1", "$1x");
    expands("(.)", "xy", "$1", NULL);
    expands("", "", "all", "all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_the_whole_text),
        cmocka_unit_test(a_text_that_is_not_utf8_is_matched_by_bytes),
        cmocka_unit_test(a_wrong_pattern_says_why),
        cmocka_unit_test(no_pattern_takes_exponential_time),
        cmocka_unit_test(a_template_takes_what_groups_matched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
