// SPDX-License-Identifier: Apache-2.0
/* A chunk of the head: samples of one series as they come, one behind the other, in whole bytes.
 *
 * A float takes a byte that says how it differs from the one before, and as many bytes as that
 * difference needs: whole numbers are kept as the change of their step, all others as the bits that
 * differ. A histogram is kept as the buckets that changed. Times are kept as the change of their
 * step. This is memory's form only; chunk.h is the disk's.
 *
 * Bytes lie in fragments that an arena (the generation's) gives and nobody gives back: 64, later
 * 256 bytes each. A reader copies them (stream_copy) under the store's lock, and decodes the copy
 * without it.
 *
 * Nothing here locks. -1 means that memory is out; then nothing has changed. */
#ifndef WEFT_COLLECTOR_SERIES_CHUNK_STREAM_H
#define WEFT_COLLECTOR_SERIES_CHUNK_STREAM_H

#include "collector/series/chunk/running_histogram.h"
#include "collector/series/source.h"
#include "lib/codec/column.h"

enum stream_kind {
    STREAM_WHOLE,     /* whole numbers up to 2^53, and markers of staleness */
    STREAM_FLOATS,    /* any */
    STREAM_HISTOGRAMS /* and markers of staleness */
};

struct fragment;

struct stream {
    struct stream *next; /* that which was begun after it; the head's */
    struct fragment *first, *last;
    int64_t min_ms, max_ms, step_ms;
    uint64_t value; /* a whole number, or a double's bits; 1: there was a histogram */
    int64_t value_step;
    uint32_t count, bytes;
    uint16_t fragments, room; /* room: of the last fragment */
    uint8_t kind;             /* enum stream_kind */
};

enum { STREAM_SAMPLES_MAX = 4096, STREAM_BYTES_MAX = 1 << 20 };

void stream_init(struct stream *s, enum stream_kind kind);
static inline bool stream_is_full(const struct stream *s)
{
    return s->count >= STREAM_SAMPLES_MAX || s->bytes >= STREAM_BYTES_MAX;
}
/* Whether the value can be in a stream of whole numbers. */
bool stream_is_whole(double value);

/* unix_ms must be greater than max_ms. STREAM_WHOLE: a value for which stream_is_whole. */
int stream_add(struct stream *s, struct arena *arena, int64_t unix_ms, double value);

/* `last`: the stream's last histogram; becomes a copy of `h`, which is not its own. NULL h: a
 * marker of staleness, which leaves `last` as it is. `scratch` is for the function's own use. */
int stream_add_histogram(struct stream *s, struct arena *arena, int64_t unix_ms,
                         struct running_histogram *last, const struct histogram *h,
                         struct column *scratch);

/* The bytes end to end, into `to` of s->bytes bytes. */
void stream_copy(const struct stream *s, uint8_t *to);
/* Empties it for writing it anew; keeps its fragments. */
void stream_rewind(struct stream *s);

/* Appends the samples within [from, to] from a copy of the bytes. 0, or -1: no memory. */
int stream_get(enum stream_kind kind, const uint8_t *bytes, size_t length, int64_t from_ms,
               int64_t to_ms, struct points *out);

#endif
