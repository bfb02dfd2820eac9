// SPDX-License-Identifier: Apache-2.0
/* Pairs of numbers get numbers: edges (from, to), and paths (the path so far, the next step).
 * Bounded as operations are: what is new beyond `limit` is number 0, "the rest". */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_PAIRS_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#define PAIR_REST 0
#define PAIR_NONE UINT32_MAX

struct pair {
    uint32_t left, right;
};

struct pairs {
    struct pair *list; /* [0] is the rest */
    uint32_t count, capacity, limit;
    uint64_t beyond; /* how often the rest was the answer */
    uint32_t *slots;
    size_t mask;
};

/* Takes no memory yet. */
void pairs_init(struct pairs *p, uint32_t limit);
void pairs_fini(struct pairs *p);
/* PAIR_NONE when memory is out. */
uint32_t pairs_learn(struct pairs *p, uint32_t left, uint32_t right);

#endif
