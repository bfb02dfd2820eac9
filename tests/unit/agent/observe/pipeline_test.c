// SPDX-License-Identifier: Apache-2.0
/* Many exchanges as a few groups: sums are those of all. */
#include "agent/observe/pipeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct exchange_record record_of(const char *command, const char *pattern, uint64_t at_ns)
{
    struct exchange_record e = {.asked_unix_ns = at_ns,
                                .answered_unix_ns = at_ns + 50,
                                .keys = 1,
                                .hits = 1,
                                .request_bytes = 10,
                                .reply_bytes = 20};
    snprintf(e.command, sizeof e.command, "%s", command);
    snprintf(e.pattern, sizeof e.pattern, "%s", pattern);
    return e;
}

static void what_is_alike_is_one_group(void **state)
{
    struct exchange_record records[100];
    struct pipeline p = {.count = 0};
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        records[i] = record_of(i % 2 ? "set" : "get", i % 2 ? "a:*" : "b:*", 1000 + i);
        records[i].failed = i == 51 || i == 61;
        snprintf(records[i].error, sizeof records[i].error, "E%u", i);
        pipeline_add(&p, &records[i]);
    }
    assert_int_equal(p.count, 2);
    assert_ptr_equal(p.groups[0].first, &records[0]);
    assert_int_equal(p.groups[0].commands, 50);
    assert_int_equal(p.groups[1].commands, 50);
    assert_int_equal(p.groups[1].failed, 2);
    assert_string_equal(p.groups[1].error, "E51");
    assert_int_equal(p.groups[1].hits, 50);
    assert_int_equal(p.groups[1].reply_bytes, 1000);
    assert_int_equal(p.groups[1].asked_unix_ns, 1001);
    assert_int_equal(p.groups[1].answered_unix_ns, 1099 + 50);
    assert_false(p.groups[0].mixed || p.groups[1].mixed);
}

static void what_has_no_group_is_in_the_last_and_nothing_is_left_out(void **state)
{
    struct exchange_record records[100];
    struct pipeline p = {.count = 0};
    uint64_t commands = 0;
    char pattern[8];
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        snprintf(pattern, sizeof pattern, "p%u", i % 40);
        records[i] = record_of("get", pattern, i);
        pipeline_add(&p, &records[i]);
    }
    assert_int_equal(p.count, PIPELINE_GROUPS_MOST);
    for (uint32_t i = 0; i < p.count; i++) {
        commands += p.groups[i].commands;
        assert_int_equal(p.groups[i].mixed, i + 1 == p.count);
    }
    assert_int_equal(commands, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_alike_is_one_group),
        cmocka_unit_test(what_has_no_group_is_in_the_last_and_nothing_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
