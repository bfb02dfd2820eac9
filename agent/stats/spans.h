// SPDX-License-Identifier: Apache-2.0
/* Rate, errors and durations from every span that a process ends, before any of them is chosen or
 * dropped, under the names of OpenTelemetry's span metrics and service graph connectors:
 *
 *   traces_span_metrics_calls_total             by service_name, span_name, span_kind, status_code
 *   traces_span_metrics_duration_seconds        likewise; with exemplars
 *   traces_service_graph_request_total          by client, server, connection_type
 *   traces_service_graph_request_failed_total   likewise
 *   traces_service_graph_request_server_seconds as the server saw it
 *   traces_service_graph_request_client_seconds as the client saw it
 *
 * A span that died counts as an error, under died="true". An edge is counted on the server's side,
 * whose caller told its name in the tracestate (weft=NAME), and on the client's side where the
 * other does not record: a span with db.system is a call of a database, one with messaging.system a
 * call of a queue.
 *
 * The loop's thread. */
#ifndef WEFT_AGENT_STATS_SPANS_H
#define WEFT_AGENT_STATS_SPANS_H

#include "agent/process_identity.h"
#include "agent/stats/table.h"

/* What is counted for one process: holds its identity, and finds a span's series by numbers alone.
 */
struct span_counts;

/* The names that spans are counted under become the agent's. */
void span_counts_reserve(struct stats_table *t);
/* NULL: no memory; then nothing is counted for it. The table and the reader must outlive it. */
struct span_counts *span_counts_create(struct stats_table *t, struct slab_reader *reader,
                                       const struct process_identity *identity);
void span_counts_destroy(struct span_counts **c);
struct stats_identity *span_counts_identity(const struct span_counts *c);

/* `span`: its times, ids and status as they go into the batch. `c` may be NULL. */
void span_counts_add(struct span_counts *c, const struct slab_record *record,
                     const struct batch_span *span);

#endif
