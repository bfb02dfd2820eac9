// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "tests/unit/base/journals.h"

static void write_preamble(void *context, struct buffer *out)
{
    struct fixture *f = context;
    buffer_printf(out, "preamble %u", ++f->preambles);
}

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
