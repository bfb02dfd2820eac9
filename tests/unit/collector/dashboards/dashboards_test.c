// SPDX-License-Identifier: Apache-2.0
/* What is promised of saved dashboards when the disk is full, writers race, or the collector is
 * killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/dashboards/dashboards.h"
#include "tests/unit/directory.h"

struct fixture {
    struct dashboards *dashboards;
    char above[40], directory[64];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->above, "/tmp/weft-dashboards-XXXXXX");
    assert_non_null(mkdtemp(f->above));
    snprintf(f->directory, sizeof f->directory, "%s/own", f->above);
    f->dashboards = dashboards_create(f->directory);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    dashboards_destroy(&f->dashboards);
    assert_int_equal(directory_remove(f->above), 0);
    free(f);
    return 0;
}

/* How much of it there is: all of one letter, or the test fails. -1: there is none. */
static ssize_t whole(const struct fixture *f, const char *name)
{
    static char text[DASHBOARD_BYTES_MAX];
    struct stat st;
    int fd = dashboards_open_in(f->directory, name, &st);
    if (fd < 0)
        return -1;
    ssize_t length = read(fd, text, sizeof text);
    assert_int_equal(length, st.st_size);
    close(fd);
    for (ssize_t i = 1; i < length; i++)
        assert_int_equal(text[i], text[0]);
    return length;
}

static int put(struct fixture *f, const char *name, char letter, size_t length)
{
    char *text = malloc(length);
    memset(text, letter, length);
    int result = dashboards_put(f->dashboards, name, text, length, NULL);
    int error = errno;
    free(text);
    errno = error;
    return result;
}

static void note(void *context, const char *name)
{
    strcat(context, name);
    strcat(context, " ");
}

static void what_is_put_is_there_until_it_is_removed(void **state)
{
    struct fixture *f = *state;
    char names[64] = "";
    assert_int_equal(whole(f, "a"), -1);
    assert_int_equal(dashboards_each_in(f->directory, note, names), 0);
    assert_int_equal(dashboards_remove(f->dashboards, "a", NULL), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(put(f, "a", 'x', 100), 0);
    assert_int_equal(put(f, "a", 'y', 70), 0);
    assert_int_equal(whole(f, "a"), 70);
    assert_int_equal(dashboards_each_in(f->directory, note, names), 0);
    assert_string_equal(names, "a ");
    assert_int_equal(dashboards_remove(f->dashboards, "a", NULL), 0);
    assert_int_equal(whole(f, "a"), -1);
}

static void what_the_disk_refuses_leaves_the_old_one(void **state)
{
    struct fixture *f = *state;
    struct rlimit limit, saved;
    char names[64] = "";
    assert_int_equal(put(f, "a", 'x', 100), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &saved);
    limit = saved;
    limit.rlim_cur = 500;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int result = put(f, "a", 'y', 5000), error = errno;
    int fresh = put(f, "b", 'y', 5000);
    setrlimit(RLIMIT_FSIZE, &saved);
    assert_int_equal(result, -1);
    assert_int_equal(error, EFBIG);
    assert_int_equal(fresh, -1);
    assert_int_equal(whole(f, "a"), 100);
    assert_int_equal(dashboards_each_in(f->directory, note, names), 0);
    assert_string_equal(names, "a ");
    assert_int_equal(put(f, "a", 'y', 5000), 0);
    assert_int_equal(whole(f, "a"), 5000);
}

static void links_and_strange_files_are_no_dashboards(void **state)
{
    struct fixture *f = *state;
    char path[96], names[64] = "";
    assert_int_equal(put(f, "a", 'x', 10), 0);
    snprintf(path, sizeof path, "%s/b.json", f->directory);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(whole(f, "b"), -1);
    snprintf(path, sizeof path, "%s/.new", f->directory);
    assert_int_equal(symlink("../outside", path), 0);
    assert_int_equal(put(f, "c", 'x', 10), -1); /* and the link is gone */
    assert_int_equal(put(f, "c", 'x', 10), 0);
    snprintf(path, sizeof path, "%s/outside", f->above);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(dashboards_remove(f->dashboards, "b", NULL), 0);
    dashboards_each_in(f->directory, note, names);
    assert_int_equal(strlen(names), 4);
}

static void there_is_a_bound(void **state)
{
    struct fixture *f = *state;
    char path[96];
    assert_int_equal(put(f, "n0", 'x', 1), 0);
    for (int i = 1; i < DASHBOARDS_MAX; i++) {
        snprintf(path, sizeof path, "%s/n%d.json", f->directory, i);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    assert_int_equal(put(f, "more", 'x', 1), -1);
    assert_int_equal(errno, EDQUOT);
    assert_int_equal(put(f, "n7", 'x', 2), 0);
}

/* What was told as saved is there after a kill, and whole; the one under way is the old or the new.
 */
static void what_was_put_outlives_a_kill(void **state)
{
    struct fixture *f = *state;
    for (size_t round = 0; round < 5; round++) {
        int ends[2], status;
        size_t told = 0, goal = 10 + round * 7;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            for (size_t i = 1; put(f, "a", (char)('a' + i % 26), 1000 + i) == 0; i++) {
                if (write(ends[1], &i, sizeof i) != sizeof i)
                    break;
            }
            _exit(1);
        }
        close(ends[1]);
        while (told < goal)
            assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(ends[0], &told, sizeof told) == sizeof told)
            ;
        close(ends[0]);
        size_t found = (size_t)whole(f, "a") - 1000;
        assert_true(found == told || found == told + 1);
        assert_int_equal(put(f, "a", 'z', 50), 0);
    }
}

static void *put_often(void *context)
{
    struct fixture *f = context;
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(put(f, "a", (char)('a' + i), 3000 + 500 * i), 0);
    return NULL;
}

static void writers_and_readers_see_whole_ones(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[3];
    assert_int_equal(put(f, "a", 'x', 10), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_often, f), 0);
    for (int i = 0; i < 200; i++)
        assert_true(whole(f, "a") > 0);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(whole(f, "a"), 3000 + 500 * 19);
}

static void of_two_who_read_the_same_version_one_saves(void **state)
{
    struct fixture *f = *state;
    char read[DASHBOARD_VERSION_BYTES + 2], version[DASHBOARD_VERSION_BYTES];
    const struct dashboards_if fresh = {.none = "*"};
    assert_int_equal(dashboards_put(f->dashboards, "a", "old", 3, &fresh), 0);
    assert_int_equal(dashboards_put(f->dashboards, "a", "old", 3, &fresh), -1);
    assert_int_equal(errno, ESTALE);
    dashboards_version_of("old", 3, version);
    snprintf(read, sizeof read, "\"%s\"", version);
    const struct dashboards_if condition = {.match = read};
    assert_int_equal(dashboards_put(f->dashboards, "a", "mine", 4, &condition), 0);
    assert_int_equal(dashboards_put(f->dashboards, "a", "theirs", 6, &condition), -1);
    assert_int_equal(errno, ESTALE);
    assert_int_equal(dashboards_remove(f->dashboards, "a", &condition), -1);
    assert_int_equal(errno, ESTALE);
    struct stat st;
    int fd = dashboards_open_in(f->directory, "a", &st);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(dashboards_version(fd, version), 0);
    close(fd);
    snprintf(read, sizeof read, "\"%s\"", version);
    assert_int_equal(dashboards_remove(f->dashboards, "a", &condition), 0);
    assert_int_equal(dashboards_put(f->dashboards, "a", "mine", 4, &condition), -1);
    assert_int_equal(errno, ESTALE);
}

static void versions_are_told_apart_as_http_has_them(void **state)
{
    struct fixture *f = *state;
    char version[DASHBOARD_VERSION_BYTES], list[128], weak[64], both[128];
    assert_int_equal(dashboards_put(f->dashboards, "a", "old", 3, NULL), 0);
    dashboards_version_of("old", 3, version);
    snprintf(list, sizeof list, "\"0123456789abcdef\", \"%s\"", version);
    snprintf(weak, sizeof weak, "W/\"%s\"", version);
    snprintf(both, sizeof both, "%s, \"%s\"", weak, version);
    const struct {
        const char *match;
        int result;
    } cases[] = {{"*", 0}, {list, 0}, {both, 0}, {weak, -1}, {version, -1}, {"", -1}, {"\"\"", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dashboards_if condition = {.match = cases[i].match};
        assert_int_equal(dashboards_put(f->dashboards, "a", "old", 3, &condition), cases[i].result);
    }
    const struct dashboards_if there = {.match = "*"};
    assert_int_equal(dashboards_put(f->dashboards, "b", "old", 3, &there), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(what_is_put_is_there_until_it_is_removed),
        TEST(what_the_disk_refuses_leaves_the_old_one),
        TEST(links_and_strange_files_are_no_dashboards),
        TEST(there_is_a_bound),
        TEST(what_was_put_outlives_a_kill),
        TEST(writers_and_readers_see_whole_ones),
        TEST(of_two_who_read_the_same_version_one_saves),
        TEST(versions_are_told_apart_as_http_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
