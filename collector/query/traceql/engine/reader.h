// SPDX-License-Identifier: Apache-2.0
/* A field of a span, row by row: for expressions that no column answers by itself, and for what
 * is told of the few spans that were found. Rows may come in any order; ascending is fastest. A
 * column is fetched when the first value is asked for.
 *
 * A text that is made (ids) lasts until the reader's next value. One thread. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_READER_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_READER_H

#include "collector/query/traceql/ast.h"
#include "collector/query/traceql/engine/view.h"

struct reader {
    struct view *view;
    struct traceql_field field;
    bool ready;
    uint32_t first; /* of the row's values, where they lie in a list */
    /* What the field needs of these: */
    const uint64_t *u64;
    const uint32_t *u32, *rows, *processes, *parent;
    const uint8_t *u8;
    const struct block_attribute *attribute;
    const struct block_events *events;
    const struct block_links *links;
    struct traceql_value *resources; /* by process: the first value */
    uint32_t *resource_counts;       /* … and how many */
    struct reader *scopes;           /* of an unscoped field: where it may be, in that order */
    uint32_t scope;                  /* the one that has the row's values */
    char text[33];
};
enum { READER_SCOPES = 5 };

void reader_init(struct reader *r, struct view *v, const struct traceql_field *field);

/* How many values the row has; they are read by reader_get, i = 0 … count - 1, before the next
 * row is asked for. 0 also where the view failed. */
uint32_t reader_find(struct reader *r, uint32_t row);
struct traceql_value reader_get(struct reader *r, uint32_t row, uint32_t i);

/* The first value; NIL if there is none. */
static inline struct traceql_value reader_first(struct reader *r, uint32_t row)
{
    static const struct traceql_value nil = {.type = TRACEQL_NIL};
    return reader_find(r, row) > 0 ? reader_get(r, row, 0) : nil;
}

/* What tells the row's first value from others of the block without a look at it. False: the field
 * has none such. */
bool reader_code(struct reader *r, uint32_t row, uint32_t *tag, uint64_t *word);

#endif
