// SPDX-License-Identifier: Apache-2.0
/* A program over one block: its filters' rows, and readers for its fields.
 *
 * frame_narrow asks the filters in the order in which the query can lose traces fastest: of two
 * sides of a set operator the cheaper first, the other only in traces that are still there. What it
 * returns is a superset: whether a trace really passes is found out trace by trace (sets.h), but
 * only for those that have a row in it. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_FRAME_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_FRAME_H

#include "collector/query/traceql/engine/match.h"

struct frame {
    struct view view;
    const struct program *program;
    struct reader *readers; /* one for each slot */
    uint64_t **filters;     /* rows that pass each filter, where that was asked; NULL: nowhere */
};

/* -1: no memory. The block and what is in the arena must outlive it. */
int frame_init(struct frame *f, const struct program *p, struct block *block, struct arena *arena);

/* Rows that may come out of the pipeline. NULL: the view failed. */
uint64_t *frame_narrow(struct frame *f);

/* Asks one filter of some rows. NULL: the view failed. */
uint64_t *frame_filter(struct frame *f, uint32_t filter, const uint64_t *from);

#endif
