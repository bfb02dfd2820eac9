// SPDX-License-Identifier: Apache-2.0
/* An array indexed by numbers that are given out from 0 on (by operations.h or pairs.h): grown
 * as they grow, new items zeroed. */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_DENSE_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_DENSE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* `array` has room for `*capacity` items; makes it at least `count`. NULL when memory is out:
 * the old array is still the caller's then. */
static inline void *dense_cover(void *array, uint32_t *capacity, uint32_t count, size_t item_bytes)
{
    if (count <= *capacity)
        return array;
    uint32_t more = *capacity ? *capacity : 64;
    while (more < count)
        more *= 2;
    char *bigger = realloc(array, more * item_bytes);
    if (!bigger)
        return NULL;
    memset(bigger + *capacity * item_bytes, 0, (more - *capacity) * item_bytes);
    *capacity = more;
    return bigger;
}

#endif
