// SPDX-License-Identifier: Apache-2.0
/* A growing list of numbers: a column on its way into a segment. Zero-initialised is empty. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_NUMBERS_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct numbers {
    uint64_t *values;
    size_t count, capacity;
};

/* Room for `more`. False: no memory. */
static inline bool numbers_reserve(struct numbers *n, size_t more)
{
    enum { CAPACITY_LEAST = 64 };
    if (__builtin_expect(more <= n->capacity - n->count, 1))
        return true;
    size_t capacity = n->capacity ? n->capacity : CAPACITY_LEAST;
    while (capacity < n->count + more)
        capacity *= 2;
    uint64_t *values = realloc(n->values, capacity * sizeof *values);
    if (!values)
        return false;
    n->values = values;
    n->capacity = capacity;
    return true;
}

static inline bool numbers_add(struct numbers *n, uint64_t value)
{
    if (!numbers_reserve(n, 1))
        return false;
    n->values[n->count++] = value;
    return true;
}

static inline void numbers_fini(struct numbers *n)
{
    free(n->values);
    *n = (struct numbers){0};
}

#endif
