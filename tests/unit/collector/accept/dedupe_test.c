// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/dedupe.h"

#include "tests/unit/collector/spans.h"

static const struct link_sequence NOT_TOLD = {0, 0};

static struct link_sequence seq(uint64_t epoch, uint64_t number)
{
    return (struct link_sequence){epoch, number};
}

static int setup(void **state)
{
    *state = dedupe_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct dedupe *d = *state;
    dedupe_destroy(&d);
    return 0;
}

static void accept_batch(struct dedupe *d, const char *agent, struct link_sequence batch)
{
    assert_int_equal(dedupe_begin(d, agent, batch, NOT_TOLD), DEDUPE_NEW);
    dedupe_appended(d, agent, batch);
    dedupe_finish(d, agent, batch);
}

static void a_batch_is_new_once(void **state)
{
    struct dedupe *d = *state;
    accept_batch(d, "box1", seq(5, 1));
    assert_int_equal(dedupe_begin(d, "box1", seq(5, 1), NOT_TOLD), DEDUPE_SEEN);
    assert_int_equal(dedupe_begin(d, "box2", seq(5, 1), NOT_TOLD), DEDUPE_NEW);
}

static void a_copy_of_one_in_flight_is_pending_even_when_appended(void **state)
{
    struct dedupe *d = *state;
    assert_int_equal(dedupe_begin(d, "box1", seq(5, 1), NOT_TOLD), DEDUPE_NEW);
    assert_int_equal(dedupe_begin(d, "box1", seq(5, 1), NOT_TOLD), DEDUPE_PENDING);
    dedupe_appended(d, "box1", seq(5, 1));
    assert_int_equal(dedupe_begin(d, "box1", seq(5, 1), NOT_TOLD), DEDUPE_PENDING);
    dedupe_finish(d, "box1", seq(5, 1));
    assert_int_equal(dedupe_begin(d, "box1", seq(5, 1), NOT_TOLD), DEDUPE_SEEN);
}

static void what_was_not_appended_is_new_again(void **state)
{
    struct dedupe *d = *state;
    assert_int_equal(dedupe_begin(d, "box1", seq(5, 1), NOT_TOLD), DEDUPE_NEW);
    dedupe_finish(d, "box1", seq(5, 1));
    assert_false(dedupe_has(d, "box1", seq(5, 1)));
    assert_int_equal(dedupe_begin(d, "box1", seq(5, 1), NOT_TOLD), DEDUPE_NEW);
}

static void gaps_stay_open_in_any_order_of_arrival(void **state)
{
    struct dedupe *d = *state;
    const uint64_t came[] = {7, 3, 5, 1, 1000000, 4};
    for (size_t i = 0; i < sizeof came / sizeof *came; i++)
        accept_batch(d, "box1", seq(9, came[i]));
    const uint64_t missing[] = {2, 6, 8, 999999, 1000001};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        assert_false(dedupe_has(d, "box1", seq(9, missing[i])));
    for (size_t i = 0; i < sizeof came / sizeof *came; i++)
        assert_true(dedupe_has(d, "box1", seq(9, came[i])));
    accept_batch(d, "box1", seq(9, 2));
    accept_batch(d, "box1", seq(9, 6));
    assert_true(dedupe_has(d, "box1", seq(9, 4)));
}

static void the_oldest_closes_gaps_of_its_epoch_alone(void **state)
{
    struct dedupe *d = *state;
    accept_batch(d, "box1", seq(5, 4));
    accept_batch(d, "box1", seq(6, 2));
    assert_int_equal(dedupe_begin(d, "box1", seq(6, 12), seq(6, 10)), DEDUPE_NEW);
    assert_true(dedupe_has(d, "box1", seq(5, 4)));
    assert_false(dedupe_has(d, "box1", seq(5, 100)));
    assert_true(dedupe_has(d, "box1", seq(6, 9)));
    assert_false(dedupe_has(d, "box1", seq(6, 10)));
    assert_false(dedupe_has(d, "box1", seq(6, 11)));
    assert_false(dedupe_has(d, "box1", seq(7, 1)));
}

/* They share a key and a name; each counts for itself. */
static void two_agents_of_one_name_lose_nothing(void **state)
{
    struct dedupe *d = *state;
    accept_batch(d, "box1", seq(5, 1));
    assert_int_equal(dedupe_begin(d, "box1", seq(6, 1), seq(6, 1)), DEDUPE_NEW);
    accept_batch(d, "box1", seq(5, 2));
    assert_int_equal(dedupe_begin(d, "box1", seq(5, 1), seq(5, 1)), DEDUPE_SEEN);
}

static void forgotten_epochs_are_refused_and_not_taken_for_copies(void **state)
{
    struct dedupe *d = *state;
    for (uint64_t epoch = 10; epoch < 100; epoch++) {
        assert_int_equal(dedupe_begin(d, "box1", seq(epoch, 1), seq(epoch, 1)), DEDUPE_NEW);
        dedupe_appended(d, "box1", seq(epoch, 1));
        dedupe_finish(d, "box1", seq(epoch, 1));
    }
    assert_int_equal(dedupe_begin(d, "box1", seq(98, 1), seq(98, 1)), DEDUPE_SEEN);
    assert_int_equal(dedupe_begin(d, "box1", seq(11, 1), seq(11, 1)), DEDUPE_STALE);
    assert_int_equal(dedupe_begin(d, "box1", seq(100, 1), seq(100, 1)), DEDUPE_NEW);
}

static void an_oldest_beyond_the_batch_does_not_swallow_it(void **state)
{
    struct dedupe *d = *state;
    assert_int_equal(dedupe_begin(d, "box1", seq(6, 3), seq(99, 99)), DEDUPE_NEW);
}

static void what_is_written_reads_back(void **state)
{
    struct dedupe *d = *state;
    accept_batch(d, "box1", seq(5, 4));
    accept_batch(d, "box1", seq(5, 6));
    accept_batch(d, "a-rather.long_name", seq(8, 1));
    assert_int_equal(dedupe_begin(d, "box2", seq(6, 12), seq(6, 10)), DEDUPE_NEW);
    struct buffer bytes = {0};
    dedupe_write(d, &bytes);
    assert_false(bytes.failed);

    struct dedupe *again = dedupe_create();
    struct bytes_reader in = bytes_reader_of(bytes.data, bytes.length);
    assert_int_equal(dedupe_read(again, &in), 0);
    assert_true(dedupe_has(again, "box1", seq(5, 4)));
    assert_false(dedupe_has(again, "box1", seq(5, 5)));
    assert_true(dedupe_has(again, "box1", seq(5, 6)));
    assert_true(dedupe_has(again, "a-rather.long_name", seq(8, 1)));
    assert_true(dedupe_has(again, "box2", seq(6, 9)));
    assert_false(dedupe_has(again, "box2", seq(6, 12)));
    for (size_t cut = 0; cut < bytes.length; cut++) {
        in = bytes_reader_of(bytes.data, cut);
        assert_int_equal(dedupe_read(again, &in), -1);
    }
    dedupe_destroy(&again);
    buffer_fini(&bytes);
}

static void an_agent_that_scatters_its_numbers_is_told_to_wait(void **state)
{
    struct dedupe *d = *state;
    enum dedupe_verdict verdict = DEDUPE_NEW;
    uint64_t number = 1;
    for (; verdict == DEDUPE_NEW && number < 100000; number += 2) {
        verdict = dedupe_begin(d, "box1", seq(1, number), NOT_TOLD);
        dedupe_appended(d, "box1", seq(1, number));
        dedupe_finish(d, "box1", seq(1, number));
    }
    assert_int_equal(verdict, DEDUPE_FULL);
    assert_int_equal(dedupe_begin(d, "box2", seq(1, 1), NOT_TOLD), DEDUPE_NEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_batch_is_new_once),
        TEST(a_copy_of_one_in_flight_is_pending_even_when_appended),
        TEST(what_was_not_appended_is_new_again),
        TEST(gaps_stay_open_in_any_order_of_arrival),
        TEST(the_oldest_closes_gaps_of_its_epoch_alone),
        TEST(two_agents_of_one_name_lose_nothing),
        TEST(forgotten_epochs_are_refused_and_not_taken_for_copies),
        TEST(an_oldest_beyond_the_batch_does_not_swallow_it),
        TEST(what_is_written_reads_back),
        TEST(an_agent_that_scatters_its_numbers_is_told_to_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
