// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/base/buffer.h"

static void appended_pieces_stand_in_order(void **state)
{
    (void)state;
    struct buffer b = {0};
    for (int i = 0; i < 1000; i++) {
        buffer_text(&b, "ab");
        buffer_byte(&b, 'c');
        buffer_append(&b, "", 0);
    }
    assert_int_equal(b.length, 3000);
    for (int i = 0; i < 1000; i++)
        assert_memory_equal(b.data + 3 * i, "abc", 3);
    buffer_fini(&b);
    assert_int_equal(b.capacity, 0);
}

static void printf_grows_to_what_it_needs(void **state)
{
    (void)state;
    struct buffer b = {0};
    char long_text[2000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    buffer_printf(&b, "%d-%s-%d", 1, long_text, 2);
    assert_int_equal(b.length, 1999 + 4);
    assert_memory_equal(b.data + b.length - 2, "-2", 2);
    assert_int_equal(strlen(buffer_cstring(&b)), b.length);
    buffer_fini(&b);
}

static void memory_that_is_out_is_remembered_and_what_follows_ignored(void **state)
{
    (void)state;
    struct buffer b = {0};
    buffer_text(&b, "before");
    assert_null(buffer_reserve(&b, SIZE_MAX - 3));
    assert_true(b.failed);
    buffer_text(&b, "after");
    assert_int_equal(b.length, 6);
    assert_string_equal(buffer_cstring(&b), "");
    buffer_clear(&b);
    buffer_text(&b, "afresh");
    assert_string_equal(buffer_cstring(&b), "afresh");
    buffer_fini(&b);
}

static void an_empty_buffer_is_an_empty_string(void **state)
{
    (void)state;
    struct buffer b = {0};
    assert_string_equal(buffer_cstring(&b), "");
    assert_non_null(buffer_reserve(&b, 0));
    buffer_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_pieces_stand_in_order),
        cmocka_unit_test(printf_grows_to_what_it_needs),
        cmocka_unit_test(memory_that_is_out_is_remembered_and_what_follows_ignored),
        cmocka_unit_test(an_empty_buffer_is_an_empty_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
