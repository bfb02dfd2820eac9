// SPDX-License-Identifier: Apache-2.0
/* A query made ready for blocks. It is made once, lasts as long as the query and is read by any
 * number of threads.
 *
 * Each { filter } becomes a plan: conditions joined by and, or, not. A condition on one field with
 * a constant is a test, answered by columns (match.h); anything else is a calculation, row by row.
 * Parts of an "and" are ordered by what they cost; constants are calculated; what can never or
 * must always be true is told apart. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_PROGRAM_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_PROGRAM_H

#include "collector/query/traceql/engine/calc.h"
#include "collector/query/traceql/engine/predicate.h"

enum plan_form {
    PLAN_ALL,
    PLAN_NONE,
    PLAN_AND,     /* parts */
    PLAN_OR,      /* parts */
    PLAN_NOT,     /* parts[0] */
    PLAN_TEST,    /* field and predicate */
    PLAN_PRESENT, /* field */
    PLAN_CALC,    /* calc */
};

struct plan {
    enum plan_form form;
    unsigned cost;
    struct plan **parts;
    uint32_t part_count;
    struct traceql_field field;
    struct predicate predicate;
    struct calc *calc;
};

struct program_pipeline;

struct program_set {
    enum traceql_set_op op;
    uint64_t cost; /* of its filters */
    struct program_set *left, *right;
    uint32_t filter; /* of FILTER: which of the program's */
    struct program_pipeline *pipeline;
};

struct program_scalar {
    enum traceql_scalar_form form;
    enum traceql_op op;
    struct program_scalar *left, *right;
    struct traceql_value value;
    enum traceql_aggregate aggregate;
    struct calc *of;
    struct batch_str name; /* of an aggregate: as it is told, "avg(duration)" */
    struct program_pipeline *pipeline;
};

struct program_stage {
    enum traceql_stage_form form;
    struct program_stage *next;
    struct program_set *set;
    enum traceql_op op;
    struct program_scalar *left, *right;
    struct calc *by;
    struct batch_str name; /* of BY: "by(name)" */
};

struct program_pipeline {
    struct program_stage *first;
};

struct program {
    struct arena arena;
    bool failed; /* memory was out */
    struct program_pipeline *pipeline;
    struct plan **filters;
    uint32_t filter_count, filter_capacity;
    struct traceql_field *slots; /* fields that calculations read, each once */
    uint32_t slot_count, slot_capacity;
    uint32_t *told; /* slots of the fields that found spans are told with */
    uint32_t told_count, told_capacity;
    struct regex **regexes;
    uint32_t regex_count, regex_capacity;
};

/* The query's tree must outlive it. -1: no memory; program_fini all the same. */
int program_init(struct program *p, const struct traceql_pipeline *pipeline);
void program_fini(struct program *p);

/* One more filter, or field, of the same query (compare(), by(), what a metrics function
 * measures). The number of the filter, the slot; after all of them ask for p->failed. */
uint32_t program_filter(struct program *p, const struct traceql_expr *filter);
uint32_t program_slot(struct program *p, const struct traceql_field *field);

/* Whether a block with these bounds may hold a trace that the pipeline lets through. */
bool program_may_match(const struct program *p, const struct block_bounds *bounds);

#endif
