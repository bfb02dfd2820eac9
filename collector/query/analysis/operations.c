// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/operations.h"

#include <stdlib.h>

#include "collector/hash.h"
#include "collector/query/analysis/node.h"

/* Of strings, for each operation that may be known: long names do not make it unbounded. */
enum { STRING_BYTES = 512, STRING_BLOCK = 16 << 10, FIRST_CAPACITY = 64 };

void operations_init(struct operations *o, uint32_t limit)
{
    *o = (struct operations){.limit = limit};
    arena_init(&o->arena, STRING_BLOCK);
}

void operations_fini(struct operations *o)
{
    free(o->list);
    free(o->slots);
    arena_fini(&o->arena);
    operations_init(o, o->limit);
}

static uint64_t hash_of(struct batch_str service, struct batch_str name, unsigned kind)
{
    return hash_words(hash_bytes(service.bytes, service.length) + kind,
                      hash_bytes(name.bytes, name.length));
}

static uint32_t *slot_of(const struct operations *o, struct batch_str service,
                         struct batch_str name, unsigned kind)
{
    for (uint64_t at = hash_of(service, name, kind);; at++) {
        uint32_t *slot = &o->slots[at & o->mask];
        const struct operation *known = &o->list[*slot];
        if (*slot == OPERATION_REST || (known->kind == kind && batch_str_equal(known->name, name) &&
                                        batch_str_equal(known->service, service)))
            return slot;
    }
}

static int grow(struct operations *o)
{
    uint32_t capacity = o->capacity ? o->capacity * 2 : FIRST_CAPACITY;
    struct operation *bigger = realloc(o->list, capacity * sizeof *bigger);
    if (!bigger)
        return -1;
    o->list = bigger;
    size_t slots = hash_slots(capacity);
    uint32_t *table = calloc(slots, sizeof *table);
    if (!table)
        return -1;
    free(o->slots);
    o->slots = table;
    o->mask = slots - 1;
    o->capacity = capacity;
    if (o->count == 0)
        o->list[o->count++] = (struct operation){.service = {"", 0}, .name = {"", 0}};
    for (uint32_t i = 1; i < o->count; i++)
        *slot_of(o, o->list[i].service, o->list[i].name, o->list[i].kind) = i;
    return 0;
}

static bool full(const struct operations *o, size_t bytes)
{
    return o->count > o->limit ||
           o->arena.total_bytes + bytes > (size_t)o->limit * STRING_BYTES + STRING_BLOCK;
}

uint32_t operations_learn(struct operations *o, struct batch_str service, struct batch_str name,
                          unsigned kind)
{
    if (o->count == o->capacity && grow(o) != 0)
        return OPERATION_NONE;
    uint32_t *slot = slot_of(o, service, name, kind);
    if (*slot != OPERATION_REST)
        return *slot;
    if (full(o, (size_t)service.length + name.length)) {
        o->beyond++;
        return OPERATION_REST;
    }
    struct operation *new = &o->list[o->count];
    *new = (struct operation){service, name, (uint8_t)kind};
    new->service.bytes = arena_copy(&o->arena, service.bytes, service.length);
    new->name.bytes = arena_copy(&o->arena, name.bytes, name.length);
    if (!new->service.bytes || !new->name.bytes)
        return OPERATION_NONE;
    *slot = o->count;
    return o->count++;
}

uint32_t operations_find(const struct operations *o, struct batch_str service,
                         struct batch_str name, unsigned kind)
{
    uint32_t found = o->count > 0 ? *slot_of(o, service, name, kind) : OPERATION_REST;
    return found == OPERATION_REST ? OPERATION_NONE : found;
}

uint32_t operations_learn_node(struct operations *o, const struct tree *t, uint32_t node)
{
    return operations_learn(o, node_service(t, node), node_name(t, node), node_kind(t, node));
}

uint32_t operations_find_node(const struct operations *o, const struct tree *t, uint32_t node)
{
    return operations_find(o, node_service(t, node), node_name(t, node), node_kind(t, node));
}
