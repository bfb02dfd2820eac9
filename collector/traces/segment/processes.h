// SPDX-License-Identifier: Apache-2.0
/* The processes of a segment: who recorded its spans. A process is known by its uuid and stands
 * here once, as it was seen last. Written and read in parts of 64, each with strings of its own,
 * as a trace needs few of thousands. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_PROCESSES_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_PROCESSES_H

#include "collector/traces/segment/numbers.h"
#include "collector/traces/segment/tables.h"

enum process_string {
    PROCESS_HOST,
    PROCESS_SERVICE,
    PROCESS_VERSION,
    PROCESS_INSTANCE,
    PROCESS_CELL,
    PROCESS_AGENT,
    PROCESS_STRINGS
};

/* Resource attributes of one process: what is more is left out. */
enum { PROCESS_ATTRIBUTES_MAX = 4096 };

struct process_entry {
    uint8_t uuid[16];
    uint32_t strings[PROCESS_STRINGS]; /* in the table's */
    uint32_t pid, state;
    uint64_t start_unix_ns, state_unix_ns;
    size_t attribute_first, attribute_count;
    uint32_t stamp, local; /* the group's number, where the stamp is the group's */
};

struct process_table {
    struct process_entry *list;
    uint32_t *slots;
    uint32_t count, capacity;
    size_t slot_count;
    struct string_table strings;
    struct numbers key, type, value; /* resource attributes */
};

bool process_table_init(struct process_table *t); /* false: no memory */
void process_table_fini(struct process_table *t);
/* The number of a batch's process, which is added or brought up to date. UINT32_MAX: no memory. */
uint32_t process_table_add(struct process_table *t, const struct batch *batch, uint32_t process);
/* Appends processes [first, first + count) as a part. */
void process_table_put(const struct process_table *t, uint32_t first, uint32_t count,
                       struct encoder *e, struct column *out);

/* A part that was read. Attributes' keys and strings are indices into `strings`. */
struct process_part {
    struct batch_process_view *list; /* attribute_first: in `resource` */
    uint32_t count;
    struct batch_attributes resource;
    const struct batch_str *strings;
    uint32_t string_count;
};

/* SEGMENT_OK or another. */
int process_part_get(const uint8_t *bytes, size_t length, uint32_t count, struct arena *arena,
                     struct process_part *part);

#endif
