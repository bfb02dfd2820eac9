// SPDX-License-Identifier: Apache-2.0
/* What the series store does not take, and what it takes for what it holds. */
#include "tests/unit/collector/series/stores.h"

/* ---- memory ------------------------------------------------------------------------------ */

enum { MANY_SERIES = 3000 };

static void append_rounds(struct world *w, int rounds)
{
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < MANY_SERIES; i++) {
            char labels[64];
            snprintf(labels, sizeof labels, "__name__=up instance=%d", i);
            world_add(w, labels, SAMPLE_VALUE, BASE_MS + round * 1000, i);
        }
}

static void the_bound_of_memory_grows_with_the_series_that_live(void **state)
{
    struct series_store_options options = {.head_bytes = 1 << 20};
    struct series_stats stats;
    struct world w;
    (void)state;
    world_init(&w, &options);
    append_rounds(&w, 2);
    series_store_stats(w.store, &stats);
    assert_int_equal(stats.head_limit_bytes, options.head_bytes);
    assert_true(stats.cuts + stats.generations > 1); /* what they hold open fills generations */
    world_fini(&w);

    options.series_bytes = 1 << 10;
    world_init(&w, &options);
    append_rounds(&w, 2);
    series_store_stats(w.store, &stats);
    assert_int_equal(stats.head_limit_bytes, options.head_bytes + (MANY_SERIES << 10));
    assert_int_equal(stats.cuts + stats.generations, 1);
    assert_int_equal(stats.head_samples, 2 * MANY_SERIES);
    world_fini(&w);
}

/* ---- refusing ---------------------------------------------------------------------------- */

static void beyond_the_limit_new_series_are_refused_and_old_ones_go_on(void **state)
{
    struct world *w = *state;
    struct series_stats stats;
    w->options.series_limit = 2;
    world_reopen(w);
    assert_int_equal(world_add(w, "__name__=a", SAMPLE_VALUE, BASE_MS, 1), SERIES_TAKEN);
    assert_int_equal(world_add(w, "__name__=b", SAMPLE_VALUE, BASE_MS, 1), SERIES_TAKEN);
    world_begin(w);
    for (int i = 0; i < 5; i++) {
        struct label_texts t;
        char labels[64];
        enum series_refusal why;
        snprintf(labels, sizeof labels, "__name__=%s x=%d", i ? "exploding" : "other", i);
        assert_int_equal(series_store_resolve(w->store, labels_by_hand(&t, labels), &why), 0);
        assert_int_equal(why, SERIES_REFUSED_LIMIT);
    }
    series_store_commit(w->store);
    assert_int_equal(world_add(w, "__name__=b", SAMPLE_VALUE, BASE_MS + 1, 2), SERIES_TAKEN);
    series_store_stats(w->store, &stats);
    assert_int_equal(stats.series, 2);
    assert_int_equal(stats.refused[SERIES_REFUSED_LIMIT], 5);
    assert_string_equal(stats.most_refused_metric, "exploding");
    assert_int_equal(stats.most_refused, 4);
}

static void what_is_too_old_or_too_new_is_refused(void **state)
{
    struct world *w = *state;
    struct series_stats stats;
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    w->options.out_of_order_ms = 10000;
    w->options.future_ms = 60000;
    world_reopen(w);
    assert_int_equal(world_add(w, "__name__=a", SAMPLE_VALUE, now_ms, 1), SERIES_TAKEN);
    assert_int_equal(world_add(w, "__name__=a", SAMPLE_VALUE, now_ms - 10000, 1), SERIES_TAKEN);
    assert_int_equal(world_add(w, "__name__=a", SAMPLE_VALUE, now_ms - 10001, 1),
                     SERIES_REFUSED_OLD);
    assert_int_equal(world_add(w, "__name__=a", SAMPLE_VALUE, now_ms + 600000, 1),
                     SERIES_REFUSED_FUTURE);
    series_store_stats(w->store, &stats);
    assert_int_equal(stats.refused[SERIES_REFUSED_OLD], 1);
    assert_int_equal(stats.refused[SERIES_REFUSED_FUTURE], 1);
}

static void labels_and_samples_that_contradict_themselves_are_refused(void **state)
{
    struct world *w = *state;
    const struct label unsorted[] = {{text("b"), text("1")}, {text("a"), text("1")}};
    const struct label twice[] = {{text("a"), text("1")}, {text("a"), text("2")}};
    const struct label empty[] = {{text("a"), text("")}};
    const struct labels bad[] = {{unsorted, 2}, {twice, 2}, {empty, 1}, {empty, 0}};
    world_begin(w);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum series_refusal why;
        assert_int_equal(series_store_resolve(w->store, &bad[i], &why), 0);
        assert_int_equal(why, SERIES_REFUSED_LABELS);
    }
    int32_t index[] = {2, 1};
    double count[] = {1, 1};
    const struct histogram falling = {.positive = {2, index, count}};
    const struct histogram finest = {.schema = 9};
    const struct histogram *histograms[] = {&falling, &finest, NULL};
    for (int i = 0; i < 3; i++)
        assert_int_equal(world_append(w, "__name__=h", SAMPLE_HISTOGRAM, BASE_MS, 0, histograms[i]),
                         SERIES_REFUSED_SAMPLE);
    assert_int_equal(world_append(w, "__name__=c", SAMPLE_DELTA, BASE_MS, -1, NULL),
                     SERIES_REFUSED_SAMPLE);
    assert_int_equal(world_append(w, "__name__=c", SAMPLE_DELTA, BASE_MS, NAN, NULL),
                     SERIES_REFUSED_SAMPLE);
    struct series_sample sample = {.unix_ms = BASE_MS};
    assert_int_equal(series_store_append(w->store, (UINT64_C(9) << 32) | 1, &sample),
                     SERIES_REFUSED_GONE);
    series_store_commit(w->store);
}

static void series_without_samples_leave_the_head_and_stay_in_blocks(void **state)
{
    struct world *w = *state;
    w->options.idle_ns = 1;
    world_reopen(w);
    world_begin(w);
    series_ref old = world_series(w, "__name__=old");
    struct series_sample sample = {.unix_ms = BASE_MS, .value = 1};
    assert_int_equal(series_store_append(w->store, old, &sample), SERIES_TAKEN);
    series_store_commit(w->store);
    world_cut(w);
    /* Idleness is told in whole seconds, and looked for when a generation was cut. */
    struct series_stats stats;
    time_t until = time(NULL) + 60;
    do {
        world_add(w, "__name__=young", SAMPLE_VALUE, BASE_MS + (int64_t)w->step, 1);
        world_cut(w);
        series_store_stats(w->store, &stats);
    } while (stats.series > 1 && time(NULL) < until);
    assert_in_range(stats.series, 0, 1);
    world_begin(w);
    assert_int_equal(series_store_append(w->store, old, &sample), SERIES_REFUSED_GONE);
    series_store_commit(w->store);
    assert_reads(w, "old", 1, (const int64_t[]){BASE_MS}, (const double[]){1});
}

/* Times that cannot be counted with would be wrapped around, and be the newest of all. */
static void times_beyond_all_bounds_are_refused(void **state)
{
    struct world *w = *state;
    const int64_t times[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX - 1, INT64_MAX};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        assert_int_not_equal(world_add(w, "__name__=d", SAMPLE_DELTA, times[i], 1), SERIES_TAKEN);
        assert_int_not_equal(world_add(w, "__name__=v", SAMPLE_VALUE, times[i], 1), SERIES_TAKEN);
    }
    assert_int_equal(world_add(w, "__name__=v", SAMPLE_VALUE, BASE_MS, 1), SERIES_TAKEN);
    assert_reads(w, "v", 1, (const int64_t[]){BASE_MS}, (const double[]){1});
}

/* Of which more than one chunk of memory can hold. */
static void large_histograms_come_late(void **state)
{
    enum { BUCKETS = 16000, SAMPLES = 66 };
    static int32_t index[BUCKETS];
    static double value[BUCKETS], custom[BUCKETS];
    struct world *w = *state;
    struct points p;
    struct histogram h = {.schema = HISTOGRAM_CUSTOM,
                          .count = BUCKETS / 2.0,
                          .positive = {BUCKETS, index, value},
                          .custom = custom,
                          .custom_count = BUCKETS};
    for (int i = 0; i < BUCKETS; i++) {
        index[i] = i;
        value[i] = 0.5; /* not whole: told anew each time */
        custom[i] = i + 0.25;
    }
    world_begin(w);
    for (int i = SAMPLES; i >= 0; i--) {
        h.sum = i;
        assert_int_equal(world_append(w, "__name__=h", SAMPLE_HISTOGRAM, BASE_MS + i * 1000, 0, &h),
                         SERIES_TAKEN);
    }
    series_store_commit(w->store);
    points_init(&p);
    world_read(w, "h", INT64_MIN, INT64_MAX, &p);
    assert_int_equal(p.count, SAMPLES + 1);
    for (int i = 0; i <= SAMPLES; i++) {
        h.sum = i;
        assert_int_equal(p.unix_ms[i], BASE_MS + i * 1000);
        assert_true(p.histogram[i] && histograms_same(p.histogram[i], &h));
    }
    points_fini(&p);
}

/* As many as a question takes: blocks are looked through for them later. */
static void a_deletion_takes_so_many_matchers(void **state)
{
    struct world *w = *state;
    struct series_stats stats;
    struct matcher m[MATCHERS_MAX + 1] = {matcher_by_hand(MATCH_EQUAL, LABEL_METRIC, "v")};
    for (int i = 1; i <= MATCHERS_MAX; i++)
        m[i] = matcher_by_hand(MATCH_NOT_EQUAL, "none", "x");
    world_add(w, "__name__=v", SAMPLE_VALUE, BASE_MS, 1);
    world_cut(w);
    assert_int_equal(series_store_delete(w->store, m, MATCHERS_MAX + 1, BASE_MS, BASE_MS),
                     SERIES_ELIMIT);
    assert_reads(w, "v", 1, (const int64_t[]){BASE_MS}, (const double[]){1});
    assert_int_equal(series_store_delete(w->store, m, MATCHERS_MAX, BASE_MS, BASE_MS), SERIES_OK);
    assert_reads(w, "v", 0, NULL, NULL);
    world_reopen(w);
    assert_reads(w, "v", 0, NULL, NULL);
    series_store_stats(w->store, &stats);
    assert_in_range(stats.tombstones, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_of_memory_grows_with_the_series_that_live),
        cmocka_unit_test_setup_teardown(beyond_the_limit_new_series_are_refused_and_old_ones_go_on,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_is_too_old_or_too_new_is_refused, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(labels_and_samples_that_contradict_themselves_are_refused,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(series_without_samples_leave_the_head_and_stay_in_blocks,
                                        world_setup_cutting, world_teardown),
        cmocka_unit_test_setup_teardown(times_beyond_all_bounds_are_refused, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(large_histograms_come_late, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_deletion_takes_so_many_matchers, world_setup_cutting,
                                        world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
