// SPDX-License-Identifier: Apache-2.0
/* Questions about spans, answered from segments, the head and what is in flight.
 *
 * Each answer is a view: it points into batches that it holds, and must be given back by its
 * _fini soon, as the head cannot free what is held. Only a trace may be kept for as long as it
 * takes to send it: it holds no more than the generations that it is in. Any thread may ask. -1
 * always means that memory is out.
 *
 * query/tree.h       one trace as a tree
 * query/open.h       what is in flight, by trace
 * query/trace.c      a trace by id, with the losses that concern it
 * query/search.c     the list of traces
 * query/summary.h    what lists and searches tell of a trace
 * query/services.c   who recorded what
 */
#ifndef WEFT_COLLECTOR_QUERY_QUERY_H
#define WEFT_COLLECTOR_QUERY_QUERY_H

#include "collector/query/budget.h"
#include "collector/query/summary.h"
#include "collector/query/tree.h"
#include "collector/traces/inflight.h"
#include "collector/traces/store.h"

struct query {
    struct store *store;
    struct inflight *inflight;
    struct budget *memory;       /* of searches; NULL: no bound */
    struct budget *large_traces; /* how many may be open at a time; NULL: no bound */
};

/* ---- one trace --------------------------------------------------------------------------- */

struct trace_loss {
    uint32_t process; /* in tree.processes; TREE_NONE: of its agent, or of another process */
    struct batch_str agent;
    struct batch_str service; /* of another process; empty: of the agent as a whole */
    unsigned reason;
    uint64_t count, from_unix_ns, to_unix_ns;
};

struct trace_state { /* of a process, as known at last */
    enum process_state state;
    uint64_t state_unix_ns;
};

/* Attributes, events and links of a large trace are read when they are asked for, a group of a
 * segment at a time: what is kept of them. */
enum { TRACE_DETAILS = 2 };
struct trace_details {
    struct arena arena;
    const struct batch *of, *batch; /* of: as the tree knows it */
    uint64_t used;
};

struct trace_view {
    struct store_hold hold;
    struct inflight_hold open;
    struct trace_id id;
    struct tree tree;
    struct trace_state *states; /* one for each of tree.processes */
    struct arena arena;         /* what segments gave, and strings of the losses */
    struct trace_loss *losses;  /* in the trace's time; oldest first */
    size_t loss_count;
    struct span_run *runs; /* that the tree is made of */
    size_t run_count;
    struct budget *large_traces; /* one is taken of it, if set */
    bool large;                  /* its nodes' batches have no details: trace_view_details has */
    struct trace_details details[TRACE_DETAILS];
    uint64_t details_used;
};

/* 1: *view is filled.  0: no span of it is known.  -2: others have the memory for large traces:
 * ask again later. */
int query_trace(const struct query *q, struct trace_id id, uint64_t now_unix_ns,
                struct trace_view *view);
void trace_view_fini(struct trace_view *view);
/* The batch that has the attributes, events and links of a node, in the same row as the node's;
 * valid until the next call. Nodes asked for in the tree's order are cheap. NULL: no memory, or the
 * segment is damaged there. */
const struct batch *trace_view_details(struct trace_view *view, uint32_t node);

/* ---- the list of traces ------------------------------------------------------------------ */

enum trace_status { TRACE_ANY, TRACE_OK, TRACE_ERROR, TRACE_DIED, TRACE_IN_FLIGHT };

struct trace_filter {
    const char *service, *operation; /* NULL: any */
    enum trace_status status;
    uint64_t min_duration_ns, max_duration_ns;
    uint64_t start_unix_ns, end_unix_ns;
    uint32_t limit;
};

struct scan;

struct trace_list {
    struct scan *scan; /* what is held */
    struct arena arena;
    struct trace_summary *traces; /* newest first */
    size_t count;
    uint64_t scanned;
    bool more;
    uint64_t complete_since_unix_ns; /* older traces were aged out; 0: none ever was */
};

int query_traces(const struct query *q, const struct trace_filter *filter, uint64_t now_unix_ns,
                 struct trace_list *list);
void trace_list_fini(struct trace_list *list);

/* ---- services ---------------------------------------------------------------------------- */

enum { SERVICE_NAMES_MAX = 1000 }; /* of each kind that an answer lists for one service */

struct service_names {
    struct batch_str *names; /* sorted, distinct, not empty */
    uint32_t count;
};

struct service_view {
    struct batch_str name;
    uint64_t spans, errors, died;
    struct service_names operations, versions, cells, instances;
};

struct service_list {
    struct store_hold hold;
    struct arena arena;
    struct service_view *services; /* by name */
    size_t count;
};

int query_services(const struct query *q, struct service_list *list);
void service_list_fini(struct service_list *list);

/* ---- in flight --------------------------------------------------------------------------- */

struct open_span {
    const struct inflight_snapshot *snapshot;
    uint32_t row;
};

struct open_list {
    struct inflight_hold open;
    struct open_span *spans; /* oldest first */
    size_t count;
    uint64_t as_of_unix_ns; /* the newest look; now if there is none */
    bool more;
};

/* `service`: NULL for all. */
int query_inflight(const struct query *q, const char *service, uint32_t limit, uint64_t now_unix_ns,
                   struct open_list *list);
void open_list_fini(struct open_list *list);

#endif
