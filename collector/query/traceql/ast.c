// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/ast.h"

#include <string.h>

static const struct {
    const char *name;
    enum traceql_type type;
} intrinsics[TRACEQL_INTRINSICS] = {
    [TRACEQL_NAME] = {"name", TRACEQL_STRING},
    [TRACEQL_STATUS_OF] = {"status", TRACEQL_STATUS},
    [TRACEQL_STATUS_MESSAGE] = {"statusMessage", TRACEQL_STRING},
    [TRACEQL_KIND_OF] = {"kind", TRACEQL_KIND},
    [TRACEQL_DURATION_OF] = {"duration", TRACEQL_DURATION},
    [TRACEQL_CHILD_COUNT] = {"span:childCount", TRACEQL_INT},
    [TRACEQL_SPAN_ID] = {"span:id", TRACEQL_STRING},
    [TRACEQL_PARENT_ID] = {"span:parentID", TRACEQL_STRING},
    [TRACEQL_PARENT] = {"parent", TRACEQL_NIL},
    [TRACEQL_NESTED_LEFT] = {"nestedSetLeft", TRACEQL_INT},
    [TRACEQL_NESTED_RIGHT] = {"nestedSetRight", TRACEQL_INT},
    [TRACEQL_NESTED_PARENT] = {"nestedSetParent", TRACEQL_INT},
    [TRACEQL_TRACE_ID] = {"trace:id", TRACEQL_STRING},
    [TRACEQL_TRACE_DURATION] = {"traceDuration", TRACEQL_DURATION},
    [TRACEQL_ROOT_NAME] = {"rootName", TRACEQL_STRING},
    [TRACEQL_ROOT_SERVICE] = {"rootServiceName", TRACEQL_STRING},
    [TRACEQL_EVENT_NAME] = {"event:name", TRACEQL_STRING},
    [TRACEQL_EVENT_TIME] = {"event:timeSinceStart", TRACEQL_DURATION},
    [TRACEQL_LINK_TRACE_ID] = {"link:traceID", TRACEQL_STRING},
    [TRACEQL_LINK_SPAN_ID] = {"link:spanID", TRACEQL_STRING},
    [TRACEQL_INSTRUMENTATION_NAME] = {"instrumentation:name", TRACEQL_STRING},
    [TRACEQL_INSTRUMENTATION_VERSION] = {"instrumentation:version", TRACEQL_STRING},
};

enum traceql_type traceql_intrinsic_type(enum traceql_intrinsic intrinsic)
{
    return intrinsics[intrinsic].type;
}

const char *traceql_intrinsic_name(enum traceql_intrinsic intrinsic)
{
    return intrinsics[intrinsic].name;
}

const char *traceql_op_text(enum traceql_op op)
{
    static const char *const texts[TRACEQL_OPS] = {
        [TRACEQL_LITERAL] = "", [TRACEQL_FIELD] = "",        [TRACEQL_NOT] = "!",
        [TRACEQL_NEGATE] = "-", [TRACEQL_EXISTS] = "!= nil", [TRACEQL_MISSING] = "= nil",
        [TRACEQL_ADD] = "+",    [TRACEQL_SUB] = "-",         [TRACEQL_MUL] = "*",
        [TRACEQL_DIV] = "/",    [TRACEQL_MOD] = "%",         [TRACEQL_POW] = "^",
        [TRACEQL_EQ] = "=",     [TRACEQL_NE] = "!=",         [TRACEQL_LT] = "<",
        [TRACEQL_LE] = "<=",    [TRACEQL_GT] = ">",          [TRACEQL_GE] = ">=",
        [TRACEQL_RE] = "=~",    [TRACEQL_NRE] = "!~",        [TRACEQL_AND] = "&&",
        [TRACEQL_OR] = "||",
    };
    return texts[op];
}

const char *traceql_set_op_text(enum traceql_set_op op)
{
    static const char *const texts[TRACEQL_SET_OPS] = {
        [TRACEQL_SET_FILTER] = "",
        [TRACEQL_SET_PIPELINE] = "",
        [TRACEQL_SET_AND] = "&&",
        [TRACEQL_SET_OR] = "||",
        [TRACEQL_SET_CHILD] = ">",
        [TRACEQL_SET_PARENT] = "<",
        [TRACEQL_SET_DESCENDANT] = ">>",
        [TRACEQL_SET_ANCESTOR] = "<<",
        [TRACEQL_SET_SIBLING] = "~",
        [TRACEQL_SET_NOT_CHILD] = "!>",
        [TRACEQL_SET_NOT_PARENT] = "!<",
        [TRACEQL_SET_NOT_DESCENDANT] = "!>>",
        [TRACEQL_SET_NOT_ANCESTOR] = "!<<",
        [TRACEQL_SET_NOT_SIBLING] = "!~",
        [TRACEQL_SET_UNION_CHILD] = "&>",
        [TRACEQL_SET_UNION_PARENT] = "&<",
        [TRACEQL_SET_UNION_DESCENDANT] = "&>>",
        [TRACEQL_SET_UNION_ANCESTOR] = "&<<",
        [TRACEQL_SET_UNION_SIBLING] = "&~",
    };
    return texts[op];
}

const char *traceql_aggregate_name(enum traceql_aggregate a)
{
    static const char *const names[TRACEQL_AGGREGATES] = {"count", "min", "max", "avg", "sum"};
    return names[a];
}

const char *traceql_function_name(enum traceql_function f)
{
    static const char *const names[TRACEQL_FUNCTIONS] = {
        "rate",          "count_over_time", "min_over_time",      "max_over_time",
        "avg_over_time", "sum_over_time",   "quantile_over_time", "histogram_over_time",
        "compare"};
    return names[f];
}

bool traceql_function_has_field(enum traceql_function f)
{
    return f >= TRACEQL_MIN_OVER_TIME && f <= TRACEQL_HISTOGRAM_OVER_TIME;
}

const struct traceql_hint *traceql_hint(const struct traceql_query *q, const char *name)
{
    for (uint32_t i = q->hint_count; i-- > 0;) {
        if (q->hints[i].name.length == strlen(name) &&
            memcmp(q->hints[i].name.bytes, name, q->hints[i].name.length) == 0)
            return &q->hints[i];
    }
    return NULL;
}
