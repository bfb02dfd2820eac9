// SPDX-License-Identifier: Apache-2.0
/* Verdicts from a real store of series: a service whose new version is slower, rolled out over
 * hosts or at once. */
#include "collector/query/verdict/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/series/store.h"
#include "tests/unit/directory.h"

#define NOW_MS INT64_C(1800000000000)
#define MINUTE INT64_C(60000)
enum { PER_SECOND = 50 };

struct fixture {
    char directory[64];
    struct series_store *store;
    struct arena arena;
    uint64_t step;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char why[256] = "";
    strcpy(f->directory, "/tmp/weft-verdict-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    struct series_store_options options = {.directory = f->directory};
    f->store = series_store_open(&options, why, sizeof why);
    if (!f->store)
        fail_msg("%s", why);
    arena_init(&f->arena, 1 << 16);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    series_store_close(&f->store);
    arena_fini(&f->arena);
    assert_int_equal(directory_remove(f->directory), 0);
    free(f);
    return 0;
}

/* ---- a service ----------------------------------------------------------------------------- */

static series_ref series(struct fixture *f, const char *metric, const char *version, bool spans)
{
    struct label plain[] = {{{"__name__", 8}, {metric, (uint32_t)strlen(metric)}},
                            {{"cell", 4}, {"c1", 2}},
                            {{"host", 4}, {"a", 1}},
                            {{"service", 7}, {"web", 3}},
                            {{"version", 7}, {version, (uint32_t)strlen(version)}}};
    struct label of_spans[] = {plain[0],
                               plain[1],
                               plain[2],
                               {{"service_name", 12}, {"web", 3}},
                               {{"span_kind", 9}, {"SPAN_KIND_SERVER", 16}},
                               {{"status_code", 11}, {"STATUS_CODE_UNSET", 17}},
                               plain[4]};
    struct labels l = {spans ? of_spans : plain, spans ? 7 : 5};
    return series_store_resolve(f->store, &l, NULL);
}

static void append(struct fixture *f, series_ref ref, int64_t unix_ms, enum sample_kind kind,
                   double value, const struct histogram *h)
{
    struct series_sample sample = {
        .unix_ms = unix_ms, .kind = kind, .value = value, .histogram = h};
    assert_int_equal(series_store_append(f->store, ref, &sample), SERIES_TAKEN);
}

/* A second of requests: most take `seconds`, one in twenty four times as long. */
static void serve(struct fixture *f, const char *version, int64_t unix_ms, double seconds)
{
    int32_t index = (int32_t)ceil(log2(seconds) * 64);
    int32_t indices[] = {index, index + 1, index + 128};
    double counts[] = {PER_SECOND / 2 + (double)(unix_ms / 1000 % 3), PER_SECOND / 2,
                       PER_SECOND / 20};
    struct histogram h = {.schema = 6,
                          .count = counts[0] + counts[1] + counts[2],
                          .sum = PER_SECOND * seconds,
                          .positive = {3, indices, counts}};
    append(f, series(f, "traces_span_metrics_calls_total", version, true), unix_ms, SAMPLE_DELTA,
           h.count, NULL);
    append(f, series(f, "traces_span_metrics_duration_seconds", version, true), unix_ms,
           SAMPLE_HISTOGRAM_DELTA, h.sum, &h);
    append(f, series(f, "weft_processes", version, false), unix_ms, SAMPLE_VALUE, 2, NULL);
    append(f, series(f, "process_resident_memory_bytes", version, false), unix_ms, SAMPLE_VALUE,
           2e8 + (double)(unix_ms / 1000 % 7), NULL);
    append(f, series(f, "process_cpu_seconds_total", version, false), unix_ms, SAMPLE_DELTA, 0.5,
           NULL);
}

static void serve_from(struct fixture *f, const char *version, int64_t from_ms, int64_t to_ms,
                       double seconds)
{
    for (int64_t at = from_ms; at < to_ms; at += 1000) {
        assert_int_equal(series_store_begin(f->store, (struct journal_position){1, ++f->step}), 0);
        serve(f, version, at, seconds);
        series_store_commit(f->store);
    }
}

/* As agents do when the last process of a version is gone. */
static void end(struct fixture *f, const char *version, int64_t unix_ms)
{
    assert_int_equal(series_store_begin(f->store, (struct journal_position){1, ++f->step}), 0);
    append(f, series(f, "weft_processes", version, false), unix_ms, SAMPLE_STALE, 0, NULL);
    append(f, series(f, "process_resident_memory_bytes", version, false), unix_ms, SAMPLE_STALE, 0,
           NULL);
    series_store_commit(f->store);
}

static struct verdict judge(struct fixture *f, int64_t from_ms, int64_t to_ms)
{
    struct verdict v;
    struct mark deploy = {.kind = MARK_DEPLOY,
                          .from_unix_ns = (uint64_t)from_ms * 1000000,
                          .to_unix_ns = (uint64_t)to_ms * 1000000,
                          .service = "web",
                          .version = "1.1",
                          .previous = "1.0",
                          .cell = "c1"};
    struct verdict_question q = {.source = series_store_source(f->store),
                                 .deploy = &deploy,
                                 .now_unix_ns = (uint64_t)NOW_MS * 1000000};
    assert_int_equal(verdict_of(&q, &f->arena, &v), 0);
    return v;
}

static void assert_change(const struct verdict *v, enum measure m, enum change expected)
{
    const struct comparison *c = &v->measures[m];
    if (c->change != expected)
        fail_msg("%s: %s (%g to %g, delta %g, confidence %g, %zu and %zu intervals), expected %s",
                 measure_name(m), change_name(c->change), c->before, c->after, c->delta,
                 c->confidence, c->before_count, c->after_count, change_name(expected));
}

/* ---- verdicts ------------------------------------------------------------------------------ */

static void a_slower_version_at_once_is_worse_than_before(void **state)
{
    struct fixture *f = *state;
    int64_t at = NOW_MS - 5 * MINUTE;
    serve_from(f, "1.0", at - 5 * MINUTE, at, 0.010);
    end(f, "1.0", at);
    serve_from(f, "1.1", at, NOW_MS, 0.020);
    struct verdict v = judge(f, at, at);
    assert_int_equal(v.basis, VERDICT_TIMES);
    assert_int_equal(v.change, CHANGE_WORSE);
    assert_change(&v, MEASURE_P50, CHANGE_WORSE);
    assert_change(&v, MEASURE_P99, CHANGE_WORSE);
    assert_change(&v, MEASURE_ERROR_RATE, CHANGE_NONE);
    assert_change(&v, MEASURE_RATE, CHANGE_NONE);
    assert_change(&v, MEASURE_MEMORY, CHANGE_NONE);
    assert_true(fabs(v.measures[MEASURE_P50].ratio - 2) < 0.05);
    assert_true(fabs(v.measures[MEASURE_RATE].before - 52.5) < 2);
    assert_true(fabs(v.measures[MEASURE_MEMORY].before - 1e8) < 1e6);
    assert_false(v.has_yesterday);
}

static void what_was_said_of_a_service_that_began_shortly_before_stays_true(void **state)
{
    struct fixture *f = *state;
    int64_t at = NOW_MS - 20 * MINUTE;
    serve_from(f, "1.0", at - MINUTE / 2, at, 0.010);
    end(f, "1.0", at);
    serve_from(f, "1.1", at, NOW_MS, 0.020);
    struct verdict v = judge(f, at, at);
    assert_int_equal(v.basis, VERDICT_TIMES);
    assert_change(&v, MEASURE_P50, CHANGE_WORSE);
    assert_true(v.before_to_ms - v.before_from_ms < 2 * MINUTE);
}

static void a_version_that_runs_beside_the_old_one_is_compared_with_it(void **state)
{
    struct fixture *f = *state;
    int64_t at = NOW_MS - 5 * MINUTE;
    serve_from(f, "1.0", at - 5 * MINUTE, at, 0.010);
    for (int64_t t = at; t < NOW_MS; t += 1000) { /* the hour makes both slower */
        serve_from(f, "1.0", t, t + 1000, 0.030);
        serve_from(f, "1.1", t, t + 1000, 0.020);
    }
    struct verdict v = judge(f, at, at);
    assert_int_equal(v.basis, VERDICT_VERSIONS);
    assert_change(&v, MEASURE_P50, CHANGE_BETTER);
    assert_int_equal(v.change, CHANGE_BETTER);
}

static void a_version_that_is_the_same_changes_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t at = NOW_MS - 5 * MINUTE;
    serve_from(f, "1.0", at - 5 * MINUTE, at, 0.010);
    end(f, "1.0", at);
    serve_from(f, "1.1", at, NOW_MS, 0.010);
    struct verdict v = judge(f, at, at);
    assert_int_equal(v.basis, VERDICT_TIMES);
    for (int m = 0; m < MEASURES; m++)
        assert_change(&v, (enum measure)m, CHANGE_NONE);
    assert_int_equal(v.change, CHANGE_NONE);
}

static void the_day_before_is_compared_too(void **state)
{
    struct fixture *f = *state;
    int64_t at = NOW_MS - 5 * MINUTE, day = 24 * 60 * MINUTE;
    serve_from(f, "1.0", at - day - 5 * MINUTE, at - day, 0.010);
    serve_from(f, "1.0", at - day, NOW_MS - day, 0.020); /* it is so every day */
    serve_from(f, "1.0", at - 5 * MINUTE, at, 0.010);
    end(f, "1.0", at);
    serve_from(f, "1.1", at, NOW_MS, 0.020);
    struct verdict v = judge(f, at, at);
    assert_int_equal(v.basis, VERDICT_TIMES);
    assert_true(v.has_yesterday);
    assert_int_equal(v.yesterday[MEASURE_P50].change, CHANGE_WORSE);
}

static void too_early_or_without_series_there_is_none(void **state)
{
    struct fixture *f = *state;
    struct verdict v = judge(f, NOW_MS - 5 * MINUTE, NOW_MS - 5 * MINUTE);
    assert_int_equal(v.basis, VERDICT_NONE);
    serve_from(f, "1.0", NOW_MS - 5 * MINUTE, NOW_MS, 0.010);
    v = judge(f, NOW_MS - 5000, NOW_MS - 5000);
    assert_int_equal(v.basis, VERDICT_NONE);
    assert_int_equal(v.change, CHANGE_UNKNOWN);
}

/* A process of "web" on that host, told at NOW_MS. */
static void run_on(struct fixture *f, const char *host, const char *cell, const char *version)
{
    struct label labels[] = {{{"__name__", 8}, {"weft_processes", 14}},
                             {{"cell", 4}, {cell, (uint32_t)strlen(cell)}},
                             {{"host", 4}, {host, (uint32_t)strlen(host)}},
                             {{"service", 7}, {"web", 3}},
                             {{"version", 7}, {version, (uint32_t)strlen(version)}}};
    struct labels l = {labels, 5};
    assert_int_equal(series_store_begin(f->store, (struct journal_position){1, ++f->step}), 0);
    append(f, series_store_resolve(f->store, &l, NULL), NOW_MS, SAMPLE_VALUE, 4, NULL);
    series_store_commit(f->store);
}

static void a_deploy_is_of_the_hosts_that_run_the_service(void **state)
{
    struct fixture *f = *state;
    struct mark deploy = {.kind = MARK_DEPLOY,
                          .to_unix_ns = (uint64_t)NOW_MS * 1000000,
                          .service = "web",
                          .version = "1.1",
                          .cell = "c1"};
    struct verdict_question q = {.source = series_store_source(f->store),
                                 .deploy = &deploy,
                                 .now_unix_ns = (uint64_t)(NOW_MS + MINUTE / 2) * 1000000};
    uint64_t hosts;
    assert_int_equal(verdict_hosts(&q, &hosts), 0);
    assert_int_equal(hosts, 0);
    run_on(f, "a", "c1", "1.0");
    run_on(f, "a", "c1", "1.1"); /* both, for a while */
    run_on(f, "b", "c1", "1.1");
    run_on(f, "c", "c1", "1.0");
    run_on(f, "d", "c2", "1.0");
    assert_int_equal(verdict_hosts(&q, &hosts), 0);
    assert_int_equal(hosts, 3);
    q.all_cells = true;
    assert_int_equal(verdict_hosts(&q, &hosts), 0);
    assert_int_equal(hosts, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_deploy_is_of_the_hosts_that_run_the_service, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_slower_version_at_once_is_worse_than_before, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            what_was_said_of_a_service_that_began_shortly_before_stays_true, setup, teardown),
        cmocka_unit_test_setup_teardown(a_version_that_runs_beside_the_old_one_is_compared_with_it,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_version_that_is_the_same_changes_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_day_before_is_compared_too, setup, teardown),
        cmocka_unit_test_setup_teardown(too_early_or_without_series_there_is_none, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
