// SPDX-License-Identifier: Apache-2.0
/* A flat hash table from hashes to the numbers of items that the caller keeps; what is in it can be
 * taken out. Open addressing, at most three quarters full. A slot has the upper half of the hash,
 * by which most others are passed over without a look at the item.
 *
 *     uint32_t at = slots_start(&t, hash), i;
 *     while ((i = slots_next(&t, hash, &at)) != SLOTS_NONE)
 *         if (items[i] is the one)
 *             return i;
 */
#ifndef WEFT_COLLECTOR_SERIES_HEAD_SLOTS_H
#define WEFT_COLLECTOR_SERIES_HEAD_SLOTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define SLOTS_NONE UINT32_MAX

struct slots {
    uint64_t *words; /* upper half: of the hash; lower: number + 1; 0: free */
    uint32_t mask, count;
};

static inline void slots_fini(struct slots *t)
{
    free(t->words);
    *t = (struct slots){0};
}

static inline uint64_t slots_bytes(const struct slots *t)
{
    return t->words ? ((uint64_t)t->mask + 1) * sizeof *t->words : 0;
}

static inline uint32_t slots_start(const struct slots *t, uint64_t hash)
{
    return (uint32_t)(hash >> 32) & t->mask;
}

static inline uint32_t slots_next(const struct slots *t, uint64_t hash, uint32_t *at)
{
    while (t->words && t->words[*at]) {
        uint64_t word = t->words[*at];
        *at = (*at + 1) & t->mask;
        if (word >> 32 == hash >> 32)
            return (uint32_t)word - 1;
    }
    return SLOTS_NONE;
}

static inline void slots_place(struct slots *t, uint64_t word)
{
    uint32_t at = slots_start(t, word);
    while (t->words[at])
        at = (at + 1) & t->mask;
    t->words[at] = word;
}

/* -1 when memory is out. */
static inline int slots_reserve(struct slots *t)
{
    uint64_t size = t->words ? (uint64_t)t->mask + 1 : 0;
    if (t->count + 1 <= size / 4 * 3)
        return 0;
    struct slots more = {.count = t->count};
    uint64_t bigger = size ? size * 2 : 64;
    more.words = calloc(bigger, sizeof *more.words);
    if (!more.words)
        return -1;
    more.mask = (uint32_t)(bigger - 1);
    for (uint64_t i = 0; i < size; i++)
        if (t->words[i])
            slots_place(&more, t->words[i]);
    free(t->words);
    *t = more;
    return 0;
}

/* After slots_reserve. */
static inline void slots_insert(struct slots *t, uint64_t hash, uint32_t number)
{
    slots_place(t, (hash & ~(uint64_t)UINT32_MAX) | (number + 1));
    t->count++;
}

/* What stands behind it moves up, so that it is still found. */
static inline void slots_remove(struct slots *t, uint64_t hash, uint32_t number)
{
    uint32_t at = slots_start(t, hash);
    while ((uint32_t)t->words[at] != number + 1)
        at = (at + 1) & t->mask;
    for (uint32_t next = (at + 1) & t->mask; t->words[next]; next = (next + 1) & t->mask) {
        uint32_t home = slots_start(t, t->words[next]);
        if (((next - home) & t->mask) >= ((next - at) & t->mask)) {
            t->words[at] = t->words[next];
            at = next;
        }
    }
    t->words[at] = 0;
    t->count--;
}

#endif
