// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/firehose/trail.h"

enum { MIB = 1 << 20 };

static struct firehose_position at(uint64_t offset)
{
    return (struct firehose_position){1, offset, 0, offset};
}

static void mark(struct trail *t, uint64_t bytes, uint64_t partitions, uint64_t offset)
{
    trail_mark(t, &(struct trail_mark){bytes, partitions, at(offset)});
}

static void lines_count_when_they_are_acknowledged_whole(void **state)
{
    (void)state;
    struct trail t;
    assert_int_equal(trail_init(&t), 0);
    trail_take(&t, 0, at(5));
    trail_take(&t, 3, at(25));
    mark(&t, 100, 9, 10);
    mark(&t, 200, 9, 20);
    mark(&t, 300, 9, 30);
    assert_true(trail_acknowledge(&t, 99) == 0);
    assert_int_equal(t.delivered[0].offset, 5);
    assert_true(trail_acknowledge(&t, 250) == 1);
    assert_int_equal(t.delivered[0].offset, 20);
    assert_int_equal(t.delivered[3].offset, 25); /* it began further on */
    assert_true(trail_acknowledge(&t, 200) == 0);
    assert_true(trail_acknowledge(&t, 300) == 9);
    assert_int_equal(t.delivered[3].offset, 30);
    assert_true(trail_is_empty(&t));
    trail_fini(&t);
}

static void a_partition_taken_later_is_not_moved_by_earlier_lines(void **state)
{
    (void)state;
    struct trail t;
    assert_int_equal(trail_init(&t), 0);
    trail_take(&t, 0, at(5));
    mark(&t, 100, 1, 50);
    trail_take(&t, 1, at(7));
    mark(&t, 200, 3, 8); /* the reader went back for it */
    trail_acknowledge(&t, 200);
    assert_int_equal(t.delivered[0].offset, 50);
    assert_int_equal(t.delivered[1].offset, 8);
    trail_fini(&t);
}

static void marks_beyond_the_most_are_joined_never_early(void **state)
{
    (void)state;
    struct trail t;
    assert_int_equal(trail_init(&t), 0);
    trail_take(&t, 0, at(0));
    const uint64_t lines = 50000;
    for (uint64_t i = 1; i <= lines; i++)
        mark(&t, i * 10, 1, i);
    assert_true(t.capacity <= TRAIL_MARKS_MOST);
    for (uint64_t bytes = 0; bytes <= lines * 10; bytes += 777) {
        trail_acknowledge(&t, bytes);
        assert_true(t.delivered[0].offset <= bytes / 10);
    }
    trail_acknowledge(&t, lines * 10);
    assert_int_equal(t.delivered[0].offset, lines);
    assert_true(trail_is_empty(&t));
    trail_fini(&t);
}

/* A MiB in 1,024 lines. */
static void send_mib(struct trail *t, uint64_t *mib)
{
    for (uint64_t i = 0; i < 1024; i++)
        mark(t, *mib * MIB + (i + 1) * 1024, 3, *mib * 1024 + i + 1);
    ++*mib;
    trail_acknowledge(t, *mib * MIB);
}

static void who_breaks_off_is_taken_back_by_what_may_be_unread(void **state)
{
    (void)state;
    struct trail t;
    uint64_t mib = 0;
    assert_int_equal(trail_init(&t), 0);
    trail_take(&t, 0, at(0));
    for (int i = 0; i < 40; i++)
        send_mib(&t, &mib);
    assert_int_equal(t.delivered[0].offset, 40 * 1024);
    trail_rewind(&t, 100 << 10);
    assert_in_range(t.delivered[0].offset, 40 * 1024 - 100 - 66, 40 * 1024 - 100);
    trail_rewind(&t, TRAIL_UNREAD_MOST);
    assert_in_range(t.delivered[0].offset, 8 * 1024 - 66, 8 * 1024);
    trail_fini(&t);
}

static void nobody_is_taken_back_before_his_beginning(void **state)
{
    (void)state;
    struct trail t;
    uint64_t mib = 0;
    assert_int_equal(trail_init(&t), 0);
    trail_take(&t, 0, at(7));
    send_mib(&t, &mib);
    trail_take(&t, 1, at(900)); /* of another */
    send_mib(&t, &mib);
    send_mib(&t, &mib);
    trail_rewind(&t, 5 * MIB);
    assert_int_equal(t.delivered[0].offset, 7);
    assert_int_equal(t.delivered[1].offset, 900);
    trail_fini(&t);
}

static void what_was_sent_before_a_partition_was_given_away_says_nothing_later(void **state)
{
    (void)state;
    struct trail t;
    uint64_t mib = 0;
    assert_int_equal(trail_init(&t), 0);
    trail_take(&t, 0, at(0));
    trail_take(&t, 1, at(0));
    send_mib(&t, &mib);
    trail_take(&t, 1, at(100)); /* given away, and come back from who broke off */
    for (uint64_t i = 1; i <= 16; i++)
        mark(&t, mib * MIB + i * 1024, 3, 100 + i);
    trail_acknowledge(&t, mib * MIB + 16 * 1024);
    assert_int_equal(t.delivered[1].offset, 116);
    trail_rewind(&t, 8 * 1024);
    assert_in_range(t.delivered[1].offset, 100, 108);
    trail_rewind(&t, 512 << 10);
    assert_int_equal(t.delivered[1].offset, 100);
    trail_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_count_when_they_are_acknowledged_whole),
        cmocka_unit_test(a_partition_taken_later_is_not_moved_by_earlier_lines),
        cmocka_unit_test(marks_beyond_the_most_are_joined_never_early),
        cmocka_unit_test(who_breaks_off_is_taken_back_by_what_may_be_unread),
        cmocka_unit_test(what_was_sent_before_a_partition_was_given_away_says_nothing_later),
        cmocka_unit_test(nobody_is_taken_back_before_his_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
