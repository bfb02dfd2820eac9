// SPDX-License-Identifier: Apache-2.0
#include "collector/query/verdict/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "collector/query/verdict/measure.h"

#define WINDOW_MOST_MS  INT64_C(1800000)
#define WINDOW_LEAST_MS INT64_C(16000)
#define ROLLOUT_MOST_MS INT64_C(10800000) /* of a long one, its end */
#define DAY_MS          INT64_C(86400000)
enum { INTERVALS = 30, INTERVAL_LEAST_MS = 2000, INTERVAL_MOST_MS = 60000 };

const char *verdict_basis_name(enum verdict_basis b)
{
    static const char *const names[] = {"none", "versions", "times"};
    return names[b];
}

static int64_t interval_of(int64_t window_ms)
{
    int64_t interval = window_ms / INTERVALS;
    if (interval < INTERVAL_LEAST_MS)
        return INTERVAL_LEAST_MS;
    return interval > INTERVAL_MOST_MS ? INTERVAL_MOST_MS : interval;
}

/* ---- comparing two sides ----------------------------------------------------------------- */

/* Of both, only the intervals in which both have a value. How many these are. */
static size_t keep_common(struct compare_side *a, struct compare_side *b)
{
    size_t common = 0;
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        bool both = isfinite(a->values[i]) && isfinite(b->values[i]);
        common += both;
        if (!both)
            a->values[i] = b->values[i] = NAN;
    }
    return common;
}

/* `common`: the sides are of the same time. */
static int compare_measure(const struct measured *before, const struct measured *after,
                           enum measure m, bool common, struct arena *arena, struct comparison *out)
{
    struct compare_side a, b;
    if (measure_side(before, m, arena, &a) != 0 || measure_side(after, m, arena, &b) != 0)
        return -1;
    if (common)
        keep_common(&a, &b);
    return compare(m, &a, &b, arena, out);
}

static int compare_all(const struct measured *before, const struct measured *after, bool common,
                       struct arena *arena, struct comparison out[MEASURES])
{
    for (int m = 0; m < MEASURES; m++)
        if (compare_measure(before, after, (enum measure)m, common, arena, &out[m]) != 0)
            return -1;
    return 0;
}

static bool anything_known(const struct comparison list[MEASURES])
{
    for (int m = 0; m < MEASURES; m++)
        if (list[m].change != CHANGE_UNKNOWN)
            return true;
    return false;
}

static enum change sum_up(const struct comparison list[MEASURES])
{
    enum change sum = CHANGE_UNKNOWN;
    for (int m = 0; m < MEASURES; m++) {
        enum change c = list[m].change == CHANGE_DIFFERENT ? CHANGE_NONE : list[m].change;
        sum = c > sum ? c : sum; /* in the order of the enum: worse counts most */
    }
    return sum;
}

/* ---- both versions at once --------------------------------------------------------------- */

static int by_versions(const struct verdict_question *q, struct arena *arena, struct verdict *out)
{
    const struct mark *d = q->deploy;
    int64_t from = (int64_t)(d->from_unix_ns / 1000000), now = (int64_t)(q->now_unix_ns / 1000000);
    int64_t to = (int64_t)(d->to_unix_ns / 1000000) + WINDOW_MOST_MS;
    to = to > now ? now : to;
    if (to - from > ROLLOUT_MOST_MS)
        from = to - ROLLOUT_MOST_MS;
    if (!*d->previous || to - from < WINDOW_LEAST_MS)
        return 0;
    int64_t interval = interval_of(to - from);
    struct measured before = {q, d->previous, from, to, interval, true, false};
    struct measured after = {q, d->version, from, to, interval, true, false};
    if (measure_entries(&before) != 0 || measure_entries(&after) != 0 ||
        compare_all(&before, &after, true, arena, out->measures) != 0)
        return -1;
    /* The requests of all of the window count where both sides had some in enough intervals. */
    if (out->measures[MEASURE_RATE].before_count < COMPARE_INTERVALS_LEAST)
        return 0;
    out->basis = VERDICT_VERSIONS;
    out->before_from_ms = out->after_from_ms = from;
    out->before_to_ms = out->after_to_ms = to;
    out->interval_ms = interval;
    return 0;
}

/* ---- before and after -------------------------------------------------------------------- */

static int compare_times(const struct verdict_question *q, int64_t shift_ms, int64_t window,
                         struct arena *arena, struct verdict *out, struct comparison list[MEASURES])
{
    int64_t from = (int64_t)(q->deploy->from_unix_ns / 1000000) - shift_ms;
    int64_t to = (int64_t)(q->deploy->to_unix_ns / 1000000) - shift_ms;
    int64_t interval = interval_of(window);
    struct measured before = {q, NULL, from - window, from, interval, false, false};
    struct measured after = {q, NULL, to, to + window, interval, false, false};
    if (measure_entries(&before) != 0 || measure_entries(&after) != 0 ||
        compare_all(&before, &after, false, arena, list) != 0)
        return -1;
    if (shift_ms == 0) {
        out->before_from_ms = before.from_ms;
        out->before_to_ms = before.to_ms;
        out->after_from_ms = after.from_ms;
        out->after_to_ms = after.to_ms;
        out->interval_ms = interval;
    }
    return 0;
}

static int by_times(const struct verdict_question *q, struct arena *arena, struct verdict *out)
{
    int64_t now = (int64_t)(q->now_unix_ns / 1000000);
    int64_t window = now - (int64_t)(q->deploy->to_unix_ns / 1000000);
    window = window > WINDOW_MOST_MS ? WINDOW_MOST_MS : window;
    bool known = false;
    /* A service that began shortly before has too few long intervals of then: shorter ones are
     * asked, by halves. */
    for (; !known && window >= WINDOW_LEAST_MS; window = known ? window : window / 2) {
        if (compare_times(q, 0, window, arena, out, out->measures) != 0)
            return -1;
        known = anything_known(out->measures);
    }
    if (!known)
        return 0;
    out->basis = VERDICT_TIMES;
    if (compare_times(q, DAY_MS, window, arena, out, out->yesterday) != 0)
        return -1;
    out->has_yesterday = anything_known(out->yesterday);
    return 0;
}

int verdict_of(const struct verdict_question *q, struct arena *arena, struct verdict *out)
{
    *out = (struct verdict){.basis = VERDICT_NONE};
    if (by_versions(q, arena, out) != 0)
        return -1;
    if (out->basis == VERDICT_NONE && by_times(q, arena, out) != 0)
        return -1;
    out->change = out->basis == VERDICT_NONE ? CHANGE_UNKNOWN : sum_up(out->measures);
    return 0;
}

int verdict_hosts(const struct verdict_question *q, uint64_t *hosts)
{
    const int64_t minute_ms = 60000;
    int64_t at_ms = (int64_t)(q->deploy->to_unix_ns / 1000000) + minute_ms;
    int64_t now_ms = (int64_t)(q->now_unix_ns / 1000000);
    struct measured m = {.question = q, .to_ms = at_ms < now_ms ? at_ms : now_ms};
    return measure_hosts(&m, hosts);
}
