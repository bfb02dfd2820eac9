// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "lib/base/json_writer.h"

static void commas_stand_where_they_must(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json_writer w = json_writer_to(&out);
    json_open_object(&w);
    json_field_text(&w, "a", "x");
    json_field_array(&w, "b");
    json_put_int(&w, 1);
    json_put_int(&w, -2);
    json_open_object(&w);
    json_close_object(&w);
    json_open_array(&w);
    json_close_array(&w);
    json_close_array(&w);
    json_field_object(&w, "c");
    json_field_bool(&w, "d", true);
    json_field_text(&w, "e", NULL);
    json_close_object(&w);
    json_close_object(&w);
    assert_string_equal(buffer_cstring(&out),
                        "{\"a\":\"x\",\"b\":[1,-2,{},[]],\"c\":{\"d\":true,\"e\":\"\"}}");
    buffer_fini(&out);
}

static void check_string(const char *bytes, size_t length, const char *expected)
{
    struct buffer out = {0};
    struct json_writer w = json_writer_to(&out);
    json_put_string(&w, bytes, length);
    assert_string_equal(buffer_cstring(&out), expected);
    buffer_fini(&out);
}

static void strings_are_escaped(void **state)
{
    (void)state;
    check_string("a\"b\\c\n\t\x01\x7f", 9, "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\"");
    check_string("a\0b", 3, "\"a\\u0000b\"");
    check_string("é€😀", 9, "\"é€😀\"");
}

static void bad_utf8_becomes_replacement_characters(void **state)
{
    (void)state;
    check_string("\xff", 1, "\"\xef\xbf\xbd\"");
    check_string("a\xc3", 2, "\"a\xef\xbf\xbd\"");
    check_string("\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    check_string("\xed\xa0\x80z", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"");
    check_string("\xf4\x90\x80\x80", 4, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void any_bytes_make_json_that_a_strict_parser_takes(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 2000; round++) {
        unsigned char bytes[40];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            bytes[i] = (unsigned char)(round % 2 ? random : 0xc0 | random >> 40);
        }
        struct buffer out = {0};
        struct json_writer w = json_writer_to(&out);
        json_put_string(&w, bytes, sizeof bytes);
        json_t *parsed = json_loadb(out.data, out.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(parsed);
        json_decref(parsed);
        buffer_fini(&out);
    }
}

static void numbers_that_a_double_cannot_hold_are_strings(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json_writer w = json_writer_to(&out);
    json_open_array(&w);
    json_put_int(&w, 9007199254740992);
    json_put_int(&w, 9007199254740993);
    json_put_int(&w, -9007199254740993);
    json_put_int(&w, INT64_MIN);
    json_put_uint(&w, UINT64_MAX);
    json_put_unix_ns(&w, 5);
    json_close_array(&w);
    assert_string_equal(buffer_cstring(&out),
                        "[9007199254740992,\"9007199254740993\",\"-9007199254740993\","
                        "\"-9223372036854775808\",\"18446744073709551615\",\"5\"]");
    buffer_fini(&out);
}

static void doubles_read_back_the_same(void **state)
{
    (void)state;
    static const double values[] = {0.0, 0.1, 1.0 / 3, 1e300, -2.5e-300, 123456789.125};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct buffer out = {0};
        struct json_writer w = json_writer_to(&out);
        json_put_double(&w, values[i]);
        assert_true(strtod(buffer_cstring(&out), NULL) == values[i]);
        buffer_fini(&out);
    }
    struct buffer out = {0};
    struct json_writer w = json_writer_to(&out);
    json_open_array(&w);
    json_put_double(&w, NAN);
    json_put_double(&w, INFINITY);
    json_put_double(&w, -INFINITY);
    json_put_double(&w, 0.1);
    json_close_array(&w);
    assert_string_equal(buffer_cstring(&out), "[\"NaN\",\"Infinity\",\"-Infinity\",0.1]");
    buffer_fini(&out);
}

static void base64_and_hex_have_fixed_forms(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json_writer w = json_writer_to(&out);
    json_open_array(&w);
    json_put_base64(&w, "", 0);
    json_put_base64(&w, "f", 1);
    json_put_base64(&w, "fo", 2);
    json_put_base64(&w, "foo", 3);
    json_put_base64(&w, "\xff\xfe\xfd\xfc", 4);
    json_put_hex64(&w, 0xa1);
    json_put_hex128(&w, 1, UINT64_MAX);
    json_close_array(&w);
    assert_string_equal(buffer_cstring(&out),
                        "[\"\",\"Zg==\",\"Zm8=\",\"Zm9v\",\"//79/A==\",\"00000000000000a1\","
                        "\"0000000000000001ffffffffffffffff\"]");
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_where_they_must),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(bad_utf8_becomes_replacement_characters),
        cmocka_unit_test(any_bytes_make_json_that_a_strict_parser_takes),
        cmocka_unit_test(numbers_that_a_double_cannot_hold_are_strings),
        cmocka_unit_test(doubles_read_back_the_same),
        cmocka_unit_test(base64_and_hex_have_fixed_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
