// SPDX-License-Identifier: Apache-2.0
#include "agent/shown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = 3 << 20 };

static struct shown_key key(int kind, uint64_t hash)
{
    struct shown_key k = {SHOWN_NOTHING, hash};
    k.kind = kind;
    return k;
}

static void keep(struct shown *s, int kind, uint64_t hash, const char *text, int64_t now_ms)
{
    shown_keep(s, key(kind, hash), text, strlen(text), now_ms);
}

static void assert_shown(const struct shown *s, int64_t now_ms, const char *expected)
{
    char found[256] = "";
    const void *bytes;
    size_t length;
    for (uint32_t i = 0; shown_get(s, i, now_ms, &bytes, &length); i++)
        strncat(found, bytes, length);
    assert_string_equal(found, expected);
}

static void later_ones_take_the_place_of_earlier_ones_of_the_same(void **state)
{
    struct shown *s = shown_create();
    (void)state;
    keep(s, SHOWN_REPORT, 1, "a", 0);
    keep(s, SHOWN_ENDED, 1, "b", 0);
    keep(s, SHOWN_UNDER_WAY, 1, "c", 0);
    keep(s, SHOWN_UNDER_WAY, 2, "d", 0);
    assert_shown(s, 0, "abcd");
    keep(s, SHOWN_UNDER_WAY, 1, "e", 1);
    keep(s, SHOWN_NOTHING, 1, "x", 1);
    assert_shown(s, 1, "abde");
    shown_destroy(&s);
    assert_null(s);
    shown_destroy(&s);
    shown_keep(NULL, key(SHOWN_REPORT, 1), "", 0, 0);
    assert_shown(NULL, 0, "");
}

static void what_is_not_renewed_is_not_told_but_for_windows_that_ended(void **state)
{
    struct shown *s = shown_create();
    (void)state;
    keep(s, SHOWN_REPORT, 1, "a", 0);
    keep(s, SHOWN_ENDED, 1, "b", 0);
    keep(s, SHOWN_UNDER_WAY, 1, "c", 1000);
    assert_shown(s, SHOWN_FRESH_MS, "abc");
    assert_shown(s, SHOWN_FRESH_MS + 1, "bc");
    assert_shown(s, 1000 * SHOWN_FRESH_MS, "b");
    shown_destroy(&s);
}

static void memory_is_bounded(void **state)
{
    struct shown *s = shown_create();
    const void *bytes;
    size_t length;
    (void)state;
    for (uint64_t i = 0; i < 3 * SHOWN_MOST; i++)
        keep(s, SHOWN_ENDED, i, "x", 0);
    assert_true(shown_get(s, SHOWN_MOST - 1, 0, &bytes, &length));
    assert_false(shown_get(s, SHOWN_MOST, 0, &bytes, &length));
    char *large = calloc(1, LARGE);
    for (uint64_t i = 0; i < 5; i++)
        shown_keep(s, key(SHOWN_ENDED, 1000 + i), large, LARGE, 0);
    assert_true(shown_get(s, SHOWN_BYTES_MOST / LARGE - 1, 0, &bytes, &length));
    assert_false(shown_get(s, SHOWN_BYTES_MOST / LARGE, 0, &bytes, &length));
    shown_keep(s, key(SHOWN_ENDED, 1), large, (size_t)SHOWN_BYTES_MOST + 1, 0);
    assert_true(shown_get(s, 0, 0, &bytes, &length));
    free(large);
    shown_destroy(&s);
}

static const struct batch *decoded(struct batch_builder *builder, struct arena *arena)
{
    struct buffer bytes = {0};
    int error;
    assert_int_equal(batch_encode(builder, &bytes), 0);
    const struct batch *b = batch_decode(arena, bytes.data, bytes.length, 1 << 20, &error);
    assert_non_null(b);
    buffer_fini(&bytes);
    batch_builder_reset(builder);
    return b;
}

static void add_sample(struct batch_builder *b, const char *metric, const char *host)
{
    const uint32_t pairs[] = {batch_string(b, "host", 4), batch_string(b, host, strlen(host))};
    uint32_t m = batch_metric(b, batch_string(b, metric, strlen(metric)), METRIC_COUNTER, 0, 0);
    batch_sample(b, batch_series(b, m, batch_label_set(b, pairs, 1), NULL, 0), 1, SAMPLE_VALUE, 1);
}

static void batches_are_known_by_what_they_are_of(void **state)
{
    const uint8_t registers[DISTINCT_REGISTERS] = {0};
    struct batch_builder *builder = batch_builder_create();
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 16);
    add_sample(builder, "weft_tap_packets_total", "a");
    struct shown_key first = shown_key_of(decoded(builder, &arena), false);
    add_sample(builder, "weft_tap_packets_total", "b");
    struct shown_key second = shown_key_of(decoded(builder, &arena), false);
    assert_int_equal(first.kind, SHOWN_REPORT);
    assert_int_equal(second.kind, SHOWN_REPORT);
    assert_int_not_equal(first.hash, second.hash);
    add_sample(builder, "collectd_load_shortterm", "a");
    assert_int_equal(shown_key_of(decoded(builder, &arena), false).kind, SHOWN_NOTHING);
    batch_window_add(builder, &(struct batch_window){.length_ms = 10, .registers = registers});
    const struct batch *window = decoded(builder, &arena);
    assert_int_equal(shown_key_of(window, false).kind, SHOWN_ENDED);
    assert_int_equal(shown_key_of(window, true).kind, SHOWN_UNDER_WAY);
    assert_int_equal(shown_key_of(window, true).hash, shown_key_of(window, false).hash);
    arena_fini(&arena);
    batch_builder_destroy(&builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_ones_take_the_place_of_earlier_ones_of_the_same),
        cmocka_unit_test(what_is_not_renewed_is_not_told_but_for_windows_that_ended),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(batches_are_known_by_what_they_are_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
