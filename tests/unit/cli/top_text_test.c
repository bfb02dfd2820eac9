// SPDX-License-Identifier: Apache-2.0
#include "cli/top_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <string.h>

static void assert_shown(const char *text, size_t columns, const char *expected, size_t used)
{
    struct buffer out = {0};
    assert_int_equal(top_text(&out, text, columns), used);
    assert_string_equal(buffer_cstring(&out), expected);
    buffer_fini(&out);
}

static void what_drives_a_terminal_is_escaped(void **state)
{
    (void)state;
    assert_shown("a\033[2Jb", SIZE_MAX, "a\\x1b[2Jb", 9);
    assert_shown("\x9b\x7f\xff", SIZE_MAX, "\\x9b\\x7f\\xff", 12);
    assert_shown("\xc2\x9b", SIZE_MAX, "\\xc2\\x9b", 8); /* CSI of the second block */
    assert_shown("a\xe2\x80\xaetxt", SIZE_MAX, "a\\xe2\\x80\\xaetxt", 16); /* turns the line */
    assert_shown("a\xcc\x81", SIZE_MAX, "a\\xcc\\x81", 9);                 /* of no width */
}

static void wide_characters_take_two_columns_and_are_never_halved(void **state)
{
    (void)state;
    assert_shown("\xe6\xbc\xa2\xe5\xad\x97", SIZE_MAX, "\xe6\xbc\xa2\xe5\xad\x97", 4);
    assert_shown("\xe6\xbc\xa2\xe5\xad\x97", 3, "\xe6\xbc\xa2…", 3);
    assert_shown("\xe6\xbc\xa2\xe5\xad\x97", 2, "…", 1);
    assert_shown("gr\xc3\xbc\xc3\x9f", 4, "gr\xc3\xbc\xc3\x9f", 4);
}

static void a_text_is_cut_with_a_sign_and_never_takes_more(void **state)
{
    (void)state;
    assert_shown("abcdef", 6, "abcdef", 6);
    assert_shown("abcdef", 5, "abcd…", 5);
    assert_shown("abcdef", 1, "…", 1);
    assert_shown("abcdef", 0, "", 0);
    assert_shown("ab\033", 5, "ab…", 3); /* an escape is not halved either */
}

static void texts_are_filled_to_a_width(void **state)
{
    struct buffer out = {0};
    (void)state;
    top_text_left(&out, "\xe6\xbc\xa2", 4);
    buffer_byte(&out, '|');
    top_text_right(&out, "12", 4);
    buffer_byte(&out, '|');
    top_text_right(&out, "123456", 4);
    assert_string_equal(buffer_cstring(&out), "\xe6\xbc\xa2  |  12|123…");
    buffer_fini(&out);
}

static void where_there_is_no_unicode_ascii_is_shown(void **state)
{
    (void)state;
    setlocale(LC_CTYPE, "C");
    assert_shown("gr\xc3\xbc", SIZE_MAX, "gr\\xc3\\xbc", 10);
    assert_shown("abcdef", 4, "abc~", 4);
    setlocale(LC_CTYPE, "C.UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_drives_a_terminal_is_escaped),
        cmocka_unit_test(wide_characters_take_two_columns_and_are_never_halved),
        cmocka_unit_test(a_text_is_cut_with_a_sign_and_never_takes_more),
        cmocka_unit_test(texts_are_filled_to_a_width),
        cmocka_unit_test(where_there_is_no_unicode_ascii_is_shown),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
