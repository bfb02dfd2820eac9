// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "collector/series/exemplars.h"
#include "tests/unit/collector/series/stores.h"

/* Cut at once. */
#define SOON 1

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    world_init(w, &(struct series_store_options){.head_bytes = 16 << 20, .exemplars = 4});
    *state = w;
    return 0;
}

static int setup_cutting(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    world_init(w, &(struct series_store_options){.head_bytes = 16 << 20, .cut_after_ns = SOON});
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

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

/* ---- samples ----------------------------------------------------------------------------- */

static void what_is_appended_is_read(void **state)
{
    struct world *w = *state;
    const int64_t at[] = {BASE_MS, BASE_MS + 15000, BASE_MS + 30000};
    const double value[] = {1, 2.5, STALE_VALUE};
    world_add(w, "__name__=up job=a", SAMPLE_VALUE, at[0], 1);
    world_add(w, "__name__=up job=a", SAMPLE_VALUE, at[1], 2.5);
    world_add(w, "__name__=up job=a", SAMPLE_STALE, at[2], 0);
    assert_reads(w, "up", 3, at, value);
    struct points p;
    points_init(&p);
    assert_int_equal(world_read(w, "up", at[1], at[1], &p), 1);
    assert_int_equal(p.count, 1);
    assert_int_equal(world_read(w, "up", at[2] + 1, INT64_MAX, &p), 0);
    assert_int_equal(world_read(w, "down", INT64_MIN, INT64_MAX, &p), 0);
    points_fini(&p);
}

static void late_samples_are_sorted_in_and_the_later_word_counts(void **state)
{
    struct world *w = *state;
    const int64_t at[] = {BASE_MS, BASE_MS + 1, BASE_MS + 2, BASE_MS + 3, BASE_MS + 4};
    const double value[] = {10, 1, 22, 3, 44};
    world_add(w, "__name__=up", SAMPLE_VALUE, at[1], 1);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[4], 4);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[3], 3);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[2], 2);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[0], 10);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[2], 22);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[4], 44);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[3], 3);
    assert_reads(w, "up", 5, at, value);
    struct series_stats stats;
    series_store_stats(w->store, &stats);
    assert_int_equal(stats.samples, 8);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[4] + 1, 5);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[4] + 1, 5);
    series_store_stats(w->store, &stats);
    assert_int_equal(stats.duplicates, 1);
}

static void blocks_go_on_where_the_ledger_does(void **state)
{
    struct world *w = *state;
    const int64_t at[] = {BASE_MS, BASE_MS + 1000, BASE_MS + 2000};
    const double value[] = {1, 20, 3};
    assert_int_equal(series_store_ledger_end(w->store).segment, 0);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[0], 1);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[1], 2);
    world_cut(w);
    struct journal_position end = series_store_ledger_end(w->store);
    assert_int_equal(end.segment, world_position(w->step).segment);
    assert_int_equal(end.offset, world_position(w->step).offset);
    world_reopen(w);
    assert_int_equal(series_store_ledger_end(w->store).offset, end.offset);
    world_add(w, "__name__=up", SAMPLE_VALUE, at[1], 20); /* the later word, over a block */
    world_add(w, "__name__=up", SAMPLE_VALUE, at[2], 3);
    assert_reads(w, "up", 3, at, value);
    world_cut(w);
    assert_reads(w, "up", 3, at, value);

    w->options.ledger_begun_unix_ns = 77;
    world_reopen(w);
    assert_int_equal(series_store_ledger_end(w->store).segment, 0);
    assert_reads(w, "up", 3, at, value);
}

static void batches_without_samples_move_the_ledgers_end_too(void **state)
{
    struct world *w = *state;
    world_begin(w);
    series_store_commit(w->store);
    world_until(w, has_cuts, 1, "a cut");
    assert_int_equal(series_store_ledger_end(w->store).offset, world_position(w->step).offset);
    struct points p;
    points_init(&p);
    assert_int_equal(world_read(w, "up", INT64_MIN, INT64_MAX, &p), 0);
    points_fini(&p);
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

/* ---- questions --------------------------------------------------------------------------- */

static void assert_strings(struct series_strings *s, const char *expected)
{
    char all[256] = "";
    for (size_t i = 0; i < s->count; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%.*s", i ? " " : "",
                 (int)s->items[i].length, s->items[i].bytes);
    assert_string_equal(all, expected);
    free(s->items);
}

static void names_and_values_of_labels(void **state)
{
    struct world *w = *state;
    struct series_strings s;
    struct matcher m = matcher_by_hand(MATCH_EQUAL, "job", "a");
    world_add(w, "__name__=up job=a", SAMPLE_VALUE, BASE_MS, 1);
    world_add(w, "__name__=up job=b host=x", SAMPLE_VALUE, BASE_MS, 1);
    world_cut(w);
    world_add(w, "__name__=down job=c", SAMPLE_VALUE, BASE_MS + 100000, 1);
    series_store_label_names(w->store, NULL, 0, INT64_MIN, INT64_MAX, &s);
    assert_strings(&s, "__name__ host job");
    series_store_label_values(w->store, text("job"), NULL, 0, INT64_MIN, INT64_MAX, &s);
    assert_strings(&s, "a b c");
    series_store_label_values(w->store, text("job"), NULL, 0, BASE_MS + 1, INT64_MAX, &s);
    assert_true(s.count >= 1); /* the head's index may know more */
    free(s.items);
    series_store_label_values(w->store, text(LABEL_METRIC), &m, 1, INT64_MIN, INT64_MAX, &s);
    assert_strings(&s, "up");
    series_store_label_names(w->store, &m, 1, INT64_MIN, INT64_MAX, &s);
    assert_strings(&s, "__name__ job");
    series_store_label_values(w->store, text("none"), NULL, 0, INT64_MIN, INT64_MAX, &s);
    assert_strings(&s, "");
}

static void metadata_outlives_a_restart(void **state)
{
    struct world *w = *state;
    struct arena arena;
    struct series_metadata *list;
    size_t count;
    struct series_metadata up = {text("up"), text("whether"), text(""), METRIC_UNKNOWN};
    arena_init(&arena, 1024);
    world_begin(w);
    series_store_describe(w->store, &up);
    up = (struct series_metadata){text("up"), text(""), text("bool"), METRIC_GAUGE};
    series_store_describe(w->store, &up);
    up.metric = text("a");
    series_store_describe(w->store, &up);
    world_append(w, "__name__=up", SAMPLE_VALUE, BASE_MS, 1, NULL);
    series_store_commit(w->store);
    world_cut(w);
    world_reopen(w);
    assert_int_equal(series_store_metadata(w->store, NULL, &arena, &list, &count), 0);
    assert_int_equal(count, 2);
    assert_true(batch_str_is(list[0].metric, "a") && batch_str_is(list[1].metric, "up"));
    assert_true(batch_str_is(list[1].help, "whether") && batch_str_is(list[1].unit, "bool"));
    assert_int_equal(list[1].type, METRIC_GAUGE);
    struct batch_str only = text("up");
    assert_int_equal(series_store_metadata(w->store, &only, &arena, &list, &count), 0);
    assert_int_equal(count, 1);
    arena_fini(&arena);
}

static void the_newest_exemplars_are_kept(void **state)
{
    struct world *w = *state;
    struct series_exemplars *list;
    struct arena arena;
    size_t count;
    struct matcher m = matcher_by_hand(MATCH_NOT_EQUAL, "job", "b");
    arena_init(&arena, 1024);
    world_begin(w);
    for (int i = 0; i < 6; i++) {
        char trace[16];
        snprintf(trace, sizeof trace, "%d", i);
        struct label id = {text("trace_id"), text(trace)};
        struct exemplar e = {{&id, 1}, i, BASE_MS + 6 - i};
        series_ref ref = world_series(w, i % 2 ? "__name__=x job=a" : "__name__=x job=b");
        series_store_exemplar(w->store, ref, &e);
        if (i == 5)
            series_store_exemplar(w->store, ref, &e);
    }
    static char longest[EXEMPLAR_LABEL_BYTES_MAX]; /* and the name: so much is not kept */
    struct label too_long = {text("trace_id"), {longest, sizeof longest}};
    series_store_exemplar(w->store, world_series(w, "__name__=x job=a"),
                          &(struct exemplar){{&too_long, 1}, 7, BASE_MS + 7});
    series_store_commit(w->store);
    assert_int_equal(
        series_store_exemplars(w->store, &m, 1, INT64_MIN, INT64_MAX, &arena, &list, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(list[0].count, 2);
    assert_true(list[0].list[0].value == 5 && list[0].list[1].value == 3);
    assert_true(batch_str_is(labels_get_text(&list[0].list[1].labels, "trace_id"), "3"));
    assert_true(batch_str_is(labels_get_text(&list[0].labels, "job"), "a"));
    assert_int_equal(
        series_store_exemplars(w->store, NULL, 0, BASE_MS, BASE_MS + 2, &arena, &list, &count), 0);
    assert_int_equal(count, 2);
    arena_fini(&arena);
}

static void the_heads_status(void **state)
{
    struct world *w = *state;
    struct series_head_status status;
    struct arena arena;
    arena_init(&arena, 1024);
    for (int i = 0; i < 5; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "__name__=%s pod=p%d", i < 3 ? "big" : "small", i);
        world_add(w, labels, SAMPLE_VALUE, BASE_MS + i, 1);
    }
    assert_int_equal(series_store_head_status(w->store, 1, &arena, &status), 0);
    assert_int_equal(status.series, 5);
    assert_int_equal(status.label_pairs, 7);
    assert_int_equal(status.chunks, 5);
    assert_int_equal(status.min_ms, BASE_MS);
    assert_int_equal(status.max_ms, BASE_MS + 4);
    assert_true(status.by_metric_count == 1 && status.by_metric[0].count == 3 &&
                batch_str_is(status.by_metric[0].name, "big"));
    assert_true(status.values_by_label[0].count == 5 &&
                batch_str_is(status.values_by_label[0].name, "pod"));
    assert_true(status.by_pair[0].count == 3 && batch_str_is(status.by_pair[0].value, "big"));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_of_memory_grows_with_the_series_that_live),
        cmocka_unit_test_setup_teardown(what_is_appended_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(late_samples_are_sorted_in_and_the_later_word_counts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(blocks_go_on_where_the_ledger_does, setup_cutting,
                                        teardown),
        cmocka_unit_test_setup_teardown(batches_without_samples_move_the_ledgers_end_too,
                                        setup_cutting, teardown),
        cmocka_unit_test_setup_teardown(beyond_the_limit_new_series_are_refused_and_old_ones_go_on,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_too_old_or_too_new_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(labels_and_samples_that_contradict_themselves_are_refused,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(series_without_samples_leave_the_head_and_stay_in_blocks,
                                        setup_cutting, teardown),
        cmocka_unit_test_setup_teardown(deltas_add_up_from_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(times_beyond_all_bounds_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(large_histograms_come_late, setup, teardown),
        cmocka_unit_test_setup_teardown(a_deletion_takes_so_many_matchers, setup_cutting, teardown),
        cmocka_unit_test_setup_teardown(sums_go_on_after_a_restart, setup_cutting, teardown),
        cmocka_unit_test_setup_teardown(sums_go_on_from_merged_blocks, setup_cutting, teardown),
        cmocka_unit_test_setup_teardown(sums_that_ended_long_ago_are_not_loaded, setup_cutting,
                                        teardown),
        cmocka_unit_test_setup_teardown(histograms_add_up_too, setup_cutting, teardown),
        cmocka_unit_test_setup_teardown(a_sum_stays_finite, setup, teardown),
        cmocka_unit_test_setup_teardown(a_histograms_sums_stay_finite, setup, teardown),
        cmocka_unit_test_setup_teardown(names_and_values_of_labels, setup_cutting, teardown),
        cmocka_unit_test_setup_teardown(metadata_outlives_a_restart, setup_cutting, teardown),
        cmocka_unit_test_setup_teardown(the_newest_exemplars_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(the_heads_status, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
