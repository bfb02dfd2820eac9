// SPDX-License-Identifier: Apache-2.0
/* PromQL's tree. It lies in the arena that it was parsed into, is not changed after that, and any
 * number of threads may evaluate it at once. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_AST_H
#define WEFT_COLLECTOR_QUERY_PROMQL_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/query/language/error.h"
#include "collector/query/promql/functions.h"
#include "collector/series/source.h"
#include "lib/codec/batch_str.h"

/* Bounds of one query, so that neither the parser's stack nor the evaluator's ends. */
enum { PROMQL_LENGTH_MAX = 1 << 20, PROMQL_DEPTH_MAX = 200 };

enum promql_op {
    PROMQL_ADD,
    PROMQL_SUB,
    PROMQL_MUL,
    PROMQL_DIV,
    PROMQL_MOD,
    PROMQL_POW,
    PROMQL_ATAN2,
    PROMQL_EQ, /* from here comparisons */
    PROMQL_NE,
    PROMQL_GT,
    PROMQL_LT,
    PROMQL_GE,
    PROMQL_LE,
    PROMQL_TRIM_UPPER, /* histogram </ scalar */
    PROMQL_TRIM_LOWER, /* histogram >/ scalar */
    PROMQL_AND,        /* from here sets */
    PROMQL_OR,
    PROMQL_UNLESS,
};

static inline bool promql_op_compares(enum promql_op op)
{
    return op >= PROMQL_EQ && op <= PROMQL_LE;
}

static inline bool promql_op_is_set(enum promql_op op)
{
    return op >= PROMQL_AND;
}

const char *promql_op_text(enum promql_op op);

/* Durations may be calculated: [step() * 4], offset (5m + 30s). */
enum promql_duration_form {
    PROMQL_DURATION_NUMBER, /* seconds */
    PROMQL_DURATION_STEP,
    PROMQL_DURATION_RANGE,
    PROMQL_DURATION_MIN,
    PROMQL_DURATION_MAX,
    PROMQL_DURATION_NEGATE,
    PROMQL_DURATION_BINARY,
};

struct promql_duration {
    enum promql_duration_form form;
    enum promql_op op; /* of BINARY */
    uint32_t depth;
    double seconds; /* of NUMBER */
    const struct promql_duration *left, *right;
    struct language_place place;
};

enum promql_at { PROMQL_AT_NONE, PROMQL_AT_TIME, PROMQL_AT_START, PROMQL_AT_END };

/* When a selector or a subquery looks. */
struct promql_when {
    const struct promql_duration *offset; /* NULL: none */
    enum promql_at at;
    int64_t at_ms;
};

struct promql_matcher {
    enum matcher_kind kind;
    struct batch_str name, value;
    struct language_place place;
};

/* Labels that are listed somewhere; sorted, none twice. */
struct promql_names {
    uint32_t count;
    struct batch_str *list;
};

enum promql_cardinality { PROMQL_ONE_TO_ONE, PROMQL_MANY_TO_ONE, PROMQL_ONE_TO_MANY };

struct promql_matching {
    bool on; /* else ignoring */
    bool written;
    enum promql_cardinality cardinality;
    struct promql_names names, include;
    bool fills_left, fills_right;
    double fill_left, fill_right;
};

enum promql_aggregate {
    PROMQL_SUM,
    PROMQL_AVG,
    PROMQL_COUNT,
    PROMQL_MIN,
    PROMQL_MAX,
    PROMQL_GROUP,
    PROMQL_STDDEV,
    PROMQL_STDVAR,
    PROMQL_TOPK,
    PROMQL_BOTTOMK,
    PROMQL_QUANTILE,
    PROMQL_COUNT_VALUES,
    PROMQL_LIMITK,
    PROMQL_LIMIT_RATIO,
};

const char *promql_aggregate_name(enum promql_aggregate a);

enum promql_form {
    PROMQL_NUMBER,
    PROMQL_TEXT,
    PROMQL_SELECTOR, /* with a range: of a range vector */
    PROMQL_SUBQUERY,
    PROMQL_CALL,
    PROMQL_AGGREGATION,
    PROMQL_BINARY,
    PROMQL_UNARY,
    PROMQL_PAREN,
};

struct promql_expr {
    enum promql_form form;
    enum promql_type type;
    uint32_t id; /* below the query's `nodes` */
    uint32_t depth;
    struct language_place place;
    /* Operands and arguments: of SUBQUERY, UNARY and PAREN one, of BINARY two, of CALL all, of
     * AGGREGATION what is aggregated and then its parameter. */
    uint32_t arg_count;
    struct promql_expr **args;
    union {
        double number;
        struct batch_str text;
        struct {
            struct batch_str name; /* "" where no metric is named before the braces */
            uint32_t matcher_count;
            struct promql_matcher *matchers; /* the name among them, as Prometheus has it */
            struct promql_when when;
            const struct promql_duration *range; /* NULL: an instant vector */
            bool anchored, smoothed;
        } selector;
        struct {
            struct promql_when when;
            const struct promql_duration *range, *step; /* step NULL: the default */
        } subquery;
        const struct promql_function *function;
        struct {
            enum promql_aggregate op;
            bool without, grouped; /* grouped: by or without was written */
            struct promql_names names;
        } aggregation;
        struct {
            enum promql_op op;
            bool to_bool;
            struct promql_matching matching;
        } binary;
        bool negates; /* UNARY: minus, else plus */
    };
};

struct promql_query {
    struct batch_str text;
    uint32_t nodes;
    struct promql_expr *expr;
};

/* Whether the bytes are UTF-8 and not empty, as names must be. */
bool promql_is_name(struct batch_str name);

/* Without parentheses around it. */
const struct promql_expr *promql_bare(const struct promql_expr *e);

#endif
