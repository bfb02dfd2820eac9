// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/hash_index.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_LEAST = 64 };

bool hash_index_init(struct hash_index *h)
{
    *h = (struct hash_index){.slots = calloc(SLOTS_LEAST, sizeof *h->slots),
                             .mask = SLOTS_LEAST - 1};
    return h->slots != NULL;
}

void hash_index_fini(struct hash_index *h)
{
    free(h->slots);
    *h = (struct hash_index){0};
}

void hash_index_clear(struct hash_index *h)
{
    if (h->count)
        memset(h->slots, 0, ((size_t)h->mask + 1) * sizeof *h->slots);
    h->count = 0;
}

static bool grow(struct hash_index *h)
{
    size_t size = ((size_t)h->mask + 1) * 2;
    uint64_t *slots = size > UINT32_MAX ? NULL : calloc(size, sizeof *slots);
    if (!slots)
        return false;
    uint32_t mask = (uint32_t)size - 1;
    for (size_t i = 0; i <= h->mask; i++) {
        if (h->slots[i] == 0)
            continue;
        uint32_t at = (uint32_t)(h->slots[i] >> 32) & mask;
        while (slots[at])
            at = (at + 1) & mask;
        slots[at] = h->slots[i];
    }
    free(h->slots);
    h->slots = slots;
    h->mask = mask;
    return true;
}

bool hash_index_insert(struct hash_index *h, uint64_t hash, uint32_t at, uint32_t index)
{
    if (h->count >= h->mask / 2) {
        if (!grow(h))
            return false;
        at = hash_index_start(h, hash);
        while (h->slots[at])
            at = (at + 1) & h->mask;
    }
    h->slots[at] = hash >> 32 << 32 | (uint64_t)(index + 1);
    h->count++;
    return true;
}
