// SPDX-License-Identifier: Apache-2.0
/* What a tap reports of its caches (agent/tap/report.c), as counts that grow; two reports make
 * rates and quantiles. One thread. */
#ifndef WEFT_CLI_TOP_REPORT_H
#define WEFT_CLI_TOP_REPORT_H

#include "cli/top_rows.h"
#include "lib/codec/batch.h"

/* Times of service, in 16 buckets for each doubling (a bucket is 4.4 % wide), from 1 ns to 17 min.
 */
enum { TOP_TIMES_SCALE = 4, TOP_TIMES_FIRST = -30 * 16, TOP_TIMES = 40 * 16 };

struct top_cache {
    char host[64], address[128], protocol[32];
    double commands, hits, misses, errors, bytes, distinct, peak; /* NAN: not told */
    double times[TOP_TIMES];
};

struct top_report {
    struct top_cache *caches;
    uint32_t count;
    int64_t unix_ms; /* of the latest sample; 0: there was none */
    double lost_packets, lost_reports;
    bool no_memory;
};

void top_report_init(struct top_report *r);
void top_report_fini(struct top_report *r);
/* Adds what the batch tells. */
void top_report_take(struct top_report *r, const struct batch *b);
/* What came between two reports. */
void top_report_rows(const struct top_report *before, const struct top_report *now,
                     struct top_table *t);

#endif
