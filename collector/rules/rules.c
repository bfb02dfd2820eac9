// SPDX-License-Identifier: Apache-2.0
#include "collector/rules/rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/condition.h"
#include "lib/base/log.h"

enum { OUTAGE_MS = 3600000, LOOK_MS = 100, WAIT_MOST_MS = 1000 };

struct rules {
    struct rules_options options;
    struct rule_set *set;
    struct group_state *groups; /* of `set`; changed by the thread, under the lock */
    struct rule_set *next;      /* to be taken up; NULL: none */
    struct teller teller;
    struct evaluation evaluation;
    char *url;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool runs;
    atomic_bool stopping;
};

/* ---- what evaluation asks for ------------------------------------------------------------ */

static int on_write(void *context, const struct rule_sample *list, size_t count, int64_t unix_ms,
                    char *why, size_t why_size)
{
    struct rules *r = context;
    struct buffer batch = {0};
    if (rule_samples_encode(list, count, unix_ms, &batch) != 0) {
        buffer_fini(&batch);
        snprintf(why, why_size, "no memory");
        return -1;
    }
    return r->options.write(r->options.context, batch.data, batch.length, why, why_size);
}

static void on_tell(void *context, const struct group_state *g, const struct rule *rule,
                    struct alert *a, int64_t unix_ms)
{
    struct rules *r = context;
    teller_tell(&r->teller, rule, g->group->interval_ms, a, unix_ms);
}

/* ---- taking up another set ---------------------------------------------------------------- */

static bool texts_equal(const struct rule *a, const struct rule *b)
{
    if (a->label_count != b->label_count)
        return false;
    for (uint32_t i = 0; i < a->label_count; i++)
        if (!batch_str_equal(a->labels[i].name, b->labels[i].name) ||
            !batch_str_equal(a->labels[i].value, b->labels[i].value))
            return false;
    return true;
}

/* The old state of the rule goes to the new one; what is left behind is empty. */
static void inherit_rule(struct rule_state *to, struct group_state *old)
{
    for (uint32_t i = 0; old && i < old->group->rule_count; i++) {
        struct rule_state *from = &old->rules[i];
        const struct rule *a = from->rule, *b = to->rule;
        if (!a || a->is_alert != b->is_alert || strcmp(a->name, b->name) != 0 || !texts_equal(a, b))
            continue;
        *to = *from;
        to->rule = b;
        *from = (struct rule_state){0};
        return;
    }
    to->restored = true;
}

static struct group_state *find_group(struct group_state *list, uint32_t count,
                                      const struct rule_group *g)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(list[i].group->file, g->file) == 0 && strcmp(list[i].group->name, g->name) == 0)
            return &list[i];
    return NULL;
}

/* Rules that nobody inherited: their alerts are over, their series end. */
static void end_rule(struct rules *r, const struct group_state *g, struct rule_state *state)
{
    int64_t now_ms = (int64_t)(clock_unix_ns() / 1000000);
    alerts_begin(&state->alerts);
    for (struct alert *a = alerts_next(&state->alerts, NULL); a;
         a = alerts_next(&state->alerts, a)) {
        bool fires = a->state == ALERT_FIRING;
        a->state = ALERT_INACTIVE;
        a->resolved_ms = fires ? now_ms : 0;
        if (fires)
            on_tell(r, g, state->rule, a, now_ms);
    }
    rule_end_series(state, now_ms, &r->evaluation);
    rule_state_fini(state);
}

static struct group_state *create_states(const struct rule_set *set)
{
    struct group_state *list = calloc(set->group_count + 1, sizeof *list);
    for (uint32_t i = 0; list && i < set->group_count; i++)
        if (group_state_init(&list[i], &set->groups[i]) != 0) {
            while (i > 0)
                group_state_fini(&list[--i]);
            free(list);
            return NULL;
        }
    return list;
}

static void inherit_groups(struct group_state *fresh, uint32_t count, struct group_state *old,
                           uint32_t old_count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct group_state *g = &fresh[i], *from = find_group(old, old_count, g->group);
        if (from) {
            g->evaluations = from->evaluations;
            g->missed = from->missed;
            g->last_ms = from->last_ms;
            g->seconds = from->seconds;
        }
        for (uint32_t k = 0; k < g->group->rule_count; k++)
            inherit_rule(&g->rules[k], from);
    }
}

static void adopt(struct rules *r, struct rule_set *set)
{
    struct rule_set *old_set = r->set;
    struct group_state *old = r->groups, *fresh = create_states(set);
    if (!fresh) {
        LOG_ERROR("rules: no memory; they stay as they were");
        rule_set_destroy(&set);
        return;
    }
    pthread_mutex_lock(&r->lock);
    inherit_groups(fresh, set->group_count, old, old_set->group_count);
    r->set = set;
    r->groups = fresh;
    pthread_mutex_unlock(&r->lock);
    for (uint32_t i = 0; i < old_set->group_count; i++) {
        for (uint32_t k = 0; k < old[i].group->rule_count; k++)
            if (old[i].rules[k].rule)
                end_rule(r, &old[i], &old[i].rules[k]);
        free(old[i].rules);
    }
    free(old);
    rule_set_destroy(&old_set);
    LOG_INFO("rules: %u groups", set->group_count);
}

/* ---- the thread -------------------------------------------------------------------------- */

/* Waits at most so long, less if something changes. */
static void wait_for(struct rules *r, int64_t ms)
{
    int64_t until_ms = clock_monotonic_ms() + (ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS);
    pthread_mutex_lock(&r->lock);
    if (!r->next && !atomic_load(&r->stopping))
        condition_wait(&r->changed, &r->lock, until_ms);
    pthread_mutex_unlock(&r->lock);
}

static struct rule_set *take_next(struct rules *r)
{
    pthread_mutex_lock(&r->lock);
    struct rule_set *set = r->next;
    r->next = NULL;
    pthread_mutex_unlock(&r->lock);
    return set;
}

/* The group that is due first; NULL: there is none. A clock that was set back makes none wait for
 * longer than its interval. */
static struct group_state *first_due(struct rules *r, int64_t now_ms)
{
    struct group_state *first = NULL;
    for (uint32_t i = 0; i < r->set->group_count; i++) {
        struct group_state *g = &r->groups[i];
        if (g->next_ms == 0 || g->next_ms > now_ms + g->group->interval_ms)
            g->next_ms = group_due_ms(g->group, now_ms);
        if (!first || g->next_ms < first->next_ms)
            first = g;
    }
    return first;
}

static void evaluate(struct rules *r, struct group_state *g)
{
    int64_t unix_ms = g->next_ms, interval_ms = g->group->interval_ms;
    int64_t now_ms = (int64_t)(clock_unix_ns() / 1000000);
    uint64_t missed = (uint64_t)((now_ms - unix_ms) / interval_ms);
    unix_ms += (int64_t)missed * interval_ms; /* moments that passed meanwhile are left out */
    pthread_mutex_lock(&r->lock);
    g->missed += missed;
    pthread_mutex_unlock(&r->lock);
    group_evaluate(g, unix_ms, &r->evaluation);
    g->next_ms = unix_ms + interval_ms;
}

static void *run(void *context)
{
    struct rules *r = context;
    while (!atomic_load(&r->stopping) && !r->options.ready(r->options.context))
        wait_for(r, LOOK_MS);
    while (!atomic_load(&r->stopping)) {
        struct rule_set *next = take_next(r);
        if (next)
            adopt(r, next);
        int64_t now_ms = (int64_t)(clock_unix_ns() / 1000000);
        struct group_state *g = first_due(r, now_ms);
        if (g && g->next_ms <= now_ms)
            evaluate(r, g);
        else
            wait_for(r, g ? g->next_ms - now_ms : WAIT_MOST_MS);
    }
    return NULL;
}

/* ---- the whole --------------------------------------------------------------------------- */

struct rules *rules_create(const struct rules_options *options, char *why, size_t why_size)
{
    struct rules *r = calloc(1, sizeof *r);
    if (!r) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    r->options = *options;
    pthread_mutex_init(&r->lock, NULL);
    condition_init(&r->changed);
    r->evaluation = (struct evaluation){.source = options->source,
                                        .lock = &r->lock,
                                        .write = on_write,
                                        .tell = on_tell,
                                        .context = r,
                                        .grace_ms = options->grace_ms,
                                        .outage_ms = OUTAGE_MS,
                                        .stopped = &r->stopping};
    r->set = rule_set_load(options->paths, why, why_size);
    r->groups = r->set ? create_states(r->set) : NULL;
    if (r->set && !r->groups)
        snprintf(why, why_size, "no memory");
    r->teller.notifier = r->groups ? notifier_create(options->alertmanagers, why, why_size) : NULL;
    if (!r->teller.notifier)
        rules_destroy(&r);
    return r;
}

int rules_start(struct rules *r, const char *url)
{
    r->url = strdup(url);
    if (!r->url)
        return -1;
    r->teller.url = r->url;
    r->teller.marks = r->options.marks;
    r->teller.resume_ms = OUTAGE_MS;
    r->teller.started_ms = (int64_t)(clock_unix_ns() / 1000000);
    r->runs = pthread_create(&r->thread, NULL, run, r) == 0;
    return r->runs ? 0 : -1;
}

void rules_replace(struct rules *r, struct rule_set *set)
{
    pthread_mutex_lock(&r->lock);
    struct rule_set *unused = r->next;
    r->next = set;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    rule_set_destroy(&unused);
}

void rules_close(struct rules *r)
{
    pthread_mutex_lock(&r->lock);
    atomic_store(&r->stopping, true);
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

void rules_destroy(struct rules **place)
{
    struct rules *r = *place;
    if (!r)
        return;
    rules_close(r);
    if (r->runs)
        pthread_join(r->thread, NULL);
    notifier_destroy(&r->teller.notifier);
    for (uint32_t i = 0; r->groups && i < r->set->group_count; i++)
        group_state_fini(&r->groups[i]);
    free(r->groups);
    rule_set_destroy(&r->set);
    rule_set_destroy(&r->next);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r->url);
    free(r);
    *place = NULL;
}

void rules_visit(struct rules *r, void (*each)(void *context, const struct group_state *g),
                 void *context)
{
    pthread_mutex_lock(&r->lock);
    for (uint32_t i = 0; i < r->set->group_count; i++)
        each(context, &r->groups[i]);
    pthread_mutex_unlock(&r->lock);
}

void rules_stats(struct rules *r, struct rules_stats *out)
{
    *out = (struct rules_stats){0};
    notifier_stats(r->teller.notifier, &out->alerts);
    pthread_mutex_lock(&r->lock);
    out->groups = r->set->group_count;
    for (uint32_t i = 0; i < r->set->group_count; i++) {
        const struct group_state *g = &r->groups[i];
        out->rules += g->group->rule_count;
        out->evaluations += g->evaluations;
        out->missed += g->missed;
        for (uint32_t k = 0; k < g->group->rule_count; k++)
            out->failing += g->rules[k].health == RULE_BAD;
    }
    pthread_mutex_unlock(&r->lock);
}
