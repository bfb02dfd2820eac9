// SPDX-License-Identifier: Apache-2.0
/* Edges of the service graph, as one process' spans tell them; agent/stats/spans.h says which. Part
 * of struct span_counts. */
#ifndef WEFT_AGENT_STATS_EDGES_H
#define WEFT_AGENT_STATS_EDGES_H

#include "agent/stats/table.h"
#include "lib/ring/slab_reader.h"

enum edge_kind { EDGE_SERVER, EDGE_DATABASE, EDGE_QUEUE, EDGE_KINDS };

struct edge;

struct edges {
    struct stats_table *table;
    struct slab_reader *reader;
    struct batch_str service; /* this process' */
    /* Of the service alone: an edge's labels tell no version, so the processes of all versions on
     * the host count in one series. Held. */
    struct stats_identity *identity;
    struct stats_metric *total, *failed, *seconds[EDGE_KINDS];
    struct edge *list; /* the edges met so far; few */
    uint8_t *roles;    /* of the names in the process' table, by number; 0: not known yet */
    uint32_t role_count, edge_count;
};

/* The names that edges are counted under become the agent's. */
void edges_reserve(struct stats_table *t);
/* `service` is copied. -1: no memory; edges_fini then too. */
int edges_init(struct edges *e, struct stats_table *t, struct slab_reader *reader,
               const char *service);
void edges_fini(struct edges *e);

void edges_add(struct edges *e, const struct slab_record *record, const struct batch_span *span,
               const struct stats_exemplar *behind);

#endif
