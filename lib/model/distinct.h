// SPDX-License-Identifier: Apache-2.0
/* About how many different things came: a HyperLogLog of 2,048 registers (Flajolet and others,
 * 2007; a standard error of 2.3 %), exact to within a few for small numbers by linear counting.
 * Two of them merge into what one would be that saw both. One thread. */
#ifndef WEFT_MODEL_DISTINCT_H
#define WEFT_MODEL_DISTINCT_H

#include <stddef.h>
#include <stdint.h>

enum { DISTINCT_REGISTERS = 2048 };

/* Zeroed memory is empty. */
struct distinct {
    uint8_t registers[DISTINCT_REGISTERS];
};

void distinct_add(struct distinct *d, const void *bytes, size_t length);
/* The same, with a hash of 64 bits of the thing (topk_hash). */
void distinct_add_hash(struct distinct *d, uint64_t hash);
void distinct_merge(struct distinct *d, const struct distinct *other);
/* Rounded. */
double distinct_count(const struct distinct *d);

/* A window that moves on: the answer is that of the last whole window, or of the present one where
 * that has more already. Zeroed memory is empty. */
struct distinct_window {
    struct distinct now;
    double before;
};
/* The next window begins. */
void distinct_window_rotate(struct distinct_window *w);
double distinct_window_count(const struct distinct_window *w);

#endif
