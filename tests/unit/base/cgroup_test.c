// SPDX-License-Identifier: Apache-2.0
#include "lib/base/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void the_innermost_service_or_scope_is_the_unit(void **state)
{
    static const struct {
        const char *text, *unit; /* NULL: none */
    } cases[] = {
        {"0::/system.slice/redis-server.service\n", "redis-server.service"},
        {"0::/system.slice/system-memcached.slice/memcached@a.service\n", "memcached@a.service"},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope", "x.scope"},
        {"0::/user.slice/user-1000.slice/user@1000.service/init.slice/a/b\n", "user@1000.service"},
        {"8:pids:/p\n1:name=systemd:/system.slice/a.service\n0::/\n", "a.service"},
        {"8:pids:/system.slice/not.service\n0::/\n", NULL},
        {"0::/\n", NULL},
        {"0::/.service/x\n", NULL},
        {"", NULL},
        {"nonsense", NULL},
    };
    char unit[CGROUP_UNIT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool found = cgroup_unit(cases[i].text, unit);
        assert_int_equal(found, cases[i].unit != NULL);
        if (found)
            assert_string_equal(unit, cases[i].unit);
    }
}

#define SECOND                                                                                     \
    "22 1 0:20 / /sys rw - sysfs sysfs rw\n"                                                       \
    "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define FIRST                                                                                      \
    "31 22 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"                          \
    "32 22 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"                            \
    "33 22 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"

static void memory_is_counted_where_its_controller_is(void **state)
{
    static const struct {
        const char *groups, *mounts, *path;
        bool first;
    } cases[] = {
        {"0::/system.slice/a.service\n", SECOND, "/sys/fs/cgroup/system.slice/a.service", false},
        {"0::/\n", SECOND, "/sys/fs/cgroup", false},
        {"4:memory:/a/b\n0::/\n", FIRST, "/sys/fs/cgroup/memory/a/b", true},
        {"4:cpu,memory:/a\n0::/\n", FIRST, "/sys/fs/cgroup/memory/a", true},
        {"4:memoryless:/a\n0::/c\n", FIRST, "/sys/fs/cgroup/unified/c", false},
        {"0::/docker/x/y\n", "30 22 0:26 /docker/x /cg rw - cgroup2 none rw\n", "/cg/y", false},
        {"0::/a\n", "", NULL, false},
        {"", FIRST, NULL, false},
        {"4:memory", FIRST, NULL, false},
    };
    char path[CGROUP_PATH_MAX];
    bool first;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool found = cgroup_memory_directory(cases[i].groups, cases[i].mounts, &first, path);
        assert_int_equal(found, cases[i].path != NULL);
        if (!found)
            continue;
        assert_string_equal(path, cases[i].path);
        assert_int_equal(first, cases[i].first);
    }
}

static uint64_t kills_in(const char *text)
{
    char path[] = "/tmp/weft-cgroup-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    uint64_t kills = cgroup_count_kills(path);
    unlink(path);
    return kills;
}

static void kills_are_counted_in_either_version(void **state)
{
    (void)state;
    assert_int_equal(kills_in("low 0\nhigh 0\nmax 12\noom 4\noom_kill 3\noom_group_kill 1\n"), 3);
    assert_int_equal(kills_in("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n"), 7);
    assert_int_equal(kills_in("oom_kill_disable 0\nunder_oom 0\n"), 0);
    assert_int_equal(cgroup_count_kills("/no/such/file"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_innermost_service_or_scope_is_the_unit),
        cmocka_unit_test(memory_is_counted_where_its_controller_is),
        cmocka_unit_test(kills_are_counted_in_either_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
