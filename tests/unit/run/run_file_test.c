// SPDX-License-Identifier: Apache-2.0
#include "lib/run/run_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/run/ending.h"
#include "tests/unit/directory.h"

struct fixture {
    char path[64], name[RUN_NAME_MAX];
    int directory, fd;
};

static struct run_file file_of(const char *service)
{
    struct run_file f = {.magic = RUN_MAGIC,
                         .version = RUN_VERSION,
                         .header_bytes = sizeof f,
                         .pid = 4711,
                         .start_time = 99,
                         .uuid = {0xab, 0xcd, 1, 2},
                         .start_unix_ns = 7};
    strcpy(f.service, service);
    return f;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct run_file file = file_of("feed");
    strcpy(f->path, "/tmp/weft-run-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    f->directory = open(f->path, O_RDONLY | O_DIRECTORY);
    f->fd = run_file_create(f->directory, &file, f->name);
    assert_true(f->fd >= 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close(f->fd);
    close(f->directory);
    assert_int_equal(directory_remove(f->path), 0);
    free(f);
    return 0;
}

static const char *read_back(const struct fixture *f, struct run_file *file, struct run_life *life)
{
    bool system;
    int fd = openat(f->directory, f->name, O_RDONLY);
    assert_true(fd >= 0);
    const char *why = run_file_read(fd, file, life, &system);
    close(fd);
    assert_false(system);
    return why;
}

static void what_is_appended_is_read_and_the_first_of_each_counts(void **state)
{
    struct fixture *f = *state;
    struct run_file file;
    struct run_life life;
    assert_string_equal(f->name, "4711-99-abcd0102.run");
    assert_true(run_file_is_name(f->name));
    assert_null(read_back(f, &file, &life));
    assert_string_equal(file.service, "feed");
    assert_false(life.is_ready || life.has_ended || life.records);
    for (uint32_t i = 0; i < 3; i++) {
        run_file_append(f->fd, &(struct run_record){.event = 77, .code = i});
        run_file_append(f->fd, &(struct run_record){.event = RUN_READY, .code = 80 + i});
        run_file_append(f->fd,
                        &(struct run_record){.event = RUN_RECORDS, .uuid = {(uint8_t)(i + 1)}});
        run_file_append(f->fd, &(struct run_record){.event = RUN_ENDED, .code = i + 1});
    }
    assert_null(read_back(f, &file, &life));
    assert_true(life.is_ready && life.has_ended && life.records);
    assert_int_equal(life.ready.code, 80);
    assert_int_equal(life.ended.code, 1);
    assert_int_equal(life.slab_uuid[0], 1);
}

static void half_a_record_is_none(void **state)
{
    struct fixture *f = *state;
    struct run_file file;
    struct run_life life;
    struct run_record r = {.event = RUN_ENDED};
    assert_int_equal(write(f->fd, &r, sizeof r - 1), sizeof r - 1);
    assert_null(read_back(f, &file, &life));
    assert_false(life.has_ended);
}

static void overwrite(const struct fixture *f, size_t offset, const void *bytes, size_t length)
{
    int fd = openat(f->directory, f->name, O_WRONLY);
    assert_int_equal(pwrite(fd, bytes, length, (off_t)offset), length);
    close(fd);
}

static void what_is_no_run_file_is_refused(void **state)
{
    struct fixture *f = *state;
    struct run_file file;
    struct run_life life;
    char endless[RUN_TEXT_MAX];
    uint32_t two = 2;
    memset(endless, 'x', sizeof endless);
    overwrite(f, offsetof(struct run_file, cell), endless, sizeof endless);
    assert_non_null(read_back(f, &file, &life));
    overwrite(f, offsetof(struct run_file, cell), "", 1);
    assert_null(read_back(f, &file, &life));
    overwrite(f, offsetof(struct run_file, service), "", 1);
    assert_non_null(read_back(f, &file, &life));
    overwrite(f, offsetof(struct run_file, service), "x", 1);
    overwrite(f, offsetof(struct run_file, version), &two, sizeof two);
    assert_non_null(read_back(f, &file, &life));
    assert_int_equal(ftruncate(f->fd, 100), 0);
    assert_non_null(read_back(f, &file, &life));
    assert_false(run_file_is_name(".new-1-2-3.run") || run_file_is_name("1-2-3.slab") ||
                 run_file_is_name(".run"));
}

static bool is_locked(const struct fixture *f)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = openat(f->directory, f->name, O_RDWR);
    assert_int_equal(fcntl(fd, F_OFD_GETLK, &lock), 0);
    close(fd);
    return lock.l_type != F_UNLCK;
}

static void the_owners_life_is_in_the_lock(void **state)
{
    struct fixture *f = *state;
    assert_true(is_locked(f));
    close(f->fd);
    f->fd = -1;
    assert_false(is_locked(f));
}

static void an_end_reads_as_a_sentence(void **state)
{
    static const struct {
        struct run_record ended;
        const char *text;
        bool death;
    } cases[] = {
        {{.how = RUN_EXITED}, "exited", false},
        {{.how = RUN_EXITED, .code = 3}, "exited with 3", false},
        {{.how = RUN_KILLED, .code = SIGTERM}, "was stopped by SIGTERM", false},
        {{.how = RUN_KILLED, .code = SIGINT}, "was stopped by SIGINT", false},
        {{.how = RUN_KILLED, .code = SIGKILL}, "was killed by SIGKILL", true},
        {{.how = RUN_KILLED, .code = SIGKILL, .flags = RUN_OUT_OF_MEMORY},
         "was killed by SIGKILL (out of memory)",
         true},
        {{.how = RUN_KILLED, .code = SIGSEGV, .flags = RUN_CORE},
         "was killed by SIGSEGV (core dumped)",
         true},
        {{.how = RUN_KILLED, .code = 41}, "was killed by signal 41", true},
        {{.how = RUN_KILLED, .code = 4000000000u}, "was killed by signal 4000000000", true},
        {{.how = RUN_NOT_STARTED, .code = EACCES},
         "could not be started (Permission denied)",
         false},
        {{.how = RUN_UNSEEN}, "ended", false},
        {{.how = RUN_UNSEEN, .flags = RUN_OUT_OF_MEMORY}, "ended (out of memory)", false},
        {{.how = 99}, "ended", false},
    };
    char text[ENDING_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ending_text(&cases[i].ended, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(ending_is_death(&cases[i].ended), cases[i].death);
    }
    ending_ready_text(&(struct run_record){.code = 6379}, text);
    assert_string_equal(text, "listens on port 6379");
    ending_ready_text(&(struct run_record){.how = RUN_LISTENS_UNIX}, text);
    assert_string_equal(text, "listens on a Unix socket");
}

int main(void)
{
#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_FILE(what_is_appended_is_read_and_the_first_of_each_counts),
        WITH_FILE(half_a_record_is_none),
        WITH_FILE(what_is_no_run_file_is_refused),
        WITH_FILE(the_owners_life_is_in_the_lock),
        cmocka_unit_test(an_end_reads_as_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
