// SPDX-License-Identifier: Apache-2.0
/* Whatever bytes are torn off or flipped, what is whole is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/base/journals.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_torn_tail_at_any_byte_costs_the_torn_frame_only),
        TEST(a_flipped_byte_anywhere_costs_that_frame_only),
        TEST(a_segment_with_a_ruined_header_is_counted_and_others_go_on),
        TEST(a_frame_inside_of_a_damaged_frame_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
