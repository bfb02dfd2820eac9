// SPDX-License-Identifier: Apache-2.0
#include "collector/caches/hot_keys.h"

#include "tests/unit/collector/caches/windows.h"

#define EPOCH_MS INT64_C(1700000000000)

struct written { /* one sample */
    char key[64];
    int64_t unix_ms;
    uint8_t kind;
    double value;
};

struct fixture {
    char directory[64];
    struct marks *marks;
    struct hot_keys *hot;
    struct arena arena;
    struct written written[256];
    uint32_t count;
    bool refuses;
};

static int write_samples(void *context, void *memory, size_t length, char *why, size_t why_size)
{
    struct fixture *f = context;
    int error;
    struct label room[LABELS_MAX];
    struct labels labels;
    const struct batch *b = batch_decode(&f->arena, memory, length, 1 << 20, &error);
    free(memory);
    assert_non_null(b);
    if (f->refuses) {
        snprintf(why, why_size, "not now");
        return -1;
    }
    for (uint32_t i = 0; i < b->samples.count; i++) {
        struct written *w = &f->written[f->count++];
        assert_true(batch_series_labels(b, b->samples.series_of[i], room, &labels));
        assert_true(batch_str_is(labels_get_text(&labels, "__name__"), "weft_cache_hot_key_share"));
        assert_true(batch_str_is(labels_get_text(&labels, "host"), "box1"));
        struct batch_str key = labels_get_text(&labels, "key");
        snprintf(w->key, sizeof w->key, "%.*s", (int)key.length, key.bytes);
        w->unix_ms = b->samples.unix_ms[i];
        w->kind = b->samples.kind[i];
        w->value = b->samples.value[i];
    }
    return 0;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char why[256] = "";
    strcpy(f->directory, "/tmp/weft-hot-keys-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->marks = marks_open(f->directory, 0, why, sizeof why);
    assert_non_null(f->marks);
    f->hot = hot_keys_create(&(struct hot_keys_options){
        .share = 0.1, .calls_per_s = 10, .marks = f->marks, .write = write_samples, .context = f});
    assert_non_null(f->hot);
    arena_init(&f->arena, 4096);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    hot_keys_destroy(&f->hot);
    marks_close(&f->marks);
    arena_fini(&f->arena);
    snprintf(command, sizeof command, "rm -r %s", f->directory);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

/* Window number `at`, of 10,000 calls, so many of them of "a" and "b\xff". */
static int see(struct fixture *f, int at, uint64_t a, uint64_t b)
{
    char why[128];
    struct window_entry entries[] = {
        {.key = {"a", 1}, .full_length = 1, .hash = 11, .calls = a},
        {.key = {"b\xff", 2}, .full_length = 2, .hash = 12, .calls = b}};
    struct batch_window w = window_of("box1", "10.0.0.1:6379", EPOCH_MS + 10000 * at);
    w.lists[WINDOW_KEYS_BY_CALLS] = (struct window_list){entries, 2, 10000, 0};
    return hot_keys_see(f->hot, &w, why, sizeof why);
}

static uint32_t marks_of(struct fixture *f, struct mark **list)
{
    const struct marks_filter filter = {
        .to_unix_ns = UINT64_MAX, .kind = MARK_HOT_KEY, .limit = 100};
    uint32_t count;
    bool more;
    assert_int_equal(marks_find(f->marks, &filter, &f->arena, list, &count, &more), 0);
    return count;
}

static void a_period_has_one_mark_from_its_first_window_to_its_last(void **state)
{
    struct fixture *f = *state;
    struct mark *list;
    for (int at = 0; at < 6; at++)
        assert_int_equal(see(f, at, at < 4 ? 4000 : 10, 0), 0);
    assert_int_equal(marks_of(f, &list), 1);
    assert_true(list[0].from_unix_ns == (uint64_t)EPOCH_MS * 1000000);
    assert_true(list[0].to_unix_ns == (uint64_t)(EPOCH_MS + 40000) * 1000000);
    assert_string_equal(list[0].title, "a is hot in 10.0.0.1:6379 on box1");
    assert_string_equal(list[0].text, "it began with 40 % of the calls of this redis");
    see(f, 40, 4000, 0); /* much later */
    assert_int_equal(marks_of(f, &list), 2);
}

static void what_is_told_again_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct mark *list;
    for (int time = 0; time < 2; time++) {
        for (int at = 0; at < 3; at++)
            see(f, at, 4000, 0);
        for (int at = 20; at < 23; at++)
            see(f, at, 4000, 0);
    }
    assert_int_equal(marks_of(f, &list), 2);
    assert_true(list[1].to_unix_ns == (uint64_t)(EPOCH_MS + 30000) * 1000000);
}

static void the_series_goes_on_and_ends_with_the_heat(void **state)
{
    struct fixture *f = *state;
    see(f, 0, 4000, 0);
    see(f, 1, 1000, 3000);
    see(f, 2, 0, 3000);
    see(f, 3, 0, 0);
    see(f, 4, 0, 0);
    const struct written expected[] = {{"a", EPOCH_MS + 10000, SAMPLE_VALUE, 0.4},
                                       {"a", EPOCH_MS + 20000, SAMPLE_VALUE, 0.1},
                                       {"b\\xff", EPOCH_MS + 20000, SAMPLE_VALUE, 0.3},
                                       {"a", EPOCH_MS + 30000, SAMPLE_STALE, 0},
                                       {"b\\xff", EPOCH_MS + 30000, SAMPLE_VALUE, 0.3},
                                       {"b\\xff", EPOCH_MS + 40000, SAMPLE_STALE, 0}};
    assert_int_equal(f->count, sizeof expected / sizeof *expected);
    for (uint32_t i = 0; i < f->count; i++) {
        assert_string_equal(f->written[i].key, expected[i].key);
        assert_true(f->written[i].unix_ms == expected[i].unix_ms);
        assert_int_equal(f->written[i].kind, expected[i].kind);
        assert_true(expected[i].kind == SAMPLE_STALE ||
                    fabs(f->written[i].value - expected[i].value) < 1e-9);
    }
}

static void few_calls_are_not_hot_whatever_their_share(void **state)
{
    struct fixture *f = *state;
    struct mark *list;
    char why[128];
    struct window_entry entry = {.key = {"a", 1}, .full_length = 1, .hash = 11, .calls = 99};
    struct batch_window w = window_of("box1", "c", EPOCH_MS);
    w.lists[WINDOW_KEYS_BY_CALLS] = (struct window_list){&entry, 1, 99, 0};
    assert_int_equal(hot_keys_see(f->hot, &w, why, sizeof why), 0);
    w.lists[WINDOW_KEYS_BY_CALLS].total = 0;
    assert_int_equal(hot_keys_see(f->hot, &w, why, sizeof why), 0);
    assert_int_equal(marks_of(f, &list), 0);
    assert_int_equal(f->count, 0);
}

static void series_that_cannot_be_written_are_tried_again(void **state)
{
    struct fixture *f = *state;
    struct mark *list;
    f->refuses = true;
    assert_int_equal(see(f, 0, 4000, 0), MARKS_EDISK);
    assert_int_equal(see(f, 0, 4000, 0), MARKS_EDISK);
    f->refuses = false;
    assert_int_equal(see(f, 0, 4000, 0), 0);
    assert_int_equal(f->count, 1);
    assert_int_equal(marks_of(f, &list), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_period_has_one_mark_from_its_first_window_to_its_last,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_told_again_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(the_series_goes_on_and_ends_with_the_heat, setup, teardown),
        cmocka_unit_test_setup_teardown(few_calls_are_not_hot_whatever_their_share, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(series_that_cannot_be_written_are_tried_again, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
