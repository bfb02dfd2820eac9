// SPDX-License-Identifier: Apache-2.0
/* TraceQL as a tree. traceql_parse (parse.h) makes it in an arena and asks whether it means
 * something (check.c), the printer (print.h) writes it back as canonical text, the engine
 * (engine.h) answers it. docs/traceql.md tells the language and what each part means.
 *
 *   query     a pipeline, which traces and which of their spans: { status = error } | count() > 2;
 *             or series, numbers over time: { } | rate() by (name) | topk(5)
 *   series    what one metrics function gives, and arithmetic, thresholds, top k of such
 *   pipeline  stages: the first is given each trace as one set of spans, each further one the sets
 *             that the one before let through
 *   stage     a set expression, a condition on scalars, by(), coalesce(), select()
 *   set       { filter }, sets joined by operators, a pipeline in parentheses
 *   scalar    a number, count() and its kind, arithmetic; for each set of spans one value
 *   expr      inside { }, by() and aggregates: fields of a span, values, operators
 *
 * Pointers are never NULL unless a comment says so. A pipeline is not deeper than
 * TRACEQL_DEPTH_MAX, nor are series above their pipelines, so trees can be walked by recursion.
 */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_AST_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/query/language/error.h"
#include "lib/codec/batch.h"

enum {
    TRACEQL_DEPTH_MAX = 1000,
    TRACEQL_LENGTH_MAX = 128 << 10,
    TRACEQL_BY_MAX = 16,
    TRACEQL_PATTERNS_MAX = 100
};

/* ---- values ------------------------------------------------------------------------------ */

enum traceql_type {
    TRACEQL_NIL, /* nothing is there */
    TRACEQL_INT,
    TRACEQL_FLOAT,
    TRACEQL_DURATION, /* nanoseconds */
    TRACEQL_STRING,
    TRACEQL_BOOL,
    TRACEQL_STATUS,
    TRACEQL_KIND,
    TRACEQL_ANY, /* of the checker: an attribute's type is seen only in the spans */
};

/* Written in queries, and in no span: a span without a kind is internal here. */
enum { TRACEQL_KIND_UNSPECIFIED = 0xff };

struct traceql_value {
    enum traceql_type type;
    union {
        int64_t integer;       /* INT, and DURATION in nanoseconds */
        double number;         /* FLOAT */
        bool boolean;          /* BOOL */
        uint8_t keyword;       /* STATUS: enum span_status, KIND: enum span_kind or UNSPECIFIED */
        struct batch_str text; /* STRING: any bytes */
    };
};

/* ---- fields of a span -------------------------------------------------------------------- */

enum traceql_scope {
    TRACEQL_UNSCOPED, /* .key: of the span; if it has none, of its resource, events, links, scope */
    TRACEQL_SPAN,
    TRACEQL_RESOURCE,
    TRACEQL_EVENT,           /* as many values as events have it */
    TRACEQL_LINK,            /* as many values as links have it */
    TRACEQL_INSTRUMENTATION, /* the span's attribute otel.scope.KEY */
    TRACEQL_INTRINSIC,
};

enum traceql_intrinsic {
    TRACEQL_NAME,
    TRACEQL_STATUS_OF,
    TRACEQL_STATUS_MESSAGE,
    TRACEQL_KIND_OF,
    TRACEQL_DURATION_OF,
    TRACEQL_CHILD_COUNT,
    TRACEQL_SPAN_ID,   /* 16 hexadecimal digits, as all ids are strings */
    TRACEQL_PARENT_ID, /* nil for a root */
    TRACEQL_PARENT,    /* only whether there is one: compares with nil and nothing else */
    TRACEQL_NESTED_LEFT,
    TRACEQL_NESTED_RIGHT,
    TRACEQL_NESTED_PARENT, /* -1: a root, 0: the parent did not arrive */
    TRACEQL_TRACE_ID,      /* 32 hexadecimal digits */
    TRACEQL_TRACE_DURATION,
    TRACEQL_ROOT_NAME, /* nil, as the next, while the trace has no root */
    TRACEQL_ROOT_SERVICE,
    TRACEQL_EVENT_NAME, /* as many values as the span has events */
    TRACEQL_EVENT_TIME, /* since the span's start */
    TRACEQL_LINK_TRACE_ID,
    TRACEQL_LINK_SPAN_ID,
    TRACEQL_INSTRUMENTATION_NAME,    /* the span's attribute otel.scope.name */
    TRACEQL_INSTRUMENTATION_VERSION, /* … otel.scope.version */
    TRACEQL_INTRINSICS,
};

struct traceql_field {
    enum traceql_scope scope;
    enum traceql_intrinsic intrinsic; /* of INTRINSIC */
    bool parent;          /* of the span's parent: UNSCOPED, SPAN, RESOURCE, INTRINSIC */
    struct batch_str key; /* of the others */
    struct language_place place;
};

/* The type of an intrinsic; of PARENT it is NIL. */
enum traceql_type traceql_intrinsic_type(enum traceql_intrinsic intrinsic);
/* As canonical text has it: "name", "span:id" … */
const char *traceql_intrinsic_name(enum traceql_intrinsic intrinsic);

/* ---- operators --------------------------------------------------------------------------- */

enum traceql_op {
    TRACEQL_LITERAL, /* value */
    TRACEQL_FIELD,   /* field */
    TRACEQL_NOT,     /* !left */
    TRACEQL_NEGATE,  /* -left */
    TRACEQL_EXISTS,  /* left != nil */
    TRACEQL_MISSING, /* left = nil */
    TRACEQL_ADD,
    TRACEQL_SUB,
    TRACEQL_MUL,
    TRACEQL_DIV,
    TRACEQL_MOD,
    TRACEQL_POW,
    TRACEQL_EQ,
    TRACEQL_NE,
    TRACEQL_LT,
    TRACEQL_LE,
    TRACEQL_GT,
    TRACEQL_GE,
    TRACEQL_RE, /* the pattern, on the right, is a LITERAL string once it is checked */
    TRACEQL_NRE,
    TRACEQL_AND, /* && and || bind equally and to the left, as in Tempo */
    TRACEQL_OR,
    TRACEQL_OPS,
};

static inline bool traceql_op_is_arithmetic(enum traceql_op op)
{
    return op >= TRACEQL_ADD && op <= TRACEQL_POW;
}
static inline bool traceql_op_is_comparison(enum traceql_op op) /* of two values, not =~ */
{
    return op >= TRACEQL_EQ && op <= TRACEQL_GE;
}
const char *traceql_op_text(enum traceql_op op); /* "+", "&&" …; "" for LITERAL and FIELD */

struct traceql_expr {
    enum traceql_op op;
    uint32_t depth;
    struct language_place place; /* of the operator where there is one */
    struct traceql_expr *left, *right;
    struct traceql_value value;
    struct traceql_field field;
};

/* ---- sets of spans ----------------------------------------------------------------------- */

enum traceql_set_op {
    TRACEQL_SET_FILTER,   /* filter */
    TRACEQL_SET_PIPELINE, /* pipeline; it ends with sets, not with a scalar */
    TRACEQL_SET_AND,
    TRACEQL_SET_OR,
    /* The spans on the right that stand so to one on the left … */
    TRACEQL_SET_CHILD,      /* >  */
    TRACEQL_SET_PARENT,     /* <  */
    TRACEQL_SET_DESCENDANT, /* >> */
    TRACEQL_SET_ANCESTOR,   /* << */
    TRACEQL_SET_SIBLING,    /* ~  */
    TRACEQL_SET_NOT_CHILD,  /* … that do not: !> !< !>> !<< !~ */
    TRACEQL_SET_NOT_PARENT,
    TRACEQL_SET_NOT_DESCENDANT,
    TRACEQL_SET_NOT_ANCESTOR,
    TRACEQL_SET_NOT_SIBLING,
    TRACEQL_SET_UNION_CHILD, /* … and those on the left to which they do: &> &< &>> &<< &~ */
    TRACEQL_SET_UNION_PARENT,
    TRACEQL_SET_UNION_DESCENDANT,
    TRACEQL_SET_UNION_ANCESTOR,
    TRACEQL_SET_UNION_SIBLING,
    TRACEQL_SET_OPS,
};
const char *traceql_set_op_text(enum traceql_set_op op);

struct traceql_set {
    enum traceql_set_op op;
    uint32_t depth;
    struct language_place place;
    struct traceql_set *left, *right;
    struct traceql_expr *filter; /* NULL: { }, every span */
    struct traceql_pipeline *pipeline;
};

/* ---- scalars ----------------------------------------------------------------------------- */

enum traceql_aggregate {
    TRACEQL_COUNT,
    TRACEQL_MIN,
    TRACEQL_MAX,
    TRACEQL_AVG,
    TRACEQL_SUM,
    TRACEQL_AGGREGATES,
};
const char *traceql_aggregate_name(enum traceql_aggregate a);

enum traceql_scalar_form {
    TRACEQL_SCALAR_NUMBER,     /* value: INT, FLOAT or DURATION */
    TRACEQL_SCALAR_AGGREGATE,  /* aggregate, of (NULL for COUNT) */
    TRACEQL_SCALAR_PIPELINE,   /* pipeline; its last stage is a SCALAR */
    TRACEQL_SCALAR_ARITHMETIC, /* left op right */
};

struct traceql_scalar {
    enum traceql_scalar_form form;
    uint32_t depth;
    struct language_place place;
    enum traceql_op op;
    struct traceql_scalar *left, *right;
    struct traceql_value value;
    enum traceql_aggregate aggregate;
    struct traceql_expr *of;
    struct traceql_pipeline *pipeline;
};

/* ---- pipelines --------------------------------------------------------------------------- */

enum traceql_stage_form {
    TRACEQL_STAGE_SET,       /* set */
    TRACEQL_STAGE_CONDITION, /* left op right */
    TRACEQL_STAGE_BY,        /* by */
    TRACEQL_STAGE_COALESCE,
    TRACEQL_STAGE_SELECT, /* fields */
    TRACEQL_STAGE_SCALAR, /* left: only the last, and only of a pipeline that is a scalar */
};

struct traceql_fields {
    uint32_t count;
    struct traceql_field *list;
};

struct traceql_stage {
    enum traceql_stage_form form;
    struct language_place place;
    struct traceql_stage *next; /* NULL: the last */
    struct traceql_set *set;
    enum traceql_op op;
    struct traceql_scalar *left, *right;
    struct traceql_expr *by;
    struct traceql_fields fields;
};

struct traceql_pipeline {
    uint32_t depth, count;
    struct traceql_stage *first, *last;
};

/* ---- series ------------------------------------------------------------------------------ */

enum traceql_function {
    TRACEQL_RATE,
    TRACEQL_COUNT_OVER_TIME,
    TRACEQL_MIN_OVER_TIME,
    TRACEQL_MAX_OVER_TIME,
    TRACEQL_AVG_OVER_TIME,
    TRACEQL_SUM_OVER_TIME,
    TRACEQL_QUANTILE_OVER_TIME,
    TRACEQL_HISTOGRAM_OVER_TIME,
    TRACEQL_COMPARE,
    TRACEQL_FUNCTIONS,
};
const char *traceql_function_name(enum traceql_function f);
bool traceql_function_has_field(enum traceql_function f);

struct traceql_metrics {
    enum traceql_function function;
    struct language_place place;
    struct traceql_field of; /* where traceql_function_has_field */
    uint32_t quantile_count;
    double *quantiles;
    struct traceql_fields by; /* none: one series */
    /* Of COMPARE: */
    struct traceql_set *selection; /* a FILTER */
    bool has_top, has_times;
    int64_t top, start_unix_ns, end_unix_ns; /* top is 10, the times are 0 if they were not given */
};

enum traceql_series_form {
    TRACEQL_SERIES_METRICS,    /* metrics of the spans that the pipeline selects */
    TRACEQL_SERIES_ARITHMETIC, /* left op right; op is one of + - * / */
    TRACEQL_SERIES_THRESHOLD,  /* left op value: keeps the points where that is true */
    TRACEQL_SERIES_TOPK,       /* of left, `limit` at each point */
    TRACEQL_SERIES_BOTTOMK,
};

struct traceql_series {
    enum traceql_series_form form;
    uint32_t depth;
    struct language_place place;
    enum traceql_op op;
    struct traceql_series *left, *right;
    struct traceql_pipeline *pipeline;
    struct traceql_metrics *metrics;
    struct traceql_value value; /* INT, FLOAT or DURATION (compared in seconds) */
    int64_t limit;
};

/* ---- the query --------------------------------------------------------------------------- */

struct traceql_hint { /* with (name = value, …) */
    struct batch_str name;
    struct traceql_value value;
    struct language_place place;
};

struct traceql_query {
    struct batch_str text;
    struct traceql_pipeline *pipeline; /* a search; NULL: series is there */
    struct traceql_series *series;     /* metrics; NULL: pipeline is there */
    uint32_t hint_count;
    struct traceql_hint *hints;
};

/* The hint of that name that was given last. NULL: none. */
const struct traceql_hint *traceql_hint(const struct traceql_query *q, const char *name);

#endif
