// SPDX-License-Identifier: Apache-2.0
/* The key of a series: 128 bits made of its labels, by which the head finds it without comparing
 * strings.
 *
 * Each label is hashed by itself (XXH3 with a secret of this process) and the hashes are added, so
 * the order does not matter, and a set that many series have in common is hashed once. Keys that
 * nobody can foresee collide by chance: once in 10^26 for a million series. They are equal within
 * a process only, and never stored. */
#ifndef WEFT_COLLECTOR_SERIES_KEY_H
#define WEFT_COLLECTOR_SERIES_KEY_H

#include "lib/codec/labels.h"

struct series_key {
    uint64_t lanes[2];
};

/* Adds one label. One with an empty value is none. */
void series_key_add(struct series_key *k, struct batch_str name, struct batch_str value);
struct series_key series_key_of(const struct labels *labels);

/* Of two sets that have no name in common. */
static inline struct series_key series_key_join(struct series_key a, struct series_key b)
{
    return (struct series_key){{a.lanes[0] + b.lanes[0], a.lanes[1] + b.lanes[1]}};
}

static inline bool series_key_equal(struct series_key a, struct series_key b)
{
    return a.lanes[0] == b.lanes[0] && a.lanes[1] == b.lanes[1];
}

#endif
