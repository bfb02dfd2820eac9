// SPDX-License-Identifier: Apache-2.0
/* The heaviest of many: which keys were asked for most, by a weight that adds up (calls, bytes,
 * misses), in fixed memory however many there are.
 *
 * A table of counters. When it is full, the median of the weights is subtracted from all, and what
 * falls to nothing goes; the sum of all that was so subtracted is the error. So of any key, told or
 * not:
 *
 *     told weight <= true weight <= told weight + topk_error()
 *
 * and the error is at most total / (capacity / 2) (Misra and Gries 1982, in the form of Anderson
 * and others, "A High-Performance Algorithm for Identifying Frequent Items in Data Streams", IMC
 * 2017). Preferred to Space-Saving, which needs a heap or a list of buckets: an update here is one
 * hash lookup, weights other than 1 cost the same, and two tables merge without any loss beyond
 * the sum of their errors. On skewed data the error is far below the bound, as few
 * counters are ever subtracted from.
 *
 * Beside the weight each entry carries sums of its own, which count since it was last taken in.
 *
 * One thread. */
#ifndef WEFT_MODEL_TOPK_H
#define WEFT_MODEL_TOPK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOPK_TEXT_MOST = 120, TOPK_SUMS = 3 };

struct topk_entry {
    uint64_t hash; /* of the whole key; never 0 */
    uint64_t weight;
    uint64_t sums[TOPK_SUMS]; /* whatever the user adds up */
    uint32_t round;           /* the table's when it was taken in; of an earlier one: free */
    uint16_t full_length;     /* of the key; what is beyond the text is not kept */
    uint8_t length;
    char text[TOPK_TEXT_MOST]; /* not terminated */
};

/* Where the entry of a hash is. Entries themselves never move. */
struct topk_slot {
    uint64_t hash; /* 0: empty */
    uint32_t entry;
};

struct topk {
    struct topk_slot *slots;    /* `slot_count` of them, by hash */
    struct topk_entry *entries; /* `most` of them; hash 0: free */
    uint32_t *free;             /* numbers of those that are, most - count of them */
    uint64_t *scratch;          /* weights, for the median */
    uint32_t slot_count, most, count;
    uint32_t round; /* how often it was cleared: so that this need not touch the entries */
    uint64_t total; /* of all weights that were ever added */
    uint64_t error;
};

/* `capacity`: how many keys are counted at a time; rounded up so that the table is a power of two.
 * -1: no memory. */
int topk_init(struct topk *t, uint32_t capacity);
void topk_fini(struct topk *t);
void topk_clear(struct topk *t);
size_t topk_bytes(const struct topk *t);

uint64_t topk_hash(const void *key, size_t length);

/* `hash`: topk_hash of the key. Its entry, valid until the next call; NULL: it is not counted, and
 * the weight is 0. */
struct topk_entry *topk_add(struct topk *t, uint64_t hash, const void *key, size_t length,
                            uint64_t weight);
/* NULL: it is not among them. */
const struct topk_entry *topk_find(const struct topk *t, uint64_t hash);

/* Adds what `other` counted; the errors add up. */
void topk_merge(struct topk *t, const struct topk *other);

/* The heaviest, heaviest first, into `list`. How many: up to `most`. Takes no memory. */
size_t topk_list(const struct topk *t, const struct topk_entry **list, size_t most);

static inline uint64_t topk_error(const struct topk *t)
{
    return t->error;
}

#endif
