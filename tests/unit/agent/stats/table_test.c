// SPDX-License-Identifier: Apache-2.0
#include "agent/stats/table.h"

#include "tests/unit/agent/stats/rows.h"

static int setup(void **state)
{
    struct rows *r = malloc(sizeof *r);
    rows_begin(r, 3);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    rows_end(*state);
    free(*state);
    return 0;
}

static struct stats_metric *metric(struct rows *r, const char *name, enum metric_type type)
{
    return stats_metric(r->table, str(name), type, STATS_OF_LIBWEFT);
}

static struct stats_series *find(struct rows *r, const char *name, enum metric_type type,
                                 const char *value)
{
    struct stats_label label = {str("k"), str(value)};
    return stats_find(r->table, metric(r, name, type), NULL, &label, 1);
}

static void a_counter_tells_what_came_since(void **state)
{
    struct rows *r = *state;
    stats_count(find(r, "c", METRIC_COUNTER, "a"), 2);
    stats_count(find(r, "c", METRIC_COUNTER, "a"), 3);
    rows_round(r);
    assert_row(r, "c{host=box,k=a}", SAMPLE_DELTA, 5);
    stats_count(find(r, "c", METRIC_COUNTER, "a"), 1);
    rows_round(r);
    assert_row(r, "c{host=box,k=a}", SAMPLE_DELTA, 1);
    assert_int_equal(r->batch->samples.unix_ms[0], r->unix_ms);
}

static void a_histogram_tells_what_came_since_with_a_span_behind_it(void **state)
{
    struct rows *r = *state;
    struct stats_series *s = find(r, "h", METRIC_HISTOGRAM, "a");
    stats_record(s, 0.25, 2);
    stats_record(s, 8, 1);
    stats_behind(s, &(struct stats_exemplar){r->unix_ms * 1000000ull, 7, {1, 2}, 0.25});
    rows_round(r);
    assert_row(r, "h{host=box,k=a}", SAMPLE_HISTOGRAM_DELTA, 8.5);
    assert_int_equal(r->batch->samples.histograms[0].positive, 2);
    assert_int_equal(r->batch->samples.exemplar_count, 1);
    assert_int_equal(r->batch->samples.exemplar_span_id[0], 7);
    stats_record(s, 1, 1);
    rows_round(r);
    assert_row(r, "h{host=box,k=a}", SAMPLE_HISTOGRAM_DELTA, 1);
    assert_int_equal(r->batch->samples.exemplar_count, 0);
}

static void gauges_of_one_round_are_added_up(void **state)
{
    struct rows *r = *state;
    for (int round = 0; round < 2; round++) {
        stats_gauge(r->table, find(r, "g", METRIC_GAUGE, "a"), 2);
        stats_gauge(r->table, find(r, "g", METRIC_GAUGE, "a"), 5);
        rows_round(r);
        assert_row(r, "g{host=box,k=a}", SAMPLE_VALUE, 7);
    }
}

static void a_gauge_that_nobody_sets_ends(void **state)
{
    struct rows *r = *state;
    stats_gauge(r->table, find(r, "g", METRIC_GAUGE, "a"), 2);
    rows_round(r);
    rows_round(r); /* it may be left out once */
    assert_row(r, "g{host=box,k=a}", SAMPLE_VALUE, 2);
    rows_round(r);
    assert_row(r, "g{host=box,k=a}", SAMPLE_STALE, 0);
    assert_int_equal(rows_round(r), 0);
}

static void a_gauge_that_is_kept_stays_until_its_source_is_silent(void **state)
{
    struct rows *r = *state;
    stats_gauge_keep(r->table, find(r, "g", METRIC_GAUGE, "a"), 2);
    stats_gauge_move(r->table, find(r, "g", METRIC_GAUGE, "a"), -5);
    for (int i = 0; i < 20; i++) {
        rows_round(r);
        assert_row(r, "g{host=box,k=a}", SAMPLE_VALUE, -3);
    }
    rows_round(r);
    rows_round(r);
    assert_row(r, "g{host=box,k=a}", SAMPLE_STALE, 0);
}

static void a_gauge_that_ended_comes_back_to_whoever_kept_it(void **state)
{
    struct rows *r = *state;
    struct stats_identity *identity = stats_identity_hold(r->table, str("web"), str(""), str(""));
    struct stats_series *s = stats_find(r->table, metric(r, "g", METRIC_GAUGE), identity, NULL, 0);
    stats_gauge(r->table, s, 1);
    for (int i = 0; i < 10; i++)
        rows_round(r);
    assert_int_equal(r->batch->samples.count, 0);
    stats_gauge(r->table, s, 3); /* it is still there */
    rows_round(r);
    assert_row(r, "g{host=box,service=web}", SAMPLE_VALUE, 3);
    stats_identity_release(r->table, identity);
}

static void what_does_not_change_is_told_now_and_then(void **state)
{
    struct rows *r = *state;
    struct stats_identity *identity =
        stats_identity_hold(r->table, str("web"), str("1.2"), str("c7"));
    stats_count(stats_find(r->table, metric(r, "c", METRIC_COUNTER), identity, NULL, 0), 1);
    size_t told = 0;
    for (int i = 0; i < 60; i++)
        told += rows_round(r);
    assert_int_equal(told, 60);
    for (int i = 0; i < 150; i++)
        told += rows_round(r);
    assert_int_equal(told, 70);
    stats_identity_release(r->table, identity);
}

static void a_series_says_whose_it_is_and_ends_after_its_processes(void **state)
{
    struct rows *r = *state;
    struct stats_identity *identity =
        stats_identity_hold(r->table, str("web"), str("1.2"), str(""));
    assert_ptr_equal(stats_identity_hold(r->table, str("web"), str("1.2"), str("")), identity);
    stats_identity_release(r->table, identity);
    stats_count(stats_find(r->table, metric(r, "c", METRIC_COUNTER), identity, NULL, 0), 1);
    rows_round(r);
    assert_row(r, "c{host=box,service=web,version=1.2}", SAMPLE_DELTA, 1);
    for (int i = 0; i < 1000; i++)
        rows_round(r);
    stats_identity_release(r->table, identity);
    bool ended = false;
    for (int i = 0; i < 400 && !ended; i++) {
        rows_round(r);
        ended = r->batch->samples.count > 0 && r->batch->samples.kind[0] == SAMPLE_STALE;
    }
    assert_true(ended);
    struct stats_table_stats stats;
    stats_table_stats(r->table, &stats);
    assert_int_equal(stats.series, 0);
}

static void beyond_its_bound_a_metric_refuses_and_says_so(void **state)
{
    struct rows *r = *state;
    for (int i = 0; i < 5; i++) {
        char value[16];
        snprintf(value, sizeof value, "v%d", i);
        stats_count(find(r, "c", METRIC_COUNTER, value), 1);
    }
    assert_int_equal(rows_round(r), 4);
    assert_row(r, "weft_agent_series_refused_total{host=box,metric=c,reason=series_limit}",
               SAMPLE_DELTA, 2);
    assert_non_null(find(r, "c", METRIC_COUNTER, "v0"));
    assert_null(find(r, "c", METRIC_COUNTER, "v4"));
}

static void a_metric_has_one_type(void **state)
{
    struct rows *r = *state;
    assert_non_null(find(r, "m", METRIC_COUNTER, "a"));
    assert_null(find(r, "m", METRIC_GAUGE, "a"));
    rows_round(r);
    assert_row(r, "weft_agent_series_refused_total{host=box,metric=m,reason=other_type}",
               SAMPLE_DELTA, 1);
}

static const struct stats_metric_info own_info = {
    .name = "calls", .type = METRIC_COUNTER, .naming = STATS_HOST_ONLY};

static void the_agents_names_are_its_own(void **state)
{
    struct rows *r = *state;
    struct stats_metric *own = stats_own_metric(r->table, &own_info);
    assert_null(stats_metric(r->table, str("calls"), METRIC_COUNTER, STATS_OF_STATSD));
    assert_null(stats_metric(r->table, str("calls"), METRIC_GAUGE, STATS_OF_LIBWEFT));
    assert_ptr_equal(stats_own_metric(r->table, &own_info), own);
    stats_count(stats_find(r->table, own, NULL, NULL, 0), 3);
    rows_round(r);
    assert_row(r, "calls{host=box}", SAMPLE_DELTA, 3);
    assert_row(r, "weft_agent_series_refused_total{host=box,metric=calls,reason=own_name}",
               SAMPLE_DELTA, 2);
}

/* StatsD was first: its series end, and the name is libweft's; then the agent's. */
static void who_stands_higher_takes_a_name(void **state)
{
    struct rows *r = *state;
    struct stats_label label = {{"k", 1}, {"a", 1}};
    struct stats_metric *m = stats_metric(r->table, str("calls"), METRIC_GAUGE, STATS_OF_STATSD);
    stats_gauge_keep(r->table, stats_find(r->table, m, NULL, &label, 1), 7);
    rows_round(r);
    assert_row(r, "calls{host=box,k=a}", SAMPLE_VALUE, 7);
    m = stats_metric(r->table, str("calls"), METRIC_HISTOGRAM, STATS_OF_LIBWEFT);
    assert_non_null(m);
    assert_null(stats_metric(r->table, str("calls"), METRIC_GAUGE, STATS_OF_STATSD));
    rows_round(r);
    assert_row(r, "calls{host=box,k=a}", SAMPLE_STALE, 0);
    assert_row(r, "weft_agent_series_refused_total{host=box,metric=calls,reason=other_type}",
               SAMPLE_DELTA, 1);
    stats_count(stats_find(r->table, stats_own_metric(r->table, &own_info), NULL, NULL, 0), 2);
    rows_round(r);
    assert_row(r, "calls{host=box}", SAMPLE_DELTA, 2);
}

static void beyond_the_bound_of_metrics_the_agents_own_are_counted(void **state)
{
    struct rows *r = *state;
    char name[16];
    for (int i = 0; i < STATS_METRICS_MAX + 3; i++) {
        snprintf(name, sizeof name, "m%d", i);
        stats_metric(r->table, str(name), METRIC_COUNTER, STATS_OF_STATSD);
    }
    stats_count(stats_find(r->table, stats_own_metric(r->table, &own_info), NULL, NULL, 0), 2);
    rows_round(r);
    assert_row(r, "calls{host=box}", SAMPLE_DELTA, 2);
    assert_row(r, "weft_agent_series_refused_total{host=box,reason=metric_limit}", SAMPLE_DELTA, 3);
}

static void metrics_without_series_make_room_for_others(void **state)
{
    struct rows *r = *state;
    char name[16];
    struct stats_table_stats stats;
    find(r, "lively", METRIC_GAUGE, "a");
    for (int i = 0; i < 2 * STATS_METRICS_MAX; i++) {
        snprintf(name, sizeof name, "m%d", i);
        stats_metric(r->table, str(name), METRIC_COUNTER, STATS_OF_STATSD);
    }
    struct stats_metric *own = stats_own_metric(r->table, &own_info);
    struct stats_series *lively = NULL;
    for (int round = 0; round < STATS_METRIC_ROUNDS + 2; round++) {
        lively = find(r, "lively", METRIC_GAUGE, "a");
        stats_gauge_keep(r->table, lively, round);
        rows_round(r);
    }
    stats_table_stats(r->table, &stats);
    assert_int_equal(stats.metrics, 3); /* with that of the refusals */
    assert_ptr_equal(stats_own_metric(r->table, &own_info), own);
    assert_ptr_equal(find(r, "lively", METRIC_GAUGE, "a"), lively);
    stats_count(find(r, "m1", METRIC_COUNTER, "a"), 2);
    stats_count(find(r, "fresh", METRIC_COUNTER, "a"), 3);
    rows_round(r);
    assert_row(r, "m1{host=box,k=a}", SAMPLE_DELTA, 2);
    assert_row(r, "fresh{host=box,k=a}", SAMPLE_DELTA, 3);
}

static void what_is_told_before_the_end_of_a_round_is_not_told_again(void **state)
{
    struct rows *r = *state;
    stats_count(find(r, "c", METRIC_COUNTER, "a"), 2);
    stats_gauge(r->table, find(r, "g", METRIC_GAUGE, "a"), 2);
    batch_builder_reset(r->builder);
    struct stats_batch b = {r->builder, ++r->serial, 5, SIZE_MAX, 0};
    stats_table_tell(r->table, &b, false);
    assert_int_equal(b.rows, 1);
    rows_decode(r);
    assert_row(r, "c{host=box,k=a}", SAMPLE_DELTA, 2);
    assert_int_equal(rows_round(r), 1);
    assert_row(r, "g{host=box,k=a}", SAMPLE_VALUE, 2);
    rows_round(r);
    assert_row(r, "c{host=box,k=a}", SAMPLE_DELTA, 0);
}

static void a_round_beyond_a_batch_is_told_in_several(void **state)
{
    enum { METRICS = 500, MOST = 4096 };
    struct rows *r = *state;
    char name[16], row[48];
    double told[METRICS] = {0};
    size_t batches = 0;
    for (int i = 0; i < METRICS; i++) {
        snprintf(name, sizeof name, "m%d", i);
        stats_count(find(r, name, METRIC_COUNTER, "a"), i + 1);
    }
    for (bool all = false; !all; batches++) {
        batch_builder_reset(r->builder);
        struct stats_batch b = {r->builder, ++r->serial, 5, MOST, 0};
        all = stats_table_emit(r->table, &b);
        assert_true(b.rows > 0);
        assert_true(batch_builder_bytes(r->builder) < MOST + 512);
        rows_decode(r);
        for (int i = 0; i < METRICS; i++) {
            snprintf(row, sizeof row, "m%d{host=box,k=a}", i);
            uint32_t at = rows_find(r, row);
            told[i] += at == BATCH_NONE ? 0 : r->batch->samples.value[at];
        }
    }
    stats_table_end_round(r->table);
    assert_true(batches > 2);
    for (int i = 0; i < METRICS; i++)
        assert_true(told[i] == i + 1);
}

static void what_a_full_batch_has_no_room_for_waits_or_is_refused(void **state)
{
    struct rows *r = *state;
    struct stats_metric *own = stats_own_metric(r->table, &own_info);
    stats_count(find(r, "c", METRIC_COUNTER, "a"), 2);
    stats_count(stats_find(r->table, own, NULL, NULL, 0), 3);
    batch_builder_reset(r->builder);
    struct stats_batch b = {r->builder, ++r->serial, 5, 0, 0};
    stats_table_tell(r->table, &b, false);
    assert_int_equal(b.rows, 0);
    rows_round(r);
    assert_row(r, "c{host=box,k=a}", SAMPLE_DELTA, 0); /* its cursor would say that it was told */
    assert_row(r, "calls{host=box}", SAMPLE_DELTA, 3);
    assert_row(r, "weft_agent_series_refused_total{host=box,metric=c,reason=batch_limit}",
               SAMPLE_DELTA, 1);
}

static void a_metric_is_described_once(void **state)
{
    struct rows *r = *state;
    struct stats_metric *m = metric(r, "c", METRIC_COUNTER);
    stats_describe(m, str(""), str("What came."));
    stats_describe(m, str("bytes"), str("Something else."));
    stats_count(find(r, "c", METRIC_COUNTER, "a"), 1);
    rows_round(r);
    assert_true(batch_str_is(r->batch->samples.metrics[0].help, "What came."));
    assert_true(batch_str_is(r->batch->samples.metrics[0].unit, "bytes"));
}

static void many_series_are_found_again(void **state)
{
    (void)state;
    struct rows r;
    enum { MANY = 5000 };
    rows_begin(&r, MANY);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < MANY; i++) {
            char value[16];
            snprintf(value, sizeof value, "%d", i);
            stats_count(find(&r, "c", METRIC_COUNTER, value), i);
        }
    assert_int_equal(rows_round(&r), MANY);
    assert_row(&r, "c{host=box,k=4711}", SAMPLE_DELTA, 2 * 4711);
    rows_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_counter_tells_what_came_since, setup, teardown),
        cmocka_unit_test_setup_teardown(a_histogram_tells_what_came_since_with_a_span_behind_it,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(gauges_of_one_round_are_added_up, setup, teardown),
        cmocka_unit_test_setup_teardown(a_gauge_that_nobody_sets_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(a_gauge_that_is_kept_stays_until_its_source_is_silent,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_gauge_that_ended_comes_back_to_whoever_kept_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_does_not_change_is_told_now_and_then, setup, teardown),
        cmocka_unit_test_setup_teardown(a_series_says_whose_it_is_and_ends_after_its_processes,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(beyond_its_bound_a_metric_refuses_and_says_so, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_metric_has_one_type, setup, teardown),
        cmocka_unit_test_setup_teardown(the_agents_names_are_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(who_stands_higher_takes_a_name, setup, teardown),
        cmocka_unit_test_setup_teardown(beyond_the_bound_of_metrics_the_agents_own_are_counted,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_round_beyond_a_batch_is_told_in_several, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_full_batch_has_no_room_for_waits_or_is_refused,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(metrics_without_series_make_room_for_others, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_told_before_the_end_of_a_round_is_not_told_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_metric_is_described_once, setup, teardown),
        cmocka_unit_test(many_series_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
