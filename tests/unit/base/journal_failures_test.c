// SPDX-License-Identifier: Apache-2.0
/* Disks that refuse, kills, and threads beside each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/base/journals.h"

/* ---- failing disks ----------------------------------------------------------------------- */

static void an_append_that_the_disk_refuses_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    struct rlimit limit, saved;
    assert_int_equal(append_number(f->journal, 0), 0);
    uint64_t before = journal_segment_bytes(f->journal, 1);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &saved);
    limit = saved;
    limit.rlim_cur = before + 30; /* within the next frame */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int error = append_number(f->journal, 1);
    setrlimit(RLIMIT_FSIZE, &saved);
    assert_int_equal(error, -EFBIG);
    char path[128];
    struct stat st;
    segment_path(f, 1, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, before);
    assert_int_equal(append_number(f->journal, 2), 0);
    assert_int_equal(read_numbers(f->journal, NULL, 3), 2);
    assert_int_equal(journal_sync(f->journal), 0);
}

/* In a child with a mount namespace of its own; exits with 77 where that is not allowed. */
static void fill_small_disk(struct fixture *f)
{
    char directory[128];
    int error;
    uint32_t appended = 0;
    snprintf(directory, sizeof directory, "%s/full", f->directory);
    mkdir(directory, 0700);
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", directory, "tmpfs", 0, "size=64k") < 0)
        _exit(77);
    struct journal_options options = f->options;
    options.directory = directory;
    options.segment_bytes = 4096;
    struct journal *j = journal_open(&options, &error);
    if (!j)
        _exit(1);
    while ((error = append_number(j, appended)) == 0)
        appended++;
    if (error != -ENOSPC || read_numbers(j, NULL, appended) != appended)
        _exit(2);
    if (journal_drop_before(j, journal_first_segment(j) + 2) < 0)
        _exit(3);
    if (append_number(j, appended) < 0 || journal_sync(j) < 0)
        _exit(4);
    journal_close(&j);
    _exit(0);
}

static void a_full_disk_is_an_error_until_there_is_room_again(void **state)
{
    struct fixture *f = *state;
    int status;
    pid_t child = fork();
    if (child == 0)
        fill_small_disk(f);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- sudden death and many threads ------------------------------------------------------- */

static void append_and_tell(const struct fixture *f, int pipe_fd)
{
    int error;
    struct journal_options options = f->options;
    options.segment_bytes = 8192;
    struct journal *j = journal_open(&options, &error);
    for (uint32_t i = 0; j; i++) {
        if (append_number(j, i) < 0)
            break;
        if (i % 4 == 3 && (journal_sync(j) < 0 || write(pipe_fd, &i, sizeof i) != sizeof i))
            break;
    }
    _exit(1);
}

static void what_was_synced_outlives_a_kill(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 5; round++) {
        int ends[2], status;
        uint32_t told = 0, goal = 20 + (uint32_t)round * 97;
        journal_close(&f->journal);
        directory_remove(f->directory);
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0)
            append_and_tell(f, ends[1]);
        close(ends[1]);
        while (told < goal)
            assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(ends[0], &told, sizeof told) == sizeof told)
            ;
        close(ends[0]);
        static uint8_t seen[1 << 20];
        memset(seen, 0, sizeof seen);
        open_journal(f);
        read_numbers(f->journal, seen, sizeof seen);
        for (uint32_t i = 0; i <= told; i++)
            assert_int_equal(seen[i], 1);
    }
}

enum { MANY = 3000 };

static void *sync_often(void *argument)
{
    struct fixture *f = argument;
    for (int i = 0; i < 20; i++)
        assert_int_equal(journal_sync(f->journal), 0);
    return NULL;
}

static void *read_along(void *argument)
{
    struct fixture *f = argument;
    int error;
    const void *body;
    uint32_t length, expected = 0;
    struct journal_cursor *c = journal_read(f->journal, (struct journal_position){0, 0}, &error);
    while (expected < MANY) {
        int result = journal_next(c, &body, &length, NULL);
        uint32_t number;
        assert_true(result >= 0);
        if (result == 0) {
            sched_yield();
            continue;
        }
        memcpy(&number, body, sizeof number);
        assert_int_equal(number, expected++);
    }
    journal_cursor_close(&c);
    return NULL;
}

static void readers_and_syncs_run_beside_appends(void **state)
{
    struct fixture *f = *state;
    pthread_t readers[2], syncer;
    struct journal_stats stats;
    journal_close(&f->journal);
    f->options.segment_bytes = 16 << 10;
    open_journal(f);
    for (int i = 0; i < 2; i++)
        pthread_create(&readers[i], NULL, read_along, f);
    pthread_create(&syncer, NULL, sync_often, f);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(append_number(f->journal, i), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    pthread_join(syncer, NULL);
    journal_stats(f->journal, &stats);
    assert_int_equal(stats.frames_appended, MANY);
    assert_int_equal(stats.damaged_frames, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(an_append_that_the_disk_refuses_leaves_no_trace),
        TEST(a_full_disk_is_an_error_until_there_is_room_again),
        TEST(what_was_synced_outlives_a_kill),
        TEST(readers_and_syncs_run_beside_appends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
