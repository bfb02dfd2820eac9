// SPDX-License-Identifier: Apache-2.0
/* weft-collector's configuration: the table behind its file, its flags, --help and its man
 * page. */
#ifndef WEFT_COLLECTOR_CONFIG_H
#define WEFT_COLLECTOR_CONFIG_H

#include <stdbool.h>

#include "lib/base/config.h"

struct collector_config {
    char *http, *http_hosts, *token_file, *page_dir;
    char *log_link; /* NULL: none */
    char *link, *control, *keys_dir;
    char *ledger_dir;
    uint64_t ledger_limit_bytes, ledger_segment_bytes, ledger_age_ns;
    char *traces_dir;   /* NULL: "traces" beside the ledger's directory */
    char *firehose_dir; /* NULL: likewise "firehose" */
    uint64_t traces_limit_bytes, traces_age_ns, traces_cut_ns, traces_merge_bytes;
    char *series_dir;     /* NULL: likewise "series" */
    char *dashboards_dir; /* NULL: likewise "dashboards" */
    char *marks_dir;      /* NULL: likewise "marks" */
    uint64_t marks_age_ns;
    char *caches_dir; /* NULL: likewise "caches" */
    uint64_t caches_age_ns, caches_limit_bytes;
    int64_t hot_key_share, hot_key_rate; /* in percent; calls a second */
    char *rules, *alertmanagers;         /* lists with commas; NULL: none */
    uint64_t rules_grace_ns;
    uint64_t own_metrics_ns; /* 0: they are not kept */
    bool admin_api;
    char *archive;     /* a file, "default" or "none" */
    char *archive_dir; /* NULL: likewise "archive" */
    int64_t archive_files;
    uint64_t series_limit_bytes, series_age_ns, series_cut_ns, series_late_ns, series_memory_bytes,
        series_memory_each_bytes;
    uint64_t memory_bytes;
    int64_t series_active, query_threads, http_connections;
    char *log_level;
    bool check_config;
};

extern const struct config_program collector_program;

bool collector_keeps_archive(const struct collector_config *c);
/* What the table cannot say: combinations, names. -1 and a sentence. */
int collector_config_check(const struct collector_config *c, char *why, size_t why_size);

#endif
