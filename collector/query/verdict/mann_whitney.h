// SPDX-License-Identifier: Apache-2.0
/* The Mann–Whitney U test (1947): do values of one sample tend to be larger than those of another?
 * It asks for ranks alone, so outliers and odd distributions do no harm. Ties share their ranks,
 * and the variance is corrected for them; the p-value is by the normal approximation with a
 * correction for continuity, good from some eight values a side on.
 *
 * https://doi.org/10.1214/aoms/1177730491; for the effect size, Cliff (1993), "Dominance
 * statistics". */
#ifndef WEFT_COLLECTOR_QUERY_VERDICT_MANN_WHITNEY_H
#define WEFT_COLLECTOR_QUERY_VERDICT_MANN_WHITNEY_H

#include <stddef.h>

struct mann_whitney {
    double u;     /* of `b`: pairs in which b's value is the larger one, ties as halves */
    double delta; /* Cliff's delta: from -1, all of b below all of a, to 1, all above */
    double p;     /* two-sided; 1 where there is nothing to compare */
};

/* Finite values, in any order. 0; -1: no memory. */
int mann_whitney(const double *a, size_t a_count, const double *b, size_t b_count,
                 struct mann_whitney *out);

/* The two-sided p-value of a standard normal z. */
double normal_p(double z);

#endif
