// SPDX-License-Identifier: Apache-2.0
/* Deltas become sums, which go on after a restart. */
#include <math.h>

#include "tests/unit/collector/series/stores.h"

/* ---- deltas ------------------------------------------------------------------------------ */

static void deltas_add_up_from_zero(void **state)
{
    struct world *w = *state;
    const int64_t at[] = {BASE_MS - 1000, BASE_MS,        BASE_MS + 1000,
                          BASE_MS + 1001, BASE_MS + 1002, BASE_MS + 5000};
    const double value[] = {0, 5, 7, 8, STALE_VALUE, 10};
    world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS, 5);
    world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS + 1000, 2);
    world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS + 500,
              1); /* late: counted at the next moment */
    world_add(w, "__name__=c", SAMPLE_STALE, BASE_MS + 1002, 0);
    world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS + 5000, 2);
    assert_reads(w, "c", 6, at, value);

    world_begin(w);
    struct series_sample told = {BASE_MS, SAMPLE_DELTA, 3, NULL, BASE_MS - 60000};
    series_store_append(w->store, world_series(w, "__name__=since"), &told);
    series_store_commit(w->store);
    assert_reads(w, "since", 2, (const int64_t[]){BASE_MS - 60000, BASE_MS},
                 (const double[]){0, 3});
}

static void sums_go_on_after_a_restart(void **state)
{
    struct world *w = *state;
    world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS, 5);
    world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS + 1000, 2);
    world_add(w, "__name__=v", SAMPLE_VALUE, BASE_MS, 100);
    world_cut(w);
    world_add(w, "__name__=c", SAMPLE_STALE, BASE_MS + 1500, 0);
    world_cut(w);
    world_reopen(w);
    world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS + 2000, 4);
    world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS + 1800, 1);
    world_add(w, "__name__=v", SAMPLE_VALUE, BASE_MS + 1000, 1);
    assert_reads(w, "c", 6,
                 (const int64_t[]){BASE_MS - 1000, BASE_MS, BASE_MS + 1000, BASE_MS + 1500,
                                   BASE_MS + 2000, BASE_MS + 2001},
                 (const double[]){0, 5, 7, STALE_VALUE, 11, 12});
    assert_reads(w, "v", 2, (const int64_t[]){BASE_MS, BASE_MS + 1000}, (const double[]){100, 1});
}

static void sums_go_on_from_merged_blocks(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 4; i++) {
        world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS + i * 1000, 1);
        world_cut(w);
    }
    world_until(w, has_blocks, 1, "four blocks of one size are merged");
    world_reopen(w);
    world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS + 4000, 1);
    assert_reads(w, "c", 6,
                 (const int64_t[]){BASE_MS - 1000, BASE_MS, BASE_MS + 1000, BASE_MS + 2000,
                                   BASE_MS + 3000, BASE_MS + 4000},
                 (const double[]){0, 1, 2, 3, 4, 5});
}

/* What ended long ago would take the places of series that live. */
static void sums_that_ended_long_ago_are_not_loaded(void **state)
{
    const int64_t idle_ms = 3600000;
    struct world *w = *state;
    struct series_stats stats;
    world_begin(w);
    for (int i = 0; i < 10; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "__name__=c instance=%d", i);
        world_append(w, labels, SAMPLE_DELTA, BASE_MS, 1, NULL);
    }
    world_append(w, "__name__=lives", SAMPLE_DELTA, BASE_MS + idle_ms + 1, 1, NULL);
    series_store_commit(w->store);
    world_cut(w);
    w->options.series_limit = 2;
    world_reopen(w);
    series_store_stats(w->store, &stats);
    assert_int_equal(stats.series, 1);
    assert_int_equal(world_add(w, "__name__=new", SAMPLE_VALUE, BASE_MS + idle_ms + 2, 1),
                     SERIES_TAKEN);
}

static void histograms_add_up_too(void **state)
{
    struct world *w = *state;
    struct points p;
    int32_t index[] = {1, 2, 5};
    double count[] = {3, 0, 4};
    struct histogram delta = {.schema = 3, .count = 7, .sum = 70, .positive = {3, index, count}};
    points_init(&p);
    for (int i = 0; i < 3; i++) {
        world_begin(w);
        assert_int_equal(
            world_append(w, "__name__=h", SAMPLE_HISTOGRAM_DELTA, BASE_MS + i * 1000, 0, &delta),
            SERIES_TAKEN);
        series_store_commit(w->store);
        if (i == 1) {
            world_cut(w);
            world_reopen(w);
        }
    }
    world_read(w, "h", INT64_MIN, INT64_MAX, &p);
    assert_int_equal(p.count, 4);
    for (int i = 0; i < 4; i++) {
        const struct histogram *h = p.histogram[i];
        assert_non_null(h);
        assert_int_equal(p.unix_ms[i], BASE_MS + (i - 1) * 1000);
        assert_true(h->count == 7 * i && h->sum == 70 * i && p.value[i] == 70 * i);
        assert_int_equal(h->positive.count, i ? 2 : 0);
        assert_true(i == 0 || (h->positive.index[1] == 5 && h->positive.value[1] == 4 * i));
    }
    points_fini(&p);
}

static uint64_t refused_samples(struct world *w)
{
    struct series_stats stats;
    series_store_stats(w->store, &stats);
    return stats.refused[SERIES_REFUSED_SAMPLE];
}

static void a_sum_stays_finite(void **state)
{
    struct world *w = *state;
    const int64_t at[] = {BASE_MS - 1000, BASE_MS, BASE_MS + 2000};
    const double sums[] = {0, 1e308, 1e308 + 5e307};
    assert_int_equal(world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS, 1e308), SERIES_TAKEN);
    assert_int_equal(world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS + 1000, 1e308),
                     SERIES_REFUSED_SAMPLE);
    assert_int_equal(world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS + 2000, 5e307), SERIES_TAKEN);
    assert_int_equal(world_add(w, "__name__=c", SAMPLE_DELTA, BASE_MS + 3000, INFINITY),
                     SERIES_REFUSED_SAMPLE);
    assert_reads(w, "c", 3, at, sums);
    assert_int_equal(world_add(w, "__name__=v", SAMPLE_VALUE, BASE_MS, INFINITY), SERIES_TAKEN);
    assert_int_equal(world_add(w, "__name__=v", SAMPLE_DELTA, BASE_MS + 1000, 1),
                     SERIES_REFUSED_SAMPLE);
    assert_int_equal(refused_samples(w), 3);
}

static enum series_refusal add_histogram_delta(struct world *w, int64_t unix_ms, double count,
                                               double sum)
{
    int32_t index[] = {1};
    struct histogram h = {.schema = 3, .count = count, .sum = sum, .positive = {1, index, &count}};
    world_begin(w);
    enum series_refusal result =
        world_append(w, "__name__=h", SAMPLE_HISTOGRAM_DELTA, unix_ms, 0, &h);
    series_store_commit(w->store);
    return result;
}

static void a_histograms_sums_stay_finite(void **state)
{
    struct world *w = *state;
    struct points p;
    assert_int_equal(add_histogram_delta(w, BASE_MS, 1e308, 1), SERIES_TAKEN);
    assert_int_equal(add_histogram_delta(w, BASE_MS + 1000, 1e308, 1), SERIES_REFUSED_SAMPLE);
    assert_int_equal(add_histogram_delta(w, BASE_MS + 2000, 1, 1e308), SERIES_TAKEN);
    assert_int_equal(add_histogram_delta(w, BASE_MS + 3000, 1, 1e308), SERIES_REFUSED_SAMPLE);
    assert_int_equal(refused_samples(w), 2);
    points_init(&p);
    world_read(w, "h", INT64_MIN, INT64_MAX, &p);
    assert_int_equal(p.count, 3);
    assert_true(p.histogram[2]->count == 1e308 + 1 && p.value[2] == 1e308 + 1);
    points_clear(&p); /* a value that was infinite makes the sum so */
    assert_int_equal(add_histogram_delta(w, BASE_MS + 4000, 1, INFINITY), SERIES_TAKEN);
    assert_int_equal(add_histogram_delta(w, BASE_MS + 5000, 1, 1), SERIES_TAKEN);
    points_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(deltas_add_up_from_zero, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(sums_go_on_after_a_restart, world_setup_cutting,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(sums_go_on_from_merged_blocks, world_setup_cutting,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(sums_that_ended_long_ago_are_not_loaded,
                                        world_setup_cutting, world_teardown),
        cmocka_unit_test_setup_teardown(histograms_add_up_too, world_setup_cutting, world_teardown),
        cmocka_unit_test_setup_teardown(a_sum_stays_finite, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_histograms_sums_stay_finite, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
