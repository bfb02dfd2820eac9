// SPDX-License-Identifier: Apache-2.0
/* The alerts of one rule, and how they go from pending to firing to resolved. An alert that is
 * resolved stays for 15 minutes, in which its end is told again.
 *
 *     seen ─→ pending ── for ──→ firing ── not seen, keep_firing_for ──→ inactive ── 15 m ──→ gone
 *                └── not seen ──→ gone
 *
 * The evaluating thread changes them, under a lock of its own; it may read without. */
#ifndef WEFT_COLLECTOR_RULES_ALERTS_H
#define WEFT_COLLECTOR_RULES_ALERTS_H

#include "collector/rules/rule.h"
#include "collector/rules/sample.h"

enum alert_state { ALERT_INACTIVE, ALERT_PENDING, ALERT_FIRING };
/* "inactive", "pending", "firing". */
const char *alert_state_name(enum alert_state s);

enum { ALERT_BUCKETS = 256, ALERT_RESOLVED_MS = 900000 };

/* Times are in milliseconds since 1970; 0: not yet. */
struct alert {
    struct alert *next;
    uint64_t hash;
    struct labels *labels, *annotations; /* one piece each, its own */
    double value;
    enum alert_state state, told; /* told: what marks know */
    int64_t active_ms, fired_ms, resolved_ms, keep_since_ms, sent_ms;
    uint64_t mark, mark_to_ms; /* of a firing one; 0: none */
    bool mark_owed;            /* it fired, and the mark could not be written */
    bool seen;
};

struct alerts {
    struct alert *buckets[ALERT_BUCKETS];
    uint32_t count;
};

void alerts_fini(struct alerts *a);
struct alert *alerts_find(const struct alerts *a, const struct labels *labels);

/* One evaluation: begin; a see for each that the query found; end. `see` copies. -1: no memory. */
void alerts_begin(struct alerts *a);
int alerts_see(struct alerts *a, const struct labels *labels, const struct labels *annotations,
               double value, int64_t unix_ms);
void alerts_end(struct alerts *a, const struct rule *rule, int64_t unix_ms);

/* Walks all: NULL in the beginning, NULL at the end. */
struct alert *alerts_next(const struct alerts *a, const struct alert *last);
enum alert_state alerts_state(const struct alerts *a);

/* ALERTS and ALERTS_FOR_STATE of all active ones, labels in `arena`. -1: no memory. */
int alerts_sample(const struct alerts *a, struct arena *arena, struct rule_samples *out);

/* After a restart: since when an alert is active, from what ALERTS_FOR_STATE said last (`value`, in
 * seconds, at `sample_ms`): the time in between does not count for the rule's `for`, and at least
 * `grace_ms` are waited from now on, unless it was firing before. */
int64_t alert_restored_active_ms(const struct rule *rule, int64_t sample_ms, double value,
                                 int64_t unix_ms, int64_t grace_ms);

#endif
