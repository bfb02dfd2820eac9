// SPDX-License-Identifier: Apache-2.0
/* What values do with each other when a query is answered. docs/traceql.md has the rules; in
 * short: values of different kinds do not compare (every comparison of them is false, != too),
 * nor does anything with nil; the three kinds of numbers compare and calculate with each other,
 * integers and durations exactly, with a float as floats. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_VALUE_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_VALUE_H

#include "collector/query/traceql/ast.h"

static inline bool value_is_number(const struct traceql_value *v)
{
    return v->type == TRACEQL_INT || v->type == TRACEQL_FLOAT || v->type == TRACEQL_DURATION;
}

static inline bool value_is_true(const struct traceql_value *v)
{
    return v->type == TRACEQL_BOOL && v->boolean;
}

/* Of a number; durations in nanoseconds. */
static inline double value_number(const struct traceql_value *v)
{
    return v->type == TRACEQL_FLOAT ? v->number : (double)v->integer;
}

/* EQ to GE. */
bool value_compare(enum traceql_op op, const struct traceql_value *a,
                   const struct traceql_value *b);
/* ADD to POW. Integers give an integer (it wraps around; to a negative power a float), all else a
 * float. What is no number, and the division of an integer by 0, give nil. */
struct traceql_value value_calculate(enum traceql_op op, const struct traceql_value *a,
                                     const struct traceql_value *b);
/* NEGATE. nil for what is no number. */
struct traceql_value value_negative(const struct traceql_value *v);

/* Whether both are of one type and the same; nil is nil, and a NaN itself. For tables. */
bool value_same(const struct traceql_value *a, const struct traceql_value *b);
uint64_t value_hash(const struct traceql_value *v);
/* By type, then by value; for stable answers. */
int value_order(const struct traceql_value *a, const struct traceql_value *b);

#endif
