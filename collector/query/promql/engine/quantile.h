// SPDX-License-Identifier: Apache-2.0
/* Quantiles of plain values. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_QUANTILE_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_QUANTILE_H

#include <stddef.h>

/* Between two values by their weights; NaN counts as the smallest. Sorts `values`. */
double quantile_of(double *values, size_t count, double q);

#endif
