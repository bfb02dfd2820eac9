// SPDX-License-Identifier: Apache-2.0
/* Tests that run in a forked child each, as libweft keeps one state for a process. A child reports
 * by its exit status: 0, or not, with the line that failed printed. */
#ifndef WEFT_TESTS_CLIENT_CHILD_H
#define WEFT_TESTS_CLIENT_CHILD_H

#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "tests/unit/slab_fixture.h"

/* A status has eight bits: the line is printed. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

static void in_child(int (*body)(void))
{
    fixture_begin();
    pid_t pid = fork();
    if (pid == 0)
        _exit(body());
    int status;
    waitpid(pid, &status, 0);
    fixture_end();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* body_test, which runs `body` in a child. */
#define IN_CHILD(body)                                                                             \
    static void body##_test(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        in_child(body);                                                                            \
    }

/* When what a child waits for must have come. */
static inline uint64_t soon_ns(void)
{
    return clock_monotonic_ns() + UINT64_C(3000000000);
}

/* The fixture's directory is a tmpfs of its own, as small as `options` say ("size=64k"). False:
 * only root can have a mount namespace. */
static inline bool on_small_tmpfs(const char *options)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", fixture_directory, "tmpfs", 0, options) == 0;
}

#endif
