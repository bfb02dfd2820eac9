// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/pairs.h"

#include <stdlib.h>

#include "collector/hash.h"

enum { FIRST_CAPACITY = 64 };

void pairs_init(struct pairs *p, uint32_t limit)
{
    *p = (struct pairs){.limit = limit};
}

void pairs_fini(struct pairs *p)
{
    free(p->list);
    free(p->slots);
    pairs_init(p, p->limit);
}

static uint32_t *slot_of(const struct pairs *p, uint32_t left, uint32_t right)
{
    for (uint64_t at = hash_words(left, right);; at++) {
        uint32_t *slot = &p->slots[at & p->mask];
        const struct pair *known = &p->list[*slot];
        if (*slot == PAIR_REST || (known->left == left && known->right == right))
            return slot;
    }
}

static int grow(struct pairs *p)
{
    uint32_t capacity = p->capacity ? p->capacity * 2 : FIRST_CAPACITY;
    struct pair *bigger = realloc(p->list, capacity * sizeof *bigger);
    if (!bigger)
        return -1;
    p->list = bigger;
    size_t slots = hash_slots(capacity);
    uint32_t *table = calloc(slots, sizeof *table);
    if (!table)
        return -1;
    free(p->slots);
    p->slots = table;
    p->mask = slots - 1;
    p->capacity = capacity;
    if (p->count == 0)
        p->list[p->count++] = (struct pair){PAIR_NONE, PAIR_NONE};
    for (uint32_t i = 1; i < p->count; i++)
        *slot_of(p, p->list[i].left, p->list[i].right) = i;
    return 0;
}

uint32_t pairs_learn(struct pairs *p, uint32_t left, uint32_t right)
{
    if (p->count == p->capacity && grow(p) != 0)
        return PAIR_NONE;
    uint32_t *slot = slot_of(p, left, right);
    if (*slot != PAIR_REST)
        return *slot;
    if (p->count > p->limit) {
        p->beyond++;
        return PAIR_REST;
    }
    p->list[p->count] = (struct pair){left, right};
    *slot = p->count;
    return p->count++;
}
