// SPDX-License-Identifier: Apache-2.0
/* Samples in a batch (docs/format/batch.md): what they are of (metrics, sets of labels, series),
 * and a row for each. Part of lib/codec/batch.h, which says who owns what. */
#ifndef WEFT_CODEC_BATCH_SAMPLES_H
#define WEFT_CODEC_BATCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "lib/codec/labels.h"
#include "lib/model/exphist.h"
#include "lib/model/metric.h"
#include "lib/model/span.h"

struct batch;
struct batch_builder;

#define BATCH_NONE UINT32_MAX

/* ---- building ---------------------------------------------------------------------------- */

/* Strings are dictionary indices (batch_string), unit and help may be 0. Each answers with the
 * index by which the next refers to it; nothing is looked for, so what is added twice stands twice.
 */
uint32_t batch_metric(struct batch_builder *b, uint32_t name, enum metric_type type, uint32_t unit,
                      uint32_t help);
/* Labels that many series share. `pairs`: name, value, name, value …; `count` pairs. */
uint32_t batch_label_set(struct batch_builder *b, const uint32_t *pairs, uint32_t count);
/* `label_set`: from batch_label_set, or BATCH_NONE. Where a name stands in both, the series' own
 * value counts. */
uint32_t batch_series(struct batch_builder *b, uint32_t metric, uint32_t label_set,
                      const uint32_t *pairs, uint32_t count);

/* `kind` without a histogram. The value of a SAMPLE_STALE is not kept. */
void batch_sample(struct batch_builder *b, uint32_t series, int64_t unix_ms, enum sample_kind kind,
                  double value);
/* `kind` with a histogram. Buckets that are 0 cost nothing. */
void batch_histogram(struct batch_builder *b, uint32_t series, int64_t unix_ms,
                     enum sample_kind kind, const struct exphist *h);
/* A span that is behind a sample of the series. */
void batch_exemplar(struct batch_builder *b, uint32_t series, int64_t unix_ms, double value,
                    struct trace_id trace_id, uint64_t span_id);

size_t batch_builder_samples(const struct batch_builder *b);

/* ---- decoded ----------------------------------------------------------------------------- */

struct batch_metric_view {
    struct batch_str name, unit, help;
    uint8_t type; /* enum metric_type */
};

struct batch_label_range { /* of `label_names` and `label_values` */
    uint32_t first, count;
};

struct batch_series_view {
    uint32_t metric;
    struct batch_label_range shared, own;
};

struct batch_histogram_view {
    int32_t scale; /* bucket i holds (b^i, b^(i+1)], b = 2^(2^-scale), as in exphist.h */
    uint64_t zeros, not_finite;
    double sum, min, max;
    /* Of `bucket` and `bucket_count`; the negative ones stand behind the positive ones. */
    uint32_t first, positive, negative;
};

/* Every index in here was checked. */
struct batch_samples {
    struct batch_metric_view *metrics;
    struct batch_series_view *series;
    uint32_t metric_count, series_count;
    uint32_t *label_names, *label_values; /* dictionary indices */

    uint32_t count; /* the columns below have so many rows */
    uint32_t *series_of;
    int64_t *unix_ms;
    uint8_t *kind;       /* enum sample_kind */
    double *value;       /* of a histogram, its sum */
    uint32_t *histogram; /* BATCH_NONE: none */

    struct batch_histogram_view *histograms;
    uint32_t histogram_count;
    int32_t *bucket; /* rising within the positive and within the negative ones of a histogram */
    uint64_t *bucket_count;

    uint32_t exemplar_count;
    uint32_t *exemplar_series;
    int64_t *exemplar_unix_ms;
    double *exemplar_value;
    uint64_t *exemplar_trace_hi, *exemplar_trace_lo, *exemplar_span_id;
};

/* The labels of a series, the metric's name among them, as lib/codec/labels.h wants them. They
 * point into the batch. False: more than LABELS_MAX. */
bool batch_series_labels(const struct batch *b, uint32_t series, struct label out[LABELS_MAX],
                         struct labels *labels);

#endif
