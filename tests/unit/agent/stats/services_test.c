// SPDX-License-Identifier: Apache-2.0
/* Summaries by service out of the table of statistics. */
#include "agent/stats/services.h"

#include "lib/model/span.h"
#include "tests/unit/agent/stats/rows.h"

enum { INTERVAL_MS = 10000 };

struct fixture {
    struct rows rows;
    struct services *services;
    struct stats_identity *identity;
    int64_t now_ms;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    rows_begin(&f->rows, 100);
    f->services = services_create();
    f->identity = stats_identity_hold(f->rows.table, str("web"), str("1.0"), str(""));
    f->now_ms = 1000;
    *state = f;
    return f->services ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    stats_identity_release(f->rows.table, f->identity);
    services_destroy(&f->services);
    rows_end(&f->rows);
    free(f);
    return 0;
}

static void span(struct fixture *f, const char *kind, const char *status, double seconds)
{
    static const struct stats_metric_info duration = {
        .name = "traces_span_metrics_duration_seconds",
        .unit = "seconds",
        .type = METRIC_HISTOGRAM,
        .naming = STATS_SERVICE_NAME,
    };
    const struct stats_label labels[] = {{str("span_kind"), str(kind)},
                                         {str("status_code"), str(status)}};
    stats_record(stats_find(f->rows.table, stats_own_metric(f->rows.table, &duration), f->identity,
                            labels, 2),
                 seconds, 1);
}

static void round_ends(struct fixture *f, int64_t later_ms)
{
    f->now_ms += later_ms;
    services_gather(f->services, f->rows.table, f->now_ms);
    rows_round(&f->rows);
}

static struct service_summary summary(struct fixture *f)
{
    struct service_summary s;
    assert_int_equal(services_count(f->services), 1);
    services_get(f->services, 0, &s);
    return s;
}

static void requests_are_spans_of_servers_and_consumers(void **state)
{
    struct fixture *f = *state;
    round_ends(f, 0);
    assert_int_equal(services_count(f->services), 0);
    span(f, "SPAN_KIND_SERVER", "STATUS_CODE_UNSET", 1);
    span(f, "SPAN_KIND_CONSUMER", "STATUS_CODE_ERROR", 1);
    span(f, "SPAN_KIND_CLIENT", "STATUS_CODE_ERROR", 1);
    span(f, "SPAN_KIND_INTERNAL", "STATUS_CODE_OK", 1);
    round_ends(f, 1000);
    assert_string_equal(summary(f).service, "web");
    assert_int_equal(summary(f).requests, 2);
    assert_int_equal(summary(f).errors, 1);
}

static void what_a_round_told_is_not_counted_again(void **state)
{
    struct fixture *f = *state;
    for (int i = 1; i <= 5; i++) {
        span(f, "SPAN_KIND_SERVER", "STATUS_CODE_ERROR", 1);
        round_ends(f, 1000);
        round_ends(f, 1000);
        assert_int_equal(summary(f).requests, i);
        assert_int_equal(summary(f).errors, i);
    }
}

static void quantiles_are_those_of_the_last_full_interval(void **state)
{
    struct fixture *f = *state;
    round_ends(f, 0);
    for (int i = 1; i <= 100; i++)
        span(f, "SPAN_KIND_SERVER", "STATUS_CODE_UNSET", i / 100.0);
    round_ends(f, 1000);
    assert_false(summary(f).measured);
    round_ends(f, INTERVAL_MS);
    assert_true(summary(f).measured);
    assert_true(summary(f).p50_seconds > 0.49 && summary(f).p50_seconds < 0.52);
    assert_true(summary(f).p99_seconds > 0.97 && summary(f).p99_seconds < 1.01);
    for (int i = 0; i < 3; i++) {
        round_ends(f, INTERVAL_MS);
        assert_false(summary(f).measured);
    }
    assert_int_equal(summary(f).requests, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_are_spans_of_servers_and_consumers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_a_round_told_is_not_counted_again, setup, teardown),
        cmocka_unit_test_setup_teardown(quantiles_are_those_of_the_last_full_interval, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
