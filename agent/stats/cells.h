// SPDX-License-Identifier: Apache-2.0
/* A service's own counters, gauges and histograms (weft/stats.h), from its file into the table.
 * Labels: host, service, version, cell, and the instrument's own. Gauges of several processes of
 * one identity are added up.
 *
 * The loop's thread. */
#ifndef WEFT_AGENT_STATS_CELLS_H
#define WEFT_AGENT_STATS_CELLS_H

#include "agent/stats/table.h"
#include "lib/ring/slab_stats_reader.h"

/* Of one process. Zeroed memory is a fresh one. */
struct cells {
    struct stats_series **series; /* by the number of the instrument; NULL: refused */
    uint32_t count, capacity;
};

void cells_fini(struct cells *c);

/* What is new. It is in the table when this returns, and must go into a batch, with the reader's
 * generation in its cursor table (lib/ring/slab_stats_reader.h), before the next commit.
 * *bytes grows by about what the rows will take of the batch. */
enum slab_error cells_take(struct cells *c, struct stats_table *t, struct stats_identity *identity,
                           struct slab_reader *reader, size_t *bytes);

#endif
