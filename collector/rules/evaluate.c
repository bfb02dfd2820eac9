// SPDX-License-Identifier: Apache-2.0
#include "collector/rules/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "collector/query/promql/promql.h"
#include "collector/rules/restore.h"
#include "lib/base/clock.h"

enum { QUERY_BYTES = 128 << 20, QUERY_TIMEOUT_MS = 120000 };

#define TEXT(t) ((struct batch_str){t, (uint32_t)strlen(t)})

/* One rule's evaluation. */
struct run {
    struct rule_state *state;
    const struct rule *rule;
    const struct evaluation *e;
    int64_t unix_ms, sample_ms;
    uint32_t limit;
    struct arena arena;
    struct rule_samples samples;
    char why[300];
};

const char *rule_health_name(enum rule_health h)
{
    return h == RULE_GOOD ? "ok" : h == RULE_BAD ? "err" : "unknown";
}

/* ---- state ------------------------------------------------------------------------------- */

int group_state_init(struct group_state *g, const struct rule_group *group)
{
    *g = (struct group_state){.group = group};
    g->rules = calloc(group->rule_count + 1, sizeof *g->rules);
    for (uint32_t i = 0; g->rules && i < group->rule_count; i++)
        g->rules[i].rule = &group->rules[i];
    return g->rules ? 0 : -1;
}

static void forget_previous(struct rule_state *r)
{
    for (size_t i = 0; i < r->previous_count; i++)
        free(r->previous[i]);
    free(r->previous);
    r->previous = NULL;
    r->previous_count = 0;
}

void rule_state_fini(struct rule_state *r)
{
    alerts_fini(&r->alerts);
    forget_previous(r);
}

void group_state_fini(struct group_state *g)
{
    for (uint32_t i = 0; g->rules && i < g->group->rule_count; i++)
        rule_state_fini(&g->rules[i]);
    free(g->rules);
    g->rules = NULL;
}

int64_t group_due_ms(const struct rule_group *group, int64_t unix_ms)
{
    uint64_t hash = XXH3_64bits(group->file, strlen(group->file));
    hash = XXH3_64bits_withSeed(group->name, strlen(group->name), hash);
    int64_t offset = (int64_t)(hash % (uint64_t)group->interval_ms);
    int64_t due = unix_ms - (unix_ms - offset) % group->interval_ms;
    return due > unix_ms ? due : due + group->interval_ms;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* The series that were there and are not any more end. -1: no memory. */
static int add_ends(struct run *r, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < r->state->previous_count; i++) {
        const struct labels *old = r->state->previous[i];
        int order = -1;
        while (at < count && (order = labels_compare(&r->samples.list[at].labels, old)) < 0)
            at++;
        if (at < count && order == 0)
            continue;
        struct rule_sample end = {.labels = *old, .is_stale = true};
        if (rule_samples_add(&r->samples, &end) != 0)
            return -1;
    }
    return 0;
}

static struct labels **copy_series(const struct rule_samples *s, size_t count)
{
    struct labels **list = calloc(count + 1, sizeof *list);
    for (size_t i = 0; list && i < count; i++) {
        list[i] = rule_labels_copy(&s->list[i].labels);
        if (list[i])
            continue;
        while (i > 0)
            free(list[--i]);
        free(list);
        return NULL;
    }
    return list;
}

static int write_samples(struct run *r)
{
    if (rule_samples_sort(&r->samples)) {
        snprintf(r->why, sizeof r->why,
                 "two series of the answer have the same labels once the rule's are set");
        return -1;
    }
    size_t count = r->samples.count;
    struct labels **series = copy_series(&r->samples, count);
    int result = series ? add_ends(r, count) : -1;
    if (result != 0)
        snprintf(r->why, sizeof r->why, "no memory");
    else if (r->samples.count > 0)
        result = r->e->write(r->e->context, r->samples.list, r->samples.count, r->sample_ms, r->why,
                             sizeof r->why);
    if (result == 0) {
        forget_previous(r->state);
        r->state->previous = series;
        r->state->previous_count = count;
        return 0;
    }
    for (size_t i = 0; series && i < count; i++)
        free(series[i]);
    free(series);
    return -1;
}

void rule_end_series(struct rule_state *state, int64_t unix_ms, const struct evaluation *e)
{
    struct run r = {.state = state, .rule = state->rule, .e = e, .sample_ms = unix_ms};
    write_samples(&r);
    rule_samples_fini(&r.samples);
}

/* ---- recording --------------------------------------------------------------------------- */

static int record_one(struct run *r, const struct labels *from, double value)
{
    struct label set[LABELS_MAX + 1];
    size_t count = 0;
    struct rule_sample s = {.value = value};
    for (uint32_t i = 0; i < r->rule->label_count; i++)
        set[count++] = (struct label){r->rule->labels[i].name, r->rule->labels[i].value};
    set[count++] = (struct label){TEXT(LABEL_METRIC), TEXT(r->rule->name)};
    if (rule_labels_build(&r->arena, from, set, count, &s.labels) == 0 &&
        rule_samples_add(&r->samples, &s) == 0)
        return 0;
    snprintf(r->why, sizeof r->why, "no memory, or a series with too many labels");
    return -1;
}

static int record(struct run *r, const struct promql_result *result)
{
    if (result->form == PROMQL_RESULT_SCALAR)
        return record_one(r, NULL, result->scalar) == 0 ? write_samples(r) : -1;
    for (size_t i = 0; i < result->series_count; i++) {
        const struct promql_series *s = &result->series[i];
        if (s->histogram && s->histogram[0]) {
            snprintf(r->why, sizeof r->why, "the answer is a histogram: rules record numbers");
            return -1;
        }
        if (record_one(r, &s->labels, s->value[0]) != 0)
            return -1;
    }
    return write_samples(r);
}

/* ---- alerts ------------------------------------------------------------------------------ */

static int expand(struct run *r, const struct rule_text *texts, uint32_t count,
                  const struct promql_series *s, struct label *out)
{
    for (uint32_t i = 0; i < count; i++) {
        struct buffer text = {0};
        template_expand(texts[i].template, &s->labels, s->value[0], &text);
        uint32_t length =
            text.length < LABEL_VALUE_BYTES_MAX ? (uint32_t)text.length : LABEL_VALUE_BYTES_MAX;
        const char *copy =
            text.failed ? NULL : arena_copy(&r->arena, buffer_cstring(&text), length);
        buffer_fini(&text);
        if (!copy)
            return -1;
        out[i] = (struct label){texts[i].name, {copy, length}};
    }
    return 0;
}

/* What one series of the answer becomes; both in the arena. */
static int describe(struct run *r, const struct promql_series *s, struct labels *labels,
                    struct labels *annotations)
{
    struct label set[LABELS_MAX + 1];
    const struct rule *rule = r->rule;
    if (expand(r, rule->labels, rule->label_count, s, set) != 0)
        return -1;
    set[rule->label_count] = (struct label){TEXT("alertname"), TEXT(rule->name)};
    if (rule_labels_build(&r->arena, &s->labels, set, rule->label_count + 1, labels) != 0 ||
        expand(r, rule->annotations, rule->annotation_count, s, set) != 0)
        return -1;
    return rule_labels_build(&r->arena, NULL, set, rule->annotation_count, annotations);
}

/* Under the lock. Labels are built into r->samples first, so that duplicates change nothing. */
static int see_alerts(struct run *r, const struct promql_result *result)
{
    struct labels *annotations =
        arena_calloc(&r->arena, result->series_count + 1, sizeof *annotations);
    struct rule_samples sorted = {0};
    int failed = annotations ? 0 : -1;
    for (size_t i = 0; failed == 0 && i < result->series_count; i++) {
        struct rule_sample s = {.value = result->series[i].value[0]};
        failed = describe(r, &result->series[i], &s.labels, &annotations[i]);
        if (failed == 0 &&
            (rule_samples_add(&r->samples, &s) != 0 || rule_samples_add(&sorted, &s) != 0))
            failed = -1;
    }
    bool repeated = rule_samples_sort(&sorted);
    rule_samples_fini(&sorted);
    if (repeated) {
        snprintf(r->why, sizeof r->why, "two alerts have the same labels once the rule's are set");
        return -1;
    }
    alerts_begin(&r->state->alerts);
    for (size_t i = 0; failed == 0 && i < r->samples.count; i++)
        failed = alerts_see(&r->state->alerts, &r->samples.list[i].labels, &annotations[i],
                            r->samples.list[i].value, r->unix_ms);
    if (failed == 0)
        alerts_end(&r->state->alerts, r->rule, r->unix_ms);
    else
        snprintf(r->why, sizeof r->why, "no memory, or an alert with too many labels");
    r->samples.count = 0;
    return failed;
}

static int alert(struct run *r, const struct group_state *g, const struct promql_result *result)
{
    pthread_mutex_lock(r->e->lock);
    int status = see_alerts(r, result);
    if (status == 0 && !r->state->restored && r->rule->for_ms < r->e->grace_ms)
        r->state->restored = true;
    /* Not in the first evaluation: what alerts look at may come only after it. */
    if (status == 0 && !r->state->restored && g->evaluations > 0)
        rule_restore(r->state, r->unix_ms, r->e);
    if (status == 0 && r->state->restored)
        status = alerts_sample(&r->state->alerts, &r->arena, &r->samples);
    pthread_mutex_unlock(r->e->lock);
    if (status == 0)
        status = r->state->restored ? write_samples(r) : 0;
    return status;
}

/* ---- a rule, a group --------------------------------------------------------------------- */

static int check_limit(struct run *r, const struct promql_result *result)
{
    if (r->limit == 0 || result->series_count <= r->limit)
        return 0;
    snprintf(r->why, sizeof r->why, "%zu series, and the group's limit is %u", result->series_count,
             r->limit);
    return -1;
}

static int answer(struct run *r, const struct group_state *g)
{
    struct promql_result result;
    struct promql_options options = {
        .start_ms = r->sample_ms,
        .end_ms = r->sample_ms,
        .memory_bytes_max = QUERY_BYTES,
        .deadline_ns = (uint64_t)(clock_monotonic_ms() + QUERY_TIMEOUT_MS) * 1000000,
        .stopped = r->e->stopped,
    };
    int status = -1;
    if (promql_evaluate(r->rule->query, r->e->source, &options, &result) != PROMQL_OK)
        snprintf(r->why, sizeof r->why, "%s", result.message ? result.message : "no answer");
    else if (check_limit(r, &result) == 0)
        status = r->rule->is_alert ? alert(r, g, &result) : record(r, &result);
    promql_result_fini(&result);
    return status;
}

static void evaluate_rule(struct group_state *g, struct rule_state *state, int64_t unix_ms,
                          const struct evaluation *e)
{
    int64_t begin_ms = clock_monotonic_ms();
    struct run r = {.state = state,
                    .rule = state->rule,
                    .e = e,
                    .unix_ms = unix_ms,
                    .sample_ms = unix_ms - g->group->offset_ms,
                    .limit = g->group->limit};
    arena_init(&r.arena, 4096);
    int status = answer(&r, g);
    pthread_mutex_lock(e->lock);
    state->health = status == 0 ? RULE_GOOD : RULE_BAD;
    snprintf(state->error, sizeof state->error, "%s", status == 0 ? "" : r.why);
    state->last_ms = unix_ms;
    state->seconds = (double)(clock_monotonic_ms() - begin_ms) / 1000;
    pthread_mutex_unlock(e->lock);
    rule_samples_fini(&r.samples);
    arena_fini(&r.arena);
    for (struct alert *a = alerts_next(&state->alerts, NULL); a; a = alerts_next(&state->alerts, a))
        e->tell(e->context, g, state->rule, a, unix_ms);
}

void group_evaluate(struct group_state *g, int64_t unix_ms, const struct evaluation *e)
{
    int64_t begin_ms = clock_monotonic_ms();
    for (uint32_t i = 0; i < g->group->rule_count; i++)
        if (!e->stopped || !atomic_load(e->stopped))
            evaluate_rule(g, &g->rules[i], unix_ms, e);
    pthread_mutex_lock(e->lock);
    g->evaluations++;
    g->last_ms = unix_ms;
    g->seconds = (double)(clock_monotonic_ms() - begin_ms) / 1000;
    pthread_mutex_unlock(e->lock);
}
