// SPDX-License-Identifier: Apache-2.0
#include "lib/prom/remote_write.h"

#include <snappy-c.h>

#include "lib/prom/remote_write_internal.h"

const char *remote_write_error_text(int error)
{
    switch (error) {
    case REMOTE_WRITE_OK:
        return "no error";
    case REMOTE_WRITE_ENOMEM:
        return "no memory";
    case REMOTE_WRITE_ESNAPPY:
        return "not a snappy block, or a larger one than allowed";
    case REMOTE_WRITE_EMESSAGE:
        return "not a WriteRequest";
    case REMOTE_WRITE_ELABELS:
        return "a series without labels, with one of a name twice, or with too many";
    case REMOTE_WRITE_EHISTOGRAM:
        return "a histogram whose buckets contradict each other";
    }
    return "?";
}

/* A message that means something takes no more memory than so many times its bound: empty
 * submessages would. */
enum { BYTES_FACTOR = 8 };

/* ---- how much there is ------------------------------------------------------------------- */

struct sizes {
    uint32_t series, labels, samples, histograms, exemplars, metadata;
};

static void count_labels(struct sizes *n, struct wire message, uint32_t number)
{
    struct wire_field f;
    while (wire_next(&message, &f))
        n->labels += f.number == number;
}

static bool count_series(struct sizes *n, struct wire series)
{
    struct wire_field f;
    n->series++;
    while (wire_next(&series, &f)) {
        n->labels += f.number == SERIES_LABELS;
        n->samples += f.number == SERIES_SAMPLES;
        n->histograms += f.number == SERIES_HISTOGRAMS;
        n->exemplars += f.number == SERIES_EXEMPLARS;
        if (f.number == SERIES_EXEMPLARS && f.type == WIRE_BYTES)
            count_labels(n, f.bytes, EXEMPLAR_LABELS);
    }
    return !series.bad;
}

static bool count_all(struct sizes *n, struct wire request)
{
    struct wire_field f;
    while (wire_next(&request, &f)) {
        n->metadata += f.number == REQUEST_METADATA;
        if (f.number == REQUEST_TIMESERIES && (f.type != WIRE_BYTES || !count_series(n, f.bytes)))
            return false;
    }
    return !request.bad;
}

/* What the columns will take. */
static size_t bytes_of(const struct sizes *n)
{
    return n->series * sizeof(struct remote_series) + n->labels * sizeof(struct label) +
           n->samples * (sizeof(int64_t) + sizeof(double)) +
           n->histograms * (sizeof(int64_t) + sizeof(struct histogram)) +
           n->exemplars * sizeof(struct remote_exemplar) +
           n->metadata * sizeof(struct remote_metadata);
}

static bool make_room(struct remote_decoder *d, const struct sizes *n)
{
    struct remote_write *out = d->out;
    out->series = arena_alloc(d->arena, n->series * sizeof *out->series);
    out->sample_unix_ms = arena_alloc(d->arena, n->samples * sizeof *out->sample_unix_ms);
    out->sample_value = arena_alloc(d->arena, n->samples * sizeof *out->sample_value);
    out->histogram_unix_ms = arena_alloc(d->arena, n->histograms * sizeof *out->histogram_unix_ms);
    out->histograms = arena_calloc(d->arena, n->histograms, sizeof *out->histograms);
    out->exemplars = arena_alloc(d->arena, n->exemplars * sizeof *out->exemplars);
    out->metadata = arena_calloc(d->arena, n->metadata, sizeof *out->metadata);
    d->labels = arena_alloc(d->arena, n->labels * sizeof *d->labels);
    return out->series && out->sample_unix_ms && out->sample_value && out->histogram_unix_ms &&
           out->histograms && out->exemplars && out->metadata && d->labels;
}

/* ---- all of it --------------------------------------------------------------------------- */

static int decompress(struct arena *arena, const void *body, size_t length, size_t max_bytes,
                      struct wire *request)
{
    size_t size;
    if (snappy_uncompressed_length(body, length, &size) != SNAPPY_OK || size > max_bytes)
        return REMOTE_WRITE_ESNAPPY;
    char *plain = arena_alloc(arena, size);
    if (!plain)
        return REMOTE_WRITE_ENOMEM;
    if (snappy_uncompress(body, length, plain, &size) != SNAPPY_OK)
        return REMOTE_WRITE_ESNAPPY;
    *request = wire_of(plain, size);
    return REMOTE_WRITE_OK;
}

static int decode(struct remote_decoder *d, struct wire request, size_t max_bytes)
{
    struct sizes n = {0};
    if (!count_all(&n, request))
        return REMOTE_WRITE_EMESSAGE;
    if (bytes_of(&n) > BYTES_FACTOR * max_bytes)
        return REMOTE_WRITE_EMESSAGE;
    if (!make_room(d, &n))
        return REMOTE_WRITE_ENOMEM;
    remote_write_fill(d, request);
    return d->error;
}

struct remote_write *remote_write_decode(struct arena *arena, const void *body, size_t length,
                                         size_t max_bytes, int *error)
{
    struct wire request;
    struct remote_decoder d = {.arena = arena, .out = arena_calloc(arena, 1, sizeof *d.out)};
    *error = d.out ? decompress(arena, body, length, max_bytes, &request) : REMOTE_WRITE_ENOMEM;
    if (*error == REMOTE_WRITE_OK)
        *error = decode(&d, request, max_bytes);
    return *error ? NULL : d.out;
}
