// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/processes.h"
#include "tests/unit/slab_fixture.h"
#include "weft/weft.h"

static struct counters counters;
static struct cursors *cursors;
static struct processes processes;
static int found_count;

static void on_found(void *context, struct recording_process *p)
{
    (void)context;
    (void)p;
    found_count++;
}

static int begin(void **state)
{
    (void)state;
    fixture_begin();
    found_count = 0;
    memset(&counters, 0, sizeof counters);
    cursors = cursors_create();
    return processes_init(&processes, fixture_directory, cursors, &counters);
}

static int end(void **state)
{
    (void)state;
    processes_fini(&processes);
    cursors_destroy(&cursors);
    fixture_end();
    return 0;
}

/* A child that records a span, leaves one open, and waits to be killed. */
static pid_t start_service(void)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        weft_begin(WEFT_NAME("open"), WEFT_INTERNAL);
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void each_file_is_found_once(void **state)
{
    (void)state;
    pid_t a = start_service(), b = start_service();
    processes_scan(&processes, on_found, NULL);
    processes_scan(&processes, on_found, NULL);
    assert_int_equal(found_count, 2);
    assert_int_equal(processes.count, 2);
    assert_true(counters_get(&counters.processes) == 2);
    kill(a, SIGKILL);
    kill(b, SIGKILL);
    waitpid(a, NULL, 0);
    waitpid(b, NULL, 0);
}

static void a_death_is_noticed_by_itself(void **state)
{
    (void)state;
    pid_t pid = start_service();
    processes_scan(&processes, on_found, NULL);
    processes_notice_deaths(&processes, true);
    assert_false(processes.all[0]->dead);
    assert_true(processes.all[0]->watched_life);
    kill(pid, SIGKILL);
    struct pollfd p = {.fd = processes.deaths, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    processes_notice_deaths(&processes, false);
    assert_true(processes.all[0]->dead);
    assert_true(processes.all[0]->died_unix_ns > 0);
    waitpid(pid, NULL, 0);
}

static void who_was_dead_before_is_known_as_dead(void **state)
{
    (void)state;
    pid_t pid = start_service();
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    processes_scan(&processes, on_found, NULL);
    assert_int_equal(processes.count, 1);
    assert_true(processes.all[0]->dead);
    assert_false(processes.all[0]->watched_life);
}

static void what_is_no_process_file_costs_one_count(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/1-2-rubbish.slab", fixture_directory);
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    for (int i = 0; i < 100; i++)
        assert_int_equal(
            write(fd, "rubbish, rubbish, rubbish, rubbish, rubbish, rubbish, rubbish", 61), 61);
    close(fd);
    for (int i = 0; i < 3; i++)
        processes_scan(&processes, on_found, NULL);
    assert_true(counters_get(&counters.lost[LOSS_BAD_FILE]) == 1);
    unlink(path);
    processes_scan(&processes, on_found, NULL);
    processes_scan(&processes, on_found, NULL);
    assert_int_equal(processes.ignored_count, 0);
}

static void many_useless_files_are_each_counted_once_and_forgotten(void **state)
{
    (void)state;
    enum { FILES = 300 };
    char path[512];
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "%s/%d-useless.slab", fixture_directory, i);
        close(open(path, O_CREAT | O_RDWR, 0600));
        if (i % 100 == 0)
            processes_scan(&processes, on_found, NULL);
    }
    for (int i = 0; i < 3; i++)
        processes_scan(&processes, on_found, NULL);
    assert_int_equal(processes.ignored_count, FILES);
    assert_true(counters_get(&counters.lost[LOSS_BAD_FILE]) == FILES);
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "%s/%d-useless.slab", fixture_directory, i);
        unlink(path);
    }
    processes_scan(&processes, on_found, NULL);
    assert_int_equal(processes.ignored_count, 0);
}

/* Out of descriptors: it must not be buried alive. */
static void who_cannot_be_asked_after_is_not_dead(void **state)
{
    (void)state;
    pid_t pid = start_service();
    struct rlimit few, before;
    getrlimit(RLIMIT_NOFILE, &before);
    int next = dup(0);
    close(next);
    for (int room = 0; room < 6; room++) {
        few = (struct rlimit){(rlim_t)(next + room), before.rlim_max};
        setrlimit(RLIMIT_NOFILE, &few);
        processes_scan(&processes, on_found, NULL);
        for (size_t i = 0; i < processes.count; i++)
            assert_false(processes.all[i]->dead);
    }
    setrlimit(RLIMIT_NOFILE, &before);
    processes_scan(&processes, on_found, NULL);
    assert_int_equal(processes.count, 1);
    assert_false(processes.all[0]->dead);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void a_directory_that_was_made_anew_is_taken_up(void **state)
{
    (void)state;
    assert_int_equal(rmdir(fixture_directory), 0);
    assert_int_equal(mkdir(fixture_directory, 0700), 0);
    pid_t pid = start_service();
    processes_scan(&processes, on_found, NULL);
    assert_int_equal(found_count, 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int main(void)
{
    guard_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_file_is_found_once, begin, end),
        cmocka_unit_test_setup_teardown(a_death_is_noticed_by_itself, begin, end),
        cmocka_unit_test_setup_teardown(who_was_dead_before_is_known_as_dead, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_process_file_costs_one_count, begin, end),
        cmocka_unit_test_setup_teardown(many_useless_files_are_each_counted_once_and_forgotten,
                                        begin, end),
        cmocka_unit_test_setup_teardown(who_cannot_be_asked_after_is_not_dead, begin, end),
        cmocka_unit_test_setup_teardown(a_directory_that_was_made_anew_is_taken_up, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
