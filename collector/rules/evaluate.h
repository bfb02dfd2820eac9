// SPDX-License-Identifier: Apache-2.0
/* Evaluates a group's rules at one moment, in their order, each seeing what those before recorded.
 *
 * One thread evaluates. What others may read (health, times, alerts) it changes under `lock`. */
#ifndef WEFT_COLLECTOR_RULES_EVALUATE_H
#define WEFT_COLLECTOR_RULES_EVALUATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "collector/rules/alerts.h"
#include "collector/series/source.h"

enum rule_health { RULE_UNKNOWN, RULE_GOOD, RULE_BAD };
/* "unknown", "ok", "err". */
const char *rule_health_name(enum rule_health h);

struct rule_state {
    const struct rule *rule;
    struct alerts alerts;
    bool restored; /* of an alert: what was known before the start is known again */
    /* The series that it yielded last time, sorted; their labels are its own. */
    struct labels **previous;
    size_t previous_count;
    enum rule_health health;
    char error[300];
    int64_t last_ms; /* 0: not evaluated yet */
    double seconds;  /* what the last evaluation took */
};

struct group_state {
    const struct rule_group *group;
    struct rule_state *rules;
    int64_t next_ms, last_ms;
    double seconds;
    uint64_t evaluations, missed;
};

/* 0; -1: no memory. */
int group_state_init(struct group_state *g, const struct rule_group *group);
void group_state_fini(struct group_state *g);
void rule_state_fini(struct rule_state *r);
/* The first moment after `unix_ms` at which the group is due: the groups' names spread them. */
int64_t group_due_ms(const struct rule_group *group, int64_t unix_ms);

struct evaluation {
    const struct series_source *source;
    pthread_mutex_t *lock;
    /* Makes samples durable and visible. -1: the reason in `why`. */
    int (*write)(void *context, const struct rule_sample *list, size_t count, int64_t unix_ms,
                 char *why, size_t why_size);
    /* Called for each alert after each evaluation, outside the lock. */
    void (*tell)(void *context, const struct group_state *g, const struct rule *rule,
                 struct alert *a, int64_t unix_ms);
    void *context;
    int64_t grace_ms, outage_ms; /* alert_restored_active_ms; how old what is restored may be */
    const atomic_bool *stopped;  /* may be NULL */
};

void group_evaluate(struct group_state *g, int64_t unix_ms, const struct evaluation *e);
/* Ends the series that the rule yielded last. */
void rule_end_series(struct rule_state *r, int64_t unix_ms, const struct evaluation *e);

#endif
