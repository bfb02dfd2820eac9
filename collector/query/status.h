// SPDX-License-Identifier: Apache-2.0
/* The state of the whole pipeline as one answer: put together where all parts are known
 * (collector.c), shown by web/. Strings belong to the status unless said otherwise. */
#ifndef WEFT_COLLECTOR_QUERY_STATUS_H
#define WEFT_COLLECTOR_QUERY_STATUS_H

#include "collector/caches/caches.h"
#include "collector/inquire/watchers.h"
#include "collector/ledger/ledger.h"
#include "collector/losses.h"
#include "collector/observe/observer.h"
#include "collector/series/store.h"
#include "collector/traces/freshness.h"
#include "collector/traces/store.h"
#include "lib/link/link.h"
#include "lib/link/server.h"

struct status_agent {
    char id[LINK_AGENT_ID_MAX + 1];
    char host[256], version[64], problem[256];
    bool connected, reported;
    uint64_t last_seen_unix_ns;
    int64_t clock_skew_ns; /* the collector's clock less the agent's */
    uint64_t accepted_batches, accepted_spans;
    /* As the agent reported last; absolute since it started. */
    uint64_t start_unix_ns, processes, spans, batches, sweep_lag_ns;
    uint64_t spool_bytes, spool_limit_bytes, spool_batches;
    uint64_t cpu_ns, resident_bytes;
};

struct pipeline_status {
    const char *version; /* static */
    uint64_t start_unix_ns, now_unix_ns;
    uint64_t batches, spans, bytes, duplicate_batches; /* since the start */
    double spans_per_s;                                /* over the last seconds */
    uint64_t queued_batches, queued_bytes;
    struct store_stats store;
    struct files_damage *damaged;
    size_t damaged_count;
    struct series_stats series;
    struct files_damage *series_damaged;
    size_t series_damaged_count;
    struct ledger_stats ledger;
    struct observer_stats marks;
    struct observer_stats caches_observer;
    struct caches_stats caches;
    struct watchers_stats watchers;
    struct freshness_summary freshness;
    struct link_server_stats link;
    struct status_agent *agents; /* by id */
    size_t agent_count;
    struct loss_row *losses;
    size_t loss_count;
    const char *not_ready; /* static; NULL: ready */
};

void pipeline_status_fini(struct pipeline_status *s);

#endif
