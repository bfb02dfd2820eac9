// SPDX-License-Identifier: Apache-2.0
#include "lib/proc/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_among(uint32_t pid, const uint32_t *pids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

static void children_and_theirs_are_in_it(void **state)
{
    int told[2];
    pid_t below;
    uint32_t pids[16];
    (void)state;
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (fork() == 0) {
            pid_t own = getpid();
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (write(told[1], &own, sizeof own) < 0) /* from here on it ends with its parent */
                _exit(1);
        }
        pause();
        _exit(0);
    }
    assert_int_equal(read(told[0], &below, sizeof below), sizeof below);
    size_t count = proc_tree((uint32_t)getpid(), pids, 16);
    assert_int_equal(count, 3);
    assert_int_equal(pids[0], getpid());
    assert_true(is_among((uint32_t)child, pids, count));
    assert_true(is_among((uint32_t)below, pids, count));
    assert_int_equal(proc_tree((uint32_t)getpid(), pids, 2), 2);
    assert_int_equal(proc_tree((uint32_t)getpid(), pids, 0), 0);
    kill(below, SIGKILL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(told[0]);
    close(told[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(children_and_theirs_are_in_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
