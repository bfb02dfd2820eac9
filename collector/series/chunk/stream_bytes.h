// SPDX-License-Identifier: Apache-2.0
/* What stream.c and stream_histogram.c share: fragments and times. */
#ifndef WEFT_COLLECTOR_SERIES_CHUNK_STREAM_BYTES_H
#define WEFT_COLLECTOR_SERIES_CHUNK_STREAM_BYTES_H

#include "collector/series/chunk/stream.h"

/* -1: no memory; then some of the bytes may be there, but are not counted. */
int stream_append(struct stream *s, struct arena *arena, const uint8_t *bytes, size_t length);

/* Bits 0 and 1 of a sample's first byte: how many bytes tell its time, 0, 1, 2 or 8. */
enum { TIME_BITS = 3 };
static inline unsigned time_code(uint64_t change)
{
    return change == 0 ? 0 : change < 1 << 8 ? 1 : change < 1 << 16 ? 2 : 3;
}

static inline size_t time_bytes(unsigned code)
{
    return code == 3 ? 8 : code;
}

/* What the stream's next sample says of its time. */
static inline uint64_t time_change(const struct stream *s, int64_t unix_ms)
{
    if (s->count == 0)
        return zigzag(unix_ms);
    return zigzag((int64_t)((uint64_t)unix_ms - (uint64_t)s->max_ms - (uint64_t)s->step_ms));
}

static inline void time_note(struct stream *s, int64_t unix_ms)
{
    if (s->count == 0)
        s->min_ms = unix_ms;
    else
        s->step_ms = (int64_t)((uint64_t)unix_ms - (uint64_t)s->max_ms);
    s->max_ms = unix_ms;
}

struct time_reader {
    int64_t unix_ms, step_ms;
    bool begun;
};

static inline int64_t time_next(struct time_reader *t, int64_t change)
{
    if (t->begun) {
        t->step_ms = (int64_t)((uint64_t)t->step_ms + (uint64_t)change);
        t->unix_ms = (int64_t)((uint64_t)t->unix_ms + (uint64_t)t->step_ms);
    } else {
        t->begun = true;
        t->unix_ms = change;
    }
    return t->unix_ms;
}

int stream_get_histograms(struct column_reader *in, int64_t from_ms, int64_t to_ms,
                          struct points *out);

#endif
