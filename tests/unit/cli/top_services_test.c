// SPDX-License-Identifier: Apache-2.0
#include "cli/top_services.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "weft.pb-c.h"

/* What an agent answers: one service, with so many requests. */
static int tell(struct top_services *s, uint64_t requests, uint64_t errors, int64_t now_ms,
                struct top_table *t)
{
    Weft__ServiceSummary service = WEFT__SERVICE_SUMMARY__INIT, *services[] = {&service};
    Weft__LossSummary loss = WEFT__LOSS_SUMMARY__INIT, *losses[] = {&loss, &loss};
    Weft__Summaries m = WEFT__SUMMARIES__INIT;
    uint8_t bytes[512];
    service.service = (char *)(uintptr_t) "we\033b";
    service.requests = requests;
    service.errors = errors;
    service.measured = 1;
    service.p99_seconds = 0.25;
    loss.reason = (char *)(uintptr_t) "spool_full";
    loss.count = 4;
    m.n_services = 1;
    m.services = services;
    m.n_losses = 2;
    m.losses = losses;
    top_table_init(t, TOP_SERVICES);
    return top_services_rows(s, bytes, weft__summaries__pack(&m, bytes), now_ms, t);
}

static void two_summaries_make_rates(void **state)
{
    struct top_services s = {0};
    struct top_table t;
    (void)state;
    assert_int_equal(tell(&s, 1000, 10, 50000, &t), 0);
    assert_int_equal(t.count, 0);
    assert_true(t.totals.lost_spans == 8);
    assert_int_equal(tell(&s, 1100, 35, 52000, &t), 0);
    assert_int_equal(t.count, 1);
    assert_string_equal(top_text_of(&t, &t.rows[0], "service"), "we\\x1bb");
    assert_true(top_number_of(&t, &t.rows[0], "requests_per_s") == 50);
    assert_true(top_number_of(&t, &t.rows[0], "errors_per_s") == 12.5);
    assert_true(top_number_of(&t, &t.rows[0], "error_share") == 0.25);
    assert_true(top_number_of(&t, &t.rows[0], "p99_seconds") == 0.25);
    assert_true(t.totals.per_second == 50 && t.totals.seconds == 2);
    top_table_fini(&t);
    assert_int_equal(tell(&s, 30, 0, 53000, &t), 0); /* the agent began anew */
    assert_true(top_number_of(&t, &t.rows[0], "requests_per_s") == 30);
    top_table_fini(&t);
    top_services_fini(&s);
}

static void what_is_no_summary_is_an_error(void **state)
{
    struct top_services s = {0};
    struct top_table t;
    (void)state;
    top_table_init(&t, TOP_SERVICES);
    assert_int_equal(top_services_rows(&s, "\xff\xff\xff", 3, 1, &t), -1);
    assert_int_equal(top_services_rows(&s, "", 0, 1, &t), 0);
    top_services_fini(&s);
    top_table_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_summaries_make_rates),
        cmocka_unit_test(what_is_no_summary_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
