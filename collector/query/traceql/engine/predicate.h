// SPDX-License-Identifier: Apache-2.0
/* One comparison of a value with a constant, made ready: what is the same for all values is done
 * once. Any thread may use it. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_PREDICATE_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_PREDICATE_H

#include "collector/query/traceql/engine/value.h"
#include "lib/regex/regex.h"

struct predicate {
    enum traceql_op op; /* EQ to NRE */
    struct traceql_value value;
    struct regex *regex; /* of RE and NRE */
    /* For integers: those in [low, high], or those outside where `outside`. Only if `exact`. */
    bool exact, outside;
    int64_t low, high;
};

/* -1: no memory (of a regex). The constant's text must outlive it. */
int predicate_init(struct predicate *p, enum traceql_op op, const struct traceql_value *value);
void predicate_fini(struct predicate *p);

/* With several values, all of them must pass (!= and !~), else one. */
static inline bool predicate_wants_all(const struct predicate *p)
{
    return p->op == TRACEQL_NE || p->op == TRACEQL_NRE;
}

bool predicate_passes(const struct predicate *p, const struct traceql_value *v);
bool predicate_passes_text(const struct predicate *p, struct batch_str text);

/* An integer or a duration. */
static inline bool predicate_passes_int(const struct predicate *p, int64_t integer)
{
    if (p->exact)
        return (integer >= p->low && integer <= p->high) != p->outside;
    struct traceql_value v = {.type = TRACEQL_INT, .integer = integer};
    return predicate_passes(p, &v);
}

#endif
