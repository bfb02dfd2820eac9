// SPDX-License-Identifier: Apache-2.0
/* What the lexer, the grammar and the builder of the tree share; internal to the language. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_PARSER_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_PARSER_H

#include "collector/query/language/input.h"
#include "collector/query/traceql/parse.h"

struct traceql_parser {
    struct language_input in;
    uint32_t patterns; /* regular expressions that were checked */
    struct traceql_query *query;
};

/* What is being joined by operators, before the whole is known: `{ } > { }` and `count() > 2`
 * are of one form in the grammar, told apart by what stands on the sides. */
enum traceql_sort {
    TRACEQL_BROKEN, /* a meaning error was told */
    TRACEQL_SET,
    TRACEQL_SCALAR,
    TRACEQL_CONDITION,
    TRACEQL_METRICS, /* a metrics function that waits for its pipeline, perhaps with thresholds */
    TRACEQL_TOP,     /* topk() or bottomk() that waits for its series, perhaps with thresholds */
    TRACEQL_SERIES,  /* ( pipeline | function ), complete */
};

struct traceql_operand {
    enum traceql_sort sort;
    struct language_place place;
    struct traceql_set *set;
    struct traceql_scalar *scalar;
    struct traceql_stage *condition;
    struct traceql_series *series;
    struct traceql_series *open; /* of METRICS and TOP: the series that waits */
};

/* A pipeline being read, and what its last stage made of it. */
struct traceql_flow {
    enum traceql_sort sort; /* SET, SCALAR, SERIES or BROKEN */
    struct language_place place;
    struct traceql_pipeline *pipeline;
    struct traceql_series *series;
};

/* Lists that grow while they are read, in the arena. */
struct traceql_numbers {
    uint32_t count, capacity;
    double *list;
};
struct traceql_field_list {
    uint32_t count, capacity;
    struct traceql_field *list;
};
struct traceql_hint_list {
    uint32_t count, capacity;
    struct traceql_hint *list;
};

/* Whether it is all right to go on; else the meaning error is told and false comes back. */
bool traceql_check(struct traceql_parser *p, const struct traceql_query *q);

#endif
