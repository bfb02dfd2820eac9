// SPDX-License-Identifier: Apache-2.0
/* A pipeline over one trace of a block whose filters were asked (frame.h): sets of spans, which
 * operators join, conditions keep or drop, by() splits.
 *
 * A set is a list of rows, ascending, so that a trace of a million spans, split by whatever, costs
 * a million rows. Every operator is linear in the rows of the trace. Memory is the arena's. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_SETS_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_SETS_H

#include "collector/query/traceql/engine/frame.h"

/* What a stage says of a set: "by(name)" = …, "count()" = … */
struct set_note {
    struct batch_str name;
    struct traceql_value value;
    const struct set_note *next; /* the one before it */
};

struct set {
    uint32_t count;
    uint32_t *rows;
    const struct set_note *notes; /* the last one first */
    struct set *next;
};

struct scene {
    struct frame *frame;
    struct arena *arena;
    size_t limit_bytes;      /* of the arena; 0: none. Beyond it the scene fails, over_limit */
    uint32_t row, end;       /* of the trace */
    bool failed, over_limit; /* memory is out, or the view failed: the sets are none */
};

/* The sets that the program's pipeline makes of a trace; NULL: none. */
struct set *sets_of_trace(struct scene *s, uint32_t trace);

/* ---- parts ------------------------------------------------------------------------------- */

void *scene_alloc(struct scene *s, size_t count, size_t bytes);

/* All structural operators. NULL: no row (or failed). */
struct set *structure_apply(struct scene *s, enum traceql_set_op op, const struct set *left,
                            const struct set *right);
/* The rows of both, each once. */
struct set *set_union(struct scene *s, const struct set *a, const struct set *b);

/* What an aggregate makes of a set's rows; NIL if none of them has a number. In aggregate.c. */
struct traceql_value aggregate_value(struct scene *s, const struct program_scalar *a,
                                     const struct set *set);

/* Splits a set by its rows' values, in the order of their first rows. In group.c. */
struct set *group_by(struct scene *s, const struct program_stage *by, const struct set *set);

#endif
