// SPDX-License-Identifier: Apache-2.0
/* A place in the ledger between two spans, and its text form, which each line of a stream carries
 * as its `cursor`: "segment.offset.row.spans" in hex. */
#ifndef WEFT_COLLECTOR_FIREHOSE_POSITION_H
#define WEFT_COLLECTOR_FIREHOSE_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The spans before `row` of the frame at `offset` are behind it, and all frames before that one.
 * All zero: before everything. */
struct firehose_position {
    uint64_t segment, offset;
    uint32_t row;
    uint64_t spans; /* the number of spans behind it, since the ledger was begun */
};

static inline int position_compare(const struct firehose_position *a,
                                   const struct firehose_position *b)
{
    if (a->segment != b->segment)
        return a->segment < b->segment ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static inline struct firehose_position position_later(struct firehose_position a,
                                                      struct firehose_position b)
{
    return position_compare(&a, &b) < 0 ? b : a;
}

enum { POSITION_TEXT_MAX = 64 };
/* NUL-terminated. */
void position_text(const struct firehose_position *p, char text[POSITION_TEXT_MAX]);
/* False: it is none. */
bool position_parse(const char *text, struct firehose_position *p);

#endif
