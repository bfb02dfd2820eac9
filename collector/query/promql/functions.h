// SPDX-License-Identifier: Apache-2.0
/* PromQL's functions: one table of names, types and arguments. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_FUNCTIONS_H
#define WEFT_COLLECTOR_QUERY_PROMQL_FUNCTIONS_H

#include <stdint.h>

#include "lib/codec/batch_str.h"

enum promql_type {
    PROMQL_TYPE_NONE,
    PROMQL_SCALAR,
    PROMQL_STRING,
    PROMQL_VECTOR,
    PROMQL_MATRIX, /* a range vector */
};

/* "scalar", "instant vector" … */
const char *promql_type_name(enum promql_type type);

#define PROMQL_FUNCTIONS(X)                                                                        \
    X(ABS, "abs", VECTOR, 1, 1, "v")                                                               \
    X(ABSENT, "absent", VECTOR, 1, 1, "v")                                                         \
    X(ABSENT_OVER_TIME, "absent_over_time", VECTOR, 1, 1, "m")                                     \
    X(ACOS, "acos", VECTOR, 1, 1, "v")                                                             \
    X(ACOSH, "acosh", VECTOR, 1, 1, "v")                                                           \
    X(ASIN, "asin", VECTOR, 1, 1, "v")                                                             \
    X(ASINH, "asinh", VECTOR, 1, 1, "v")                                                           \
    X(ATAN, "atan", VECTOR, 1, 1, "v")                                                             \
    X(ATANH, "atanh", VECTOR, 1, 1, "v")                                                           \
    X(AVG_OVER_TIME, "avg_over_time", VECTOR, 1, 1, "m")                                           \
    X(CEIL, "ceil", VECTOR, 1, 1, "v")                                                             \
    X(CHANGES, "changes", VECTOR, 1, 1, "m")                                                       \
    X(CLAMP, "clamp", VECTOR, 3, 3, "vss")                                                         \
    X(CLAMP_MAX, "clamp_max", VECTOR, 2, 2, "vs")                                                  \
    X(CLAMP_MIN, "clamp_min", VECTOR, 2, 2, "vs")                                                  \
    X(COS, "cos", VECTOR, 1, 1, "v")                                                               \
    X(COSH, "cosh", VECTOR, 1, 1, "v")                                                             \
    X(COUNT_OVER_TIME, "count_over_time", VECTOR, 1, 1, "m")                                       \
    X(DAY_OF_MONTH, "day_of_month", VECTOR, 0, 1, "v")                                             \
    X(DAY_OF_WEEK, "day_of_week", VECTOR, 0, 1, "v")                                               \
    X(DAY_OF_YEAR, "day_of_year", VECTOR, 0, 1, "v")                                               \
    X(DAYS_IN_MONTH, "days_in_month", VECTOR, 0, 1, "v")                                           \
    X(DEG, "deg", VECTOR, 1, 1, "v")                                                               \
    X(DELTA, "delta", VECTOR, 1, 1, "m")                                                           \
    X(DERIV, "deriv", VECTOR, 1, 1, "m")                                                           \
    X(DOUBLE_EXPONENTIAL_SMOOTHING, "double_exponential_smoothing", VECTOR, 3, 3, "mss")           \
    X(END, "end", SCALAR, 0, 0, "")                                                                \
    X(EXP, "exp", VECTOR, 1, 1, "v")                                                               \
    X(FIRST_OVER_TIME, "first_over_time", VECTOR, 1, 1, "m")                                       \
    X(FLOOR, "floor", VECTOR, 1, 1, "v")                                                           \
    X(HISTOGRAM_AVG, "histogram_avg", VECTOR, 1, 1, "v")                                           \
    X(HISTOGRAM_COUNT, "histogram_count", VECTOR, 1, 1, "v")                                       \
    X(HISTOGRAM_FRACTION, "histogram_fraction", VECTOR, 3, 3, "ssv")                               \
    X(HISTOGRAM_QUANTILE, "histogram_quantile", VECTOR, 2, 2, "sv")                                \
    X(HISTOGRAM_QUANTILES, "histogram_quantiles", VECTOR, 3, 12, "vts")                            \
    X(HISTOGRAM_STDDEV, "histogram_stddev", VECTOR, 1, 1, "v")                                     \
    X(HISTOGRAM_STDVAR, "histogram_stdvar", VECTOR, 1, 1, "v")                                     \
    X(HISTOGRAM_SUM, "histogram_sum", VECTOR, 1, 1, "v")                                           \
    X(HOUR, "hour", VECTOR, 0, 1, "v")                                                             \
    X(IDELTA, "idelta", VECTOR, 1, 1, "m")                                                         \
    X(INCREASE, "increase", VECTOR, 1, 1, "m")                                                     \
    X(INFO, "info", VECTOR, 1, 2, "vv")                                                            \
    X(IRATE, "irate", VECTOR, 1, 1, "m")                                                           \
    X(LABEL_JOIN, "label_join", VECTOR, 3, UINT8_MAX, "vttt")                                      \
    X(LABEL_REPLACE, "label_replace", VECTOR, 5, 5, "vtttt")                                       \
    X(LAST_OVER_TIME, "last_over_time", VECTOR, 1, 1, "m")                                         \
    X(LN, "ln", VECTOR, 1, 1, "v")                                                                 \
    X(LOG10, "log10", VECTOR, 1, 1, "v")                                                           \
    X(LOG2, "log2", VECTOR, 1, 1, "v")                                                             \
    X(MAD_OVER_TIME, "mad_over_time", VECTOR, 1, 1, "m")                                           \
    X(MAX_OF, "max_of", SCALAR, 2, 2, "ss")                                                        \
    X(MAX_OVER_TIME, "max_over_time", VECTOR, 1, 1, "m")                                           \
    X(MIN_OF, "min_of", SCALAR, 2, 2, "ss")                                                        \
    X(MIN_OVER_TIME, "min_over_time", VECTOR, 1, 1, "m")                                           \
    X(MINUTE, "minute", VECTOR, 0, 1, "v")                                                         \
    X(MONTH, "month", VECTOR, 0, 1, "v")                                                           \
    X(PI, "pi", SCALAR, 0, 0, "")                                                                  \
    X(PREDICT_LINEAR, "predict_linear", VECTOR, 2, 2, "ms")                                        \
    X(PRESENT_OVER_TIME, "present_over_time", VECTOR, 1, 1, "m")                                   \
    X(QUANTILE_OVER_TIME, "quantile_over_time", VECTOR, 2, 2, "sm")                                \
    X(RAD, "rad", VECTOR, 1, 1, "v")                                                               \
    X(RANGE, "range", SCALAR, 0, 0, "")                                                            \
    X(RATE, "rate", VECTOR, 1, 1, "m")                                                             \
    X(RESETS, "resets", VECTOR, 1, 1, "m")                                                         \
    X(ROUND, "round", VECTOR, 1, 2, "vs")                                                          \
    X(SCALAR, "scalar", SCALAR, 1, 1, "v")                                                         \
    X(SGN, "sgn", VECTOR, 1, 1, "v")                                                               \
    X(SIN, "sin", VECTOR, 1, 1, "v")                                                               \
    X(SINH, "sinh", VECTOR, 1, 1, "v")                                                             \
    X(SORT, "sort", VECTOR, 1, 1, "v")                                                             \
    X(SORT_BY_LABEL, "sort_by_label", VECTOR, 1, UINT8_MAX, "vt")                                  \
    X(SORT_BY_LABEL_DESC, "sort_by_label_desc", VECTOR, 1, UINT8_MAX, "vt")                        \
    X(SORT_DESC, "sort_desc", VECTOR, 1, 1, "v")                                                   \
    X(SQRT, "sqrt", VECTOR, 1, 1, "v")                                                             \
    X(START, "start", SCALAR, 0, 0, "")                                                            \
    X(STDDEV_OVER_TIME, "stddev_over_time", VECTOR, 1, 1, "m")                                     \
    X(STDVAR_OVER_TIME, "stdvar_over_time", VECTOR, 1, 1, "m")                                     \
    X(STEP, "step", SCALAR, 0, 0, "")                                                              \
    X(SUM_OVER_TIME, "sum_over_time", VECTOR, 1, 1, "m")                                           \
    X(TAN, "tan", VECTOR, 1, 1, "v")                                                               \
    X(TANH, "tanh", VECTOR, 1, 1, "v")                                                             \
    X(TIME, "time", SCALAR, 0, 0, "")                                                              \
    X(TIMESTAMP, "timestamp", VECTOR, 1, 1, "v")                                                   \
    X(TS_OF_FIRST_OVER_TIME, "ts_of_first_over_time", VECTOR, 1, 1, "m")                           \
    X(TS_OF_LAST_OVER_TIME, "ts_of_last_over_time", VECTOR, 1, 1, "m")                             \
    X(TS_OF_MAX_OVER_TIME, "ts_of_max_over_time", VECTOR, 1, 1, "m")                               \
    X(TS_OF_MIN_OVER_TIME, "ts_of_min_over_time", VECTOR, 1, 1, "m")                               \
    X(VECTOR_OF, "vector", VECTOR, 1, 1, "s")                                                      \
    X(YEAR, "year", VECTOR, 0, 1, "v")

enum promql_function_id {
#define PROMQL_FUNCTION_ID(id, name, type, least, most, args) PROMQL_FN_##id,
    PROMQL_FUNCTIONS(PROMQL_FUNCTION_ID)
#undef PROMQL_FUNCTION_ID
        PROMQL_FUNCTION_COUNT
};

struct promql_function {
    enum promql_function_id id;
    const char *name;
    enum promql_type type;
    uint8_t least, most; /* arguments */
    const char *args;    /* a letter for each: s(calar), t(ext), v(ector), m(atrix); the last one
                          * stands for all that follow */
};

/* NULL: there is none of that name. */
const struct promql_function *promql_function_named(struct batch_str name);
const struct promql_function *promql_function_at(enum promql_function_id id);
enum promql_type promql_function_arg(const struct promql_function *f, uint32_t i);

#endif
