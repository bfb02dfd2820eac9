// SPDX-License-Identifier: Apache-2.0
/* Operations (service, name, kind) get numbers, so that sums about them are arrays. The strings
 * are copied: an accumulator outlives the trees that it is fed.
 *
 * Bounded: beyond `limit`, whatever is new is number 0, "the rest", and `beyond` counts how often
 * that was the answer. */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_OPERATIONS_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_OPERATIONS_H

#include "lib/base/arena.h"
#include "lib/codec/batch.h"

#define OPERATION_REST 0
#define OPERATION_NONE UINT32_MAX

struct operation {
    struct batch_str service, name; /* of the rest: empty */
    uint8_t kind;
};

struct operations {
    struct operation *list; /* [0] is the rest */
    uint32_t count, capacity, limit;
    uint64_t beyond;
    uint32_t *slots;
    size_t mask;
    struct arena arena;
};

struct tree;

/* Takes no memory yet. */
void operations_init(struct operations *o, uint32_t limit);
void operations_fini(struct operations *o);
/* OPERATION_NONE when memory is out. */
uint32_t operations_learn(struct operations *o, struct batch_str service, struct batch_str name,
                          unsigned kind);
/* OPERATION_NONE: not known; OPERATION_REST is never the answer. */
uint32_t operations_find(const struct operations *o, struct batch_str service,
                         struct batch_str name, unsigned kind);
uint32_t operations_learn_node(struct operations *o, const struct tree *t, uint32_t node);
uint32_t operations_find_node(const struct operations *o, const struct tree *t, uint32_t node);

#endif
