// SPDX-License-Identifier: Apache-2.0
/* Which services and operations a segment has, with sums for each service: what lists are made
 * of without a look at spans. The first SEGMENT_NAMES_MAX of each are told: operations beyond are
 * names that somebody puts ids into, and no list of them would help anybody. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_ROSTER_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_ROSTER_H

#include "collector/traces/segment/builder.h"
#include "collector/traces/segment/processes.h"

struct name_pair {
    uint32_t service, name; /* names->strings */
};

struct service_sums {
    uint32_t name;
    uint64_t spans, errors, died;
};

struct roster {
    struct string_table strings;
    struct service_sums *services;
    struct name_pair *operations;
    uint32_t *service_of;      /* a string: its service + 1 */
    uint32_t *operation_slots; /* operation + 1 */
    uint32_t *seen;            /* of a group: pairs of service and name */
    struct name_pair *pairs;
    uint32_t service_count, service_capacity, operation_count;
    size_t service_of_capacity, seen_capacity;
};

bool roster_init(struct roster *r); /* false: no memory */
void roster_fini(struct roster *r);

/* Counts the rows of a group, before builder_put. False: no memory. */
bool roster_add(struct roster *r, const struct builder *b, const struct process_table *processes);
/* Appends a part of each of the two tables. */
void roster_put_services(struct roster *r, struct encoder *e, struct column *out);
void roster_put_operations(struct roster *r, struct encoder *e, struct column *out);

/* Reads both; services are those of the first, operations refer to them. SEGMENT_OK or another. */
int roster_get_services(struct table_reader *r, uint32_t count, struct segment_service **services);
int roster_get_operations(struct table_reader *r, uint32_t count, size_t service_count,
                          struct segment_operation **operations);

#endif
