// SPDX-License-Identifier: Apache-2.0
/* The head: the spans of the last minutes, in memory, behind the only interface by which the
 * rest of the collector knows where spans are.
 *
 * Decoded batches stay as they are (columns, immutable); the head adds an index over them. It
 * is a ring of generations, each with its own arena, trace table and service table. When the
 * memory bound is reached the oldest generation goes, whole, and is counted as
 * LOSS_HEAD_EVICTED. A trace whose spans came in several generations has an entry in each,
 * chained from the newest to the oldest.
 *
 * Threads: one thread decodes and inserts; any number ask. An insert takes the lock for the
 * walk over the batch's trace column (tens of microseconds); a question takes it to copy what
 * it needs to know and reads the columns themselves without it, for as long as it keeps a
 * `struct store_hold`. A generation that is evicted while held is freed at its release and
 * counts towards the bound until then.
 *
 * Rows are not deduplicated here: a span that came twice counts twice in what a candidate
 * promises (query/assemble.h sorts that out).
 */
#ifndef WEFT_COLLECTOR_TRACES_STORE_H
#define WEFT_COLLECTOR_TRACES_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/traces/run.h"

enum { STORE_GENERATIONS_MAX = 32 };

struct store;
struct generation;

struct store_options {
    uint64_t limit_bytes;
    unsigned generations; /* the bound is kept in steps of limit_bytes / generations; 8 */
    /* Told, from the inserting thread, how many spans an eviction took. May be NULL. */
    void (*evicted)(void *context, uint64_t spans, uint64_t oldest_unix_ns,
                    uint64_t newest_unix_ns);
    void *context;
};

/* NULL when memory is out. */
struct store *store_create(const struct store_options *options);
/* Every hold must have been released. */
void store_destroy(struct store **s);

/* ---- inserting: one thread --------------------------------------------------------------- */

/* A decoded batch that no question sees yet. Its memory belongs to the head. */
struct store_staged {
    const struct batch *batch;
    struct generation *generation;
};

/* Decodes into the head's memory; evicts first where the bound asks for it. BATCH_OK or
 * another of enum batch_error. Whoever has a staged batch gives it back by store_insert or
 * store_discard. */
int store_decode(struct store *s, const void *bytes, size_t length, size_t max_bytes,
                 struct store_staged *staged);
/* The same for a batch built by hand: `*arena` is where it must be built. */
int store_stage(struct store *s, struct store_staged *staged, struct arena **arena);
/* Makes the batch visible; `agent` is copied. 0; -1 when memory is out (then it is not). */
int store_insert(struct store *s, struct store_staged *staged, const char *agent);
void store_discard(struct store *s, struct store_staged *staged);

/* ---- asking: any thread ------------------------------------------------------------------ */

/* Keeps every generation that is there now. Short-lived: what is held cannot be freed. */
struct store_hold {
    struct store *store;
    struct generation *generations[STORE_GENERATIONS_MAX]; /* oldest first */
    unsigned count;
};
void store_hold(struct store *s, struct store_hold *hold);
void store_release(struct store_hold *hold);
/* Gives back the generations that have nothing of the trace; its runs stay valid. For a hold
 * that may last. */
void store_hold_narrow(struct store_hold *hold, struct trace_id id);

/* All runs of a trace (valid while held), in the order of their arrival; malloc'ed, the caller
 * frees. 0 with *count = 0 if the trace is not known; -1 when memory is out. */
int store_find(const struct store_hold *hold, struct trace_id id, struct span_run **runs,
               size_t *count);

struct store_filter {
    const char *service, *operation;           /* NULL: any */
    uint64_t start_unix_ns, end_unix_ns;       /* the trace began in [start, end) */
    uint64_t min_duration_ns, max_duration_ns; /* both included */
    bool failed, died;                         /* such a span must be there */
};
/* A filter that lets everything pass. */
#define STORE_FILTER_ANY                                                                           \
    (struct store_filter)                                                                          \
    {                                                                                              \
        .end_unix_ns = UINT64_MAX, .max_duration_ns = UINT64_MAX                                   \
    }

struct store_candidate {
    uint64_t start_unix_ns;
    struct trace_id id;
};
/* The traces that may pass the filter; whoever asks must look closer, as service and operation
 * are judged by a hash here and doubles are not removed. No trace that passes is missing.
 * In no order; malloc'ed, the caller frees. *scanned: the traces looked at. -1: no memory. */
int store_search(const struct store_hold *hold, const struct store_filter *filter,
                 struct store_candidate **candidates, size_t *count, uint64_t *scanned);

/* What is known of a process (by its uuid) at last: its state may be newer than that in the
 * batch a span came with. NULL if none is. Valid while held. */
const struct batch_process_view *store_process(const struct store_hold *hold,
                                               const uint8_t uuid[16]);

/* Calls for every loss record that overlaps [from, to]; `process` is NULL where it concerns the
 * whole agent. Under the head's read lock: short work only. */
struct store_loss {
    const char *agent;
    const struct batch_process_view *process;
    const struct batch_loss_view *loss;
};
void store_losses(const struct store_hold *hold, uint64_t from_unix_ns, uint64_t to_unix_ns,
                  void (*each)(void *context, const struct store_loss *loss), void *context);

/* Calls for every (generation, service) with its counts, for every operation seen in it, and for
 * every process. The same names may come again from another generation. Under the read lock. */
struct store_service_visit {
    void (*service)(void *context, struct batch_str name, uint64_t spans, uint64_t errors,
                    uint64_t died);
    void (*operation)(void *context, struct batch_str service, struct batch_str name);
    void (*process)(void *context, const struct batch_process_view *process);
    void *context;
};
void store_services(const struct store_hold *hold, const struct store_service_visit *visit);

struct store_stats {
    uint64_t traces, spans; /* traces: an entry in two generations counts once */
    uint64_t bytes, limit_bytes;
    uint64_t oldest_unix_ns; /* the earliest start of a span; 0 if empty */
    uint64_t evicted_spans;
    unsigned generations;
};
void store_stats(struct store *s, struct store_stats *out);

#endif
