// SPDX-License-Identifier: Apache-2.0
/* Recording and alerting rules (docs/rules.md), evaluated while the collector runs.
 *
 *   yaml.c, read.c, files.c, template.c   from files to a checked set (rule.h)
 *   evaluate.c, alerts.c, restore.c       a group at one moment, with the time told from outside
 *   sample.c                              what rules yield, as a batch
 *   tell.c, notify.c                      alerts become marks and messages
 *   rules.c                               when, and with which files
 *
 * One thread evaluates, a group after the other; each receiver of alerts has one more. */
#ifndef WEFT_COLLECTOR_RULES_RULES_H
#define WEFT_COLLECTOR_RULES_RULES_H

#include "collector/rules/tell.h"

struct rules;

struct rules_options {
    const char *paths;         /* as rule_set_load takes them; NULL: none */
    const char *alertmanagers; /* as notify_check_urls takes them; NULL: none */
    int64_t grace_ms;          /* alert_restored_active_ms */
    struct marks *marks;       /* NULL: none are made */
    const struct series_source *source;
    /* Makes an encoded batch durable and visible; waits. `memory` (malloc'ed) is taken over. -1 and
     * the reason. */
    int (*write)(void *context, void *memory, size_t length, char *why, size_t why_size);
    /* Nothing is evaluated before this is true for the first time. */
    bool (*ready)(void *context);
    void *context;
};

/* Reads the files. NULL and a sentence. The options' pointers must outlive it. */
struct rules *rules_create(const struct rules_options *options, char *why, size_t why_size);
/* Begins to evaluate. `url`: where this collector is asked, copied. -1: no memory, or no thread. */
int rules_start(struct rules *r, const char *url);
/* Evaluates `set` from the next moment on, which is taken over. What goes on goes on: alerts of
 * rules with the same group, name and labels; series that no rule yields any more end. Any thread.
 */
void rules_replace(struct rules *r, struct rule_set *set);
/* Asks the thread to end; does not wait. */
void rules_close(struct rules *r);
/* Waits for it, and frees all. The writer must answer still. */
void rules_destroy(struct rules **r);

/* Calls `each` for every group, none changing meanwhile. Any thread. */
void rules_visit(struct rules *r, void (*each)(void *context, const struct group_state *g),
                 void *context);

struct rules_stats {
    uint64_t groups, rules, failing; /* failing: whose last evaluation did */
    uint64_t evaluations, missed;    /* of groups */
    struct notifier_stats alerts;
};
/* Any thread. */
void rules_stats(struct rules *r, struct rules_stats *out);

#endif
