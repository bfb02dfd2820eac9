// SPDX-License-Identifier: Apache-2.0
#include "collector/caches/sum.h"

#include "tests/unit/collector/caches/windows.h"

enum { WINDOWS = 30 };

struct fixture {
    struct told_window told[WINDOWS];
    struct truth truth;
    struct window_sum sum;
    struct arena arena;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    uint64_t seed = 5;
    for (int i = 0; i < WINDOWS; i++) {
        f->told[i].window = window_of("box", "c", 1000000 + 10000 * i);
        tell_stream(&f->told[i], &f->truth, &seed, 3000, 100 + 20 * (uint32_t)(i % 3),
                    i % 2 ? 40 : 200);
    }
    window_sum_init(&f->sum, SUM_ALL_KINDS);
    arena_init(&f->arena, 4096);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    window_sum_fini(&f->sum);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static void a_sum_is_as_true_as_its_windows(void **state)
{
    struct fixture *f = *state;
    struct window_list list;
    for (int i = 0; i < WINDOWS; i++)
        window_sum_add(&f->sum, &f->told[i].window);
    assert_false(f->sum.failed);
    assert_int_equal(f->sum.windows, WINDOWS);
    assert_int_equal(f->sum.commands, WINDOWS * 3000);
    assert_int_equal(f->sum.peak_commands, 600);
    assert_int_equal(f->sum.begin_unix_ms, 1000000);
    assert_int_equal(f->sum.end_unix_ms, 1000000 + 10000 * WINDOWS);
    for (uint32_t most = 1; most < STREAM_KEYS; most = 3 * most) {
        assert_int_equal(window_sum_list(&f->sum, WINDOW_KEYS_BY_CALLS, most, &f->arena, &list), 0);
        assert_list_bounds(&list, &f->truth);
        assert_true(batch_str_is(list.entries[0].key, "key:0"));
    }
}

static void sums_of_sums_are_as_true(void **state)
{
    struct fixture *f = *state;
    struct window_list list;
    for (int minute = 0; minute < WINDOWS / 6; minute++) {
        struct window_sum part;
        struct batch_window w;
        window_sum_init(&part, SUM_ALL_KINDS);
        for (int i = 6 * minute; i < 6 * minute + 6; i++)
            window_sum_add(&part, &f->told[i].window);
        assert_int_equal(window_sum_window(&part, 100, &f->arena, &w), 0);
        assert_int_equal(w.length_ms, 60000);
        window_sum_add(&f->sum, &w);
        window_sum_fini(&part);
    }
    assert_int_equal(f->sum.commands, WINDOWS * 3000);
    assert_int_equal(window_sum_list(&f->sum, WINDOW_KEYS_BY_CALLS, 50, &f->arena, &list), 0);
    assert_list_bounds(&list, &f->truth);
    double keys = 0;
    for (uint32_t i = 0; i < STREAM_KEYS; i++)
        keys += f->truth.calls[i] > 0;
    assert_true(fabs(distinct_count(&f->sum.keys) / keys - 1) < 0.1);
}

static void memory_is_bounded_and_what_goes_is_told(void **state)
{
    struct fixture *f = *state;
    struct window_list list;
    struct window_entry entries[1000];
    char texts[1000][24];
    struct batch_window w = window_of("box", "c", 1);
    for (uint32_t first = 0; first < 60000; first += 1000) {
        for (uint32_t i = 0; i < 1000; i++) {
            struct batch_str key = stream_key(first + i, texts[i]);
            entries[i] = (struct window_entry){.key = key,
                                               .full_length = key.length,
                                               .hash = topk_hash(key.bytes, key.length),
                                               .calls = first + i == 100 ? 90000 : first + i};
        }
        w.lists[WINDOW_KEYS_BY_CALLS] = (struct window_list){entries, 1000, 1000, 0};
        window_sum_add(&f->sum, &w);
    }
    assert_false(f->sum.failed);
    assert_in_range(f->sum.lists[WINDOW_KEYS_BY_CALLS].count, 1000, SUM_ROWS_MOST);
    assert_int_equal(window_sum_list(&f->sum, WINDOW_KEYS_BY_CALLS, 2, &f->arena, &list), 0);
    assert_true(batch_str_is(list.entries[0].key, "key:100"));
    assert_true(batch_str_is(list.entries[1].key, "key:59999"));
    assert_int_equal(list.entries[0].error, 0); /* it was told whenever it came */
    assert_true(list.rest >= 59998);
    assert_int_equal(list.total, 60000);
}

static void nothing_sums_up_to_nothing(void **state)
{
    struct fixture *f = *state;
    struct window_list list;
    struct batch_window w;
    assert_int_equal(window_sum_list(&f->sum, WINDOW_CLIENTS, 10, &f->arena, &list), 0);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.total, 0);
    assert_int_equal(window_sum_window(&f->sum, 10, &f->arena, &w), 0);
    assert_int_equal(w.commands, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sum_is_as_true_as_its_windows, setup, teardown),
        cmocka_unit_test_setup_teardown(sums_of_sums_are_as_true, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_is_bounded_and_what_goes_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_sums_up_to_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
