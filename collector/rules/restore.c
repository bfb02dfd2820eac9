// SPDX-License-Identifier: Apache-2.0
#include "collector/rules/restore.h"

#include "lib/base/log.h"

#define TEXT(t) ((struct batch_str){t, (uint32_t)strlen(t)})

static void restore_alert(struct rule_state *state, const struct labels *series,
                          const struct points *points, struct arena *arena, int64_t unix_ms,
                          const struct evaluation *e)
{
    struct labels labels;
    if (points->count == 0 || rule_labels_build(arena, series, NULL, 0, &labels) != 0)
        return;
    int64_t sample_ms = points->unix_ms[points->count - 1];
    double value = points->value[points->count - 1];
    struct alert *a = alerts_find(&state->alerts, &labels);
    /* A series that ended is of an alert that was over; one that is no time is nobody's. */
    if (!a || a->state == ALERT_INACTIVE || !(value >= 0 && value < 1e11))
        return;
    a->active_ms = alert_restored_active_ms(state->rule, sample_ms, value, unix_ms, e->grace_ms);
    if (a->state == ALERT_FIRING && unix_ms - a->active_ms < state->rule->for_ms)
        a->state = ALERT_PENDING;
    else if (a->state == ALERT_PENDING && unix_ms - a->active_ms >= state->rule->for_ms) {
        a->state = ALERT_FIRING;
        a->fired_ms = unix_ms;
    }
}

void rule_restore(struct rule_state *state, int64_t unix_ms, const struct evaluation *e)
{
    const struct matcher matchers[] = {
        {.kind = MATCH_EQUAL, .name = TEXT(LABEL_METRIC), .value = TEXT("ALERTS_FOR_STATE")},
        {.kind = MATCH_EQUAL, .name = TEXT("alertname"), .value = TEXT(state->rule->name)}};
    struct series_selection s;
    struct points points;
    struct arena arena;
    int64_t from_ms = unix_ms - e->outage_ms;
    state->restored = true;
    if (e->source->select(e->source->context, matchers, 2, from_ms, unix_ms, &s) != SERIES_OK) {
        LOG_WARN("alert %s: what it was before the start cannot be read", state->rule->name);
        return;
    }
    arena_init(&arena, 4096);
    points_init(&points);
    for (size_t i = 0; i < s.count; i++)
        if (e->source->read(e->source->context, &s, i, from_ms, unix_ms, &points) == SERIES_OK)
            restore_alert(state, &s.labels[i], &points, &arena, unix_ms, e);
    points_fini(&points);
    arena_fini(&arena);
    e->source->close(e->source->context, &s);
}
