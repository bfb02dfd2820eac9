// SPDX-License-Identifier: Apache-2.0
/* Who has recorded what, for one generation: services with their counts, the operations seen
 * in each, and the processes by uuid.
 *
 * Per span this costs one look into a small cache of (process, name) pairs of the batch; only
 * a pair that is new to the batch is looked up by its strings. The strings stay in the batches,
 * which live as long as the generation.
 *
 * Operations are bounded (NAMES_OPERATIONS_MAX): names that carry ids ("GET /user/4711") must
 * not eat the head. Beyond it an operation is still found by search, but not listed.
 */
#ifndef WEFT_COLLECTOR_TRACES_NAMES_H
#define WEFT_COLLECTOR_TRACES_NAMES_H

#include <stdbool.h>

#include "lib/codec/batch.h"

enum { NAMES_CACHE = 1024, NAMES_OPERATIONS_MAX = 1 << 15, NAMES_SERVICES_MAX = 1 << 12 };

struct name_service {
    struct batch_str name;
    uint64_t spans, errors, died;
};

struct name_operation {
    uint32_t service; /* index */
    struct batch_str name;
};

struct name_pair { /* of the batch being indexed */
    uint32_t process, name;
    uint32_t serial; /* of the batch: a pair of another one is stale */
};

struct name_table { /* hash → index + 1, linear probing; 0: free */
    uint32_t *slots;
    uint32_t mask, used;
};

struct names {
    struct name_service *services;
    uint32_t service_count, service_capacity;
    struct name_operation *operations;
    uint32_t operation_count, operation_capacity;
    const struct batch_process_view **processes; /* the newest view of each */
    uint32_t process_count, process_capacity;
    struct name_table service_table, operation_table, process_table;

    struct name_pair *cache;
    uint32_t serial;
    uint32_t *process_service; /* of the batch being indexed: process → service index */
    uint32_t process_service_capacity;
};

/* -1 when memory is out; names_fini is right in any case. */
int names_init(struct names *n);
void names_fini(struct names *n);
uint64_t names_bytes(const struct names *n);

/* Learns the batch's processes; must come before names_span for its rows. -1: no memory. */
int names_begin(struct names *n, const struct batch *batch);
/* Counts a row. Where memory is out the operation is not listed. */
void names_span(struct names *n, const struct batch *batch, uint32_t row);

const struct batch_process_view *names_process(const struct names *n, const uint8_t uuid[16]);

#endif
