// SPDX-License-Identifier: Apache-2.0
/* The census of this host, with children of this test in it. */
#include "agent/watch/census.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/proc/stat.h"

static struct watch_rules rules;
static struct census census;
static char own_name[16];

static int setup(void **state)
{
    (void)state;
    snprintf(own_name, sizeof own_name, "weft)%d", getpid());
    return 0;
}

static void begin(const char *text)
{
    char why[512];
    if (watch_rules_read(&rules, "FILE", text, strlen(text), why, sizeof why) != 0)
        fail_msg("%s", why);
    census_init(&census, &rules);
}

static void end(void)
{
    census_fini(&census);
    watch_rules_fini(&rules);
}

/* A child that calls itself so, once it says that it does. `listening`: a descriptor that it keeps.
 */
static pid_t child_named(const char *name, int listening)
{
    int told[2];
    char byte;
    assert_int_equal(pipe(told), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, name);
        if (write(told[1], "x", 1) < 0)
            _exit(1);
        pause();
        _exit(listening);
    }
    assert_int_equal(read(told[0], &byte, 1), 1);
    close(told[0]);
    close(told[1]);
    return pid;
}

static void finish(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static const struct census_finding *finding_of(pid_t pid)
{
    const struct census_finding *list = census.findings.items;
    for (size_t i = 0; i < census.findings.count; i++)
        if (list[i].process.pid == (uint32_t)pid)
            return &list[i];
    return NULL;
}

static void a_process_is_found_by_its_name_once(void **state)
{
    char text[128];
    (void)state;
    snprintf(text, sizeof text, "- executable: 'no-such-program'\n- executable: '%s'\n", own_name);
    begin(text);
    census_take(&census);
    assert_int_equal(census.findings.count, 0);
    pid_t pid = child_named(own_name, -1);
    census_take(&census);
    assert_int_equal(census.findings.count, 1);
    assert_non_null(finding_of(pid));
    assert_int_equal(finding_of(pid)->rule, 1);
    assert_int_equal(finding_of(pid)->root.pid, 0);
    census_take(&census);
    assert_int_equal(census.findings.count, 0);
    finish(pid);
    end();
}

static void one_that_changes_its_name_soon_is_found(void **state)
{
    char text[128];
    (void)state;
    snprintf(text, sizeof text, "- executable: '%s'\n", own_name);
    begin(text);
    int told[2];
    assert_int_equal(pipe(told), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (read(told[0], &byte, 1) == 1)
            prctl(PR_SET_NAME, own_name);
        close(told[0]);
        pause();
    }
    census_take(&census);
    assert_null(finding_of(pid));
    assert_int_equal(write(told[1], "x", 1), 1);
    bool found = false;
    for (int i = 0; i < 200 && !found; i++) { /* young or in its turn, it is looked at again */
        census_take(&census);
        found = finding_of(pid) != NULL;
    }
    assert_true(found);
    finish(pid);
    close(told[0]);
    close(told[1]);
    end();
}

static void one_that_begins_to_listen_late_is_found(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    char text[128];
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(text, sizeof text, "- port: %u\n  service: x\n", ntohs(address.sin_port));
    begin(text);
    pid_t pid = child_named("listener", fd);
    for (int i = 0; i < 10; i++) { /* until nobody is young */
        census_take(&census);
        assert_int_equal(census.findings.count, 0);
    }
    assert_int_equal(listen(fd, 1), 0);
    census_take(&census);
    assert_non_null(finding_of(pid));
    assert_non_null(finding_of(getpid()));
    assert_int_equal(census.findings.count, 2);
    finish(pid);
    close(fd);
    end();
}

static struct census_process process_of(pid_t pid)
{
    struct proc_stat s;
    assert_true(proc_stat_read((uint32_t)pid, &s, NULL));
    return (struct census_process){(uint32_t)pid, s.start_time};
}

static void what_descends_from_a_command_is_found_and_kept(void **state)
{
    int told[2];
    pid_t below;
    (void)state;
    begin("");
    assert_int_equal(pipe(told), 0);
    pid_t pid = fork();
    if (pid == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0)
            pause();
        if (write(told[1], &grandchild, sizeof grandchild) < 0)
            _exit(1);
        pause();
    }
    assert_int_equal(read(told[0], &below, sizeof below), sizeof below);
    struct census_process root = process_of(pid);
    census_ask_root(&census, root);
    census_take(&census);
    assert_non_null(finding_of(below));
    assert_int_equal(finding_of(below)->rule, -1);
    assert_int_equal(finding_of(below)->root.pid, pid);
    assert_int_equal(census.findings.count, 1);
    census_ask_root(&census, root);
    census_take(&census);
    assert_int_equal(census.findings.count, 0);
    census_ask_root(&census, (struct census_process){(uint32_t)getpid(), 1}); /* another start */
    census_take(&census);
    assert_int_equal(census.findings.count, 0);
    finish(pid);
    kill(below, SIGKILL);
    close(told[0]);
    close(told[1]);
    end();
}

static void sockets_of_who_is_asked_for_are_counted(void **state)
{
    (void)state;
    begin("");
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    census_take(&census);
    assert_int_equal(census.sockets.count, 0);
    census_ask_sockets(&census, (uint32_t)getpid());
    census_ask_sockets(&census, 0x7ffffff0);
    census_take(&census);
    assert_int_equal(census.sockets.count, 1);
    const struct census_sockets *own = census.sockets.items;
    assert_int_equal(own->pid, getpid());
    assert_true(own->counts.by_kind[PROC_UNIX] >= 2);
    close(pair[0]);
    close(pair[1]);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_is_found_by_its_name_once),
        cmocka_unit_test(one_that_changes_its_name_soon_is_found),
        cmocka_unit_test(one_that_begins_to_listen_late_is_found),
        cmocka_unit_test(what_descends_from_a_command_is_found_and_kept),
        cmocka_unit_test(sockets_of_who_is_asked_for_are_counted),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
