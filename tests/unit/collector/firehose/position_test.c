// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/firehose/position.h"

static void a_cursor_reads_back_as_itself(void **state)
{
    (void)state;
    const struct firehose_position cases[] = {
        {0, 0, 0, 0},
        {1, 80, 3, 12345},
        {UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT64_MAX},
    };
    for (int i = 0; i < 3; i++) {
        char text[POSITION_TEXT_MAX];
        struct firehose_position p;
        position_text(&cases[i], text);
        assert_true(position_parse(text, &p));
        assert_int_equal(position_compare(&p, &cases[i]), 0);
        assert_true(p.spans == cases[i].spans);
    }
}

static void what_is_no_cursor_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        ".",
        "1",
        "1.2.3",
        "1.2.3.",
        ".1.2.3",
        "1.2.3.4.5",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.g.4",
        "-1.2.3.4",
        "1.2.100000000.4",
        "11111111111111111.2.3.4",
        "0.2.3.4",
        "1.0.3.4",
        "A.2.3.4",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct firehose_position p;
        if (position_parse(cases[i], &p))
            fail_msg("\"%s\" is taken for a cursor", cases[i]);
    }
}

static void places_are_ordered_as_the_ledger_is(void **state)
{
    (void)state;
    const struct firehose_position order[] = {
        {0, 0, 0, 0}, {1, 80, 0, 0}, {1, 80, 1, 0}, {1, 90, 0, 0}, {2, 10, 9, 0},
    };
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 5; j++)
            assert_int_equal(position_compare(&order[i], &order[j]), (i > j) - (i < j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_reads_back_as_itself),
        cmocka_unit_test(what_is_no_cursor_is_refused),
        cmocka_unit_test(places_are_ordered_as_the_ledger_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
