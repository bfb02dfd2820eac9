// SPDX-License-Identifier: Apache-2.0
/* The tap's configuration; the table in config.c is its documentation. */
#ifndef WEFT_AGENT_TAP_CONFIG_H
#define WEFT_AGENT_TAP_CONFIG_H

#include "agent/tap/connections.h"
#include "agent/tap/hot.h"
#include "lib/base/config.h"

struct tap_config {
    char *directory; /* the agent's, where its feed is */
    char *host;      /* NULL: the host's name */
    char *interfaces, *memcached, *redis;
    char *user; /* NULL: stay who we are */
    uint64_t buffer_bytes, memory_bytes, remember_bytes;
    int64_t connections, keys, tell;
    uint64_t window_ns;
    char *tell_keys;
    char *log_level;
};

extern const struct config_program tap_program;

enum { TAP_PORTS_MOST = 256, TAP_INTERFACES_MOST = 64 };

/* What the texts say. */
struct tap_plan {
    struct tap_port ports[TAP_PORTS_MOST];
    uint16_t numbers[TAP_PORTS_MOST];
    size_t port_count;
    char *interfaces[TAP_INTERFACES_MOST]; /* pointing into the configuration, which is cut up */
    size_t interface_count;
    enum hot_privacy privacy;
};
/* 0; -1 with a sentence in `why`. */
int tap_plan_read(struct tap_plan *plan, struct tap_config *config, char *why, size_t why_size);

#endif
