// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/model/loss.h"
#include "lib/model/span.h"

static void kinds_and_statuses_have_the_names_of_the_api(void **state)
{
    (void)state;
    assert_string_equal(span_kind_name(SPAN_CONSUMER), "consumer");
    assert_string_equal(span_kind_name(SPAN_KINDS), "?");
    assert_string_equal(span_status_name(SPAN_DIED), "died");
    assert_string_equal(span_status_name(SPAN_IN_FLIGHT), "in_flight");
    assert_string_equal(span_status_name(99), "?");
}

static void every_loss_has_name_place_and_explanation(void **state)
{
    (void)state;
    static const char *const places[] = {"service", "agent", "spool", "link", "collector"};
    unsigned known = 0;
    for (unsigned reason = 0; reason < LOSS_REASONS + 5; reason++) {
        if (strcmp(loss_reason_name(reason), "?") == 0) {
            assert_string_equal(loss_reason_place(reason), "?");
            assert_true(strlen(loss_reason_explanation(reason)) > 10);
            continue;
        }
        known++;
        assert_true(strlen(loss_reason_explanation(reason)) > 10);
        int found = 0;
        for (size_t i = 0; i < sizeof places / sizeof *places; i++)
            found += strcmp(loss_reason_place(reason), places[i]) == 0;
        assert_int_equal(found, 1);
    }
    assert_int_equal(known, 21);
    assert_string_equal(loss_reason_name(LOSS_RING_FULL), "ring_full");
    assert_string_equal(loss_reason_place(LOSS_SPOOL_TORN), "spool");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_and_statuses_have_the_names_of_the_api),
        cmocka_unit_test(every_loss_has_name_place_and_explanation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
