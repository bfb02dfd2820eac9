// SPDX-License-Identifier: Apache-2.0
/* Classic histograms: series whose label "le" is the upper bound of a bucket that holds all values
 * up to it. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_CLASSIC_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_CLASSIC_H

#include "collector/query/promql/engine/annotations.h"

struct classic_bucket {
    double upper, count; /* of all values up to it */
};

/* Each sorts and changes the buckets. NaN where the last is not +Inf. */
double classic_quantile(struct classic_bucket *b, size_t count, double q, bool *forced,
                        struct monotonicity *widest);
/* `scratch`: of as many buckets. */
double classic_fraction(struct classic_bucket *b, size_t count, double lower, double upper,
                        struct histogram_bucket *scratch);
/* False for what is no number. */
bool classic_bound(struct batch_str le, double *upper);

#endif
