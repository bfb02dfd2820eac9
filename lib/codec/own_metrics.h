// SPDX-License-Identifier: Apache-2.0
/* What a daemon says of itself: a list of metrics that it goes through once, and two places where
 * that may go. As text it is what Prometheus reads (/metrics, version 0.0.4); as rows of a batch
 * it is what the collector keeps as series, the same names, labels and values.
 *
 *     own_family(m, "weft_agent_lost_total", METRIC_COUNTER, "Lost in the agent.");
 *     own_value(m, (struct own_label[]){{"reason", "spool_full"}}, 1, 3);
 *
 * What runs out of memory shows in the buffer, or in the builder, at the end. One thread. */
#ifndef WEFT_CODEC_OWN_METRICS_H
#define WEFT_CODEC_OWN_METRICS_H

#include "lib/base/buffer.h"
#include "lib/codec/batch.h"

struct own_label {
    const char *name, *value;
};

/* Zeroed but for where it goes: own_to_text, own_to_rows. */
struct own_metrics {
    struct buffer *text; /* NULL: rows */
    struct batch_builder *rows;
    int64_t unix_ms;
    uint32_t label_set; /* of all rows */
    const char *name, *help;
    enum metric_type type;
    uint32_t metric; /* of the family and the suffix; BATCH_NONE: not in the batch yet */
    const char *suffix;
};

struct own_metrics own_to_text(struct buffer *out);
/* `shared`: labels that all rows have, and that the text has not, as whoever reads that says where
 * it was read; they stay valid. */
struct own_metrics own_to_rows(struct batch_builder *b, int64_t unix_ms,
                               const struct own_label *shared, uint32_t count);

/* The values that follow are of this metric. Texts stay valid. */
void own_family(struct own_metrics *m, const char *name, enum metric_type type, const char *help);
/* A label whose value is empty stands in the text, and is none in a batch. */
void own_value(struct own_metrics *m, const struct own_label *labels, uint32_t count, double value);
/* One of a histogram's series: the family's name with "_bucket", "_sum", "_count" behind it. The
 * suffix is a literal. */
void own_part(struct own_metrics *m, const char *suffix, const struct own_label *labels,
              uint32_t count, double value);

/* A family of one value. */
void own_gauge(struct own_metrics *m, const char *name, const char *help, double value);
void own_counter(struct own_metrics *m, const char *name, const char *help, double value);

/* Of the program that asks. */
double own_cpu_seconds(void);
double own_resident_bytes(void);

#endif
