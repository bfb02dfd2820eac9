// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "collector/query/language/input.h"

enum { LENGTH_MAX = 100 };

struct opened {
    struct arena arena;
    struct language_input in;
};

static void open_text(struct opened *o, const char *text)
{
    arena_init(&o->arena, 1024);
    assert_true(language_open(&o->in, &o->arena, text, strlen(text), LENGTH_MAX));
}

static struct language_place all_of(const struct opened *o)
{
    return (struct language_place){0, o->in.text.length};
}

static void a_place_is_told_in_lines_and_characters(void **state)
{
    (void)state;
    struct opened o;
    struct language_error e;
    open_text(&o, "one\n\xc3\xa4\xc3\xb6 two");
    language_fail_syntax(&o.in, (struct language_place){9, 12}, "wrong: %d", 7);
    assert_int_equal(language_close(&o.in, &e), LANGUAGE_ESYNTAX);
    assert_int_equal(e.line, 2);
    assert_int_equal(e.column, 4);
    assert_int_equal(e.place.begin, 9);
    assert_string_equal(e.message, "wrong: 7");
    arena_fini(&o.arena);
}

static void the_first_error_is_told_and_syntax_before_meaning(void **state)
{
    (void)state;
    struct opened o;
    struct language_error e;
    open_text(&o, "a query");
    assert_int_equal(language_close(&o.in, &e), LANGUAGE_SOUND);
    language_fail_meaning(&o.in, all_of(&o), "first meaning");
    language_fail_meaning(&o.in, all_of(&o), "second meaning");
    assert_int_equal(language_close(&o.in, &e), LANGUAGE_EMEANING);
    assert_string_equal(e.message, "first meaning");
    language_fail_depth(&o.in, all_of(&o), 8);
    language_fail_syntax(&o.in, all_of(&o), "second syntax");
    assert_int_equal(language_close(&o.in, &e), LANGUAGE_ESYNTAX);
    assert_string_equal(e.message, "the query is nested more than 8 levels deep");
    o.in.no_memory = true;
    assert_int_equal(language_close(&o.in, &e), LANGUAGE_ENOMEM);
    arena_fini(&o.arena);
}

static void text_that_is_too_long_is_refused(void **state)
{
    (void)state;
    char text[LENGTH_MAX + 1];
    struct arena arena;
    struct language_input in;
    struct language_error e;
    memset(text, 'x', sizeof text);
    arena_init(&arena, 1024);
    assert_true(language_open(&in, &arena, text, LENGTH_MAX, LENGTH_MAX));
    assert_int_equal(*in.end, 0);
    assert_false(language_open(&in, &arena, text, LENGTH_MAX + 1, LENGTH_MAX));
    assert_int_equal(language_close(&in, &e), LANGUAGE_ESYNTAX);
    assert_string_equal(e.message, "the query is longer than 100 bytes");
    assert_int_equal(e.line, 1);
    arena_fini(&arena);
}

static void lists_keep_their_items_as_they_grow(void **state)
{
    (void)state;
    struct opened o;
    uint32_t capacity = 0, *list = NULL;
    open_text(&o, "");
    for (uint32_t i = 0; i < 100; i++) {
        list = language_grow(&o.in, list, i, &capacity, sizeof *list);
        assert_non_null(list);
        assert_true(capacity > i);
        list[i] = i;
    }
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(list[i], i);
    arena_fini(&o.arena);
}

static void strings_have_their_escapes_undone(void **state)
{
    (void)state;
    struct opened o;
    struct batch_str value;
    struct language_error e;
    open_text(&o, "\"a\\n\\x41\\\"\" `b\\n` \"c\\q\"");
    assert_true(language_string(&o.in, (struct language_place){0, 11}, &value));
    assert_int_equal(value.length, 4);
    assert_memory_equal(value.bytes, "a\nA\"", 4);
    value = language_raw_string(&o.in, (struct language_place){12, 17});
    assert_int_equal(value.length, 3);
    assert_memory_equal(value.bytes, "b\\n", 3);
    assert_false(language_string(&o.in, (struct language_place){18, 23}, &value));
    language_close(&o.in, &e);
    assert_int_equal(e.column, 21);
    assert_non_null(strstr(e.message, "no escape \"\\q\""));
    arena_fini(&o.arena);
}

static void what_was_found_and_what_could_stand_are_told(void **state)
{
    (void)state;
    static const char *const phrases[] = {NULL, "a name", "a number", "a string"};
    static const struct language_groups groups = {phrases, 4};
    static const struct {
        const char *text, *found;
    } cases[] = {
        {"", "the end of the query"},
        {"word", "\"word\""},
        {"\"text\"", "\"text\""},
        {"0123456789012345678901234567890123456789x",
         "\"0123456789012345678901234567890123456789…\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct opened o;
        struct language_error e;
        open_text(&o, cases[i].text);
        language_unexpected(&o.in, all_of(&o), &groups, 0x7, " (hint)");
        language_unexpected(&o.in, all_of(&o), &groups, 0x8, "");
        assert_int_equal(language_close(&o.in, &e), LANGUAGE_ESYNTAX);
        assert_string_equal(e.found, cases[i].found);
        assert_string_equal(e.expected, "a name, a number");
        assert_non_null(strstr(e.message, "; here can stand: a name, a number (hint)"));
        arena_fini(&o.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_told_in_lines_and_characters),
        cmocka_unit_test(the_first_error_is_told_and_syntax_before_meaning),
        cmocka_unit_test(text_that_is_too_long_is_refused),
        cmocka_unit_test(lists_keep_their_items_as_they_grow),
        cmocka_unit_test(strings_have_their_escapes_undone),
        cmocka_unit_test(what_was_found_and_what_could_stand_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
