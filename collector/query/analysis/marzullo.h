// SPDX-License-Identifier: Apache-2.0
/* Marzullo's algorithm: intervals that each should hold a number, some of which are wrong; where
 * do the most of them overlap? */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_MARZULLO_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_MARZULLO_H

#include <stdint.h>

#define INTERVAL_OPEN_LEAST INT64_MIN
#define INTERVAL_OPEN_MOST  INT64_MAX

struct interval { /* least <= most, both within */
    int64_t least, most;
};

static inline struct interval interval_negated(struct interval i)
{
    return (struct interval){
        .least = i.most == INTERVAL_OPEN_MOST ? INTERVAL_OPEN_LEAST : -i.most,
        .most = i.least == INTERVAL_OPEN_LEAST ? INTERVAL_OPEN_MOST : -i.least,
    };
}

struct consensus {
    /* 0 wherever 0 is as good as anything; else the middle of the best place, of several the
     * nearest to 0; its bound where it is open on one side. */
    int64_t value;
    uint64_t uncertainty; /* to the place's further end; UINT64_MAX: open */
    uint32_t agreeing;    /* intervals that hold `value` */
};

/* O(n log n). -1 when memory is out. No interval: 0, open. */
int marzullo(const struct interval *intervals, uint32_t count, struct consensus *result);

#endif
