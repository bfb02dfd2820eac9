// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/link/address.h"

static void loopback_addresses_may_be_open(void **state)
{
    (void)state;
    char why[256];
    assert_true(link_address_check("tcp://127.0.0.1:4042", true, why, sizeof why));
    assert_true(link_address_check("tcp://127.1.2.3:1", true, why, sizeof why));
    assert_true(link_address_check("tcp://[::1]:65535", true, why, sizeof why));
    assert_true(link_address_check("tcp://localhost:4042", true, why, sizeof why));
}

static void others_may_not_and_are_told_what_to_do(void **state)
{
    (void)state;
    static const char *const beyond[] = {"tcp://10.0.0.1:4042",     "tcp://*:4042",
                                         "tcp://0.0.0.0:4042",      "tcp://localhost.evil.org:1",
                                         "tcp://127.0.0.1.org:1",   "tcp://[::]:4042",
                                         "tcp://[::ffff:7f00:1]:1", "tcp://collector:4042"};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        char why[256] = "";
        assert_false(link_address_check(beyond[i], true, why, sizeof why));
        assert_non_null(strstr(why, "weft keygen"));
        assert_true(link_address_check(beyond[i], false, why, sizeof why));
    }
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "127.0.0.1:4042",
                                      "ipc:///tmp/x",
                                      "tcp://127.0.0.1",
                                      "tcp://127.0.0.1:",
                                      "tcp://:4042",
                                      "tcp://127.0.0.1:0",
                                      "tcp://127.0.0.1:70000",
                                      "tcp://127.0.0.1:40x",
                                      "tcp://eth0;127.0.0.1:4042"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char why[256] = "";
        assert_false(link_address_check(bad[i], false, why, sizeof why));
        assert_non_null(strstr(why, "expected an address"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_addresses_may_be_open),
        cmocka_unit_test(others_may_not_and_are_told_what_to_do),
        cmocka_unit_test(what_is_no_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
