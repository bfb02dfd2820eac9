// SPDX-License-Identifier: Apache-2.0
/* The table's inside: table.c finds series, update.c adds to them, emit.c tells of them. */
#ifndef WEFT_AGENT_STATS_TABLE_INTERNAL_H
#define WEFT_AGENT_STATS_TABLE_INTERNAL_H

#include "agent/stats/table.h"

/* What something is called in the batch `serial`. */
struct stats_mark {
    uint32_t serial, index;
};

struct stats_identity {
    struct batch_str service, version, cell;
    uint32_t holders;           /* live processes */
    uint32_t idle_since;        /* the round in which the last one let go */
    uint32_t used_round;        /* the last one in which a series had it */
    struct stats_mark marks[2]; /* its label sets, by enum stats_naming */
    struct stats_identity *next;
};

struct stats_refused {
    uint64_t count[STATS_REFUSALS], told[STATS_REFUSALS];
};

struct stats_metric {
    struct stats_metric *next; /* of its bucket */
    struct batch_str name;
    char *unit, *help; /* NULL: not known */
    enum metric_type type;
    enum stats_naming naming;
    enum stats_origin origin; /* the highest of those that use it */
    bool ousted;              /* another has the name now; its series end */
    uint32_t series;
    uint32_t asked_round; /* the last in which somebody wanted it */
    struct stats_refused refused;
    struct stats_mark mark;
};

struct stats_series {
    struct stats_series *next; /* of its bucket */
    uint64_t hash;
    struct stats_metric *metric;
    struct stats_identity *identity;  /* NULL: none */
    struct exphist *histogram;        /* of histograms: what came since the last round */
    struct stats_exemplar *exemplars; /* STATS_EXEMPLARS, by half octave; NULL: none yet */
    double value;                     /* counter: what came; gauge: as it stands */
    double told_value;                /* gauge: what the last row said */
    struct stats_mark mark;
    uint32_t number;
    uint32_t set_round;  /* gauge: the round in which it was set last */
    uint32_t news_round; /* the round in which it changed last */
    uint32_t told_round; /* the round of the last row */
    uint64_t gathered;   /* histogram: how much of it services.h has already */
    bool told;           /* at least once */
    bool kept;           /* gauge: stays as it is where nothing sets it */
    bool news;           /* counter, histogram: something came since the last round */
    uint32_t label_count;
    struct stats_label labels[]; /* their texts behind them */
};

struct stats_table {
    struct stats_options options;
    struct stats_identity *identities;
    struct stats_metric **metrics;                 /* in no order */
    struct stats_metric *names[STATS_METRICS_MAX]; /* by the hash of the name */
    uint32_t metric_count, metric_capacity;
    struct stats_series **series; /* in no order */
    size_t series_count, series_capacity;
    struct stats_series **buckets;
    uint32_t bucket_count; /* a power of two */
    uint32_t next_number;
    struct stats_mark host_mark; /* the label set with nothing but the host */
    uint32_t round;
    size_t emit_at; /* in `series`: where the round's next batch goes on */
    bool emitting;  /* a round is being told */
    uint64_t refused;
    struct stats_refused unnamed; /* of no metric */
};

/* Metrics of others that have no series, and were not asked for of late. */
void stats_forget_metrics(struct stats_table *t);

/* series[i] goes; another takes its place. */
void stats_drop_series(struct stats_table *t, size_t i);

#endif
