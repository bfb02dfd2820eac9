// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/journal.h"

struct fixture {
    char directory[64];
    struct journal_options options;
    struct journal *journal;
    unsigned preambles;
};

static void write_preamble(void *context, struct buffer *out)
{
    struct fixture *f = context;
    buffer_printf(out, "preamble %u", ++f->preambles);
}

static void open_journal(struct fixture *f)
{
    int error;
    f->journal = journal_open(&f->options, &error);
    assert_int_equal(error, 0);
    assert_non_null(f->journal);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/weft-journal-XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    f->options = (struct journal_options){
        .directory = f->directory,
        .suffix = "journal",
        .segment_bytes = 1 << 20,
        .max_frame_bytes = 1 << 16,
    };
    open_journal(f);
    *state = f;
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    journal_close(&f->journal);
    nftw(f->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static int append(struct journal *j, const void *body, size_t length)
{
    struct iovec parts[2] = {{(void *)body, length / 2},
                             {(char *)body + length / 2, length - length / 2}};
    return journal_append(j, parts, 2, NULL);
}

static int append_number(struct journal *j, uint32_t number)
{
    uint32_t body[10];
    for (int i = 0; i < 10; i++)
        body[i] = number;
    return append(j, body, sizeof body);
}

/* Reads all frames of append_number, returns how many, and marks those seen. */
static unsigned read_numbers(struct journal *j, uint8_t *seen, unsigned limit)
{
    int error;
    unsigned count = 0;
    const void *body;
    uint32_t length, last = 0;
    struct journal_cursor *c = journal_read(j, (struct journal_position){0, 0}, &error);
    assert_non_null(c);
    while ((error = journal_next(c, &body, &length, NULL)) == 1) {
        uint32_t numbers[10];
        assert_int_equal(length, sizeof numbers);
        memcpy(numbers, body, sizeof numbers);
        for (int i = 1; i < 10; i++)
            assert_int_equal(numbers[i], numbers[0]);
        assert_true(count == 0 || numbers[0] > last);
        assert_true(numbers[0] < limit);
        last = numbers[0];
        if (seen)
            seen[numbers[0]] = 1;
        count++;
    }
    assert_int_equal(error, 0);
    journal_cursor_close(&c);
    return count;
}

static void segment_path(const struct fixture *f, unsigned number, char path[128])
{
    snprintf(path, 128, "%s/%020u.journal", f->directory, number);
}

static size_t read_file(const char *path, uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(bytes, 1, size, file);
    fclose(file);
    return length;
}

static void write_file(const char *path, const uint8_t *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* ---- the good way ------------------------------------------------------------------------ */

static void frames_come_back_in_order_over_segments_and_reopening(void **state)
{
    struct fixture *f = *state;
    journal_close(&f->journal);
    f->options.segment_bytes = 1000;
    open_journal(f);
    for (uint32_t i = 0; i < 500; i++) {
        if (i % 100 == 99) {
            journal_close(&f->journal);
            open_journal(f);
        }
        assert_int_equal(append_number(f->journal, i), 0);
    }
    assert_int_equal(read_numbers(f->journal, NULL, 500), 500);
    assert_int_equal(journal_first_segment(f->journal), 1);
    assert_true(journal_last_segment(f->journal) > 20);
    assert_true(journal_segment_bytes(f->journal, 1) <= 1000);
    assert_true(journal_segment_mtime_s(f->journal, 1) > 0);
    struct journal_stats stats;
    journal_stats(f->journal, &stats);
    assert_int_equal(stats.segments, journal_last_segment(f->journal));
    assert_int_equal(stats.torn_bytes + stats.damaged_bytes, 0);
}

static void a_cursor_sees_what_is_appended_later_and_can_begin_anywhere(void **state)
{
    struct fixture *f = *state;
    int error;
    const void *body;
    uint32_t length;
    struct journal_position at, from;
    struct journal_cursor *c = journal_read(f->journal, (struct journal_position){0, 0}, &error);
    assert_int_equal(journal_next(c, &body, &length, &at), 0);
    struct iovec part = {(void *)"first", 5};
    assert_int_equal(journal_append(f->journal, &part, 1, &from), 0);
    assert_int_equal(journal_next(c, &body, &length, &at), 1);
    assert_int_equal(length, 5);
    assert_memory_equal(body, "first", 5);
    assert_int_equal(at.segment, from.segment);
    assert_int_equal(at.offset, from.offset);
    assert_int_equal(journal_next(c, &body, &length, &at), 0);
    part = (struct iovec){(void *)"second", 6};
    assert_int_equal(journal_append(f->journal, &part, 1, &from), 0);
    assert_int_equal(journal_next(c, &body, &length, &at), 1);
    assert_memory_equal(body, "second", 6);
    journal_cursor_close(&c);
    assert_null(c);
    c = journal_read(f->journal, from, &error);
    assert_int_equal(journal_next(c, &body, &length, &at), 1);
    assert_memory_equal(body, "second", 6);
    journal_cursor_close(&c);
}

static void each_segment_begins_with_the_preamble_of_its_time(void **state)
{
    struct fixture *f = *state;
    int error;
    const void *body, *preamble;
    uint32_t length, preamble_length;
    struct journal_position at;
    journal_close(&f->journal);
    f->options.segment_bytes = 400;
    f->options.preamble = write_preamble;
    f->options.context = f;
    open_journal(f);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(append_number(f->journal, i), 0);
    assert_int_equal(read_numbers(f->journal, NULL, 40), 40);
    struct journal_cursor *c = journal_read(f->journal, (struct journal_position){0, 0}, &error);
    while (journal_next(c, &body, &length, &at) == 1) {
        char expected[32];
        snprintf(expected, sizeof expected, "preamble %u", (unsigned)at.segment);
        journal_preamble(c, &preamble, &preamble_length);
        assert_int_equal(preamble_length, strlen(expected));
        assert_memory_equal(preamble, expected, preamble_length);
    }
    journal_cursor_close(&c);
    assert_int_equal(f->preambles, journal_last_segment(f->journal));
}

static void dropped_segments_are_gone_but_a_cursor_finishes_the_one_it_reads(void **state)
{
    struct fixture *f = *state;
    int error;
    const void *body;
    uint32_t length, number, first_after = 0;
    struct journal_position at;
    journal_close(&f->journal);
    f->options.segment_bytes = 1000;
    open_journal(f);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(append_number(f->journal, i), 0);
    struct journal_cursor *c = journal_read(f->journal, (struct journal_position){0, 0}, &error);
    assert_int_equal(journal_next(c, &body, &length, &at), 1);
    uint64_t last = journal_last_segment(f->journal);
    assert_int_equal(journal_drop_before(f->journal, last), 0);
    assert_int_equal(journal_first_segment(f->journal), last);
    assert_int_equal(journal_segment_bytes(f->journal, 1), 0);
    char path[128];
    segment_path(f, 1, path);
    assert_int_equal(access(path, F_OK), -1);
    unsigned in_first = 1;
    while (journal_next(c, &body, &length, &at) == 1) {
        memcpy(&number, body, sizeof number);
        if (at.segment == 1) {
            assert_int_equal(number, in_first++);
        } else {
            assert_int_equal(at.segment, last);
            first_after = first_after ? first_after : number;
        }
    }
    assert_true(in_first > 5 && first_after > in_first);
    journal_cursor_close(&c);
    assert_int_equal(journal_drop_before(f->journal, UINT64_MAX), 0);
    assert_int_equal(journal_first_segment(f->journal), last); /* never the one being written */
    assert_int_equal(append_number(f->journal, 100), 0);
}

static void all_can_be_dropped_and_appending_goes_on(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(append_number(f->journal, 1), 0);
    assert_int_equal(journal_drop_all(f->journal), 0);
    assert_int_equal(journal_drop_all(f->journal), 0);
    assert_int_equal(read_numbers(f->journal, NULL, 9), 0);
    assert_int_equal(journal_sync(f->journal), 0);
    assert_int_equal(append_number(f->journal, 2), 0);
    assert_int_equal(read_numbers(f->journal, NULL, 9), 1);
    assert_int_equal(journal_first_segment(f->journal), 2);
}

static void a_second_opener_is_told_that_it_is_busy(void **state)
{
    struct fixture *f = *state;
    int error;
    assert_null(journal_open(&f->options, &error));
    assert_int_equal(error, -EBUSY);
}

static void missing_directories_are_made_and_unusable_ones_refused(void **state)
{
    struct fixture *f = *state;
    int error;
    char deep[128], file[128];
    snprintf(deep, sizeof deep, "%s/a/b/c", f->directory);
    snprintf(file, sizeof file, "%s/file", f->directory);
    struct journal_options options = f->options;
    options.directory = deep;
    struct journal *j = journal_open(&options, &error);
    assert_non_null(j);
    journal_close(&j);
    write_file(file, (const uint8_t *)"x", 1);
    options.directory = file;
    assert_null(journal_open(&options, &error));
    assert_int_equal(error, -ENOTDIR);
}

static void a_frame_that_is_too_long_is_refused(void **state)
{
    struct fixture *f = *state;
    static char body[(1 << 16) + 1];
    assert_int_equal(append(f->journal, body, sizeof body), -EMSGSIZE);
    assert_int_equal(append(f->journal, body, sizeof body - 1), 0);
    assert_int_equal(append(f->journal, body, 0), 0);
}

/* ---- damage ------------------------------------------------------------------------------ */

static void a_torn_tail_at_any_byte_costs_the_torn_frame_only(void **state)
{
    struct fixture *f = *state;
    static uint8_t bytes[4096];
    char path[128];
    size_t ends[6];
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(append_number(f->journal, i), 0);
        ends[i] = journal_segment_bytes(f->journal, 1);
    }
    journal_close(&f->journal);
    segment_path(f, 1, path);
    size_t length = read_file(path, bytes, sizeof bytes);
    assert_int_equal(length, ends[5]);
    for (size_t cut = 96; cut < length; cut++) {
        struct journal_stats stats;
        write_file(path, bytes, cut);
        open_journal(f);
        unsigned whole = 0;
        while (ends[whole] <= cut)
            whole++;
        journal_stats(f->journal, &stats);
        assert_int_equal(stats.torn_bytes, cut - (whole ? ends[whole - 1] : 96));
        assert_int_equal(append_number(f->journal, 9), 0);
        assert_int_equal(read_numbers(f->journal, NULL, 10), whole + 1);
        journal_stats(f->journal, &stats);
        assert_int_equal(stats.damaged_frames, 0);
        journal_close(&f->journal);
    }
    open_journal(f);
}

static void a_flipped_byte_anywhere_costs_that_frame_only(void **state)
{
    struct fixture *f = *state;
    static uint8_t bytes[4096];
    char path[128];
    uint64_t frame_bytes = 16 + 40, frames_start;
    assert_int_equal(append_number(f->journal, 0), 0);
    frames_start = journal_segment_bytes(f->journal, 1) - frame_bytes;
    for (uint32_t i = 1; i < 6; i++)
        assert_int_equal(append_number(f->journal, i), 0);
    journal_close(&f->journal);
    segment_path(f, 1, path);
    size_t length = read_file(path, bytes, sizeof bytes);
    for (size_t flip = 0; flip < 2 * length; flip++) {
        struct journal_stats stats;
        uint8_t seen[10] = {0}, bit = flip % 2 ? 0x40 : 0x01;
        size_t at = flip / 2;
        bytes[at] ^= bit;
        write_file(path, bytes, length);
        bytes[at] ^= bit;
        open_journal(f);
        unsigned count = read_numbers(f->journal, seen, 10);
        journal_stats(f->journal, &stats);
        if (at < frames_start) {
            assert_int_equal(count, 6);
        } else {
            assert_int_equal(count, 5);
            assert_int_equal(seen[(at - frames_start) / frame_bytes], 0);
            assert_int_equal(stats.damaged_bytes + stats.torn_bytes, frame_bytes);
        }
        assert_int_equal(append_number(f->journal, 9), 0);
        journal_close(&f->journal);
    }
    open_journal(f);
}

static void a_segment_with_a_ruined_header_is_counted_and_others_go_on(void **state)
{
    struct fixture *f = *state;
    static uint8_t bytes[4096];
    char path[128];
    assert_int_equal(append_number(f->journal, 0), 0);
    journal_close(&f->journal);
    segment_path(f, 1, path);
    size_t length = read_file(path, bytes, sizeof bytes);
    memset(bytes, 0, 80);
    write_file(path, bytes, length);
    open_journal(f);
    assert_int_equal(journal_last_segment(f->journal), 2);
    assert_int_equal(append_number(f->journal, 1), 0);
    assert_int_equal(read_numbers(f->journal, NULL, 2), 1);
    struct journal_stats stats;
    journal_stats(f->journal, &stats);
    assert_int_equal(stats.damaged_bytes, length);
    assert_int_equal(journal_drop_before(f->journal, 2), 0);
    assert_int_equal(journal_first_segment(f->journal), 2);
}

/* Whose bytes are stored cannot smuggle in frames of their own, even where damage makes the
 * reader look for the next one. */
static void a_frame_inside_of_a_damaged_frame_is_none(void **state)
{
    struct fixture *f = *state;
    static uint8_t bytes[4096], copy[4096];
    char path[128];
    assert_int_equal(append_number(f->journal, 0), 0);
    segment_path(f, 1, path);
    size_t length = read_file(path, bytes, sizeof bytes);
    size_t frame = 16 + 40;
    memcpy(copy, bytes + length - frame, frame); /* a whole frame, as stored */
    assert_int_equal(append(f->journal, copy, frame), 0);
    assert_int_equal(append_number(f->journal, 2), 0);
    journal_close(&f->journal);
    read_file(path, bytes, sizeof bytes);
    bytes[length] ^= 1; /* the marker of the frame around it */
    write_file(path, bytes, length + 16 + frame + frame);
    open_journal(f);
    uint8_t seen[3] = {0};
    assert_int_equal(read_numbers(f->journal, seen, 3), 2);
    assert_true(seen[0] && seen[2]);
}

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
        nftw(f->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
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
        TEST(frames_come_back_in_order_over_segments_and_reopening),
        TEST(a_cursor_sees_what_is_appended_later_and_can_begin_anywhere),
        TEST(each_segment_begins_with_the_preamble_of_its_time),
        TEST(dropped_segments_are_gone_but_a_cursor_finishes_the_one_it_reads),
        TEST(all_can_be_dropped_and_appending_goes_on),
        TEST(a_second_opener_is_told_that_it_is_busy),
        TEST(missing_directories_are_made_and_unusable_ones_refused),
        TEST(a_frame_that_is_too_long_is_refused),
        TEST(a_torn_tail_at_any_byte_costs_the_torn_frame_only),
        TEST(a_flipped_byte_anywhere_costs_that_frame_only),
        TEST(a_segment_with_a_ruined_header_is_counted_and_others_go_on),
        TEST(a_frame_inside_of_a_damaged_frame_is_none),
        TEST(an_append_that_the_disk_refuses_leaves_no_trace),
        TEST(a_full_disk_is_an_error_until_there_is_room_again),
        TEST(what_was_synced_outlives_a_kill),
        TEST(readers_and_syncs_run_beside_appends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
