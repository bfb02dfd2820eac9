// SPDX-License-Identifier: Apache-2.0
#include "collector/rules/alerts.h"

#include <stdlib.h>

const char *alert_state_name(enum alert_state s)
{
    return s == ALERT_FIRING ? "firing" : s == ALERT_PENDING ? "pending" : "inactive";
}

static void free_alert(struct alert *a)
{
    free(a->labels);
    free(a->annotations);
    free(a);
}

void alerts_fini(struct alerts *a)
{
    for (size_t i = 0; i < ALERT_BUCKETS; i++)
        while (a->buckets[i]) {
            struct alert *first = a->buckets[i];
            a->buckets[i] = first->next;
            free_alert(first);
        }
    a->count = 0;
}

static struct alert *find(const struct alerts *a, const struct labels *labels, uint64_t hash)
{
    struct alert *at = a->buckets[hash % ALERT_BUCKETS];
    while (at && (at->hash != hash || !labels_equal(at->labels, labels)))
        at = at->next;
    return at;
}

struct alert *alerts_find(const struct alerts *a, const struct labels *labels)
{
    return find(a, labels, rule_labels_hash(labels));
}

struct alert *alerts_next(const struct alerts *a, const struct alert *last)
{
    if (last && last->next)
        return last->next;
    size_t i = last ? last->hash % ALERT_BUCKETS + 1 : 0;
    while (i < ALERT_BUCKETS && !a->buckets[i])
        i++;
    return i < ALERT_BUCKETS ? a->buckets[i] : NULL;
}

/* ---- one evaluation ---------------------------------------------------------------------- */

void alerts_begin(struct alerts *a)
{
    for (struct alert *at = alerts_next(a, NULL); at; at = alerts_next(a, at))
        at->seen = false;
}

static struct alert *add(struct alerts *a, const struct labels *labels, uint64_t hash)
{
    struct alert *fresh = calloc(1, sizeof *fresh);
    struct labels *copy = fresh ? rule_labels_copy(labels) : NULL;
    if (!copy) {
        free(fresh);
        return NULL;
    }
    fresh->labels = copy;
    fresh->hash = hash;
    fresh->next = a->buckets[hash % ALERT_BUCKETS];
    a->buckets[hash % ALERT_BUCKETS] = fresh;
    a->count++;
    return fresh;
}

int alerts_see(struct alerts *a, const struct labels *labels, const struct labels *annotations,
               double value, int64_t unix_ms)
{
    uint64_t hash = rule_labels_hash(labels);
    struct labels *notes = rule_labels_copy(annotations);
    struct alert *at = notes ? find(a, labels, hash) : NULL;
    if (notes && !at)
        at = add(a, labels, hash);
    if (!at) {
        free(notes);
        return -1;
    }
    free(at->annotations);
    at->annotations = notes;
    at->value = value;
    at->seen = true;
    at->keep_since_ms = 0;
    if (at->state == ALERT_INACTIVE) {
        at->state = ALERT_PENDING;
        at->active_ms = unix_ms;
        at->fired_ms = at->resolved_ms = at->sent_ms = 0;
        at->mark_owed = false;
    }
    return 0;
}

/* Whether it is to go. */
static bool settle(struct alert *a, const struct rule *rule, int64_t unix_ms)
{
    if (!a->seen && a->state == ALERT_FIRING && rule->keep_firing_ms > 0) {
        if (a->keep_since_ms == 0)
            a->keep_since_ms = unix_ms;
        a->seen = unix_ms - a->keep_since_ms < rule->keep_firing_ms;
    }
    if (a->seen) {
        if (a->state == ALERT_PENDING && unix_ms - a->active_ms >= rule->for_ms) {
            a->state = ALERT_FIRING;
            a->fired_ms = unix_ms;
        }
        return false;
    }
    if (a->state == ALERT_FIRING) {
        a->state = ALERT_INACTIVE;
        a->resolved_ms = unix_ms;
    }
    return a->state == ALERT_PENDING ||
           (unix_ms - a->resolved_ms > ALERT_RESOLVED_MS && !a->mark_owed);
}

void alerts_end(struct alerts *a, const struct rule *rule, int64_t unix_ms)
{
    for (size_t i = 0; i < ALERT_BUCKETS; i++)
        for (struct alert **place = &a->buckets[i]; *place;) {
            struct alert *at = *place;
            if (!settle(at, rule, unix_ms)) {
                place = &at->next;
                continue;
            }
            *place = at->next;
            a->count--;
            free_alert(at);
        }
}

enum alert_state alerts_state(const struct alerts *a)
{
    enum alert_state most = ALERT_INACTIVE;
    for (struct alert *at = alerts_next(a, NULL); at; at = alerts_next(a, at))
        most = at->state > most ? at->state : most;
    return most;
}

/* ---- series ------------------------------------------------------------------------------ */

#define TEXT(t) ((struct batch_str){t, (uint32_t)strlen(t)})

int alerts_sample(const struct alerts *a, struct arena *arena, struct rule_samples *out)
{
    for (struct alert *at = alerts_next(a, NULL); at; at = alerts_next(a, at)) {
        if (at->state == ALERT_INACTIVE)
            continue;
        const struct label state[] = {{TEXT(LABEL_METRIC), TEXT("ALERTS")},
                                      {TEXT("alertstate"), TEXT(alert_state_name(at->state))}};
        const struct label since[] = {{TEXT(LABEL_METRIC), TEXT("ALERTS_FOR_STATE")}};
        struct rule_sample s = {.value = 1}, t = {.value = (double)(at->active_ms / 1000)};
        if (rule_labels_build(arena, at->labels, state, 2, &s.labels) != 0 ||
            rule_labels_build(arena, at->labels, since, 1, &t.labels) != 0 ||
            rule_samples_add(out, &s) != 0 || rule_samples_add(out, &t) != 0)
            return -1;
    }
    return 0;
}

int64_t alert_restored_active_ms(const struct rule *rule, int64_t sample_ms, double value,
                                 int64_t unix_ms, int64_t grace_ms)
{
    int64_t active_ms = (int64_t)(value * 1000);
    int64_t left_ms = rule->for_ms - (sample_ms - active_ms);
    if (left_ms <= 0)
        return active_ms;
    if (left_ms < grace_ms)
        return unix_ms + grace_ms - rule->for_ms;
    return active_ms + (unix_ms - sample_ms);
}
