// SPDX-License-Identifier: Apache-2.0
#include "lib/base/quoted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void assert_put(const char *bytes, size_t length, const char *expected)
{
    struct buffer out = {0};
    quoted_put(&out, bytes, length);
    assert_string_equal(buffer_cstring(&out), expected);
    buffer_fini(&out);
}

static void what_is_odd_is_escaped_and_utf8_stays(void **state)
{
    (void)state;
    assert_put("", 0, "\"\"");
    assert_put("a\"b\\c\nd", 7, "\"a\\\"b\\\\c\\nd\"");
    assert_put("\0\t\x7f", 3, "\"\\x00\\x09\\x7f\"");
    assert_put("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", 11,
               "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"");
    assert_put("\xc3(\xff\xed\xa0\x80", 6, "\"\\xc3(\\xff\\xed\\xa0\\x80\"");
    assert_put("\xc0\xaf\xe2\x82", 4, "\"\\xc0\\xaf\\xe2\\x82\""); /* overlong, and cut off */
}

static void assert_escape(const char *text, char quote, const char *expected, size_t length)
{
    char out[4];
    const char *from = text;
    size_t n = quoted_escape(&from, text + strlen(text), quote, out);
    if (n != length || memcmp(out, expected, length) != 0)
        fail_msg("\\%s stands for %zu bytes", text, n);
}

static void escapes_are_those_of_go(void **state)
{
    (void)state;
    assert_escape("n", '"', "\n", 1);
    assert_escape("a", '"', "\a", 1);
    assert_escape("\\", '"', "\\", 1);
    assert_escape("\"", '"', "\"", 1);
    assert_escape("\"", '\'', "", 0); /* the other kind of quote */
    assert_escape("'", '\'', "'", 1);
    assert_escape("x41", '"', "A", 1);
    assert_escape("101", '"', "A", 1);
    assert_escape("377", '"', "\xff", 1);
    assert_escape("u00fc", '"', "\xc3\xbc", 2);
    assert_escape("u20ac", '"', "\xe2\x82\xac", 3);
    assert_escape("U0001F600", '"', "\xf0\x9f\x98\x80", 4);
    static const char *const none[] = {"q",  "x4",  "xzz",   "8",        "477",
                                       "18", "u12", "ud800", "U00110000"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_escape(none[i], '"', "", 0);
}

static void any_bytes_come_back(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 2000; round++) {
        char bytes[64], back[64];
        size_t length = (size_t)round % sizeof bytes, n = 0;
        struct buffer out = {0};
        for (size_t i = 0; i < length; i++) {
            random = random * UINT64_C(6364136223846793005) + 1;
            bytes[i] = (char)(random >> 56);
        }
        quoted_put(&out, bytes, length);
        const char *from = out.data + 1, *end = out.data + out.length - 1;
        while (from < end) {
            if (*from != '\\') {
                back[n++] = *from++;
                continue;
            }
            from++;
            size_t read = quoted_escape(&from, end, '"', back + n);
            assert_true(read > 0);
            n += read;
        }
        assert_int_equal(n, length);
        assert_memory_equal(back, bytes, length);
        buffer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_odd_is_escaped_and_utf8_stays),
        cmocka_unit_test(escapes_are_those_of_go),
        cmocka_unit_test(any_bytes_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
