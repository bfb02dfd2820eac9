// SPDX-License-Identifier: Apache-2.0
/* Prometheus' remote write, version 1: a snappy block (without framing) around a protobuf message
 * prometheus.WriteRequest, as the specification at prometheus.io/docs/specs/prw says; with native
 * histograms, exemplars and metadata. Decoded into columns, in an arena.
 *
 * Stateless; any thread. */
#ifndef WEFT_PROM_REMOTE_WRITE_H
#define WEFT_PROM_REMOTE_WRITE_H

#include "lib/base/arena.h"
#include "lib/codec/labels.h"
#include "lib/model/histogram.h"

struct remote_series {
    struct labels labels; /* as lib/codec/labels.h wants them, whatever the order they came in */
    uint32_t sample_first, sample_count;
    uint32_t histogram_first, histogram_count;
    uint32_t exemplar_first, exemplar_count;
};

struct remote_exemplar {
    struct labels labels; /* sorted */
    double value;
    int64_t unix_ms;
};

struct remote_metadata {
    struct batch_str metric, help, unit;
    unsigned type; /* enum metric_type */
};

struct remote_write {
    struct remote_series *series;
    int64_t *sample_unix_ms;
    double *sample_value;
    int64_t *histogram_unix_ms;
    struct histogram *histograms;
    struct remote_exemplar *exemplars;
    struct remote_metadata *metadata;
    uint32_t series_count, sample_count, histogram_count, exemplar_count, metadata_count;
};

enum remote_write_error {
    REMOTE_WRITE_OK = 0,
    REMOTE_WRITE_ENOMEM = -1,
    REMOTE_WRITE_ESNAPPY = -2,    /* not a snappy block, or one that is larger than allowed */
    REMOTE_WRITE_EMESSAGE = -3,   /* not the message, or more in it than it can hold */
    REMOTE_WRITE_ELABELS = -4,    /* a series without labels, with one twice, or too many */
    REMOTE_WRITE_EHISTOGRAM = -5, /* buckets that contradict each other */
};
const char *remote_write_error_text(int error);

/* Everything of the result, strings too, is in `arena`; `body` may be freed at once. Hostile input
 * costs an error, never more memory than `max_bytes` (of the decompressed message) times a small
 * constant. NULL with *error set. */
struct remote_write *remote_write_decode(struct arena *arena, const void *body, size_t length,
                                         size_t max_bytes, int *error);

#endif
