// SPDX-License-Identifier: Apache-2.0
/* Windows of caches as a tap tells them of streams whose true counts the test keeps. */
#ifndef WEFT_TESTS_WINDOWS_H
#define WEFT_TESTS_WINDOWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec/batch.h"
#include "lib/model/topk.h"

enum { STREAM_KEYS = 3000 };

/* What was truly asked for, by the number of the key. */
struct truth {
    uint64_t calls[STREAM_KEYS], total;
};

struct told_window {
    struct batch_window window;
    struct window_entry entries[256];
    char texts[256][24];
    uint8_t registers[DISTINCT_REGISTERS];
};

static inline uint64_t stream_next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static inline struct batch_str stream_key(uint32_t key, char text[24])
{
    int length = snprintf(text, 24, "key:%u", key);
    return (struct batch_str){text, (uint32_t)length};
}

static inline struct batch_window window_of(const char *host, const char *cache, int64_t begin_ms)
{
    static const uint8_t none[DISTINCT_REGISTERS];
    return (struct batch_window){.host = {host, (uint32_t)strlen(host)},
                                 .cache = {cache, (uint32_t)strlen(cache)},
                                 .protocol = {"redis", 5},
                                 .begin_unix_ms = begin_ms,
                                 .length_ms = 10000,
                                 .registers = none};
}

/* So many calls of keys, few of them often, in a table of `capacity`, of which `tell` are told. */
static inline void tell_stream(struct told_window *t, struct truth *truth, uint64_t *seed,
                               uint32_t calls, uint32_t capacity, uint32_t tell)
{
    const struct topk_entry *list[257];
    struct distinct keys = {0};
    struct topk top;
    char text[24];
    assert_int_equal(topk_init(&top, capacity), 0);
    for (uint32_t i = 0; i < calls; i++) {
        double roll = (double)(stream_next(seed) % 1000000) / 1e6;
        uint32_t number = (uint32_t)(pow(STREAM_KEYS, roll) - 1); /* near to Zipf */
        struct batch_str key = stream_key(number, text);
        uint64_t hash = topk_hash(key.bytes, key.length);
        struct topk_entry *e = topk_add(&top, hash, key.bytes, key.length, 1);
        e->sums[0]++;
        distinct_add_hash(&keys, hash);
        truth->calls[number]++;
        truth->total++;
    }
    struct window_list *out = &t->window.lists[WINDOW_KEYS_BY_CALLS];
    size_t count = topk_list(&top, list, tell + 1);
    *out = (struct window_list){.entries = t->entries, .total = calls, .rest = topk_error(&top)};
    if (count > tell)
        out->rest += list[count = tell]->weight;
    for (size_t i = 0; i < count; i++) {
        const struct topk_entry *e = list[i];
        memcpy(t->texts[i], e->text, e->length);
        t->entries[i] = (struct window_entry){.key = {t->texts[i], e->length},
                                              .full_length = e->length,
                                              .hash = e->hash,
                                              .calls = e->sums[0],
                                              .error = e->weight + topk_error(&top) - e->sums[0]};
    }
    out->count = (uint32_t)count;
    memcpy(t->registers, keys.registers, sizeof t->registers);
    t->window.registers = t->registers;
    t->window.commands = calls;
    t->window.peak_commands = calls / 5;
    topk_fini(&top);
}

/* told <= true <= told + error for each key, and untold ones have no more than the rest. */
static inline void assert_list_bounds(const struct window_list *list, const struct truth *truth)
{
    char text[24];
    uint32_t found = 0;
    assert_true(list->total == truth->total);
    for (uint32_t number = 0; number < STREAM_KEYS; number++) {
        struct batch_str key = stream_key(number, text);
        const struct window_entry *told = NULL;
        for (uint32_t i = 0; i < list->count; i++)
            if (batch_str_equal(list->entries[i].key, key))
                told = &list->entries[i];
        uint64_t calls = truth->calls[number];
        found += told != NULL;
        if (told ? told->calls > calls || calls > told->calls + told->error : calls > list->rest)
            fail_msg("key %u: %llu calls, told %llu, error %llu, rest %llu", number,
                     (unsigned long long)calls, told ? (unsigned long long)told->calls : 0ull,
                     told ? (unsigned long long)told->error : 0ull, (unsigned long long)list->rest);
    }
    assert_int_equal(found, list->count);
    for (uint32_t i = 1; i < list->count; i++)
        assert_true(list->entries[i - 1].calls >= list->entries[i].calls);
}

#endif
