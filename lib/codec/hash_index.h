// SPDX-License-Identifier: Apache-2.0
/* A flat hash table from hashes to the indices of items that the caller keeps in an array of
 * its own; open addressing, at most half full; internal to lib/codec.
 *
 *     uint32_t at = hash_index_start(&h, hash), i;
 *     while ((i = hash_index_next(&h, hash, &at)) != HASH_INDEX_NONE)
 *         if (items[i] is the one)
 *             return i;
 *     hash_index_insert(&h, hash, at, count++);
 */
#ifndef WEFT_CODEC_HASH_INDEX_H
#define WEFT_CODEC_HASH_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#define HASH_INDEX_NONE UINT32_MAX

struct hash_index {
    uint64_t *slots; /* upper half of the hash, index + 1; 0: free */
    uint32_t mask, count;
};

/* False when memory is out. */
bool hash_index_init(struct hash_index *h);
void hash_index_fini(struct hash_index *h);
void hash_index_clear(struct hash_index *h);

static inline uint32_t hash_index_start(const struct hash_index *h, uint64_t hash)
{
    return (uint32_t)(hash >> 32) & h->mask;
}

/* The next item whose hash has the same upper half; NONE with *at where it would be. */
static inline uint32_t hash_index_next(const struct hash_index *h, uint64_t hash, uint32_t *at)
{
    for (;; *at = (*at + 1) & h->mask) {
        uint64_t slot = h->slots[*at];
        if (slot == 0)
            return HASH_INDEX_NONE;
        if (slot >> 32 == hash >> 32) {
            *at = (*at + 1) & h->mask;
            return (uint32_t)slot - 1;
        }
    }
}

/* At the place where hash_index_next ended. False when memory is out: then it is not in. */
bool hash_index_insert(struct hash_index *h, uint64_t hash, uint32_t at, uint32_t index);

#endif
