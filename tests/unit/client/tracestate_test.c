// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tracestate.h"

static char out[TRACESTATE_SIZE];

static const char *write_after(const char *text)
{
    size_t length = tracestate_write(text, strlen(text), out);
    assert_int_equal(length, strlen(out));
    return out;
}

static void nothing_is_said_before_it_is_known_who_we_are(void **state)
{
    (void)state;
    assert_int_equal(tracestate_write("", 0, out), 0);
    assert_string_equal(write_after("rojo=1,weft=web"), "rojo=1,weft=web");
}

static void nothing_is_said_where_it_is_switched_off(void **state)
{
    (void)state;
    setenv("WEFT_TRACESTATE", "0", 1);
    tracestate_settle("shop");
    unsetenv("WEFT_TRACESTATE");
    assert_int_equal(tracestate_write("", 0, out), 0);
}

static void a_name_becomes_a_value_that_is_allowed(void **state)
{
    (void)state;
    const char *names[][2] = {
        {"shop", "weft=shop"},
        {"Shop-2.b_~", "weft=Shop-2.b_~"},
        {"a b,c=d%/\xc3\xa9", "weft=a%20b%2Cc%3Dd%25%2F%C3%A9"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        tracestate_settle(names[i][0]);
        assert_string_equal(write_after(""), names[i][1]);
    }
    tracestate_settle("");
    assert_int_equal(tracestate_write("", 0, out), 0);
}

static void a_long_name_is_cut_between_characters(void **state)
{
    (void)state;
    char name[101];
    memset(name, 'x', 100);
    name[100] = '\0';
    tracestate_settle(name);
    assert_int_equal(strlen(write_after("")), 5 + 64);
    name[62] = ' ';
    tracestate_settle(name);
    assert_int_equal(strlen(write_after("")), 5 + 62);
    name[61] = ' ';
    tracestate_settle(name);
    assert_string_equal(write_after("") + 5 + 61, "%20");
}

static void our_member_comes_first_and_once(void **state)
{
    (void)state;
    tracestate_settle("cell");
    assert_string_equal(write_after("rojo=1,congo=2"), "weft=cell,rojo=1,congo=2");
    assert_string_equal(write_after("rojo=1, weft=web\t,congo=2"), "weft=cell,rojo=1,congo=2");
    assert_string_equal(write_after("weft=web"), "weft=cell");
    assert_string_equal(write_after(" , ,,a@weft=1,, weft2=3"), "weft=cell,a@weft=1,weft2=3");
}

/* `bytes` long with its key. */
static void append_member(char *to, char key, size_t bytes)
{
    size_t used = strlen(to);
    used += (size_t)sprintf(to + used, "%s%c=", used ? "," : "", key);
    memset(to + used, 'v', bytes - 2);
    to[used + bytes - 2] = '\0';
}

static void without_room_large_members_go_first_then_the_last(void **state)
{
    (void)state;
    char text[1024] = "", expected[1024] = "weft=cell";
    append_member(text, 'a', 100);
    append_member(text, 'b', 200);
    append_member(text, 'c', 100);
    append_member(text, 'd', 107);
    append_member(expected, 'a', 100);
    append_member(expected, 'c', 100);
    append_member(expected, 'd', 107);
    assert_int_equal(strlen(text), 510);
    assert_string_equal(write_after(text), expected);

    text[0] = expected[9] = '\0';
    for (char key = 'a'; key < 'f'; key++)
        append_member(text, key, 100);
    for (char key = 'a'; key < 'e'; key++)
        append_member(expected, key, 100);
    assert_string_equal(write_after(text), expected);

    text[0] = expected[9] = '\0'; /* just fits */
    append_member(text, 'a', 501);
    append_member(expected, 'a', 501);
    assert_string_equal(write_after(text), expected);
    assert_int_equal(strlen(out), TRACESTATE_SIZE - 1);
}

static void there_are_32_members_at_most(void **state)
{
    (void)state;
    char text[512] = "";
    for (int i = 0; i < 40; i++)
        sprintf(text + strlen(text), "%sk%02d=v", i ? "," : "", i);
    const char *written = write_after(text);
    size_t commas = 0;
    for (const char *at = written; *at; at++)
        commas += *at == ',';
    assert_int_equal(commas, 31);
    assert_non_null(strstr(written, "k30=v"));
}

static void what_only_says_who_called_is_known(void **state)
{
    (void)state;
    const char *ours[] = {"weft=web", " weft=web ,", "weft=a,weft=b"};
    const char *others[] = {"", ",", "weft=web,rojo=1", "weft2=web", "x=weft=", "weft"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_true(tracestate_is_ours_alone(ours[i], strlen(ours[i])));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(tracestate_is_ours_alone(others[i], strlen(others[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_before_it_is_known_who_we_are),
        cmocka_unit_test(nothing_is_said_where_it_is_switched_off),
        cmocka_unit_test(a_name_becomes_a_value_that_is_allowed),
        cmocka_unit_test(a_long_name_is_cut_between_characters),
        cmocka_unit_test(our_member_comes_first_and_once),
        cmocka_unit_test(without_room_large_members_go_first_then_the_last),
        cmocka_unit_test(there_are_32_members_at_most),
        cmocka_unit_test(what_only_says_who_called_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
