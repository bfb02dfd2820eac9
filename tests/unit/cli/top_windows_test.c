// SPDX-License-Identifier: Apache-2.0
#include "cli/top_windows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/topk.h"

enum { WINDOWS = 8, ENTRIES = 64 };

/* Windows as taps tell them: counted exactly, then cut to the heaviest. */
struct counted {
    struct batch_window window;
    struct window_entry entries[WINDOW_KINDS][ENTRIES];
    char text[ENTRIES][16];
    uint8_t registers[DISTINCT_REGISTERS];
};

static struct counted counted[WINDOWS];

static struct batch_window *make(int i, const char *cache, int64_t begin_ms, int64_t length_ms)
{
    struct counted *c = &counted[i];
    *c = (struct counted){.window = {.host = {"box7", 4},
                                     .cache = {cache, (uint32_t)strlen(cache)},
                                     .protocol = {"redis", 5},
                                     .begin_unix_ms = begin_ms,
                                     .length_ms = length_ms}};
    c->window.registers = c->registers;
    for (int kind = 0; kind < WINDOW_KINDS; kind++)
        c->window.lists[kind].entries = c->entries[kind];
    return &c->window;
}

/* Of all kinds alike. */
static void add_key(int i, const char *key, uint64_t calls, uint64_t error)
{
    struct counted *c = &counted[i];
    uint32_t at = c->window.lists[0].count;
    snprintf(c->text[at], sizeof c->text[at], "%s", key);
    for (int kind = 0; kind < WINDOW_KINDS; kind++) {
        struct window_list *list = &c->window.lists[kind];
        list->entries[list->count++] =
            (struct window_entry){.key = {c->text[at], (uint32_t)strlen(key)},
                                  .full_length = (uint32_t)strlen(key),
                                  .hash = topk_hash(key, strlen(key)),
                                  .calls = calls,
                                  .bytes = 10 * calls,
                                  .misses = calls / 2,
                                  .error = error};
        list->total += calls;
    }
    c->window.commands += calls;
}

static void set_rest(int i, uint64_t rest)
{
    for (int kind = 0; kind < WINDOW_KINDS; kind++)
        counted[i].window.lists[kind].rest = rest;
}

static double number_of(const struct top_table *t, const char *key, const char *column)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->rows[i].texts[0], key) == 0)
            return top_number_of(t, &t->rows[i], column);
    return -1;
}

static void ask(const struct top_windows *w, const char *cache, struct top_table *t)
{
    struct top_question q = {.view = TOP_KEYS};
    snprintf(q.cache, sizeof q.cache, "%s", cache);
    top_table_init(t, TOP_KEYS);
    top_windows_rows(w, &q, t);
}

static void the_window_under_way_and_the_one_before_it_are_summed_up(void **state)
{
    struct top_windows w = {0};
    struct top_table t;
    (void)state;
    top_windows_add(&w, make(0, "a:1", 100000, 10000)); /* long over */
    add_key(0, "old", 1000, 0);
    top_windows_add(&w, make(1, "a:1", 112000, 10000));
    add_key(1, "x", 100, 1);
    add_key(1, "y", 50, 2);
    set_rest(1, 7);
    top_windows_add(&w, make(2, "a:1", 122003, 4000));
    add_key(2, "x", 30, 3);
    set_rest(2, 5);
    top_windows_add(&w, make(3, "a:1", 122003, 3000)); /* the same, as it was a second ago */
    add_key(3, "x", 20, 0);
    top_windows_settle(&w, 126500);
    assert_int_equal(w.count, 2);
    ask(&w, "a:1", &t);
    assert_int_equal(t.count, 2);
    assert_true(number_of(&t, "x", "calls") == 130);
    assert_true(number_of(&t, "x", "error") == 4);
    assert_true(number_of(&t, "y", "calls") == 50);
    assert_true(number_of(&t, "y", "error") == 2 + 5); /* the other window may have had its rest */
    assert_true(number_of(&t, "x", "size_bytes") == 10);
    assert_true(fabs(number_of(&t, "x", "requests_per_s") - 130 / 14.003) < 1e-9);
    assert_true(t.totals.rest == 12 && t.totals.error_most == 7);
    assert_true(fabs(t.totals.seconds - 14.003) < 1e-9);
    assert_true(fabs(number_of(&t, "x", "share") - 130.0 / 180) < 1e-9);
    top_table_fini(&t);
    top_windows_fini(&w);
}

static void a_gap_is_not_summed_over_and_what_is_late_is_nothing(void **state)
{
    struct top_windows w = {0};
    struct top_table t;
    (void)state;
    top_windows_add(&w, make(0, "a:1", 100000, 10000));
    add_key(0, "x", 1, 0);
    top_windows_add(&w, make(1, "a:1", 115000, 1000));
    add_key(1, "y", 1, 0);
    top_windows_add(&w, make(2, "b:1", 50000, 10000));
    add_key(2, "z", 1, 0);
    top_windows_settle(&w, 116100);
    assert_int_equal(w.count, 1);
    ask(&w, "", &t);
    assert_int_equal(t.count, 1);
    assert_string_equal(t.rows[0].texts[0], "y");
    top_table_fini(&t);
    w.count = 0;
    top_windows_settle(&w, 116100);
    ask(&w, "", &t);
    assert_int_equal(t.count, 0);
    assert_true(isnan(t.totals.per_second));
    top_table_fini(&t);
    top_windows_fini(&w);
}

static void caches_are_told_apart_and_together(void **state)
{
    struct top_windows w = {0};
    struct top_table t;
    char key[TOP_LINE];
    double share, per_s;
    (void)state;
    top_windows_add(&w, make(0, "a:1", 100000, 10000));
    add_key(0, "x", 60, 0);
    add_key(0, "y", 40, 0);
    top_windows_add(&w, make(1, "b:1", 100000, 10000));
    add_key(1, "y", 90, 0);
    set_rest(1, 4);
    top_windows_settle(&w, 110500);
    ask(&w, "b:1", &t);
    assert_int_equal(t.count, 1);
    top_table_fini(&t);
    ask(&w, "", &t);
    assert_true(number_of(&t, "y", "calls") == 130);
    assert_true(number_of(&t, "x", "error") == 4);
    top_table_fini(&t);
    assert_true(top_windows_hottest(&w, "", key, &share, &per_s));
    assert_string_equal(key, "y");
    assert_true(share == 130.0 / 190 && per_s == 13);
    assert_true(top_windows_hottest(&w, "a:1", key, &share, &per_s));
    assert_string_equal(key, "x");
    assert_false(top_windows_hottest(&w, "c:1", key, &share, &per_s));
    top_windows_fini(&w);
}

static void keys_that_are_no_text_are_escaped_and_cut_ones_say_so(void **state)
{
    struct top_windows w = {0};
    struct top_table t;
    (void)state;
    top_windows_add(&w, make(0, "a:1", 100000, 10000));
    add_key(0, "\033[2J", 1, 0);
    counted[0].entries[0][0].full_length = 500;
    top_windows_settle(&w, 110500);
    ask(&w, "", &t);
    assert_string_equal(t.rows[0].texts[0], "\\x1b[2J…");
    top_table_fini(&t);
    top_windows_fini(&w);
}

/* Draws over two windows: what is told lies within the bound that is told. */
static void sums_are_as_true_as_their_parts(void **state)
{
    (void)state;
    uint64_t seed = 5, truth[40] = {0};
    struct top_windows w = {0};
    struct top_table t;
    for (int i = 0; i < 2; i++) {
        struct topk top;
        const struct topk_entry *list[10];
        topk_init(&top, 16);
        for (int n = 0; n < 5000; n++) {
            char key[16];
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            unsigned number = (unsigned)((seed >> 33) % 40);
            number = (seed >> 20) % 2 ? number % 6 : number;
            int length = snprintf(key, sizeof key, "%u", number);
            topk_add(&top, topk_hash(key, (size_t)length), key, (size_t)length, 1);
            truth[number]++;
        }
        top_windows_add(&w, make(i, "a:1", 100000 + 10000 * i, 10000));
        size_t count = topk_list(&top, list, 10);
        for (size_t k = 0; k + 1 < count; k++) {
            char key[16];
            snprintf(key, sizeof key, "%.*s", list[k]->length, list[k]->text);
            add_key(i, key, list[k]->weight, topk_error(&top));
        }
        set_rest(i, list[count - 1]->weight + topk_error(&top));
        topk_fini(&top);
    }
    top_windows_settle(&w, 120500);
    ask(&w, "", &t);
    for (unsigned number = 0; number < 40; number++) {
        char key[16];
        snprintf(key, sizeof key, "%u", number);
        double told = number_of(&t, key, "calls"), real = (double)truth[number];
        if (told < 0)
            assert_true(real <= t.totals.rest);
        else
            assert_true(told <= real && real <= told + number_of(&t, key, "error"));
    }
    top_table_fini(&t);
    top_windows_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_under_way_and_the_one_before_it_are_summed_up),
        cmocka_unit_test(a_gap_is_not_summed_over_and_what_is_late_is_nothing),
        cmocka_unit_test(caches_are_told_apart_and_together),
        cmocka_unit_test(keys_that_are_no_text_are_escaped_and_cut_ones_say_so),
        cmocka_unit_test(sums_are_as_true_as_their_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
