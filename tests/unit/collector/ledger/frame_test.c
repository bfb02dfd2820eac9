// SPDX-License-Identifier: Apache-2.0
#include "collector/ledger/frame.h"

#include "tests/unit/collector/spans.h"

static size_t write_frame(unsigned char out[128])
{
    struct frame f = {.kind = FRAME_BATCH,
                      .agent = "box1.example",
                      .sequence = {UINT64_MAX, 42},
                      .accepted_unix_ns = EPOCH,
                      .spans = 7};
    size_t length = frame_header(&f, out);
    memcpy(out + length, "body", 4);
    return length + 4;
}

static void a_frame_reads_back_as_written(void **state)
{
    (void)state;
    unsigned char bytes[128];
    struct frame f;
    size_t length = write_frame(bytes);
    assert_int_equal(length, 32 + 12 + 4);
    assert_int_equal(frame_parse(bytes, length, &f), 0);
    assert_int_equal(f.kind, FRAME_BATCH);
    assert_string_equal(f.agent, "box1.example");
    assert_true(f.sequence.epoch == UINT64_MAX && f.sequence.number == 42);
    assert_true(f.accepted_unix_ns == EPOCH);
    assert_int_equal(f.spans, 7);
    assert_int_equal(f.length, 4);
    assert_memory_equal(f.body, "body", 4);
}

static void the_layout_is_that_of_the_document(void **state)
{
    (void)state;
    static const unsigned char expected[] = {1,    1,    12,   0,    7,    0,    0,    0,  0xff,
                                             0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 42, 0};
    unsigned char bytes[128];
    write_frame(bytes);
    assert_memory_equal(bytes, expected, sizeof expected);
    assert_memory_equal(bytes + 32, "box1.example", 12);
}

static void a_frame_cut_short_in_its_head_is_none(void **state)
{
    (void)state;
    unsigned char bytes[128];
    struct frame f;
    write_frame(bytes);
    for (size_t length = 0; length < 44; length++)
        assert_int_equal(frame_parse(bytes, length, &f), -1);
    assert_int_equal(frame_parse(bytes, 44, &f), 0);
}

static void what_this_program_does_not_know_is_none(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        unsigned char value;
    } changes[] = {{0, 0}, {0, 4}, {1, 0}, {1, 2}, {2, 64}, {3, 1}, {34, 0}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        unsigned char bytes[128] = {0};
        struct frame f;
        write_frame(bytes);
        bytes[changes[i].at] = changes[i].value;
        assert_int_equal(frame_parse(bytes, sizeof bytes, &f), -1);
    }
}

static void a_state_reads_back_and_no_part_of_it_does(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    struct ledger_state s;
    ledger_state_head(&bytes, EPOCH, &(struct ledger_totals){1, 2, 3, 4});
    buffer_text(&bytes, "rest");
    assert_int_equal(ledger_state_parse(bytes.data, bytes.length, &s), 0);
    assert_true(s.written_unix_ns == EPOCH && s.totals.begun_unix_ns == 4);
    assert_int_equal(s.totals.batches, 1);
    assert_int_equal(s.totals.spans, 2);
    assert_int_equal(s.totals.bytes, 3);
    assert_int_equal(bytes_left(&s.rest), 4);
    for (size_t length = 0; length < bytes.length - 4; length++)
        assert_int_equal(ledger_state_parse(bytes.data, length, &s), -1);
    buffer_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_reads_back_as_written),
        cmocka_unit_test(the_layout_is_that_of_the_document),
        cmocka_unit_test(a_frame_cut_short_in_its_head_is_none),
        cmocka_unit_test(what_this_program_does_not_know_is_none),
        cmocka_unit_test(a_state_reads_back_and_no_part_of_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
