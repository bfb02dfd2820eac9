// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/store/files.h"
#include "lib/base/log.h"
#include "tests/unit/directory.h"

static const struct files_kind kind = {"things", "thing", "thing"};

struct fixture {
    char directory[64];
    struct files files;
    unsigned shown;
    uint64_t sum; /* of the numbers that were shown */
    int answer;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    strcpy(f->directory, "/tmp/weft-files-XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    *state = f;
    return files_open(&f->files, &kind, f->directory);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    files_close(&f->files);
    int error = directory_remove(f->directory);
    test_free(f);
    return error;
}

static void put(const struct fixture *f, const char *name)
{
    int fd = openat(f->files.directory, name, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static bool is_there(const struct fixture *f, const char *name)
{
    return faccessat(f->files.directory, name, F_OK, 0) == 0;
}

static int show(void *context, const char *name, uint64_t first, uint64_t last)
{
    struct fixture *f = context;
    char again[FILES_NAME_MAX];
    files_name(&f->files, first, last, again);
    assert_string_equal(name, again);
    f->shown++;
    f->sum += first + 100 * last;
    return f->answer;
}

#define FIRST  "00000000000000000001-00000000000000000004.thing"
#define SECOND "00000000000000000005-00000000000000000005.thing"

static void a_start_shows_what_is_whole_and_clears_up_the_rest(void **state)
{
    struct fixture *f = *state;
    static const char *const others[] = {
        "tombstones",
        "00000000000000000001-00000000000000000002.other",
        "1-2.thing",
        "00000000000000000003-00000000000000000002.thing",
        "00000000000000000001-00000000000000000002.thing.copy",
    };
    size_t count;
    put(f, FIRST);
    put(f, SECOND);
    put(f, "00000000000000000006-00000000000000000006.thing.new");
    put(f, "00000000000000000007-00000000000000000007.thing.damaged");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        put(f, others[i]);
    assert_int_equal(files_read(&f->files, show, f), 0);
    assert_int_equal(f->shown, 2);
    assert_int_equal(f->sum, 1 + 400 + 5 + 500);
    assert_false(is_there(f, "00000000000000000006-00000000000000000006.thing.new"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(is_there(f, others[i]));
    struct files_damage *damaged = files_damaged(&f->files, &count);
    assert_int_equal(count, 1);
    assert_string_equal(damaged->name, "00000000000000000007-00000000000000000007.thing.damaged");
    assert_string_equal(damaged->why, "it was set aside before this start");
    free(damaged);
}

static void an_error_ends_a_start(void **state)
{
    struct fixture *f = *state;
    put(f, FIRST);
    put(f, SECOND);
    f->answer = -EIO;
    assert_int_equal(files_read(&f->files, show, f), -EIO);
    assert_int_equal(f->shown, 1);
}

static void what_is_damaged_is_set_aside_and_remembered(void **state)
{
    struct fixture *f = *state;
    size_t count;
    assert_null(files_damaged(&f->files, &count));
    assert_int_equal(count, 0);
    put(f, FIRST);
    files_set_aside(&f->files, FIRST, "its footer");
    files_remember_damage(&f->files, SECOND, "a page of it");
    assert_false(is_there(f, FIRST));
    assert_true(is_there(f, FIRST ".damaged"));
    struct files_damage *damaged = files_damaged(&f->files, &count);
    assert_int_equal(count, 2);
    assert_string_equal(damaged[0].name, FIRST ".damaged");
    assert_string_equal(damaged[0].why, "its footer");
    assert_string_equal(damaged[1].name, SECOND);
    assert_string_equal(damaged[1].why, "a page of it");
    free(damaged);
}

static void a_file_has_its_name_only_once_it_is_durable(void **state)
{
    struct fixture *f = *state;
    int fd = files_create(&f->files, 1, 4);
    assert_true(fd >= 0);
    assert_true(is_there(f, FIRST ".new") && !is_there(f, FIRST));
    assert_int_equal(files_install(&f->files, fd, 1, 4), 0);
    assert_true(is_there(f, FIRST) && !is_there(f, FIRST ".new"));
    close(fd);
    fd = files_create(&f->files, 5, 5);
    files_discard(&f->files, 5, 5);
    assert_false(is_there(f, SECOND ".new"));
    assert_int_equal(files_install(&f->files, fd, 5, 5), -ENOENT);
    close(fd);
    assert_int_equal(files_delete(&f->files, FIRST), 0);
    assert_int_equal(files_delete(&f->files, FIRST), -ENOENT);
}

static void why_a_directory_cannot_be_opened_is_a_sentence(void **state)
{
    struct fixture *f = *state;
    struct files other;
    char why[300], expected[300], path[128];
    int error = files_open(&other, &kind, f->directory);
    assert_int_equal(error, -EBUSY);
    files_explain(&other, error, why, sizeof why);
    snprintf(expected, sizeof expected, "things %s: another process has it open", f->directory);
    assert_string_equal(why, expected);
    files_explain(&other, -EPROTO, why, sizeof why);
    assert_non_null(strstr(why, "a thing there was written by a newer weft-collector"));
    files_close(&other);
    put(f, "file");
    snprintf(path, sizeof path, "%s/file", f->directory);
    error = files_open(&other, &kind, path);
    assert_int_equal(error, -ENOTDIR);
    files_explain(&other, error, why, sizeof why);
    assert_non_null(strstr(why, "Not a directory"));
    files_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_start_shows_what_is_whole_and_clears_up_the_rest),
        TEST(an_error_ends_a_start),
        TEST(what_is_damaged_is_set_aside_and_remembered),
        TEST(a_file_has_its_name_only_once_it_is_durable),
        TEST(why_a_directory_cannot_be_opened_is_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
