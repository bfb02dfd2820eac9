// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/base/arena.h"

static void pieces_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    struct arena arena;
    unsigned char *pieces[200];
    arena_init(&arena, 512);
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = arena_alloc(&arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)i, i);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t k = 0; k < i; k++)
            assert_int_equal(pieces[i][k], i);
    }
    arena_fini(&arena);
    assert_int_equal(arena.total_bytes, 0);
}

static void a_piece_larger_than_a_block_is_whole(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 512);
    char *small = arena_alloc(&arena, 16);
    char *large = arena_alloc(&arena, 1 << 20);
    memset(large, 1, 1 << 20);
    memset(small, 2, 16);
    assert_int_equal(large[0], 1);
    assert_true(arena.total_bytes > 1 << 20);
    arena_fini(&arena);
}

static void an_overflowing_product_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 512);
    assert_null(arena_calloc(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    arena_fini(&arena);
}

static void calloc_zeroes_and_copy_copies(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 512);
    memset(arena_alloc(&arena, 400), 0xff, 400);
    const char *zeroes = arena_calloc(&arena, 10, 10);
    for (int i = 0; i < 100; i++)
        assert_int_equal(zeroes[i], 0);
    assert_string_equal(arena_copy(&arena, "copy", 5), "copy");
    arena_fini(&arena);
}

static void reset_keeps_the_memory_as_one_block(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 512);
    arena_reset(&arena);
    assert_int_equal(arena.total_bytes, 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++)
            memset(arena_alloc(&arena, 100), i, 100);
        size_t before = arena.total_bytes;
        arena_reset(&arena);
        assert_int_equal(arena.total_bytes, before);
    }
    size_t kept = arena.total_bytes;
    char *first = arena_alloc(&arena, 100);
    arena_reset(&arena);
    assert_ptr_equal(arena_alloc(&arena, 100), first);
    assert_int_equal(arena.total_bytes, kept);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
        cmocka_unit_test(a_piece_larger_than_a_block_is_whole),
        cmocka_unit_test(an_overflowing_product_is_refused),
        cmocka_unit_test(calloc_zeroes_and_copy_copies),
        cmocka_unit_test(reset_keeps_the_memory_as_one_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
