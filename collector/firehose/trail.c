// SPDX-License-Identifier: Apache-2.0
#include "collector/firehose/trail.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

int trail_init(struct trail *t)
{
    *t = (struct trail){
        .marks = malloc(FIRST_CAPACITY * sizeof *t->marks),
        .capacity = FIRST_CAPACITY,
        .steps = malloc(TRAIL_STEPS * sizeof *t->steps),
    };
    if (t->marks && t->steps)
        return 0;
    trail_fini(t);
    return -1;
}

void trail_fini(struct trail *t)
{
    free(t->marks);
    free(t->steps);
    *t = (struct trail){0};
}

void trail_take(struct trail *t, unsigned partition, struct firehose_position from)
{
    t->delivered[partition] = from;
    t->base[partition] = from;
    t->taken_at[partition] = t->acknowledged;
}

/* ---- marks ------------------------------------------------------------------------------- */

static struct trail_mark *mark_at(struct trail *t, uint32_t index)
{
    return &t->marks[(t->first + index) & (t->capacity - 1)];
}

static bool grow(struct trail *t)
{
    if (t->capacity >= TRAIL_MARKS_MOST)
        return false;
    struct trail_mark *bigger = malloc(2 * t->capacity * sizeof *bigger);
    if (!bigger)
        return false;
    for (uint32_t i = 0; i < t->count; i++)
        bigger[i] = *mark_at(t, i);
    free(t->marks);
    t->marks = bigger;
    t->first = 0;
    t->capacity *= 2;
    return true;
}

/* May the earlier one be left out, so that its lines count as acknowledged with the later's? */
static bool may_join(const struct trail_mark *earlier, const struct trail_mark *later)
{
    return earlier->partitions == later->partitions &&
           position_compare(&earlier->at, &later->at) <= 0;
}

/* Of each two neighbours that may be joined, the later one stays. */
static void join_marks(struct trail *t)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if (i + 1 < t->count && may_join(mark_at(t, i), mark_at(t, i + 1)))
            i++;
        *mark_at(t, kept++) = *mark_at(t, i);
    }
    t->count = kept;
}

void trail_mark(struct trail *t, const struct trail_mark *mark)
{
    struct trail_mark *last = t->count > 0 ? mark_at(t, t->count - 1) : NULL;
    if (last && last->bytes == mark->bytes && may_join(last, mark)) {
        *last = *mark;
        return;
    }
    if (t->count == t->capacity && !grow(t))
        join_marks(t);
    if (t->count < t->capacity)
        *mark_at(t, t->count++) = *mark;
}

/* ---- acknowledged ------------------------------------------------------------------------ */

/* Moves the positions of the mark's partitions up to it: those that moved. */
static uint64_t move(struct firehose_position *positions, const struct trail_mark *mark)
{
    uint64_t moved = 0;
    for (uint64_t left = mark->partitions; left; left &= left - 1) {
        unsigned p = (unsigned)__builtin_ctzll(left);
        if (position_compare(&positions[p], &mark->at) < 0) {
            positions[p] = mark->at;
            moved |= UINT64_C(1) << p;
        }
    }
    return moved;
}

static struct trail_mark *step_at(struct trail *t, uint32_t index)
{
    return &t->steps[(t->first_step + index) % TRAIL_STEPS];
}

/* Without the partitions that were taken (again) since: what it says of them is over. */
static struct trail_mark still_true(const struct trail *t, const struct trail_mark *step)
{
    struct trail_mark mark = *step;
    for (uint64_t left = step->partitions; left; left &= left - 1) {
        unsigned p = (unsigned)__builtin_ctzll(left);
        if (step->bytes <= t->taken_at[p])
            mark.partitions &= ~(UINT64_C(1) << p);
    }
    return mark;
}

static void forget_step(struct trail *t)
{
    struct trail_mark mark = still_true(t, step_at(t, 0));
    move(t->base, &mark);
    t->first_step = (t->first_step + 1) % TRAIL_STEPS;
    t->step_count--;
}

static void remember(struct trail *t, const struct trail_mark *mark)
{
    struct trail_mark *last = t->step_count > 0 ? step_at(t, t->step_count - 1) : NULL;
    if (last && may_join(last, mark) && mark->bytes - t->step_begin < TRAIL_STEP_BYTES) {
        *last = *mark;
        return;
    }
    t->step_begin = last ? last->bytes : 0;
    if (t->step_count == TRAIL_STEPS)
        forget_step(t);
    *step_at(t, t->step_count++) = *mark;
    while (mark->bytes - step_at(t, 0)->bytes > TRAIL_UNREAD_MOST)
        forget_step(t);
}

uint64_t trail_acknowledge(struct trail *t, uint64_t bytes)
{
    uint64_t moved = 0;
    if (bytes > t->acknowledged)
        t->acknowledged = bytes;
    while (t->count > 0 && mark_at(t, 0)->bytes <= t->acknowledged) {
        struct trail_mark mark = *mark_at(t, 0);
        t->first = (t->first + 1) & (t->capacity - 1);
        t->count--;
        moved |= move(t->delivered, &mark);
        remember(t, &mark);
    }
    return moved;
}

void trail_rewind(struct trail *t, uint64_t unread)
{
    uint64_t read = t->acknowledged > unread ? t->acknowledged - unread : 0;
    memcpy(t->delivered, t->base, sizeof t->delivered);
    for (uint32_t i = 0; i < t->step_count && step_at(t, i)->bytes <= read; i++) {
        struct trail_mark mark = still_true(t, step_at(t, i));
        move(t->delivered, &mark);
    }
    t->count = 0;
}
