// SPDX-License-Identifier: Apache-2.0
/* Which processes that the agent finds running are watched, and as what: a YAML list of rules, of
 * which the first that fits counts.
 *
 *     - executable: /usr/bin/redis-server
 *       port: 6379
 *       service: redis
 *       cell: c1
 *     - unit: memcached@*.service
 *
 * Immutable once read: any thread. */
#ifndef WEFT_AGENT_WATCH_RULES_H
#define WEFT_AGENT_WATCH_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WATCH_RULES_MAX = 1000 };

/* What is not asked for is NULL or 0. */
struct watch_rule {
    char *executable; /* a glob: of the whole path where it has a '/', else of the name */
    char *resolved;   /* where that path leads, which has no wildcards */
    char *unit;       /* a glob */
    uint16_t port;
    char *service, *version, *cell;
};

struct watch_rules {
    struct watch_rule *list;
    size_t count;
    bool ask_executable, ask_unit, ask_port; /* some rule does */
};

/* 0; -1 with a sentence in `why`, "FILE:LINE: found …, expected …". */
int watch_rules_load(struct watch_rules *r, const char *path, char *why, size_t why_size);
/* The same, of a text. */
int watch_rules_read(struct watch_rules *r, const char *file, const char *text, size_t length,
                     char *why, size_t why_size);
void watch_rules_fini(struct watch_rules *r);

/* What is known of a process; "" where it is not. */
struct watch_subject {
    const char *executable; /* the path */
    const char *name;       /* what it calls itself, its first 15 bytes */
    const char *unit;
    const uint16_t *ports; /* on which it listens */
    size_t port_count;
};

/* The number of the rule; -1: none fits. */
int watch_rules_match(const struct watch_rules *r, const struct watch_subject *s);

#endif
