// SPDX-License-Identifier: Apache-2.0
/* TraceQL answered row by row, slowly and obviously, from docs/traceql.md: what the engine is
 * compared with. Spans are plain structs that a test fills; a trace has 64 of them at most, so a
 * set of spans is a word with a bit for each row. The tree is order_trace's. */
#ifndef TESTS_UNIT_COLLECTOR_QUERY_TRACEQL_REFERENCE_H
#define TESTS_UNIT_COLLECTOR_QUERY_TRACEQL_REFERENCE_H

#include "collector/query/traceql/ast.h"

enum { REFERENCE_ATTRIBUTES = 6, REFERENCE_HANGING = 3, REFERENCE_ROWS = 64 };

struct reference_attribute {
    const char *key;
    struct traceql_value value; /* INT, FLOAT, STRING or BOOL */
    bool bytes;                 /* a STRING that is kept as bytes */
};

struct reference_attributes {
    uint32_t count;
    struct reference_attribute list[REFERENCE_ATTRIBUTES];
};

struct reference_process {
    unsigned number;
    const char *service;
    struct reference_attributes attributes;
};

struct reference_event {
    const char *name;
    uint64_t unix_ns;
    struct reference_attributes attributes;
};

struct reference_link {
    struct trace_id trace_id;
    uint64_t span_id;
    struct reference_attributes attributes;
};

struct reference_span {
    const struct reference_process *process;
    const char *name, *message;
    uint64_t id, parent_id, start_unix_ns, duration_ns;
    uint8_t kind, status;
    struct reference_attributes attributes;
    uint32_t event_count, link_count;
    struct reference_event events[REFERENCE_HANGING];
    struct reference_link links[REFERENCE_HANGING];
};

struct reference_trace {
    struct trace_id id;
    uint32_t arrived; /* spans as they came, copies among them */
    struct reference_span spans[REFERENCE_ROWS];
    /* By reference_tree: */
    uint32_t rows, parent[REFERENCE_ROWS], left[REFERENCE_ROWS], right[REFERENCE_ROWS];
    uint32_t children[REFERENCE_ROWS];
    const struct reference_span *row[REFERENCE_ROWS];
    uint64_t start_unix_ns, end_unix_ns;
};

/* Puts the spans in order. */
void reference_tree(struct reference_trace *t);

struct reference_sets {
    uint32_t count;
    uint64_t list[REFERENCE_ROWS]; /* none is 0 */
};

/* The sets of a search that are left of the trace. */
void reference_search(const struct traceql_query *q, const struct reference_trace *t,
                      struct reference_sets *sets);

/* ---- reference_expr.c -------------------------------------------------------------------- */

/* The first value of an expression for a row; NIL. */
struct traceql_value reference_value(const struct reference_trace *t, uint32_t row,
                                     const struct traceql_expr *e);
/* What an expression in { } says of a row. */
bool reference_holds(const struct reference_trace *t, uint32_t row, const struct traceql_expr *e);
struct traceql_value reference_calculate(enum traceql_op op, struct traceql_value a,
                                         struct traceql_value b);
bool reference_compares(enum traceql_op op, struct traceql_value a, struct traceql_value b);

/* ---- reference_field.c ------------------------------------------------------------------- */

struct reference_values {
    uint32_t count;
    struct traceql_value list[32];
    char ids[REFERENCE_HANGING + 1][40]; /* the digits that values point to */
};
void reference_field(const struct reference_trace *t, uint32_t row, const struct traceql_field *f,
                     struct reference_values *out);

#endif
