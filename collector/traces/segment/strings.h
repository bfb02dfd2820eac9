// SPDX-License-Identifier: Apache-2.0
/* The strings of a row group, or of a table: each once, in bytewise order, so that columns hold
 * small numbers and a search for one is a binary search. Number 0 is the empty string.
 *
 * While a group is being built strings have numbers in the order of their arrival; sorting them
 * tells which number each has in the end.
 */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_STRINGS_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_STRINGS_H

#include "collector/traces/segment/encoding.h"
#include "lib/codec/batch.h"

struct string_slot;

struct string_table {
    struct batch_str *list; /* copies; [0] is empty */
    uint64_t *hashes;
    uint32_t *slots; /* number + 1 */
    uint32_t *rank;  /* by string_table_sort: the number in order */
    uint32_t *order; /* and its inverse */
    size_t count, capacity, slot_count;
    uint64_t bytes; /* of all */
    struct arena arena;
    bool failed; /* memory was out: 0 came back for a string that is not empty */
};

bool string_table_init(struct string_table *t); /* false: no memory */
void string_table_fini(struct string_table *t);
void string_table_clear(struct string_table *t); /* memory is kept */

uint32_t string_table_add(struct string_table *t, struct batch_str string);
bool string_table_sort(struct string_table *t); /* false: no memory */
/* Appends the strings in order. Sort first. */
void string_table_put(const struct string_table *t, struct encoder *e, struct column *out);

/* Reads `count` strings, the empty one included, into `arena`. ENCODING_OK or another. */
int strings_get(const uint8_t *bytes, size_t length, uint32_t count, struct arena *arena,
                struct batch_str **list);
/* The number of a string in a sorted list; UINT32_MAX: not there. */
uint32_t strings_find(const struct batch_str *list, uint32_t count, const void *bytes,
                      size_t length);

#endif
