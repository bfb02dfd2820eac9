// SPDX-License-Identifier: Apache-2.0
/* What the scripts of promqltest cannot see: forms of results, how often the source is asked, what
 * is held in memory, limits, and what happens when the source fails or the asker goes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/query/promql/promql.h"
#include "tests/promqltest/memory_source.h"

enum { SERIES = 20, POINTS = 100, STEP_MS = 15000 };

static struct memory_source memory;
static struct promql_result result;

static struct batch_str text_of(const char *s)
{
    return (struct batch_str){s, (uint32_t)strlen(s)};
}

/* requests{job="a"|"b", instance="0".."19"}: counters that rise by the instance's number + 1. */
static int fill(void **state)
{
    (void)state;
    memory_source_init(&memory);
    for (int s = 0; s < SERIES; s++) {
        char instance[12];
        snprintf(instance, sizeof instance, "%d", s);
        struct label l[] = {{text_of(LABEL_METRIC), text_of("requests")},
                            {text_of("instance"), text_of(instance)},
                            {text_of("job"), text_of(s % 2 ? "a" : "b")}};
        for (int i = 0; i < POINTS; i++)
            memory_source_add(&memory, &(struct labels){l, 3}, (int64_t)i * STEP_MS, i * (s + 1.0),
                              NULL, 0);
    }
    return 0;
}

static int empty(void **state)
{
    (void)state;
    memory_source_fini(&memory);
    return 0;
}

static enum promql_status evaluate_on(const struct series_source *source, const char *text,
                                      const struct promql_options *options)
{
    struct arena arena;
    struct promql_query *query;
    struct language_error error;
    arena_init(&arena, 4096);
    if (promql_parse(&arena, text, strlen(text), &query, &error) != LANGUAGE_SOUND)
        fail_msg("%s: %s", text, error.message);
    enum promql_status status = promql_evaluate(query, source, options, &result);
    assert_int_equal(status, result.status);
    assert_int_equal(status == PROMQL_OK, result.message == NULL);
    arena_fini(&arena);
    return status;
}

static enum promql_status evaluate(const char *text, const struct promql_options *options)
{
    return evaluate_on(&memory.source, text, options);
}

static const struct promql_options instant = {.start_ms = 600000, .end_ms = 600000};
static const struct promql_options range = {
    .start_ms = 300000, .end_ms = 1200000, .step_ms = 60000};

static void done(void)
{
    promql_result_fini(&result);
}

static void label_is(size_t i, const char *name, const char *value)
{
    struct batch_str is = labels_get_text(&result.series[i].labels, name);
    assert_int_equal(is.length, strlen(value));
    assert_memory_equal(is.bytes, value, is.length);
}

/* ---- bounds ------------------------------------------------------------------------------ */

static void fails_with(const char *text, struct promql_options options, enum promql_status status,
                       const char *message)
{
    options.memory_bytes_max = 64 << 20;
    assert_int_equal(evaluate(text, &options), status);
    assert_non_null(strstr(result.message, message));
    promql_result_fini(&result);
}

static void more_steps_than_can_be_counted_are_refused(void **state)
{
    (void)state;
    const int64_t most = INT64_MAX / 4;
    struct promql_options o = {.start_ms = INT64_MIN, .end_ms = INT64_MAX, .step_ms = 1};
    fails_with("1", o, PROMQL_FAILED, "out of range");
    o = (struct promql_options){.start_ms = -most, .end_ms = most, .step_ms = 1};
    fails_with("1", o, PROMQL_LIMIT, "more than 4294967295 steps");
    fails_with("up", o, PROMQL_LIMIT, "more than 4294967295 steps");
    o = (struct promql_options){.start_ms = 0, .end_ms = UINT32_MAX, .step_ms = 1};
    fails_with("1", o, PROMQL_LIMIT, "more than 4294967295 steps");
    o = (struct promql_options){.start_ms = 0, .end_ms = INT64_MAX, .step_ms = INT64_MAX};
    fails_with("1", o, PROMQL_FAILED, "out of range");
    fails_with("up[100y:1ms]", instant, PROMQL_LIMIT, "more than 4294967295 steps");
    fails_with("count_over_time(up[100y:1ms])", instant, PROMQL_LIMIT,
               "more than 4294967295 steps");
    o = (struct promql_options){.start_ms = -most, .end_ms = most, .step_ms = most};
    assert_int_equal(evaluate("1", &o), PROMQL_OK);
    assert_int_equal(result.series[0].count, 3);
    promql_result_fini(&result);
}

/* ---- forms ------------------------------------------------------------------------------- */

static void scalars_and_strings(void **state)
{
    (void)state;
    assert_int_equal(evaluate("1 + time()", &instant), PROMQL_OK);
    assert_int_equal(result.form, PROMQL_RESULT_SCALAR);
    assert_true(result.scalar == 601);
    done();
    assert_int_equal(evaluate("'a b'", &instant), PROMQL_OK);
    assert_int_equal(result.form, PROMQL_RESULT_STRING);
    assert_int_equal(result.string.length, 3);
    assert_memory_equal(result.string.bytes, "a b", 3);
    done();
    assert_int_equal(evaluate("time()", &range), PROMQL_OK);
    assert_int_equal(result.form, PROMQL_RESULT_MATRIX);
    assert_int_equal(result.series_count, 1);
    assert_int_equal(result.series[0].labels.count, 0);
    assert_int_equal(result.series[0].count, 16);
    assert_true(result.series[0].value[15] == 1200);
    done();
}

static void a_vector_has_one_point_of_the_query_s_time(void **state)
{
    (void)state;
    assert_int_equal(evaluate("requests{instance=~\"1|2\"}", &instant), PROMQL_OK);
    assert_int_equal(result.form, PROMQL_RESULT_VECTOR);
    assert_int_equal(result.series_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(result.series[i].count, 1);
        assert_int_equal(result.series[i].unix_ms[0], 600000);
        assert_true(result.series[i].value[0] == 40.0 * (double)(i + 2));
        assert_null(result.series[i].histogram);
        label_is(i, LABEL_METRIC, "requests");
    }
    done();
}

static void a_range_of_samples_keeps_their_own_times(void **state)
{
    (void)state;
    assert_int_equal(evaluate("requests{instance=\"0\"}[1m]", &instant), PROMQL_OK);
    assert_int_equal(result.form, PROMQL_RESULT_MATRIX);
    assert_int_equal(result.series_count, 1);
    assert_int_equal(result.series[0].count, 4); /* the one a minute ago is out */
    assert_int_equal(result.series[0].unix_ms[0], 555000);
    assert_int_equal(result.series[0].unix_ms[3], 600000);
    done();
}

static void a_matrix_is_sorted_and_has_only_steps_with_a_value(void **state)
{
    (void)state;
    assert_int_equal(evaluate("sum by (job) (requests) > 7900", &range), PROMQL_OK);
    assert_int_equal(result.form, PROMQL_RESULT_MATRIX);
    assert_int_equal(result.series_count, 2);
    label_is(0, "job", "a"); /* 110 a sample: from the 72nd, 1080 s */
    label_is(1, "job", "b"); /* 100: from the 80th, 1200 s */
    assert_int_equal(result.series[0].count, 3);
    assert_int_equal(result.series[0].unix_ms[0], 1080000);
    assert_int_equal(result.series[1].count, 1);
    assert_int_equal(result.series[1].unix_ms[0], 1200000);
    done();
}

static void nothing_is_a_result(void **state)
{
    (void)state;
    assert_int_equal(evaluate("nothing", &range), PROMQL_OK);
    assert_int_equal(result.series_count, 0);
    done();
}

/* ---- what it costs ----------------------------------------------------------------------- */

static void each_selector_selects_once_and_each_series_is_read_once(void **state)
{
    (void)state;
    memory.selects = memory.reads = 0;
    assert_int_equal(evaluate("sum(rate(requests[5m])) / count(requests)", &range), PROMQL_OK);
    assert_int_equal(memory.selects, 2);
    assert_int_equal(memory.reads, 2 * SERIES);
    assert_int_equal(result.stats.series, 2 * SERIES);
    assert_true(result.stats.samples > 0 && result.stats.samples <= 2 * SERIES * POINTS);
    done();
}

static void a_sum_holds_one_series_at_a_time(void **state)
{
    (void)state;
    struct promql_options o = range;
    o.samples_max = 4 * POINTS;
    assert_int_equal(evaluate("sum by (job) (rate(requests[5m]))", &o), PROMQL_OK);
    assert_int_equal(result.series_count, 2);
    assert_true(result.stats.samples_peak <= o.samples_max);
    done();
}

static void what_does_not_change_is_calculated_once(void **state)
{
    (void)state;
    memory.reads = 0;
    assert_int_equal(evaluate("sum(requests @ 300)", &range), PROMQL_OK);
    assert_int_equal(memory.reads, SERIES);
    assert_int_equal(result.series[0].count, 16);
    assert_true(result.stats.samples <= 21 * SERIES);
    done();
}

/* ---- limits ------------------------------------------------------------------------------ */

static void limits_end_a_query(void **state)
{
    (void)state;
    struct promql_options o = range;
    o.samples_max = 50;
    assert_int_equal(evaluate("requests", &o), PROMQL_LIMIT);
    assert_non_null(strstr(result.message, "50 samples"));
    done();
    o = range;
    o.memory_bytes_max = 20000;
    assert_int_equal(evaluate("requests + requests", &o), PROMQL_LIMIT);
    assert_non_null(strstr(result.message, "bytes of memory"));
    done();
    o = range;
    o.deadline_ns = 1;
    assert_int_equal(evaluate("requests", &o), PROMQL_TIMEOUT);
    done();
    atomic_bool stopped = true;
    o = range;
    o.stopped = &stopped;
    assert_int_equal(evaluate("requests", &o), PROMQL_STOPPED);
    done();
}

/* Of each window a copy is sorted: one after the other, not all of them beside each other. */
static void quantiles_over_time_hold_one_window(void **state)
{
    struct promql_options o = {.start_ms = 0, .end_ms = 2700000, .step_ms = 100};
    (void)state;
    o.memory_bytes_max = 4 << 20;
    assert_int_equal(evaluate("sum(quantile_over_time(0.5, requests[20m]))", &o), PROMQL_OK);
    done();
    assert_int_equal(evaluate("sum(mad_over_time(requests[20m]))", &o), PROMQL_OK);
    done();
}

/* Sums of histograms are a query's memory as well. */
static void histograms_count_for_the_limit_of_memory(void **state)
{
    enum { BUCKETS = 4000 };
    static int32_t index[BUCKETS];
    static double value[BUCKETS];
    struct histogram h = {.schema = 8, .count = BUCKETS, .positive = {BUCKETS, index, value}};
    struct promql_options o = {.start_ms = 0, .end_ms = 1000000, .step_ms = 1000};
    struct label l[] = {{text_of(LABEL_METRIC), text_of("sizes")}};
    (void)state;
    for (int i = 0; i < BUCKETS; i++) {
        index[i] = i;
        value[i] = 1;
    }
    for (int i = 0; i < 10; i++)
        memory_source_add(&memory, &(struct labels){l, 1}, i * 100000, 0, &h, 0);
    o.memory_bytes_max = 4 << 20;
    assert_int_equal(evaluate("count(sum(sizes))", &o), PROMQL_LIMIT);
    assert_non_null(strstr(result.message, "bytes of memory"));
    done();
    o.memory_bytes_max = 256 << 20;
    assert_int_equal(evaluate("count(sum(sizes))", &o), PROMQL_OK);
    done();
}

/* As services tell their spans: fine buckets, and each series has some that others lack. What a sum
 * leaves behind as its buckets become more is given back. */
static void a_sum_of_fine_histograms_takes_little_more_than_itself(void **state)
{
    enum { SERIES_OF_SIZES = 12, SECONDS = 200, STEPS = 800, BUCKETS = 800 };
    static int32_t index[BUCKETS];
    static double value[BUCKETS];
    char name[16];
    struct promql_options o = {
        .start_ms = 20000, .end_ms = SECONDS * 1000, .memory_bytes_max = 32 << 20};
    struct label l[] = {{text_of(LABEL_METRIC), text_of("fine_sizes")}, {text_of("of"), {0}}};
    (void)state;
    for (int s = 0; s < SERIES_OF_SIZES; s++) {
        struct histogram h = {.schema = 5, .positive = {0, index, value}};
        for (int b = 0; b < BUCKETS; b++)
            if ((b * 31 + s * 17) % 11 > 1)
                index[h.positive.count++] = b;
        memset(value, 0, sizeof value);
        snprintf(name, sizeof name, "s%d", s);
        l[1].value = text_of(name);
        for (int i = 0; i < SECONDS; i++) {
            for (uint32_t b = 0; b < h.positive.count; b++)
                value[b]++;
            h.count += h.positive.count;
            memory_source_add(&memory, &(struct labels){l, 2}, (int64_t)i * 1000, 0, &h, 0);
        }
    }
    o.step_ms = (o.end_ms - o.start_ms) / STEPS;
    if (evaluate("sum(rate(fine_sizes[20s]))", &o) != PROMQL_OK)
        fail_msg("%s", result.message);
    done();
}

enum { LONG_POINTS = 4000, LONG_BUCKETS = 200 };

/* sizes{}: a histogram told each second, which begins anew now and then. */
static void fill_long_histograms(void)
{
    static int32_t index[LONG_BUCKETS];
    static double value[LONG_BUCKETS];
    struct histogram h = {.schema = 5, .positive = {LONG_BUCKETS, index, value}};
    struct label l[] = {{text_of(LABEL_METRIC), text_of("sizes")}};
    for (int i = 0; i < LONG_POINTS; i++) {
        h.count = 0;
        for (int b = 0; b < LONG_BUCKETS; b++) {
            index[b] = b;
            value[b] = i % 1300 == 0 ? 0 : value[b] + (i * 7 + b) % 11;
            h.count += value[b];
        }
        h.sum = 3 * h.count;
        memory_source_add(&memory, &(struct labels){l, 1}, (int64_t)i * 1000, h.sum, &h, 0);
    }
}

static void assert_points_equal(const struct promql_series *a, const struct promql_series *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->unix_ms[i], b->unix_ms[i]);
        bool is_histogram = a->histogram && a->histogram[i];
        assert_int_equal(is_histogram, b->histogram && b->histogram[i]);
        if (is_histogram)
            assert_true(histogram_equal(a->histogram[i], b->histogram[i]));
        else
            assert_true(a->value[i] == b->value[i]);
    }
}

static void histograms_of_a_long_time_are_read_in_parts(void **state)
{
    static const char *const queries[] = {
        "rate(sizes[1m])",
        "sum(rate(sizes[15s]))",
        "increase(sizes[5m])",
        "irate(sizes[1m] offset 5m)",
        "last_over_time(sizes[7s])",
        "sum_over_time(sizes[20s])",
        "changes(sizes[2m]) + resets(sizes[2m])",
        "increase(sizes[1m] smoothed)",
        "histogram_quantile(0.9, rate(sizes[1m]))",
        "max_over_time(histogram_count(rate(sizes[1m]))[10m:1m])",
        "count_over_time(sizes[1h] @ 3000)",
    };
    struct promql_options o = {.start_ms = 0, .end_ms = LONG_POINTS * 1000, .step_ms = 20000};
    (void)state;
    fill_long_histograms();
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        o.memory_bytes_max = 0;
        assert_int_equal(evaluate(queries[i], &o), PROMQL_OK);
        struct promql_result whole = result;
        o.memory_bytes_max = 16 << 20; /* of which a quarter is for samples, that take ten */
        memory.reads = 0;
        if (evaluate(queries[i], &o) != PROMQL_OK)
            fail_msg("%s: %s", queries[i], result.message);
        assert_true(i > 0 || memory.reads > 2);
        assert_int_equal(result.series_count, whole.series_count);
        for (size_t k = 0; k < result.series_count; k++)
            assert_points_equal(&result.series[k], &whole.series[k]);
        promql_result_fini(&whole);
        done();
    }
}

/* Where windows are long, parts would be read again for each step: the query holds more instead.
 * What one series needs is not asked for the next one. */
static void long_windows_are_not_read_for_each_step(void **state)
{
    struct promql_options o = {.start_ms = 0, .end_ms = LONG_POINTS * 1000, .step_ms = 10000};
    struct label l[] = {{text_of(LABEL_METRIC), text_of("sizes")}, {text_of("of"), text_of("z")}};
    (void)state;
    for (int i = 0; i < LONG_POINTS; i += 10)
        memory_source_add(&memory, &(struct labels){l, 2}, (int64_t)i * 1000, i, NULL, 0);
    o.memory_bytes_max = 28 << 20;
    memory.reads = 0;
    if (evaluate("rate(sizes[28m])", &o) != PROMQL_OK)
        fail_msg("%s", result.message);
    assert_int_equal(result.series_count, 2);
    assert_in_range(memory.reads, 2, 6);
    done();
}

static void the_look_back_is_the_asker_s(void **state)
{
    (void)state;
    struct promql_options o = {.start_ms = 1530000, .end_ms = 1530000}; /* 45 s after the last */
    assert_int_equal(evaluate("requests", &o), PROMQL_OK);
    assert_int_equal(result.series_count, SERIES);
    done();
    o.lookback_ms = 45000;
    assert_int_equal(evaluate("requests", &o), PROMQL_OK);
    assert_int_equal(result.series_count, 0);
    done();
    o.lookback_ms = 45001;
    assert_int_equal(evaluate("requests", &o), PROMQL_OK);
    assert_int_equal(result.series_count, SERIES);
    done();
}

/* ---- failures ---------------------------------------------------------------------------- */

static void data_that_cannot_be_answered_is_said(void **state)
{
    (void)state;
    assert_int_equal(evaluate("requests + on(job) requests", &instant), PROMQL_FAILED);
    assert_non_null(strstr(result.message, "many-to-many"));
    done();
    assert_int_equal(evaluate("label_replace(requests, 'instance', 'x', '', '')", &instant),
                     PROMQL_FAILED);
    done();
}

static void annotations_are_told_once_with_their_place(void **state)
{
    (void)state;
    assert_int_equal(evaluate("rate(requests[1m]) + rate(requests[1m])", &range), PROMQL_OK);
    assert_int_equal(result.annotation_count, 2); /* one place each, not one series each */
    assert_false(result.annotations[0].warning);
    assert_non_null(strstr(result.annotations[0].text, "might not be a counter"));
    bool first = strstr(result.annotations[1].text, "(1:6)") != NULL;
    assert_non_null(strstr(result.annotations[first].text, "(1:6)"));
    assert_non_null(strstr(result.annotations[!first].text, "(1:27)"));
    done();
    assert_int_equal(evaluate("quantile(2, requests)", &range), PROMQL_OK);
    assert_int_equal(result.annotation_count, 1);
    assert_true(result.annotations[0].warning);
    done();
}

static int fails_to_select(void *context, const struct matcher *matchers, size_t count,
                           int64_t from_ms, int64_t to_ms, struct series_selection *out)
{
    (void)matchers, (void)count, (void)from_ms, (void)to_ms, (void)out;
    return *(const int *)context;
}

static void a_source_s_failure_is_the_query_s(void **state)
{
    (void)state;
    static const struct {
        int error;
        enum promql_status status;
    } cases[] = {{SERIES_ENOMEM, PROMQL_NO_MEMORY},
                 {SERIES_EDISK, PROMQL_UNREADABLE},
                 {SERIES_ELIMIT, PROMQL_LIMIT},
                 {SERIES_ESTOPPED, PROMQL_STOPPED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int error = cases[i].error;
        struct series_source broken = {.context = &error, .select = fails_to_select};
        assert_int_equal(evaluate_on(&broken, "sum(requests)", &instant), cases[i].status);
        done();
    }
}

static int closes;
static int reads_left;

static int fails_to_read(void *context, const struct series_selection *s, size_t i, int64_t from_ms,
                         int64_t to_ms, struct points *out)
{
    return reads_left-- > 0 ? memory.source.read(context, s, i, from_ms, to_ms, out) : SERIES_EDISK;
}

static void counts_closes(void *context, struct series_selection *s)
{
    closes++;
    memory.source.close(context, s);
}

static void selections_are_closed_when_reading_fails(void **state)
{
    (void)state;
    struct series_source broken = memory.source;
    broken.read = fails_to_read;
    broken.close = counts_closes;
    for (int left = 0; left < 2 * SERIES; left += 7) {
        closes = 0, reads_left = left;
        assert_int_equal(evaluate_on(&broken, "requests + ignoring(x) requests", &range),
                         PROMQL_UNREADABLE);
        assert_in_range(closes, 1, 2);
        done();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_steps_than_can_be_counted_are_refused),
        cmocka_unit_test(scalars_and_strings),
        cmocka_unit_test(a_vector_has_one_point_of_the_query_s_time),
        cmocka_unit_test(a_range_of_samples_keeps_their_own_times),
        cmocka_unit_test(a_matrix_is_sorted_and_has_only_steps_with_a_value),
        cmocka_unit_test(nothing_is_a_result),
        cmocka_unit_test(each_selector_selects_once_and_each_series_is_read_once),
        cmocka_unit_test(a_sum_holds_one_series_at_a_time),
        cmocka_unit_test(what_does_not_change_is_calculated_once),
        cmocka_unit_test(limits_end_a_query),
        cmocka_unit_test(quantiles_over_time_hold_one_window),
        cmocka_unit_test(histograms_count_for_the_limit_of_memory),
        cmocka_unit_test(a_sum_of_fine_histograms_takes_little_more_than_itself),
        cmocka_unit_test(histograms_of_a_long_time_are_read_in_parts),
        cmocka_unit_test(long_windows_are_not_read_for_each_step),
        cmocka_unit_test(the_look_back_is_the_asker_s),
        cmocka_unit_test(data_that_cannot_be_answered_is_said),
        cmocka_unit_test(annotations_are_told_once_with_their_place),
        cmocka_unit_test(a_source_s_failure_is_the_query_s),
        cmocka_unit_test(selections_are_closed_when_reading_fails),
    };
    return cmocka_run_group_tests(tests, fill, empty);
}
