// SPDX-License-Identifier: Apache-2.0
#include "collector/firehose/trail.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

static void take_picture(struct trail *t)
{
    struct trail_picture *p = &t->pictures[t->pictures_count++ % TRAIL_PICTURES];
    p->bytes = t->acknowledged;
    memcpy(p->delivered, t->delivered, sizeof p->delivered);
}

int trail_init(struct trail *t)
{
    *t = (struct trail){
        .marks = malloc(FIRST_CAPACITY * sizeof *t->marks),
        .capacity = FIRST_CAPACITY,
        .pictures = malloc(TRAIL_PICTURES * sizeof *t->pictures),
    };
    if (!t->marks || !t->pictures) {
        trail_fini(t);
        return -1;
    }
    take_picture(t);
    return 0;
}

void trail_fini(struct trail *t)
{
    free(t->marks);
    free(t->pictures);
    *t = (struct trail){0};
}

void trail_take(struct trail *t, unsigned partition, struct firehose_position from)
{
    t->delivered[partition] = from;
    t->taken[partition] = from;
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

static uint64_t deliver(struct trail *t, const struct trail_mark *mark)
{
    uint64_t moved = 0;
    for (uint64_t left = mark->partitions; left; left &= left - 1) {
        unsigned p = (unsigned)__builtin_ctzll(left);
        if (position_compare(&t->delivered[p], &mark->at) < 0) {
            t->delivered[p] = mark->at;
            moved |= UINT64_C(1) << p;
        }
    }
    return moved;
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
        moved |= deliver(t, &mark);
    }
    uint64_t newest = t->pictures[(t->pictures_count - 1) % TRAIL_PICTURES].bytes;
    if (t->acknowledged - newest >= TRAIL_PICTURE_BYTES)
        take_picture(t);
    return moved;
}

void trail_rewind(struct trail *t)
{
    uint64_t read = t->acknowledged > TRAIL_UNREAD_MOST ? t->acknowledged - TRAIL_UNREAD_MOST : 0;
    uint64_t oldest = t->pictures_count > TRAIL_PICTURES ? t->pictures_count - TRAIL_PICTURES : 0;
    uint64_t n = t->pictures_count - 1;
    while (n > oldest && t->pictures[n % TRAIL_PICTURES].bytes > read)
        n--;
    const struct trail_picture *p = &t->pictures[n % TRAIL_PICTURES];
    for (unsigned i = 0; i < FIREHOSE_PARTITIONS; i++) {
        bool later = t->taken_at[i] >= p->bytes; /* the picture does not know of it */
        t->delivered[i] = later ? t->taken[i] : p->delivered[i];
    }
    t->count = 0;
}
