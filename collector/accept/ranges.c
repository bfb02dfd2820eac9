// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/ranges.h"

#include <stdlib.h>
#include <string.h>

void ranges_fini(struct ranges *r)
{
    free(r->ranges);
    *r = (struct ranges){0};
}

int ranges_reserve(struct ranges *r, uint32_t more)
{
    if (r->count + more <= r->capacity)
        return 0;
    uint32_t capacity = r->count + more + r->capacity / 2;
    struct range *bigger = realloc(r->ranges, capacity * sizeof *bigger);
    if (!bigger)
        return -1;
    r->ranges = bigger;
    r->capacity = capacity;
    return 0;
}

/* The first range that ends at or after `number`. */
static uint32_t find(const struct ranges *r, uint64_t number)
{
    uint32_t low = 0, high = r->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (r->ranges[middle].last < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool ranges_has(const struct ranges *r, uint64_t number)
{
    uint32_t at = find(r, number);
    return at < r->count && r->ranges[at].first <= number;
}

void ranges_add(struct ranges *r, uint64_t first, uint64_t last)
{
    /* [at, end) overlap or touch the new one and become one with it. */
    uint32_t at = find(r, first > 0 ? first - 1 : 0), end = at;
    while (end < r->count && (last == UINT64_MAX || r->ranges[end].first <= last + 1)) {
        first = r->ranges[end].first < first ? r->ranges[end].first : first;
        last = r->ranges[end].last > last ? r->ranges[end].last : last;
        end++;
    }
    uint32_t after = r->count - end;
    if (after > 0)
        memmove(&r->ranges[at + 1], &r->ranges[end], after * sizeof *r->ranges);
    r->ranges[at] = (struct range){first, last};
    r->count = at + 1 + after;
}
