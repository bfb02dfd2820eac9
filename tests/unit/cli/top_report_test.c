// SPDX-License-Identifier: Apache-2.0
/* Reports as batches, through the codec. */
#include "cli/top_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

static uint32_t text(struct batch_builder *b, const char *s)
{
    return batch_string(b, s, strlen(s));
}

static uint32_t labels_of(struct batch_builder *b, const char *host, const char *cache)
{
    const uint32_t pairs[] = {text(b, "host"),     text(b, host),
                              text(b, "cache"),    text(b, cache ? cache : ""),
                              text(b, "protocol"), text(b, "redis")};
    return batch_label_set(b, pairs, cache ? 3 : 1);
}

static uint32_t series(struct batch_builder *b, const char *metric, uint32_t labels,
                       const char *command)
{
    const uint32_t own[] = {text(b, "command"), text(b, command)};
    return batch_series(b, batch_metric(b, text(b, metric), METRIC_COUNTER, 0, 0), labels, own, 1);
}

static void put(struct batch_builder *b, const char *metric, uint32_t labels, const char *command,
                int64_t ms, double value)
{
    batch_sample(b, series(b, metric, labels, command), ms, SAMPLE_VALUE, value);
}

/* A report in which each count is `times` of a first one's. */
static void report(struct top_report *r, int64_t ms, double times, double service_seconds)
{
    struct batch_builder *b = batch_builder_create();
    struct buffer bytes = {0};
    struct arena arena;
    struct exphist service;
    int error;
    exphist_init(&service, 0);
    exphist_add(&service, 0.5, 1000); /* of long ago, the same in each */
    exphist_add(&service, service_seconds, (uint64_t)times * 100);
    uint32_t labels = labels_of(b, "box7", "10.0.0.5:6379");
    put(b, "weft_cache_commands_total", labels, "get", ms, 100 * times);
    put(b, "weft_cache_commands_total", labels, "set", ms, 20 * times);
    put(b, "weft_cache_hits_total", labels, "get", ms, 75 * times);
    put(b, "weft_cache_misses_total", labels, "get", ms, 25 * times);
    put(b, "weft_cache_errors_total", labels, "get", ms, times);
    put(b, "weft_cache_request_bytes_total", labels, "get", ms, 1000 * times);
    put(b, "weft_cache_reply_bytes_total", labels, "get", ms, 3000 * times);
    put(b, "weft_cache_distinct_keys", labels, "", ms, 51);
    put(b, "weft_tap_dropped_packets_total", labels_of(b, "box7", NULL), "kernel", ms, 2);
    put(b, "weft_tap_dropped_packets_total", labels_of(b, "box7", NULL), "interface", ms, 1);
    batch_histogram(b, series(b, "weft_cache_service_seconds", labels, "get"), ms, SAMPLE_HISTOGRAM,
                    &service);
    assert_int_equal(batch_encode(b, &bytes), 0);
    arena_init(&arena, 1 << 16);
    const struct batch *decoded = batch_decode(&arena, bytes.data, bytes.length, 1 << 20, &error);
    assert_non_null(decoded);
    top_report_init(r);
    top_report_take(r, decoded);
    arena_fini(&arena);
    buffer_fini(&bytes);
    exphist_fini(&service);
    batch_builder_destroy(&b);
}

static void assert_near(double found, double expected, double part)
{
    assert_true(fabs(found - expected) <= part * expected);
}

static void two_reports_make_rates_and_quantiles_of_what_came_between(void **state)
{
    struct top_report before, now;
    struct top_table t;
    (void)state;
    report(&before, 100000, 1, 0.001);
    report(&now, 102000, 3, 0.001);
    assert_int_equal(now.count, 1);
    assert_true(now.lost_packets == 3);
    assert_true(isnan(now.lost_reports));
    top_table_init(&t, TOP_CACHES);
    top_report_rows(&before, &now, &t);
    assert_int_equal(t.count, 1);
    assert_string_equal(top_text_of(&t, &t.rows[0], "cache"), "10.0.0.5:6379");
    assert_string_equal(top_text_of(&t, &t.rows[0], "host"), "box7");
    assert_string_equal(top_text_of(&t, &t.rows[0], "protocol"), "redis");
    assert_near(top_number_of(&t, &t.rows[0], "commands_per_s"), 120, 1e-9);
    assert_near(top_number_of(&t, &t.rows[0], "miss_share"), 0.25, 1e-9);
    assert_near(top_number_of(&t, &t.rows[0], "errors_per_s"), 1, 1e-9);
    assert_near(top_number_of(&t, &t.rows[0], "bytes_per_s"), 4000, 1e-9);
    assert_near(top_number_of(&t, &t.rows[0], "p50_seconds"), 0.001, 0.045);
    assert_near(top_number_of(&t, &t.rows[0], "p999_seconds"), 0.001, 0.045);
    assert_near(top_number_of(&t, &t.rows[0], "distinct_keys"), 51, 1e-9);
    assert_true(isnan(top_number_of(&t, &t.rows[0], "peak_ratio")));
    assert_near(t.totals.per_second, 120, 1e-9);
    top_table_fini(&t);
    top_report_fini(&before);
    top_report_fini(&now);
}

static void a_tap_that_began_anew_and_one_that_idles_make_no_nonsense(void **state)
{
    struct top_report before, now;
    struct top_table t;
    (void)state;
    report(&before, 100000, 5, 0.001);
    report(&now, 101000, 1, 0.001);
    top_table_init(&t, TOP_CACHES);
    top_report_rows(&before, &now, &t);
    assert_near(top_number_of(&t, &t.rows[0], "commands_per_s"), 120, 1e-9);
    top_table_fini(&t);
    top_table_init(&t, TOP_CACHES);
    now.unix_ms += 1000;
    before.unix_ms += 1000;
    top_report_rows(&now, &now, &t);
    assert_true(isnan(top_number_of(&t, &t.rows[0], "p99_seconds")));
    assert_true(isnan(top_number_of(&t, &t.rows[0], "miss_share")));
    top_table_fini(&t);
    top_report_fini(&before);
    top_report_fini(&now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_reports_make_rates_and_quantiles_of_what_came_between),
        cmocka_unit_test(a_tap_that_began_anew_and_one_that_idles_make_no_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
