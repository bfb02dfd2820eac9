// SPDX-License-Identifier: Apache-2.0
/* Numbers of metrics that stand in batches and files; never renumbered. */
#ifndef WEFT_MODEL_METRIC_H
#define WEFT_MODEL_METRIC_H

/* What a metric is, as Prometheus' metadata says it. */
enum metric_type {
    METRIC_UNKNOWN = 0,
    METRIC_COUNTER = 1,
    METRIC_GAUGE = 2,
    METRIC_HISTOGRAM = 3,
    METRIC_SUMMARY = 4,
    METRIC_INFO = 5,
    METRIC_STATESET = 6,
    METRIC_GAUGE_HISTOGRAM = 7,
    METRIC_TYPES
};

/* "counter", "gauge" …; "unknown" beyond. */
const char *metric_type_name(unsigned type);

/* What a sample in a batch says of its series.
 *
 * A *delta* is what was counted since the series' last sample. Agents send those: whatever dies on
 * the way, each delta arrives once or is counted as lost, and the collector adds them up to the
 * counter that is queried. So a counter does not begin anew with each process, and the increase
 * before a series' first sample is not missed, as the collector begins it at 0. */
enum sample_kind {
    SAMPLE_VALUE = 0,           /* a gauge, or a counter as its source counts it */
    SAMPLE_DELTA = 1,           /* of a counter */
    SAMPLE_HISTOGRAM = 2,       /* a histogram as its source counts it */
    SAMPLE_HISTOGRAM_DELTA = 3, /* what came into a histogram */
    SAMPLE_STALE = 4,           /* the series ends here, until another sample comes */
    SAMPLE_KINDS
};

#endif
