// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/run/run_file.h"

/* The agent's directory with the file of a command that has ended, of another pid
 * namespace, so that nothing is asked of /proc. */
struct fixture {
    uv_loop_t loop;
    struct stats_table *table;
    struct counters counters;
    struct watch_rules rules;
    struct processes recording;
    struct watch *watch;
    struct batch_builder *builder;
    char path[32], name[RUN_NAME_MAX];
    int directory;
};

static void write_run_file(struct fixture *f)
{
    struct run_file file = {.magic = RUN_MAGIC,
                            .version = RUN_VERSION,
                            .header_bytes = sizeof file,
                            .pid = 4711,
                            .start_time = 99,
                            .uuid = {1},
                            .start_unix_ns = 1000};
    strcpy(file.service, "feed");
    int fd = run_file_create(f->directory, &file, f->name);
    assert_true(fd >= 0);
    struct run_record end = {.event = RUN_ENDED, .how = RUN_EXITED, .unix_ns = 2000};
    assert_int_equal(run_file_append(fd, &end), 0);
    close(fd);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->path, "/dev/shm/weft-watch-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    f->directory = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(f->directory >= 0);
    uv_loop_init(&f->loop);
    f->table = stats_table_create(
        &(struct stats_options){.host = "box7", .series_max = 100, .silent_rounds = 10});
    f->builder = batch_builder_create();
    f->watch = watch_create(&(struct watch_parts){.loop = &f->loop,
                                                  .stats = f->table,
                                                  .counters = &f->counters,
                                                  .rules = &f->rules,
                                                  .recording = &f->recording,
                                                  .host = "box7"});
    assert_non_null(f->watch);
    write_run_file(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    watch_stop(f->watch);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    watch_destroy(&f->watch);
    uv_loop_close(&f->loop);
    batch_builder_destroy(&f->builder);
    stats_table_destroy(&f->table);
    unlinkat(f->directory, f->name, 0);
    close(f->directory);
    rmdir(f->path);
    free(f);
    return 0;
}

/* A sweep: what run files say is told, and comes into the spool. `removes_in` is the directory
 * from which files are to go. True: something was told. */
static bool sweep(struct fixture *f, int removes_in)
{
    watch_scan(f->watch, f->directory, f->path);
    batch_builder_reset(f->builder);
    bool told = watch_tell(f->watch, f->builder);
    watch_stored(f->watch, removes_in);
    return told;
}

static void a_run_file_goes_when_its_end_is_in_the_spool(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    assert_true(sweep(f, f->directory));
    assert_int_equal(fstatat(f->directory, f->name, &st, 0), -1);
    assert_false(sweep(f, f->directory));
    assert_int_equal(counters_get(&f->counters.watched), 0);
}

static void a_run_file_that_cannot_be_removed_is_told_once(void **state)
{
    struct fixture *f = *state;
    char locked[] = "/dev/shm/weft-watch-XXXXXX";
    assert_non_null(mkdtemp(locked));
    int directory = open(locked, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(directory, f->name, 0700), 0); /* unlink refuses, root as well */
    assert_true(sweep(f, directory));
    for (int i = 0; i < 3; i++)
        assert_false(sweep(f, directory));
    assert_int_equal(counters_get(&f->counters.watched), 0);

    assert_int_equal(unlinkat(f->directory, f->name, 0), 0); /* somebody else removes it */
    for (int i = 0; i < 2; i++)
        assert_false(sweep(f, f->directory));
    write_run_file(f); /* of the same name, and new */
    assert_true(sweep(f, f->directory));
    unlinkat(directory, f->name, AT_REMOVEDIR);
    close(directory);
    rmdir(locked);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_run_file_goes_when_its_end_is_in_the_spool),
        TEST(a_run_file_that_cannot_be_removed_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
