// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/names.h"

#include <stdlib.h>
#include <string.h>

#include "collector/hash.h"

static int table_init(struct name_table *t)
{
    t->slots = calloc(64, sizeof *t->slots);
    t->mask = 63;
    return t->slots ? 0 : -1;
}

/* Makes room for one more; `hash_of` gives the hash of an index, for moving. */
static int table_grow(struct name_table *t, const struct names *n,
                      uint64_t (*hash_of)(const struct names *, uint32_t))
{
    if ((uint64_t)(t->used + 1) * 2 <= t->mask)
        return 0;
    uint32_t mask = t->mask * 2 + 1;
    uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
    if (!slots)
        return -1;
    for (uint32_t i = 0; i <= t->mask; i++) {
        if (!t->slots[i])
            continue;
        uint64_t at = hash_of(n, t->slots[i] - 1);
        while (slots[at & mask])
            at++;
        slots[at & mask] = t->slots[i];
    }
    free(t->slots);
    t->slots = slots;
    t->mask = mask;
    return 0;
}

static int array_grow(void *array, uint32_t *capacity, uint32_t count, size_t item)
{
    if (count < *capacity)
        return 0;
    uint32_t more = *capacity ? *capacity * 2 : 16;
    void **place = array;
    void *bigger = realloc(*place, more * item);
    if (!bigger)
        return -1;
    *place = bigger;
    *capacity = more;
    return 0;
}

static uint64_t hash_str(struct batch_str s)
{
    return hash_bytes(s.bytes, s.length);
}

static uint64_t hash_operation_key(uint32_t service, struct batch_str name)
{
    return hash_words(hash_str(name), service);
}

static uint64_t hash_service(const struct names *n, uint32_t i)
{
    return hash_str(n->services[i].name);
}

static uint64_t hash_operation(const struct names *n, uint32_t i)
{
    return hash_operation_key(n->operations[i].service, n->operations[i].name);
}

static uint64_t hash_uuid(const uint8_t uuid[16])
{
    return hash_bytes(uuid, 16);
}

static uint64_t hash_process(const struct names *n, uint32_t i)
{
    return hash_uuid(n->processes[i]->uuid);
}

int names_init(struct names *n)
{
    *n = (struct names){0};
    n->cache = calloc(NAMES_CACHE, sizeof *n->cache);
    if (!n->cache || table_init(&n->service_table) != 0 || table_init(&n->operation_table) != 0 ||
        table_init(&n->process_table) != 0)
        return -1;
    return 0;
}

void names_fini(struct names *n)
{
    free(n->services);
    free(n->operations);
    free(n->processes);
    free(n->service_table.slots);
    free(n->operation_table.slots);
    free(n->process_table.slots);
    free(n->cache);
    free(n->process_service);
    *n = (struct names){0};
}

uint64_t names_bytes(const struct names *n)
{
    uint64_t slots =
        3 + (uint64_t)n->service_table.mask + n->operation_table.mask + n->process_table.mask;
    return slots * sizeof(uint32_t) + NAMES_CACHE * sizeof *n->cache +
           n->service_capacity * sizeof *n->services +
           n->operation_capacity * sizeof *n->operations +
           n->process_capacity * sizeof *n->processes +
           n->process_service_capacity * sizeof *n->process_service;
}

/* The service's index; HEAD-less failure is UINT32_MAX. */
static uint32_t learn_service(struct names *n, struct batch_str name)
{
    uint64_t hash = hash_str(name);
    struct name_table *t = &n->service_table;
    uint64_t at = hash;
    for (uint32_t slot; (slot = t->slots[at & t->mask]) != 0; at++) {
        if (batch_str_equal(n->services[slot - 1].name, name))
            return slot - 1;
    }
    if (table_grow(t, n, hash_service) != 0 ||
        array_grow(&n->services, &n->service_capacity, n->service_count, sizeof *n->services) != 0)
        return UINT32_MAX;
    for (at = hash; t->slots[at & t->mask]; at++)
        ;
    n->services[n->service_count] = (struct name_service){.name = name};
    t->slots[at & t->mask] = ++n->service_count;
    t->used++;
    return n->service_count - 1;
}

static void learn_operation(struct names *n, uint32_t service, struct batch_str name)
{
    uint64_t hash = hash_operation_key(service, name);
    struct name_table *t = &n->operation_table;
    uint64_t at = hash;
    for (uint32_t slot; (slot = t->slots[at & t->mask]) != 0; at++) {
        const struct name_operation *o = &n->operations[slot - 1];
        if (o->service == service && batch_str_equal(o->name, name))
            return;
    }
    if (n->operation_count == NAMES_OPERATIONS_MAX || table_grow(t, n, hash_operation) != 0 ||
        array_grow(&n->operations, &n->operation_capacity, n->operation_count,
                   sizeof *n->operations) != 0)
        return;
    for (at = hash; t->slots[at & t->mask]; at++)
        ;
    n->operations[n->operation_count] = (struct name_operation){service, name};
    t->slots[at & t->mask] = ++n->operation_count;
    t->used++;
}

/* Slot of the process or of the free place where it belongs. */
static uint32_t *process_slot(const struct names *n, const uint8_t uuid[16])
{
    const struct name_table *t = &n->process_table;
    for (uint64_t at = hash_uuid(uuid);; at++) {
        uint32_t *slot = &t->slots[at & t->mask];
        if (!*slot || memcmp(n->processes[*slot - 1]->uuid, uuid, 16) == 0)
            return slot;
    }
}

/* A later word about a process replaces an earlier one, but nobody rises from the dead: a
 * batch that was spooled while it lived may arrive after the one that tells its end. */
static int learn_process(struct names *n, const struct batch_process_view *view)
{
    uint32_t *slot = process_slot(n, view->uuid);
    if (*slot) {
        if (view->state >= n->processes[*slot - 1]->state)
            n->processes[*slot - 1] = view;
        return 0;
    }
    if (table_grow(&n->process_table, n, hash_process) != 0 ||
        array_grow(&n->processes, &n->process_capacity, n->process_count, sizeof *n->processes) !=
            0)
        return -1;
    n->processes[n->process_count] = view;
    *process_slot(n, view->uuid) = ++n->process_count;
    n->process_table.used++;
    return 0;
}

int names_begin(struct names *n, const struct batch *batch)
{
    n->serial++;
    while (batch->process_count > n->process_service_capacity) {
        if (array_grow(&n->process_service, &n->process_service_capacity,
                       n->process_service_capacity, sizeof *n->process_service) != 0)
            return -1;
    }
    for (uint32_t i = 0; i < batch->process_count; i++) {
        if (learn_process(n, &batch->processes[i]) != 0)
            return -1;
        n->process_service[i] = learn_service(n, batch->processes[i].service);
        if (n->process_service[i] == UINT32_MAX)
            return -1;
    }
    return 0;
}

static void learn_pair(struct names *n, struct name_pair *pair, const struct batch *batch,
                       uint32_t process, uint32_t name)
{
    learn_operation(n, n->process_service[process], batch->strings[name]);
    *pair = (struct name_pair){process, name, n->serial};
}

void names_span(struct names *n, const struct batch *batch, uint32_t row)
{
    uint32_t process = batch->process[row], name = batch->name[row];
    struct name_service *service = &n->services[n->process_service[process]];
    service->spans++;
    service->errors += batch->status[row] == SPAN_ERROR;
    service->died += batch->status[row] == SPAN_DIED;

    struct name_pair *pair = &n->cache[(name * 31 + process) % NAMES_CACHE];
    if (pair->serial != n->serial || pair->process != process || pair->name != name)
        learn_pair(n, pair, batch, process, name);
}

const struct batch_process_view *names_process(const struct names *n, const uint8_t uuid[16])
{
    uint32_t slot = *process_slot(n, uuid);
    return slot ? n->processes[slot - 1] : NULL;
}
