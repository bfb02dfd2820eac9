// SPDX-License-Identifier: Apache-2.0
/* Writers of a file that are killed anywhere: what they left is put back, and in the end each row
 * is there once. */
#include "tests/unit/collector/archive/directory.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "collector/archive/round.h"
#include "collector/archive/undo.h"

enum { KILLS = 600, BATCH = 6, PAUSE_NS_MAX = 3000000 };

static const char file[] = "one.rrd";

struct fixture {
    char directory[64], path[96];
};

static void begin(struct fixture *f)
{
    char why[300];
    directory_make(f->directory);
    snprintf(f->path, sizeof f->path, "%s/%s", f->directory, file);
    assert_int_equal(round_create(f->path, BASE_S, why, sizeof why), 0);
}

/* The next samples, each of which says when it is from. */
static int write_some(struct archive_undo *u, const struct fixture *f)
{
    struct round_sample list[BATCH];
    char why[300];
    int64_t last_s = round_last_s(f->path);
    for (int i = 0; i < BATCH; i++) {
        int64_t at_s = last_s + (i + 1) * ROUND_STEP_S;
        list[i] = (struct round_sample){at_s, (double)(at_s - BASE_S)};
    }
    if (archive_undo_begin(u, file) != 0)
        return -1;
    int result = round_write(f->path, list, BATCH, &last_s, why, sizeof why);
    archive_undo_end(u);
    return result;
}

static _Noreturn void write_until_killed(const struct fixture *f)
{
    struct archive_undo u;
    archive_undo_open(&u, f->directory);
    while (write_some(&u, f) == 0)
        continue;
    _exit(1);
}

/* Whether every step of the last half day is there, and is itself. */
static void assert_whole(const struct fixture *f, int64_t last_s)
{
    struct points points;
    int64_t from_s = last_s - 43200 > BASE_S ? last_s - 43200 : BASE_S;
    points_init(&points);
    assert_int_equal(round_read(f->path, last_s, (from_s + 1) * 1000, last_s * 1000, &points), 0);
    assert_int_equal(points.count, (last_s - from_s) / ROUND_STEP_S);
    for (size_t i = 0; i < points.count; i++) {
        double age_s = (double)(points.unix_ms[i] / 1000 - BASE_S);
        if (fabs(points.value[i] - age_s) > 1e-6)
            fail_msg("at %g stands %g", age_s, points.value[i]);
    }
    points_fini(&points);
}

static void a_killed_writer_leaves_no_row_twice_or_missing(void **state)
{
    (void)state;
    struct fixture f;
    int64_t before_s = BASE_S;
    srand(11);
    begin(&f);
    for (int i = 0; i < KILLS; i++) {
        int status;
        struct timespec pause = {.tv_nsec = rand() % PAUSE_NS_MAX};
        pid_t pid = fork();
        if (pid == 0)
            write_until_killed(&f);
        nanosleep(&pause, NULL); /* a moment of no choosing: in it lies what is tested */
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        struct archive_undo u;
        archive_undo_open(&u, f.directory);
        int64_t last_s = round_last_s(f.path);
        assert_true(last_s >= before_s);
        assert_int_equal((last_s - BASE_S) % (BATCH * ROUND_STEP_S), 0);
        assert_whole(&f, last_s);
        archive_undo_close(&u);
        before_s = last_s;
    }
    assert_true(before_s > BASE_S);
    directory_remove(f.directory);
}

/* What a writer left open is put back once, into that file alone. */
static void what_was_noted_is_put_back_once(void **state)
{
    (void)state;
    struct fixture f;
    struct archive_undo u;
    begin(&f);
    archive_undo_open(&u, f.directory);
    assert_int_equal(write_some(&u, &f), 0);
    assert_int_equal(archive_undo_begin(&u, "other.rrd"), -1);
    assert_int_equal(archive_undo_begin(&u, file), 0);
    struct round_sample s = {BASE_S + 70, 70};
    int64_t last_s = BASE_S + 60;
    char why[300];
    assert_int_equal(round_write(f.path, &s, 1, &last_s, why, sizeof why), 0);
    archive_undo_close(&u); /* as if it had been killed here */
    archive_undo_open(&u, f.directory);
    assert_int_equal(round_last_s(f.path), BASE_S + 60);
    assert_int_equal(write_some(&u, &f), 0);
    archive_undo_close(&u);
    archive_undo_open(&u, f.directory);
    assert_int_equal(round_last_s(f.path), BASE_S + 120);
    assert_whole(&f, BASE_S + 120);
    archive_undo_close(&u);
    directory_remove(f.directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_noted_is_put_back_once),
        cmocka_unit_test(a_killed_writer_leaves_no_row_twice_or_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
