// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec/batch.h"

enum { MAX_BYTES = 8 << 20, ENTRIES = 40 };

struct fixture {
    struct batch_builder *builder;
    struct buffer bytes;
    struct arena arena;
    uint8_t registers[DISTINCT_REGISTERS];
    struct window_entry entries[WINDOW_KINDS][ENTRIES];
    char text[WINDOW_KINDS][ENTRIES][WINDOW_KEY_MOST];
    struct batch_window window;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->builder = batch_builder_create();
    arena_init(&f->arena, 4096);
    f->window = (struct batch_window){.host = {"box7", 4},
                                      .cache = {"10.0.0.5:6379", 13},
                                      .protocol = {"redis", 5},
                                      .begin_unix_ms = 1700000000123,
                                      .length_ms = 10001,
                                      .commands = 123456,
                                      .peak_commands = 20000,
                                      .registers = f->registers};
    *state = f;
    return f->builder ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    batch_builder_destroy(&f->builder);
    buffer_fini(&f->bytes);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static const struct batch *recode(struct fixture *f, int expected)
{
    int error = 1;
    buffer_clear(&f->bytes);
    assert_int_equal(batch_encode(f->builder, &f->bytes), 0);
    const struct batch *b =
        batch_decode(&f->arena, f->bytes.data, f->bytes.length, MAX_BYTES, &error);
    assert_int_equal(error, expected);
    return b;
}

static uint64_t any(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> (*seed >> 58); /* of all magnitudes */
}

/* Any bytes as keys; some of them cut. */
static void fill(struct fixture *f, uint64_t *seed)
{
    for (size_t i = 0; i < sizeof f->registers; i++)
        f->registers[i] = (uint8_t)(any(seed) % 55);
    for (int kind = 0; kind < WINDOW_KINDS; kind++) {
        uint32_t count = (uint32_t)(any(seed) % (ENTRIES + 1));
        for (uint32_t i = 0; i < count; i++) {
            struct window_entry *e = &f->entries[kind][i];
            uint32_t length = (uint32_t)(any(seed) % (WINDOW_KEY_MOST + 1));
            for (uint32_t k = 0; k < length; k++)
                f->text[kind][i][k] = (char)any(seed);
            *e = (struct window_entry){.key = {f->text[kind][i], length},
                                       .full_length = length + (any(seed) % 4 == 0 ? 100 : 0),
                                       .calls = any(seed),
                                       .bytes = any(seed),
                                       .misses = any(seed),
                                       .error = any(seed)};
            e->hash = e->full_length > length ? any(seed) | 1 : topk_hash(e->key.bytes, length);
        }
        f->window.lists[kind] = (struct window_list){f->entries[kind], count, any(seed), any(seed)};
    }
}

static void assert_entry(const struct window_entry *got, const struct window_entry *put)
{
    assert_true(batch_str_equal(got->key, put->key));
    assert_int_equal(got->full_length, put->full_length);
    assert_true(got->hash == put->hash && got->calls == put->calls && got->bytes == put->bytes &&
                got->misses == put->misses && got->error == put->error);
}

static void assert_window(const struct batch_window *got, const struct batch_window *put)
{
    assert_true(batch_str_equal(got->host, put->host));
    assert_true(batch_str_equal(got->cache, put->cache));
    assert_true(batch_str_equal(got->protocol, put->protocol));
    assert_true(got->begin_unix_ms == put->begin_unix_ms && got->length_ms == put->length_ms);
    assert_true(got->commands == put->commands && got->peak_commands == put->peak_commands);
    assert_memory_equal(got->registers, put->registers, DISTINCT_REGISTERS);
    for (int kind = 0; kind < WINDOW_KINDS; kind++) {
        assert_int_equal(got->lists[kind].count, put->lists[kind].count);
        assert_true(got->lists[kind].total == put->lists[kind].total);
        assert_true(got->lists[kind].rest == put->lists[kind].rest);
        for (uint32_t i = 0; i < put->lists[kind].count; i++)
            assert_entry(&got->lists[kind].entries[i], &put->lists[kind].entries[i]);
    }
}

static void a_window_of_any_bytes_comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = 1;
    for (int round = 0; round < 200; round++) {
        batch_builder_reset(f->builder);
        arena_reset(&f->arena);
        fill(f, &seed);
        for (int i = 0; i < 1 + round % 3; i++)
            batch_window_add(f->builder, &f->window);
        const struct batch *b = recode(f, BATCH_OK);
        assert_int_equal(b->window_count, 1 + round % 3);
        assert_int_equal(batch_builder_windows(f->builder), b->window_count);
        for (uint32_t i = 0; i < b->window_count; i++)
            assert_window(&b->windows[i], &f->window);
    }
}

static void a_batch_of_windows_is_kept_with_the_samples(void **state)
{
    struct fixture *f = *state;
    struct arena spans;
    int error;
    arena_init(&spans, 4096);
    batch_window_add(f->builder, &f->window);
    assert_true(batch_is_samples(recode(f, BATCH_OK)));
    assert_non_null(
        batch_decode_apart(&spans, &f->arena, f->bytes.data, f->bytes.length, MAX_BYTES, &error));
    assert_int_equal(spans.total_bytes, 0);
    arena_fini(&spans);
    batch_builder_reset(f->builder);
    assert_int_equal(recode(f, BATCH_OK)->window_count, 0);
}

static void refuses(struct fixture *f)
{
    batch_builder_reset(f->builder);
    batch_window_add(f->builder, &f->window);
    assert_null(recode(f, BATCH_ECOLUMNS));
}

static void a_window_that_cannot_be_is_refused(void **state)
{
    struct fixture *f = *state;
    char longest[WINDOW_KEY_MOST + 1] = "";
    struct window_entry entry = {.key = {longest, sizeof longest}, .full_length = sizeof longest};
    const struct batch_window good = f->window;
    f->window.begin_unix_ms = WINDOW_TIME_LIMIT_MS;
    refuses(f);
    f->window = good;
    f->window.length_ms = 0;
    refuses(f);
    f->window = good;
    f->registers[100] = 65;
    refuses(f);
    f->registers[100] = 0;
    f->window.lists[WINDOW_CLIENTS] = (struct window_list){&entry, 1, 1, 0};
    refuses(f);
    entry.key.length = 5;
    entry.full_length = 9; /* cut, with a hash that is none */
    refuses(f);
    entry.hash = 1;
    entry.full_length = WINDOW_FULL_LENGTH_MOST + 1;
    refuses(f);
}

static void the_weight_is_what_a_list_goes_by(void **state)
{
    const struct window_entry e = {.calls = 1, .bytes = 2, .misses = 3};
    (void)state;
    assert_int_equal(window_weight(WINDOW_KEYS_BY_CALLS, &e), 1);
    assert_int_equal(window_weight(WINDOW_KEYS_BY_BYTES, &e), 2);
    assert_int_equal(window_weight(WINDOW_KEYS_BY_MISSES, &e), 3);
    assert_int_equal(window_weight(WINDOW_PATTERNS, &e), 1);
    assert_int_equal(window_weight(WINDOW_CLIENTS, &e), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_window_of_any_bytes_comes_back_as_it_was, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_batch_of_windows_is_kept_with_the_samples, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_window_that_cannot_be_is_refused, setup, teardown),
        cmocka_unit_test(the_weight_is_what_a_list_goes_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
