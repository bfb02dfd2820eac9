// SPDX-License-Identifier: Apache-2.0
/* The agent's configuration; the table in config.c is its documentation. */
#ifndef WEFT_AGENT_CONFIG_H
#define WEFT_AGENT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/config.h"

struct agent_config {
    char *directory; /* of the process files */
    char *agent;     /* id; the host's name by default */
    char *collector, *control;
    char *key_file;
    char *spool;
    uint64_t spool_limit;
    uint64_t sweep_interval_ns;
    uint64_t batch_age_ns;
    uint64_t batch_bytes;
    int64_t in_flight; /* batches under way */
    char *http;        /* "127.0.0.1:4041", "" none */
    uint64_t drain_ns;
    uint64_t own_metrics_ns; /* 0: never */
    char *statsd;            /* "127.0.0.1:8125", "" none */
    char *processes;
    int64_t series_per_metric;
    char *log_level;
};

extern const struct config_program agent_program;

#endif
