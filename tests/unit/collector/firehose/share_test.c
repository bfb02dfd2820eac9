// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/firehose/share.h"

static unsigned size(uint64_t set)
{
    return (unsigned)__builtin_popcountll(set);
}

/* Each partition is in one, and nobody has two more than another. */
static void assert_shared(const uint64_t *wanted, unsigned clients)
{
    uint64_t all = 0;
    unsigned least = 64, most = 0;
    for (unsigned i = 0; i < clients; i++) {
        assert_true((all & wanted[i]) == 0);
        all |= wanted[i];
        least = size(wanted[i]) < least ? size(wanted[i]) : least;
        most = size(wanted[i]) > most ? size(wanted[i]) : most;
    }
    assert_true(all == UINT64_MAX);
    assert_true(most - least <= 1);
}

static void partitions_are_shared_evenly_whoever_comes_and_goes(void **state)
{
    (void)state;
    uint64_t wanted[16] = {0}, random = 88172645463325252u;
    unsigned clients = 0;
    for (int round = 0; round < 10000; round++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        if (clients < 16 && (clients < 2 || random % 2)) {
            wanted[clients++] = 0;
        } else {
            unsigned gone = (unsigned)(random >> 8) % clients;
            for (unsigned i = gone; i + 1 < clients; i++)
                wanted[i] = wanted[i + 1];
            clients--;
        }
        share_partitions(wanted, clients);
        assert_shared(wanted, clients);
    }
}

static void who_is_there_keeps_what_can_be_kept(void **state)
{
    (void)state;
    uint64_t wanted[3] = {0};
    share_partitions(wanted, 1);
    assert_true(wanted[0] == UINT64_MAX);
    share_partitions(wanted, 2);
    uint64_t first = wanted[0], second = wanted[1];
    share_partitions(wanted, 3);
    assert_int_equal(size(wanted[0] & ~first), 0);
    assert_int_equal(size(wanted[1] & ~second), 0);
    share_partitions(wanted, 2); /* the third left */
    assert_int_equal(size(wanted[0]), 32);
    assert_shared(wanted, 2);
    share_partitions(wanted, 2);
    assert_shared(wanted, 2);
}

/* Checkpoints on disk stand for these. */
static void partitions_of_traces_never_change(void **state)
{
    (void)state;
    assert_int_equal(partition_of(0, 0), 0);
    assert_int_equal(partition_of(UINT64_C(0x018f000000000000), 1), 8);
    assert_int_equal(partition_of(UINT64_C(0x018f000000000000), 2), 42);
    assert_int_equal(partition_of(UINT64_MAX, UINT64_C(0x123456789abcdef0)), 11);
    unsigned counts[64] = {0};
    for (uint64_t i = 0; i < 64000; i++)
        counts[partition_of(UINT64_C(0x018f000000000000), i)]++;
    for (int p = 0; p < 64; p++)
        assert_in_range(counts[p], 800, 1200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_are_shared_evenly_whoever_comes_and_goes),
        cmocka_unit_test(who_is_there_keeps_what_can_be_kept),
        cmocka_unit_test(partitions_of_traces_never_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
