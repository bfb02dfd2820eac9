// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/firehose/checkpoints.h"
#include "tests/unit/directory.h"

static char directory[64];

static int setup(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/weft-checkpoints-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return directory_remove(directory);
}

static struct checkpoints *open_it(void)
{
    char why[256] = "";
    struct checkpoints *c = checkpoints_open(directory, why, sizeof why);
    if (!c)
        fail_msg("%s", why);
    return c;
}

static struct checkpoint checkpoint_of(uint64_t n)
{
    struct checkpoint c = {.ledger_begun_unix_ns = 7};
    for (unsigned p = 0; p < FIREHOSE_PARTITIONS; p++)
        c.positions[p] = (struct firehose_position){n, n + p, (uint32_t)p, UINT64_MAX - n};
    return c;
}

static void assert_read(struct checkpoints *c, const char *app, uint64_t n)
{
    struct checkpoint read, expected = checkpoint_of(n);
    assert_int_equal(checkpoints_read(c, app, &read), CHECKPOINTS_OK);
    assert_int_equal(read.ledger_begun_unix_ns, 7);
    for (unsigned p = 0; p < FIREHOSE_PARTITIONS; p++) {
        assert_int_equal(position_compare(&read.positions[p], &expected.positions[p]), 0);
        assert_true(read.positions[p].spans == expected.positions[p].spans);
    }
}

static void positions_are_there_again_after_a_restart(void **state)
{
    (void)state;
    struct checkpoints *c = open_it();
    struct checkpoint read, one = checkpoint_of(1), two = checkpoint_of(2);
    assert_int_equal(checkpoints_read(c, "a", &read), CHECKPOINTS_NONE);
    assert_int_equal(checkpoints_write(c, "a", &one, 5), CHECKPOINTS_OK);
    assert_int_equal(checkpoints_write(c, "b", &one, 5), CHECKPOINTS_OK);
    assert_int_equal(checkpoints_write(c, "a", &two, 6), CHECKPOINTS_OK);
    checkpoints_close(&c);
    c = open_it();
    assert_read(c, "a", 2);
    assert_read(c, "b", 1);
    assert_int_equal(checkpoints_remove(c, "a"), CHECKPOINTS_OK);
    assert_int_equal(checkpoints_read(c, "a", &read), CHECKPOINTS_NONE);
    assert_read(c, "b", 1);
    checkpoints_close(&c);
}

/* A child writes one checkpoint after the other and says so, until it is killed. */
static void a_kill_leaves_the_last_one_that_was_written_whole(void **state)
{
    (void)state;
    int told[2];
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        char why[256];
        struct checkpoints *c = checkpoints_open(directory, why, sizeof why);
        for (uint64_t n = 1; c; n++) {
            struct checkpoint checkpoint = checkpoint_of(n);
            if (checkpoints_write(c, "a", &checkpoint, n) != CHECKPOINTS_OK ||
                write(told[1], &n, sizeof n) != sizeof n)
                break;
        }
        _exit(1);
    }
    close(told[1]);
    uint64_t last = 0;
    while (last < 200)
        assert_int_equal(read(told[0], &last, sizeof last), sizeof last);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(told[0], &last, sizeof last) == sizeof last)
        ;
    close(told[0]);
    struct checkpoints *c = open_it();
    struct checkpoint found;
    assert_int_equal(checkpoints_read(c, "a", &found), CHECKPOINTS_OK);
    uint64_t n = found.positions[0].segment;
    assert_true(n == last || n == last + 1);
    assert_read(c, "a", n);
    checkpoints_close(&c);
}

static void a_damaged_database_is_set_aside(void **state)
{
    (void)state;
    struct checkpoints *c = open_it();
    struct checkpoint read, one = checkpoint_of(1);
    assert_int_equal(checkpoints_write(c, "a", &one, 5), CHECKPOINTS_OK);
    checkpoints_close(&c);
    char path[128], junk[4096];
    snprintf(path, sizeof path, "%s/firehose.db", directory);
    int fd = open(path, O_WRONLY);
    memset(junk, 'x', sizeof junk);
    assert_int_equal(pwrite(fd, junk, sizeof junk, 0), sizeof junk);
    close(fd);
    c = open_it();
    assert_int_equal(checkpoints_read(c, "a", &read), CHECKPOINTS_NONE);
    assert_int_equal(checkpoints_write(c, "a", &one, 5), CHECKPOINTS_OK);
    checkpoints_close(&c);
    char command[160];
    snprintf(command, sizeof command, "ls %s/firehose.db.damaged-* > /dev/null", directory);
    assert_int_equal(system(command), 0);
}

static void count(void *context, const char *app, uint64_t written_unix_ns)
{
    unsigned *apps = context;
    char expected[32];
    snprintf(expected, sizeof expected, "app-%04u", (*apps)++);
    assert_string_equal(app, expected);
    assert_int_equal(written_unix_ns, 5);
}

static void apps_are_listed_and_their_number_is_bounded(void **state)
{
    (void)state;
    struct checkpoints *c = open_it();
    struct checkpoint read, one = checkpoint_of(1);
    char app[32];
    for (unsigned i = 0; i < CHECKPOINTS_APPS_MOST; i++) {
        snprintf(app, sizeof app, "app-%04u", i);
        assert_int_equal(checkpoints_read(c, app, &read), CHECKPOINTS_NONE);
        assert_int_equal(checkpoints_write(c, app, &one, 5), CHECKPOINTS_OK);
    }
    assert_int_equal(checkpoints_read(c, "one more", &read), CHECKPOINTS_EMANY);
    assert_int_equal(checkpoints_read(c, "app-0007", &read), CHECKPOINTS_OK);
    unsigned apps = 0;
    assert_int_equal(checkpoints_list(c, count, &apps), CHECKPOINTS_OK);
    assert_int_equal(apps, CHECKPOINTS_APPS_MOST);
    checkpoints_close(&c);
}

static void a_directory_that_cannot_be_is_told(void **state)
{
    (void)state;
    char why[256] = "";
    assert_null(checkpoints_open("/proc/nowhere/at/all", why, sizeof why));
    assert_non_null(strstr(why, "/proc/nowhere/at/all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(positions_are_there_again_after_a_restart),
        TEST(a_kill_leaves_the_last_one_that_was_written_whole),
        TEST(a_damaged_database_is_set_aside),
        TEST(apps_are_listed_and_their_number_is_bounded),
        TEST(a_directory_that_cannot_be_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
