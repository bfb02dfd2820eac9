// SPDX-License-Identifier: Apache-2.0
/* What the series that taps tell say of caches over a time, asked for in PromQL as anybody could.
 */
#ifndef WEFT_COLLECTOR_QUERY_CACHE_SERIES_H
#define WEFT_COLLECTOR_QUERY_CACHE_SERIES_H

#include <stdint.h>

#include "collector/caches/caches.h"
#include "collector/series/source.h"

/* NAN: no series tells. */
struct cache_series {
    double commands_per_s, hits_per_s, misses_per_s, errors_per_s;
    double request_bytes_per_s, reply_bytes_per_s;
    double p50_seconds, p99_seconds, p999_seconds; /* of service */
};

struct cache_series_question {
    const struct series_source *source;
    int64_t from_unix_ms, to_unix_ms;
    uint64_t deadline_ns; /* on CLOCK_MONOTONIC */
};

/* One for each of `caches`, into `out`. 0; -1: time, memory or the disk. */
int cache_series_ask(const struct cache_series_question *q, const struct cache_view *caches,
                     uint32_t count, struct cache_series *out);

#endif
