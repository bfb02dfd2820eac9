// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/codec/column.h"
#include "lib/codec/hash_index.h"

static void varints_of_every_length_come_back(void **state)
{
    (void)state;
    struct column c = {0};
    for (int bit = 0; bit < 64; bit++) {
        column_put(&c, UINT64_C(1) << bit);
        column_put(&c, (UINT64_C(1) << bit) - 1);
        column_put_signed(&c, -(int64_t)(UINT64_C(1) << bit >> 1));
    }
    column_put(&c, UINT64_MAX);
    column_put_signed(&c, INT64_MIN);
    struct column_reader r = {c.bytes, c.bytes + c.length, false};
    assert_int_equal(column_count_varints(&r), 64 * 3 + 2);
    for (int bit = 0; bit < 64; bit++) {
        assert_true(column_get(&r) == UINT64_C(1) << bit);
        assert_true(column_get(&r) == (UINT64_C(1) << bit) - 1);
        assert_true(column_get_signed(&r) == -(int64_t)(UINT64_C(1) << bit >> 1));
    }
    assert_true(column_get(&r) == UINT64_MAX);
    assert_true(column_get_signed(&r) == INT64_MIN);
    assert_int_equal(column_left(&r), 0);
    assert_false(r.bad);
    column_fini(&c);
}

static void wide_and_narrow_reading_agree_up_to_the_last_byte(void **state)
{
    (void)state;
    struct column c = {0};
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 2000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        column_put(&c, random >> (random & 63));
    }
    struct column_reader wide = {c.bytes, c.bytes + c.length, false}, narrow = wide;
    for (int i = 0; i < 2000; i++) {
        assert_true(column_get_wide(&wide) == column_get_long(&narrow));
        assert_ptr_equal(wide.next, narrow.next);
    }
    assert_int_equal(column_left(&wide), 0);
    assert_true(column_get_wide(&wide) == 0);
    assert_true(wide.bad);
    column_fini(&c);
}

static void fixed_numbers_are_little_endian(void **state)
{
    (void)state;
    struct column c = {0};
    column_put_fixed(&c, 0x060504030201, 6);
    assert_memory_equal(c.bytes, "\1\2\3\4\5\6", 6);
    struct column_reader r = {c.bytes, c.bytes + c.length, false};
    assert_true(column_get_fixed(&r, 6) == 0x060504030201);
    column_fini(&c);
}

static void check_bad(const uint8_t *bytes, size_t length)
{
    struct column_reader r = {bytes, bytes + length, false};
    assert_true(column_get(&r) == 0);
    assert_true(r.bad);
}

static void what_is_no_varint_is_remembered(void **state)
{
    (void)state;
    static const uint8_t long_one[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 1};
    static const uint8_t too_large[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
    check_bad((const uint8_t *)"", 0);
    check_bad((const uint8_t *)"\x80", 1);
    check_bad(long_one, sizeof long_one);
    check_bad(too_large, sizeof too_large);
    struct column_reader r = {(const uint8_t *)"\5\5", (const uint8_t *)"\5\5" + 1, false};
    r.end = r.next + 2;
    assert_int_equal(column_get_below(&r, 6), 5);
    assert_int_equal(column_get_below(&r, 5), 0);
    assert_true(r.bad);
    r = (struct column_reader){(const uint8_t *)"abc", NULL, false};
    r.end = r.next + 3;
    assert_true(column_get_fixed(&r, 4) == 0);
    assert_true(r.bad);
}

static void a_hash_index_finds_what_was_put_in_also_when_hashes_collide(void **state)
{
    (void)state;
    enum { ITEMS = 3000 };
    struct hash_index h;
    uint32_t at, i;
    assert_true(hash_index_init(&h));
    for (int round = 0; round < 2; round++) {
        for (uint32_t item = 0; item < ITEMS; item++) {
            uint64_t hash = (uint64_t)(item / 3) << 32; /* three of each */
            at = hash_index_start(&h, hash);
            while ((i = hash_index_next(&h, hash, &at)) != HASH_INDEX_NONE)
                assert_int_equal(i / 3, item / 3);
            assert_true(hash_index_insert(&h, hash, at, item));
        }
        for (uint32_t item = 0; item < ITEMS; item++) {
            uint64_t hash = (uint64_t)(item / 3) << 32;
            int found = 0;
            at = hash_index_start(&h, hash);
            while ((i = hash_index_next(&h, hash, &at)) != HASH_INDEX_NONE)
                found += i == item;
            assert_int_equal(found, 1);
        }
        hash_index_clear(&h);
    }
    hash_index_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varints_of_every_length_come_back),
        cmocka_unit_test(wide_and_narrow_reading_agree_up_to_the_last_byte),
        cmocka_unit_test(fixed_numbers_are_little_endian),
        cmocka_unit_test(what_is_no_varint_is_remembered),
        cmocka_unit_test(a_hash_index_finds_what_was_put_in_also_when_hashes_collide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
