// SPDX-License-Identifier: Apache-2.0
/* About how many different things came: a HyperLogLog of 1,024 registers (Flajolet and others,
 * 2007; error 3 %), exact to within a few for small numbers by linear counting. Two of them, the
 * present and the one before, so that a window can move on. One thread. */
#ifndef WEFT_AGENT_STATS_DISTINCT_H
#define WEFT_AGENT_STATS_DISTINCT_H

#include <stddef.h>
#include <stdint.h>

enum { DISTINCT_REGISTERS = 1024 };

/* Zeroed memory is empty. */
struct distinct {
    uint8_t now[DISTINCT_REGISTERS];
    double
        before; /* what was counted in the window before; the answer until the present has more */
};

void distinct_add(struct distinct *d, const void *bytes, size_t length);
/* A window begins. */
void distinct_rotate(struct distinct *d);
/* Of the last whole window, or of the present one where that has more already. Rounded. */
double distinct_count(const struct distinct *d);

#endif
