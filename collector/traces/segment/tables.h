// SPDX-License-Identifier: Apache-2.0
/* What concerns a segment as a whole, in tables of a few columns: each column an encoded one
 * (encoding.h) with its length u32 before it, and the table's strings, if it has some, behind
 * the columns. A table is cut into parts that can be read alone. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_TABLES_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_TABLES_H

#include "collector/traces/segment/layout.h"
#include "collector/traces/segment/strings.h"

/* ---- writing ----------------------------------------------------------------------------- */

void table_put_numbers(struct encoder *e, const uint64_t *values, size_t count, struct column *out);
/* Sorts the strings; columns that refer to them must have gone through t->rank: so call
 * string_table_sort first. */
void table_put_strings(struct encoder *e, const struct string_table *t, struct column *out);

/* ---- reading ----------------------------------------------------------------------------- */

struct table_reader {
    struct column_reader in;
    struct arena *arena;
    int error; /* SEGMENT_OK; once it is not, what follows does nothing */
};

/* `count` numbers in the arena; NULL with r->error set. Any `count` is safe. */
const uint64_t *table_get_numbers(struct table_reader *r, size_t count);
/* The same, each below `limit`. */
const uint64_t *table_get_below(struct table_reader *r, size_t count, uint64_t limit);
/* The strings, behind all columns; NULL with r->error set. */
const struct batch_str *table_get_strings(struct table_reader *r, uint32_t *count);

#endif
