// SPDX-License-Identifier: Apache-2.0
/* A set of numbers as sorted ranges that neither overlap nor touch. */
#ifndef WEFT_COLLECTOR_ACCEPT_RANGES_H
#define WEFT_COLLECTOR_ACCEPT_RANGES_H

#include <stdbool.h>
#include <stdint.h>

struct range {
    uint64_t first, last;
};

struct ranges {
    struct range *ranges;
    uint32_t count, capacity;
};

void ranges_fini(struct ranges *r);
/* Room for `more` ranges beyond those that are there. -1 when memory is out. */
int ranges_reserve(struct ranges *r, uint32_t more);
/* first <= last. There must be room for one more range. */
void ranges_add(struct ranges *r, uint64_t first, uint64_t last);
bool ranges_has(const struct ranges *r, uint64_t number);

#endif
