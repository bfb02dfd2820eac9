// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static char why[512];

static int read_rules(struct watch_rules *r, const char *text)
{
    return watch_rules_read(r, "FILE", text, strlen(text), why, sizeof why);
}

static int match(const struct watch_rules *r, const char *executable, const char *name,
                 const char *unit, uint16_t port)
{
    return watch_rules_match(r, &(struct watch_subject){executable, name, unit, &port, port != 0});
}

static void the_first_rule_that_fits_counts(void **state)
{
    struct watch_rules r;
    (void)state;
    assert_int_equal(read_rules(&r, "- executable: redis-server\n  port: 6379\n  cell: c1\n"
                                    "- executable: redis-*\n  service: other\n"
                                    "- executable: /opt/*/bin/cache\n  service: cache\n"
                                    "- unit: memcached@*.service\n  service: memcached\n"
                                    "- unit: web.service\n  version: '2'\n"
                                    "- port: 80\n  service: http\n"),
                     0);
    assert_int_equal(r.count, 6);
    assert_string_equal(r.list[0].service, "redis-server");
    assert_string_equal(r.list[0].cell, "c1");
    assert_string_equal(r.list[4].service, "web");
    assert_string_equal(r.list[4].version, "2");
    assert_true(r.ask_executable && r.ask_unit && r.ask_port);
    assert_int_equal(match(&r, "/usr/bin/redis-server", "x", "", 6379), 0);
    assert_int_equal(match(&r, "/usr/bin/redis-check-rdb", "redis-server", "", 6379), 0);
    assert_int_equal(match(&r, "", "redis-server", "", 6379), 0); /* its path is hidden */
    assert_int_equal(match(&r, "/usr/bin/redis-server", "x", "", 6380), 1);
    assert_int_equal(match(&r, "/opt/a/bin/cache", "x", "", 0), 2);
    assert_int_equal(match(&r, "/opt/a/b/bin/cache", "cache", "", 0), -1);
    assert_int_equal(match(&r, "/x", "x", "memcached@7.service", 0), 3);
    assert_int_equal(match(&r, "/x", "x", "web.service", 80), 4);
    assert_int_equal(match(&r, "/x", "x", "", 80), 5);
    assert_int_equal(match(&r, "", "", "", 0), -1);
    watch_rules_fini(&r);
}

static void a_path_that_is_a_link_fits_what_it_leads_to(void **state)
{
    struct watch_rules r;
    (void)state;
    assert_int_equal(read_rules(&r, "- executable: /proc/self/exe\n  service: me\n"), 0);
    assert_non_null(r.list[0].resolved);
    assert_int_equal(match(&r, r.list[0].resolved, "x", "", 0), 0);
    watch_rules_fini(&r);
}

static void no_rules_are_rules(void **state)
{
    static const char *const texts[] = {"", "# nothing\n", "[]\n", "---\n"};
    struct watch_rules r;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read_rules(&r, texts[i]), 0);
        assert_int_equal(r.count, 0);
        assert_int_equal(match(&r, "/x", "x", "", 1), -1);
        watch_rules_fini(&r);
    }
}

static void a_mistake_is_told_with_its_line(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"executable: x\n", "FILE:1: found a mapping, expected a list of rules"},
        {"- x\n", "FILE:1: found a single value, expected one of executable, unit, port, service, "
                  "cell, version"},
        {"- service: x\n", "FILE:1: found a rule that fits every process, expected one of "
                           "executable, unit, port"},
        {"- executable: a\n- port: 80\n",
         "FILE:2: found a rule without a service, and no name to take it from, expected service: "
         "NAME"},
        {"- executable: re*\n", "FILE:1: found a rule without a service, and no name to take it "
                                "from, expected service: NAME"},
        {"- port: 0\n  service: x\n", "FILE:1: found \"0\", expected a port from 1 to 65535"},
        {"- port: 65536\n  service: x\n",
         "FILE:1: found \"65536\", expected a port from 1 to 65535"},
        {"- port: -1\n  service: x\n", "FILE:1: found \"-1\", expected a port from 1 to 65535"},
        {"- port: 80x\n  service: x\n", "FILE:1: found \"80x\", expected a port from 1 to 65535"},
        {"- unit: ''\n", "FILE:1: found 0 bytes as unit, expected 1 to 255 bytes of text"},
        {"- executable: a\n  cell: [x]\n", "FILE:2: found a list as cell, expected a single value"},
        {"- executable: a\n  executable: b\n",
         "FILE:2: found \"executable\" again, expected it once"},
        {"- executable: a\n  prot: 1\n",
         "FILE:2: found unknown key \"prot\", expected one of executable, unit, port, service, "
         "cell, version"},
    };
    struct watch_rules r;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_rules(&r, cases[i].text), -1);
        assert_string_equal(why, cases[i].why);
        assert_int_equal(r.count, 0);
    }
    assert_int_equal(read_rules(&r, "- [\n"), -1);
    assert_int_equal(strncmp(why, "FILE:", 5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_fits_counts),
        cmocka_unit_test(a_path_that_is_a_link_fits_what_it_leads_to),
        cmocka_unit_test(no_rules_are_rules),
        cmocka_unit_test(a_mistake_is_told_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
