// SPDX-License-Identifier: Apache-2.0
#include "collector/losses.h"

#include "tests/unit/collector/spans.h"

static int setup(void **state)
{
    *state = losses_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct losses *l = *state;
    losses_destroy(&l);
    return 0;
}

static void add(struct losses *l, unsigned reason, const char *agent, const char *service,
                uint64_t count, uint64_t at)
{
    losses_add(l, reason, agent, service, strlen(service), count, at, at + 1);
}

static void equal_losses_are_one_row_with_the_whole_time(void **state)
{
    struct losses *l = *state;
    add(l, LOSS_RING_FULL, "box1", "web", 5, 100);
    add(l, LOSS_RING_FULL, "box1", "web", 7, 50);
    add(l, LOSS_RING_FULL, "box1", "cell", 1, 70);
    add(l, LOSS_NO_SLOT, "box1", "web", 2, 80);
    add(l, LOSS_NO_SLOT, "box1", "web", 0, 1);
    size_t count;
    struct loss_row *rows = losses_copy(l, &count);
    assert_int_equal(count, 3);
    assert_int_equal(rows[0].reason, LOSS_NO_SLOT);
    assert_int_equal(rows[0].first_unix_ns, 80);
    assert_string_equal(rows[1].service, "cell");
    assert_int_equal(rows[2].count, 12);
    assert_int_equal(rows[2].first_unix_ns, 50);
    assert_int_equal(rows[2].last_unix_ns, 101);
    free(rows);
    assert_int_equal(losses_total(l, LOSS_RING_FULL), 13);
}

static void a_full_table_loses_names_but_no_count(void **state)
{
    struct losses *l = *state;
    char agent[32];
    uint64_t added = 0;
    for (unsigned i = 0; i < LOSSES_ROWS_MAX + 500; i++, added++) {
        snprintf(agent, sizeof agent, "box%u", i);
        add(l, LOSS_SPOOL_FULL, agent, "web", 1, i);
    }
    size_t count;
    struct loss_row *rows = losses_copy(l, &count);
    assert_true(count <= LOSSES_ROWS_MAX + LOSS_REASONS);
    free(rows);
    assert_int_equal(losses_total(l, LOSS_SPOOL_FULL), added);
}

static void counts_stop_at_the_largest_number(void **state)
{
    struct losses *l = *state;
    add(l, LOSS_RING_FULL, "box1", "web", UINT64_MAX, 1);
    add(l, LOSS_RING_FULL, "box1", "web", 5, 1);
    assert_true(losses_total(l, LOSS_RING_FULL) == UINT64_MAX);
}

static void what_is_written_reads_back_and_no_part_of_it_does(void **state)
{
    struct losses *l = *state, *again = losses_create();
    struct buffer bytes = {0};
    add(l, LOSS_RING_FULL, "box1", "web", 5, 100);
    losses_add(l, LOSS_HEAD_EVICTED, NULL, NULL, 0, 9, 1, 2);
    losses_write(l, &bytes);
    struct bytes_reader in = bytes_reader_of(bytes.data, bytes.length);
    assert_int_equal(losses_read(again, &in), 0);
    assert_int_equal(losses_total(again, LOSS_RING_FULL), 5);
    assert_int_equal(losses_total(again, LOSS_HEAD_EVICTED), 9);
    for (size_t length = 0; length < bytes.length; length++) {
        in = bytes_reader_of(bytes.data, length);
        assert_int_equal(losses_read(again, &in), -1);
        assert_int_equal(losses_total(again, LOSS_RING_FULL), 0);
    }
    losses_destroy(&again);
    buffer_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(equal_losses_are_one_row_with_the_whole_time),
        TEST(a_full_table_loses_names_but_no_count),
        TEST(counts_stop_at_the_largest_number),
        TEST(what_is_written_reads_back_and_no_part_of_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
