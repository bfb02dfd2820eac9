// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/key_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_shown(const char *bytes, uint32_t length, const char *text, bool escaped)
{
    struct buffer out = {0};
    assert_int_equal(key_text(&out, (struct batch_str){bytes, length}), escaped);
    assert_string_equal(buffer_cstring(&out), text);
    buffer_fini(&out);
}

static void text_is_shown_as_it_is(void **state)
{
    (void)state;
    assert_shown("user:1:feed", 11, "user:1:feed", false);
    assert_shown("C:\\x41", 6, "C:\\x41", false);
    assert_shown("gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f", false);
    assert_shown(NULL, 0, "", false);
}

static void other_bytes_are_escaped_so_that_they_can_be_told_apart(void **state)
{
    (void)state;
    assert_shown("a\xff", 2, "a\\xff", true);
    assert_shown("a\0b", 3, "a\\x00b", true);
    assert_shown("\x1b[2J", 4, "\\x1b[2J", true);
    assert_shown("\\\xff", 2, "\\\\\\xff", true);
    assert_shown("\xc3", 1, "\\xc3", true); /* cut within a character */
    assert_shown("\xc3\xbc\x7f", 3, "\xc3\xbc\\x7f", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_shown_as_it_is),
        cmocka_unit_test(other_bytes_are_escaped_so_that_they_can_be_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
