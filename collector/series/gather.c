// SPDX-License-Identifier: Apache-2.0
/* Reading a run of the head, and putting together samples that came in pieces. */
#include <stdlib.h>

#include "collector/series/store_internal.h"

/* Room for the bytes of a stream. */
static uint8_t *room_for(struct column *scratch, size_t bytes)
{
    scratch->length = 0;
    if (column_reserve(scratch, bytes + 1))
        return scratch->bytes;
    scratch->failed = false;
    return NULL;
}

/* A stream's bytes as they are now. */
struct copied {
    enum stream_kind kind;
    uint32_t bytes;
    const struct stream *next;
    bool overlaps;
};

static int copy(const struct stream *stream, pthread_rwlock_t *lock, int64_t from_ms, int64_t to_ms,
                struct column *scratch, struct copied *c)
{
    int result = 0;
    if (lock)
        pthread_rwlock_rdlock(lock);
    *c = (struct copied){(enum stream_kind)stream->kind, stream->bytes, stream->next,
                         stream->count > 0 && stream->min_ms <= to_ms && stream->max_ms >= from_ms};
    uint8_t *to = c->overlaps ? room_for(scratch, stream->bytes) : NULL;
    if (to)
        stream_copy(stream, to);
    else if (c->overlaps)
        result = -1;
    if (lock)
        pthread_rwlock_unlock(lock);
    return result;
}

static int read_streams(const struct stream *first, pthread_rwlock_t *lock, int64_t from_ms,
                        int64_t to_ms, struct column *scratch, struct points *out)
{
    struct copied c;
    for (const struct stream *s = first; s; s = c.next) {
        if (copy(s, lock, from_ms, to_ms, scratch, &c) != 0)
            return SERIES_ENOMEM;
        if (c.overlaps && stream_get(c.kind, scratch->bytes, c.bytes, from_ms, to_ms, out) != 0)
            return SERIES_ENOMEM;
    }
    return SERIES_OK;
}

int series_read_run(const struct head_run *run, pthread_rwlock_t *lock, int64_t from_ms,
                    int64_t to_ms, struct column *scratch, struct points *out)
{
    int error = read_streams(&run->front, lock, from_ms, to_ms, scratch, out);
    if (error != SERIES_OK)
        return error;
    if (lock)
        pthread_rwlock_rdlock(lock);
    const struct stream *late = run->late;
    if (lock)
        pthread_rwlock_unlock(lock);
    return late ? read_streams(late, lock, from_ms, to_ms, scratch, out) : SERIES_OK;
}

/* ---- putting in order -------------------------------------------------------------------- */

struct placed {
    int64_t unix_ms;
    size_t at;
};

static int by_time(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;
    if (a->unix_ms != b->unix_ms)
        return a->unix_ms < b->unix_ms ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

static bool rises(const struct points *p)
{
    for (size_t i = 1; i < p->count; i++)
        if (p->unix_ms[i] <= p->unix_ms[i - 1])
            return false;
    return true;
}

/* How many are left when of each time the last stays. */
static size_t keep_last(struct placed *list, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && list[kept - 1].unix_ms == list[i].unix_ms)
            kept--;
        list[kept++] = list[i];
    }
    return kept;
}

int series_settle_points(struct points *p)
{
    if (rises(p))
        return 0;
    struct placed *list = malloc(p->count * sizeof *list);
    double *values = malloc(p->capacity * sizeof *values);
    struct histogram **histograms =
        p->histogram ? calloc(p->capacity, sizeof(struct histogram *)) : NULL;
    if (!list || !values || (p->histogram && !histograms)) {
        free(list);
        free(values);
        free((void *)histograms);
        return -1;
    }
    for (size_t i = 0; i < p->count; i++)
        list[i] = (struct placed){p->unix_ms[i], i};
    qsort(list, p->count, sizeof *list, by_time);
    p->count = keep_last(list, p->count);
    for (size_t i = 0; i < p->count; i++) {
        p->unix_ms[i] = list[i].unix_ms;
        values[i] = p->value[list[i].at];
        if (histograms)
            histograms[i] = p->histogram[list[i].at];
    }
    free(p->value);
    free((void *)p->histogram);
    free(list);
    p->value = values;
    p->histogram = histograms;
    return 0;
}
