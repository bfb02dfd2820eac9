// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/hot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static const struct tap_address client = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 9}, 40000};

static void add(struct hot *h, const char *key, enum tap_outcome outcome, uint64_t value_bytes,
                uint64_t at_ns)
{
    const struct tap_key k = {(const uint8_t *)key, (uint32_t)strlen(key), (uint32_t)strlen(key),
                              value_bytes, outcome};
    hot_add(
        h, &client,
        &(struct tap_exchange){
            .asked_ns = at_ns, .request_bytes = 10, .reply_bytes = 20, .keys = &k, .key_count = 1});
}

static void assert_pattern(const char *key, const char *pattern)
{
    char out[TAP_KEY_KEPT];
    size_t length = hot_pattern((const uint8_t *)key, strlen(key), out);
    assert_int_equal(length, strlen(pattern));
    assert_memory_equal(out, pattern, length);
}

static void runs_of_digits_are_folded(void **state)
{
    (void)state;
    assert_pattern("user:123:inbox", "user:*:inbox");
    assert_pattern("123", "*");
    assert_pattern("a1b22c333", "a*b*c*");
    assert_pattern("none", "none");
    assert_pattern("", "");
    char longest[TAP_KEY_KEPT + 1] = {0};
    memset(longest, 'x', TAP_KEY_KEPT);
    assert_pattern(longest, longest);
}

/* The heaviest of a kind has this text, weight, and sums. */
static void assert_heaviest(const struct hot *h, enum hot_kind kind, const char *text,
                            uint64_t weight, uint64_t calls, uint64_t bytes, uint64_t misses)
{
    const struct topk_entry *e;
    assert_int_equal(topk_list(&h->tops[kind], &e, 1), 1);
    assert_int_equal(e->length, strlen(text));
    assert_memory_equal(e->text, text, e->length);
    assert_int_equal(e->weight, weight);
    assert_int_equal(e->sums[HOT_CALLS], calls);
    assert_int_equal(e->sums[HOT_BYTES], bytes);
    assert_int_equal(e->sums[HOT_MISSES], misses);
}

static void begin(struct hot *h, enum hot_privacy privacy)
{
    assert_int_equal(hot_init(h, 100, privacy), 0);
    hot_clear(h, 1);
    for (int i = 0; i < 10; i++)
        add(h, "user:1:inbox", TAP_HIT, 5, 1000000000);
    for (int i = 0; i < 6; i++)
        add(h, "post:77", TAP_MISS, 0, 2000000000);
    for (int i = 0; i < 6; i++)
        add(h, "post:88", TAP_MISS, 0, 2000000000);
    add(h, "large", TAP_HIT, 4000, 3000000000);
}

static void keys_are_told_by_calls_bytes_and_misses(void **state)
{
    struct hot h;
    (void)state;
    begin(&h, HOT_WHOLE);
    assert_heaviest(&h, HOT_KEYS_BY_CALLS, "user:1:inbox", 10, 10, 50, 0);
    assert_heaviest(&h, HOT_KEYS_BY_BYTES, "large", 4000, 1, 4000, 0);
    assert_int_equal(h.tops[HOT_KEYS_BY_MISSES].count, 2);
    assert_heaviest(&h, HOT_PATTERNS, "post:*", 12, 12, 0, 12);
    assert_in_range((uint64_t)(distinct_count(&h.keys) + 0.5), 4, 4);
    assert_int_equal(h.calls, 23);
    assert_int_equal(h.peak_calls, 12);
    const struct topk_entry *e;
    assert_int_equal(topk_list(&h.tops[HOT_CLIENTS], &e, 1), 1);
    assert_int_equal(e->weight, 23);
    assert_int_equal(e->sums[HOT_BYTES], 23 * 30);
    assert_memory_equal(e->text, client.ip, sizeof client.ip);
    hot_clear(&h, 5);
    assert_int_equal(h.calls + h.tops[HOT_KEYS_BY_CALLS].count + h.tops[HOT_CLIENTS].count, 0);
    hot_fini(&h);
}

/* Nothing that is told has a part of it. */
static void assert_nowhere(const struct hot *h, const char *part)
{
    const struct topk_entry *list[64];
    for (int kind = 0; kind < HOT_CLIENTS; kind++) {
        size_t count = topk_list(&h->tops[kind], list, 64);
        for (size_t i = 0; i < count; i++)
            assert_null(memmem(list[i]->text, list[i]->length, part, strlen(part)));
    }
}

static void folded_keys_are_their_patterns(void **state)
{
    struct hot h;
    (void)state;
    begin(&h, HOT_FOLDED);
    assert_heaviest(&h, HOT_KEYS_BY_CALLS, "post:*", 12, 12, 0, 12);
    assert_nowhere(&h, "1");
    assert_nowhere(&h, "7");
    hot_fini(&h);
}

static void hashed_keys_can_be_told_apart_and_not_be_read(void **state)
{
    struct hot h;
    (void)state;
    begin(&h, HOT_HASHED);
    const struct topk_entry *e;
    assert_int_equal(topk_list(&h.tops[HOT_KEYS_BY_CALLS], &e, 1), 1);
    assert_int_equal(e->weight, 10);
    assert_int_equal(e->length, 17);
    assert_int_equal(e->text[0], '#');
    assert_int_equal(h.tops[HOT_KEYS_BY_CALLS].count, 4);
    assert_int_equal(h.tops[HOT_PATTERNS].count, 0);
    assert_nowhere(&h, "user");
    assert_nowhere(&h, "post");
    assert_nowhere(&h, "large");
    hot_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_of_digits_are_folded),
        cmocka_unit_test(keys_are_told_by_calls_bytes_and_misses),
        cmocka_unit_test(folded_keys_are_their_patterns),
        cmocka_unit_test(hashed_keys_can_be_told_apart_and_not_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
