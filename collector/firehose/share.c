// SPDX-License-Identifier: Apache-2.0
#include "collector/firehose/share.h"

#include <stdbool.h>

static unsigned size(uint64_t set)
{
    return (unsigned)__builtin_popcountll(set);
}

/* The lowest `count` of the set. */
static uint64_t lowest(uint64_t set, unsigned count)
{
    uint64_t taken = 0;
    while (count-- > 0 && set) {
        uint64_t bit = set & -set;
        taken |= bit;
        set ^= bit;
    }
    return taken;
}

void share_partitions(uint64_t *wanted, unsigned clients)
{
    if (clients == 0)
        return;
    unsigned each = FIREHOSE_PARTITIONS / clients, more = FIREHOSE_PARTITIONS % clients;
    uint64_t free = UINT64_MAX;
    for (unsigned i = 0; i < clients; i++) /* none is in two, whatever was given */
        free &= ~(wanted[i] &= free);
    for (unsigned i = 0; i < clients; i++) { /* those that have most may keep one more */
        unsigned quota = each + (size(wanted[i]) > each && more > 0);
        more -= quota > each;
        uint64_t kept = lowest(wanted[i], quota);
        free |= wanted[i] & ~kept;
        wanted[i] = kept;
    }
    for (unsigned i = 0; i < clients; i++) {
        uint64_t given = size(wanted[i]) < each ? lowest(free, each - size(wanted[i])) : 0;
        wanted[i] |= given;
        free &= ~given;
    }
    for (unsigned i = 0; free; i = (i + 1) % clients) {
        uint64_t given = size(wanted[i]) <= each ? lowest(free, 1) : 0;
        wanted[i] |= given;
        free &= ~given;
    }
}
