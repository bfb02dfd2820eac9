// SPDX-License-Identifier: Apache-2.0
/* What the agent counts between two of its rounds (a round each second): series by metric, identity
 * and labels, each with what came since the last round. stats_table_emit writes a row for each into
 * the batches that are being built; from then on these have it.
 *
 * A series that changed within the last minute is told in each round, one that did not every 15th,
 * so that it is seen to live. It ends (a last row says so) when its source does: a gauge that was
 * not set in a round; anything else once its identity has had no process, or its source was
 * silent, for some minutes.
 *
 * Labels can explode. Each metric has a bound on its series: what goes beyond is not counted
 * anywhere else but refused, and the refusals are counted by metric and reason and told as
 * weft_agent_series_refused_total.
 *
 * A metric's name belongs to whoever stands highest of those that use it: the agent itself, whose
 * names nobody else may use; then libweft in a service; then StatsD. Where one who stands higher
 * wants a name for another type, the series that had it end.
 *
 * The loop's thread. Memory is bounded by the bounds. */
#ifndef WEFT_AGENT_STATS_TABLE_H
#define WEFT_AGENT_STATS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/codec/batch.h"

enum { STATS_LABELS_MAX = 32, STATS_TEXT_MAX = 1024, STATS_METRICS_MAX = 4096 };
enum { STATS_METRIC_ROUNDS = 60 }; /* a metric without series is kept for */
enum { STATS_EXEMPLARS = 8 };

struct stats_table;

/* Whose numbers they are: labels that many series share. An empty one is none. */
struct stats_identity;

/* What the service's label is called: "service", or as OpenTelemetry's connectors have it
 * "service_name", or none of the three labels is said. */
enum stats_naming { STATS_SERVICE, STATS_SERVICE_NAME, STATS_HOST_ONLY };

enum stats_origin { STATS_OF_STATSD, STATS_OF_LIBWEFT, STATS_OWN };

/* Why an update is not counted. */
enum stats_refusal {
    STATS_SERIES_LIMIT, /* the metric has as many series as it may */
    STATS_METRIC_LIMIT, /* there are as many metrics as there may be */
    STATS_OTHER_TYPE,   /* the metric is counted as another type already */
    STATS_OWN_NAME,     /* the agent counts under this name */
    STATS_BAD_LABELS,   /* too many, or too long */
    STATS_NO_MEMORY,
    STATS_BATCH_LIMIT, /* one batch must hold them all, and cannot */
    STATS_REFUSALS
};
/* "series_limit" … */
const char *stats_refusal_name(enum stats_refusal reason);

/* A metric that the program itself makes. All texts live as long as the table. */
struct stats_metric_info {
    const char *name, *unit, *help;
    enum metric_type type;
    enum stats_naming naming;
};

struct stats_label {
    struct batch_str name, value;
};

struct stats_exemplar {
    uint64_t unix_ns, span_id; /* 0: none */
    struct trace_id trace_id;
    double value;
};

/* One series; its numbers are added to by the functions below. */
struct stats_series;

struct stats_options {
    const char *host;       /* the label `host` of everything; kept as it is */
    uint32_t series_max;    /* of one metric */
    uint32_t silent_rounds; /* how long a series without a process stays without news */
};

/* NULL: no memory. */
struct stats_table *stats_table_create(const struct stats_options *options);
void stats_table_destroy(struct stats_table **t);

/* The identity with these texts (copied), held: it is let go by stats_identity_release. NULL: no
 * memory. */
struct stats_identity *stats_identity_hold(struct stats_table *t, struct batch_str service,
                                           struct batch_str version, struct batch_str cell);
void stats_identity_release(struct stats_table *t, struct stats_identity *identity);

/* The metric of this name, made where there is none. NULL where it is refused, and counted: a
 * metric has one type, some names are the agent's own, and there is a bound on metrics. Valid as
 * long as it has series, else to the end of the round; the agent's own as long as the table. */
struct stats_metric;
struct stats_metric *stats_metric(struct stats_table *t, struct batch_str name,
                                  enum metric_type type, enum stats_origin origin);
/* What it is counted in and what it says; the first that is not empty stays. Copied. */
void stats_describe(struct stats_metric *metric, struct batch_str unit, struct batch_str help);
/* Asked for before anybody else can: then the name is the agent's from the beginning. */
struct stats_metric *stats_own_metric(struct stats_table *t, const struct stats_metric_info *info);

/* The series with these labels (sorted by name, none twice, none empty; copied). `identity` may be
 * NULL. NULL where the metric has its bound: counted. The pointer stays valid while the identity is
 * held; without one, until the next stats_table_emit. */
struct stats_series *stats_find(struct stats_table *t, struct stats_metric *metric,
                                struct stats_identity *identity, const struct stats_label *labels,
                                uint32_t count);
/* Whether the metric may have a further series; NULL: it may not. */
bool stats_has_room(const struct stats_table *t, const struct stats_metric *metric);
/* A further update of what stats_find refused. NULL: of no metric. */
void stats_refuse(struct stats_table *t, struct stats_metric *metric, enum stats_refusal reason);

/* `s` may be NULL in all of these: nothing happens. */
void stats_count(struct stats_series *s, double delta);
/* Several in one round are added up: processes of one identity. */
void stats_gauge(struct stats_table *t, struct stats_series *s, double value);
/* In place of what was there, and kept through rounds in which nothing comes. */
void stats_gauge_keep(struct stats_table *t, struct stats_series *s, double value);
void stats_gauge_move(struct stats_table *t, struct stats_series *s, double by);
void stats_record(struct stats_series *s, double value, uint64_t times);
void stats_merge(struct stats_series *s, const struct exphist *histogram);
/* The span behind a value that was just recorded: of each half octave of values one is told in each
 * round, of STATS_EXEMPLARS of them. */
void stats_behind(struct stats_series *s, const struct stats_exemplar *e);

/* The batch into which rows go. */
struct stats_batch {
    struct batch_builder *builder;
    uint32_t serial;
    int64_t unix_ms;  /* of the rows; each batch's later than the one's before */
    size_t bytes_max; /* of the builder, as batch_builder_bytes has it: one row may go beyond */
    size_t rows;      /* added to */
};

/* Rows of everything that has news. True: that was all. False: the batch is full, and the next
 * call, with another one, goes on. */
bool stats_table_emit(struct stats_table *t, struct stats_batch *b);
/* After it. What was not told has its news still. */
void stats_table_end_round(struct stats_table *t);

/* Rows of counters and histograms alone, at any time, of all origins or of libweft's alone. What
 * libweft counted has to be in the batch whose cursor says that it was taken: what would make it
 * larger than bytes_max is refused, and counted. What others counted waits for the next one. */
void stats_table_tell(struct stats_table *t, struct stats_batch *b, bool libweft_alone);

struct stats_table_stats {
    uint64_t series, metrics, refused;
};
void stats_table_stats(const struct stats_table *t, struct stats_table_stats *out);

#endif
