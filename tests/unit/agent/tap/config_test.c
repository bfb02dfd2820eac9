// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

struct fixture {
    struct tap_config config;
    struct tap_plan plan;
    char why[256];
};

static int read_plan(struct fixture *f, const char *interfaces, const char *memcached,
                     const char *redis, const char *tell_keys)
{
    assert_int_equal(config_defaults(&tap_program, &f->config, f->why, sizeof f->why), 0);
    char **const fields[] = {&f->config.interfaces, &f->config.memcached, &f->config.redis,
                             &f->config.tell_keys};
    const char *const texts[] = {interfaces, memcached, redis, tell_keys};
    for (int i = 0; i < 4; i++) {
        if (!texts[i])
            continue;
        free(*fields[i]);
        *fields[i] = strdup(texts[i]);
    }
    f->why[0] = '\0';
    return tap_plan_read(&f->plan, &f->config, f->why, sizeof f->why);
}

static void forget(struct fixture *f)
{
    config_clear(&tap_program, &f->config);
}

static void by_default_the_usual_ports_of_all_interfaces_are_watched(void **state)
{
    struct fixture f = {0};
    (void)state;
    assert_int_equal(read_plan(&f, NULL, NULL, NULL, NULL), 0);
    assert_int_equal(f.plan.interface_count, 1);
    assert_string_equal(f.plan.interfaces[0], "any");
    assert_int_equal(f.plan.port_count, 2);
    assert_int_equal(f.plan.privacy, HOT_WHOLE);
    forget(&f);
}

static void lists_may_have_commas_and_blanks(void **state)
{
    struct fixture f = {0};
    (void)state;
    assert_int_equal(read_plan(&f, "lo, eth0,,eth1 ", "", " 6379,6380, 65535", "folded"), 0);
    assert_int_equal(f.plan.interface_count, 3);
    assert_string_equal(f.plan.interfaces[2], "eth1");
    assert_int_equal(f.plan.port_count, 3);
    assert_int_equal(f.plan.numbers[2], 65535);
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(f.plan.ports[i].protocol, &tap_redis);
    assert_int_equal(f.plan.privacy, HOT_FOLDED);
    forget(&f);
}

static void assert_refused(const char *interfaces, const char *memcached, const char *redis,
                           const char *tell_keys, const char *says)
{
    struct fixture f = {0};
    assert_int_equal(read_plan(&f, interfaces, memcached, redis, tell_keys), -1);
    if (!strstr(f.why, says))
        fail_msg("expected %s in: %s", says, f.why);
    forget(&f);
}

static void what_makes_no_sense_is_refused_with_a_sentence(void **state)
{
    char many[4096] = "1";
    (void)state;
    for (int i = 2; i <= TAP_PORTS_MOST + 1; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), ",%d", i);
    assert_refused(NULL, "0", NULL, NULL, "memcached: found \"0\"");
    assert_refused(NULL, NULL, "6379x", NULL, "redis: found \"6379x\"");
    assert_refused(NULL, NULL, "65536", NULL, "from 1 to 65535");
    assert_refused(NULL, NULL, "-1", NULL, "redis: found \"-1\"");
    assert_refused(NULL, many, NULL, NULL, "more than 256 ports");
    assert_refused(NULL, "", "", NULL, "nothing to listen to");
    assert_refused("", NULL, NULL, NULL, "nothing to listen to");
    assert_refused(NULL, NULL, NULL, "hidden", "whole, folded or hashed");
    assert_refused(NULL, "6379", "6379", NULL, "6379 is named twice");
    many[0] = '\0';
    for (int i = 0; i <= TAP_INTERFACES_MOST; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "eth%d,", i);
    assert_refused(many, NULL, NULL, NULL, "interfaces: more than 64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_default_the_usual_ports_of_all_interfaces_are_watched),
        cmocka_unit_test(lists_may_have_commas_and_blanks),
        cmocka_unit_test(what_makes_no_sense_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
