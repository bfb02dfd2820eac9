// SPDX-License-Identifier: Apache-2.0
/* The values of one side of a verdict, asked for in PromQL. */
#ifndef WEFT_COLLECTOR_QUERY_VERDICT_MEASURE_H
#define WEFT_COLLECTOR_QUERY_VERDICT_MEASURE_H

#include "collector/query/verdict/verdict.h"

/* Of whom and when. */
struct measured {
    const struct verdict_question *question;
    const char *version; /* NULL: all */
    int64_t from_ms, to_ms, interval_ms;
    bool per_process; /* rates are of one process: the versions have different numbers of them */
    bool all_kinds;   /* of spans: there are none by which requests enter (measure_entries) */
};

/* Finds out which spans are the requests. 0; -1 as verdict_of. */
int measure_entries(struct measured *m);
/* One value an interval, NaN where there is none; for quantiles all requests too. */
int measure_side(const struct measured *m, enum measure measure, struct arena *arena,
                 struct compare_side *out);
/* On how many hosts processes of the service ran at `to_ms`; 0: nobody told. 0; -1 as verdict_of.
 */
int measure_hosts(const struct measured *m, uint64_t *hosts);

#endif
