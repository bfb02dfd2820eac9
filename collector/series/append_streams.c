// SPDX-License-Identifier: Apache-2.0
/* Where a sample goes: to the front, behind all that the series has, or into a late stream. Those
 * are written anew with each sample while they are short, so that samples in any order do not make
 * a stream each. */
#include "collector/series/append_internal.h"

enum { LATE_SAMPLES_MAX = 64 };

static int write_sample(struct series_store *s, struct series_generation *g, struct stream *stream,
                        struct running_histogram *last, const struct sample *p)
{
    if (stream->kind == STREAM_HISTOGRAMS)
        return stream_add_histogram(stream, &g->arena, p->unix_ms, last, p->histogram, &s->scratch);
    return stream_add(stream, &g->arena, p->unix_ms, p->value);
}

static enum stream_kind kind_for(const struct head_series *series, const struct sample *p)
{
    if (p->is_histogram)
        return STREAM_HISTOGRAMS;
    return series->has_fractions ? STREAM_FLOATS : STREAM_WHOLE;
}

static bool can_take(const struct stream *stream, enum stream_kind kind)
{
    return !stream_is_full(stream) &&
           (stream->kind == kind || (kind == STREAM_WHOLE && stream->kind == STREAM_FLOATS));
}

/* The stream at the front, a new one if the last cannot take the sample. */
static struct stream *front_for(struct series_generation *g, struct head_run *run,
                                enum stream_kind kind)
{
    struct stream *last = run->front_last;
    if (last->count == 0)
        last->kind = (uint8_t)kind;
    if (can_take(last, kind))
        return last;
    struct stream *fresh = series_generation_stream(g, kind);
    if (!fresh)
        return NULL;
    g->chunks++;
    last->next = fresh;
    run->front_last = fresh;
    return fresh;
}

static void note_time(struct series_store *s, struct series_generation *g, int64_t unix_ms)
{
    g->min_ms = unix_ms < g->min_ms ? unix_ms : g->min_ms;
    g->max_ms = unix_ms > g->max_ms ? unix_ms : g->max_ms;
    if (unix_ms > s->newest_ms)
        s->newest_ms = unix_ms;
    g->samples++;
}

int series_append_front(struct series_store *s, struct head_series *series, uint32_t number,
                        const struct sample *p)
{
    struct series_generation *g = series_newest(s);
    struct head_run *run = series_generation_run(g, series, number);
    struct stream *stream = run ? front_for(g, run, kind_for(series, p)) : NULL;
    uint64_t before = series->histogram ? running_histogram_bytes(series->histogram) : 0;
    if (!stream || write_sample(s, g, stream, series->histogram, p) != 0)
        return -1;
    g->chunks += stream == &run->front && stream->count == 1;
    if (series->histogram)
        s->head.histogram_bytes += running_histogram_bytes(series->histogram) - before;
    series->last_ms = p->unix_ms;
    series->has_samples = true;
    note_time(s, g, p->unix_ms);
    return 0;
}

/* ---- late samples ------------------------------------------------------------------------ */

static int add_late_stream(struct series_generation *g, struct head_run *run, enum stream_kind kind)
{
    struct stream *fresh = series_generation_stream(g, kind);
    if (!fresh)
        return -1;
    g->chunks++;
    if (run->late_last)
        run->late_last->next = fresh;
    else
        run->late = fresh;
    run->late_last = fresh;
    return 0;
}

/* Writes the late stream anew with the sample in its place. */
static int insert_late(struct series_store *s, struct series_generation *g, struct stream *stream,
                       const struct sample *p)
{
    struct running_histogram last = {0};
    s->scratch.length = 0;
    if (!column_reserve(&s->scratch, stream->bytes + 1U)) {
        s->scratch.failed = false;
        return -1;
    }
    stream_copy(stream, s->scratch.bytes);
    points_clear(&s->late);
    if (stream_get((enum stream_kind)stream->kind, s->scratch.bytes, stream->bytes, INT64_MIN,
                   INT64_MAX, &s->late) != 0 ||
        points_add(&s->late, p->unix_ms, p->value, (struct histogram *)p->histogram) != 0 ||
        series_settle_points(&s->late) != 0)
        return -1;
    stream_rewind(stream);
    int error = 0;
    for (size_t i = 0; i < s->late.count && error == 0; i++) {
        struct sample one = {s->late.unix_ms[i], s->late.value[i],
                             s->late.histogram ? s->late.histogram[i] : NULL, false};
        error = write_sample(s, g, stream, &last, &one);
    }
    running_histogram_fini(&last);
    return error;
}

int series_append_late(struct series_store *s, struct head_series *series, uint32_t number,
                       const struct sample *p)
{
    struct series_generation *g = series_newest(s);
    struct head_run *run = series_generation_run(g, series, number);
    enum stream_kind kind = p->is_histogram ? STREAM_HISTOGRAMS : STREAM_FLOATS;
    if (!run)
        return -1;
    struct stream *last = run->late_last;
    bool new_stream =
        !last || last->kind != kind || last->count >= LATE_SAMPLES_MAX || stream_is_full(last);
    if (new_stream && add_late_stream(g, run, kind) != 0)
        return -1;
    last = run->late_last;
    if (last->kind == STREAM_FLOATS && (last->count == 0 || p->unix_ms > last->max_ms)) {
        if (stream_add(last, &g->arena, p->unix_ms, p->value) != 0)
            return -1;
    } else if (insert_late(s, g, last, p) != 0) {
        return -1;
    }
    s->stats.late++;
    note_time(s, g, p->unix_ms);
    return 0;
}
