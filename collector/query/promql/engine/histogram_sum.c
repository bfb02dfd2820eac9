// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/engine/histogram_sum.h"

#include "collector/query/promql/engine/annotations.h"

static void note_reset(struct histogram_sum *s, const struct histogram *h)
{
    s->reset_seen |= h->reset == HISTOGRAM_RESET;
    s->no_reset_seen |= h->reset == HISTOGRAM_NO_RESET;
}

static bool add(struct evaluation *ev, struct histogram_sum *s, const struct histogram *h,
                struct arena *arena)
{
    int fault = histogram_add(arena, s->sum, s->lost, h, 1, &s->notes);
    if (fault == HISTOGRAM_ENOMEM)
        evaluation_need(ev, NULL);
    s->mixed = fault != HISTOGRAM_SOUND;
    return !s->mixed;
}

/* False where the sum overflows; then it is as it was. */
static bool add_to_mean(struct evaluation *ev, struct histogram_sum *s, const struct histogram *h,
                        struct arena *arena)
{
    struct histogram *sum = s->sum, *lost = s->lost;
    double most = fabs(sum->sum) + fabs(h->sum) + fabs(sum->count) + fabs(h->count);
    if (most < 1e300)
        return add(ev, s, h, arena) || true;
    s->sum = evaluation_need(ev, histogram_copy(arena, sum));
    s->lost = evaluation_need(ev, histogram_copy(arena, lost));
    if (!add(ev, s, h, arena) || !histogram_overflows(s->sum))
        return true;
    s->sum = sum;
    s->lost = lost;
    return false;
}

static void move_mean(struct evaluation *ev, struct histogram_sum *s, const struct histogram *h,
                      struct arena *arena)
{
    if (!s->moving) {
        s->moving = true;
        histogram_divide(s->sum, s->count - 1);
        histogram_divide(s->lost, s->count - 1);
    }
    struct histogram *part = evaluation_need(ev, histogram_copy(arena, h));
    histogram_divide(part, s->count);
    histogram_multiply(s->sum, (s->count - 1) / s->count);
    histogram_multiply(s->lost, (s->count - 1) / s->count);
    add(ev, s, part, arena);
}

void histogram_sum_add(struct evaluation *ev, struct histogram_sum *s, const struct histogram *h,
                       struct arena *arena)
{
    if (s->mixed)
        return;
    note_reset(s, h);
    s->count++;
    if (!s->sum) {
        s->sum = evaluation_need(ev, histogram_copy(arena, h));
        s->lost = evaluation_need(ev, histogram_compensation(arena, h));
    } else if (!s->mean) {
        add(ev, s, h, arena);
    } else if (s->moving || !add_to_mean(ev, s, h, arena)) {
        move_mean(ev, s, h, arena);
    }
}

static void add_lost(struct histogram_buckets *to, const struct histogram_buckets *lost)
{
    for (uint32_t i = 0; i < to->count; i++)
        if (!isinf(to->value[i]) && !isnan(lost->value[i]))
            to->value[i] += lost->value[i];
}

struct histogram *histogram_sum_finish(struct evaluation *ev, struct histogram_sum *s,
                                       struct arena *arena)
{
    if (s->mixed || !s->sum)
        return NULL;
    struct histogram *h = evaluation_need(ev, histogram_copy(arena, s->sum));
    add_lost(&h->positive, &s->lost->positive);
    add_lost(&h->negative, &s->lost->negative);
    h->zero_count += isnan(s->lost->zero_count) ? 0 : s->lost->zero_count;
    h->count += isnan(s->lost->count) ? 0 : s->lost->count;
    h->sum += isnan(s->lost->sum) ? 0 : s->lost->sum;
    if (s->mean && !s->moving)
        histogram_divide(h, s->count);
    histogram_compact(h);
    return h;
}

void histogram_sum_annotate(struct evaluation *ev, const struct histogram_sum *s,
                            struct language_place at)
{
    if (s->reset_seen && s->no_reset_seen)
        annotate_collision(ev, at, "aggregation");
    if (s->notes.reconciled)
        annotate_reconciled(ev, at, "aggregation");
}
