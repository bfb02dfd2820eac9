// SPDX-License-Identifier: Apache-2.0
#include "plugins/collectd/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct settings settings;
static char why[512];

static oconfig_value_t text(const char *s)
{
    return (oconfig_value_t){.value.string = (char *)(uintptr_t)s, .type = OCONFIG_TYPE_STRING};
}

static oconfig_value_t number(double n)
{
    return (oconfig_value_t){.value.number = n, .type = OCONFIG_TYPE_NUMBER};
}

static oconfig_value_t truth(int b)
{
    return (oconfig_value_t){.value.boolean = b, .type = OCONFIG_TYPE_BOOLEAN};
}

static int read_item(oconfig_item_t item)
{
    oconfig_item_t block = {.children = &item, .children_num = 1};
    return settings_read(&settings, &block, why, sizeof why);
}

static int read_value(const char *key, oconfig_value_t value)
{
    return read_item(
        (oconfig_item_t){.key = (char *)(uintptr_t)key, .values = &value, .values_num = 1});
}

static int setup(void **state)
{
    (void)state;
    settings_init(&settings);
    why[0] = '\0';
    return 0;
}

static void an_empty_block_leaves_the_defaults(void **state)
{
    (void)state;
    oconfig_item_t block = {.children = NULL};
    assert_int_equal(settings_read(&settings, &block, why, sizeof why), 0);
    assert_string_equal(settings.socket, "/run/weft/feed.sock");
    assert_int_equal(settings.queue_length, 100000);
    assert_int_equal(settings.timeout_ms, 5000);
    assert_true(settings.summaries);
}

static void options_are_read_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(read_value("Socket", text("/tmp/x.sock")), 0);
    assert_int_equal(read_value("queuelength", number(500)), 0);
    assert_int_equal(read_value("TIMEOUT", number(1.5)), 0);
    assert_int_equal(read_value("Summaries", truth(0)), 0);
    assert_string_equal(settings.socket, "/tmp/x.sock");
    assert_int_equal(settings.queue_length, 500);
    assert_int_equal(settings.timeout_ms, 1500);
    assert_false(settings.summaries);
}

static void assert_wrong(int result, const char *expected)
{
    assert_int_equal(result, -1);
    if (!strstr(why, expected))
        fail_msg("said \"%s\", expected \"%s\"", why, expected);
}

static void what_is_wrong_is_said_with_what_was_found_and_expected(void **state)
{
    char long_path[200];
    (void)state;
    memset(long_path, '/', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    assert_wrong(read_value("Sokcet", text("x")), "found the option \"Sokcet\", expected Socket");
    assert_wrong(read_value("Socket", number(3)), "Socket: found 3, expected the path");
    assert_wrong(read_value("Socket", text("run/x")), "Socket: found \"run/x\", expected the path");
    assert_wrong(read_value("Socket", text(long_path)), "107 bytes at most");
    assert_wrong(read_value("QueueLength", text("1000")), "QueueLength: found \"1000\", expected");
    assert_wrong(read_value("QueueLength", number(15)), "QueueLength: found 15, expected");
    assert_wrong(read_value("QueueLength", number(100.5)), "QueueLength: found 100.5, expected");
    assert_wrong(read_value("QueueLength", number(1e300)), "QueueLength: found 1e+300, expected");
    assert_wrong(read_value("Timeout", truth(1)), "Timeout: found true, expected seconds");
    assert_wrong(read_value("Timeout", number(0)), "Timeout: found 0, expected seconds");
    assert_wrong(read_value("Summaries", number(0)), "Summaries: found 0, expected true or false");
}

static void the_number_of_values_is_minded(void **state)
{
    oconfig_value_t two[] = {truth(1), truth(1)};
    oconfig_item_t child = {.key = (char *)(uintptr_t) "x"};
    (void)state;
    assert_wrong(read_item((oconfig_item_t){.key = (char *)(uintptr_t) "Summaries"}),
                 "Summaries: found 0 values");
    assert_wrong(read_item((oconfig_item_t){
                     .key = (char *)(uintptr_t) "Summaries", .values = two, .values_num = 2}),
                 "Summaries: found 2 values");
    assert_wrong(read_item((oconfig_item_t){.key = (char *)(uintptr_t) "Summaries",
                                            .values = two,
                                            .values_num = 1,
                                            .children = &child,
                                            .children_num = 1}),
                 "Summaries: found a block");
}

static void a_block_that_is_wrong_changes_nothing(void **state)
{
    oconfig_value_t good = number(500), bad = text("no");
    oconfig_item_t items[] = {
        {.key = (char *)(uintptr_t) "QueueLength", .values = &good, .values_num = 1},
        {.key = (char *)(uintptr_t) "Timeout", .values = &bad, .values_num = 1}};
    oconfig_item_t block = {.children = items, .children_num = 2};
    (void)state;
    assert_int_equal(settings_read(&settings, &block, why, sizeof why), -1);
    assert_int_equal(settings.queue_length, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_block_leaves_the_defaults, setup),
        cmocka_unit_test_setup(options_are_read_in_any_case, setup),
        cmocka_unit_test_setup(what_is_wrong_is_said_with_what_was_found_and_expected, setup),
        cmocka_unit_test_setup(the_number_of_values_is_minded, setup),
        cmocka_unit_test_setup(a_block_that_is_wrong_changes_nothing, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
