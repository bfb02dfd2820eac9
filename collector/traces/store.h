// SPDX-License-Identifier: Apache-2.0
/* The store: spans of the last minutes in memory (the head), all older ones in segments on disk,
 * behind the only interface by which the rest of the collector knows where spans are.
 *
 * The head is a ring of generations, each an arena of decoded batches (columns, as they came)
 * with an index over them. A generation that is full, or old, is *sealed*; a thread of the
 * store's own makes a segment of it (cut.c), and in one moment the segment takes its place. So
 * memory is bounded by `head_bytes`: where segments cannot be written (the disk is full) the
 * inserting thread waits, nothing more is accepted, and agents keep what they have. Another
 * thread merges small segments and removes the oldest (keep.c).
 *
 * Nothing is twice or missing after a crash: a generation knows how far in the ledger its batches
 * go, a segment keeps that, and a start reads the ledger from there (store_ledger_end).
 *
 * Threads: one decodes and inserts; any number ask. An insert takes the lock for the walk over
 * the batch's trace column (tens of microseconds); a question takes it to copy what it needs to
 * know and reads columns and segments without it, for as long as it keeps a `struct store_hold`.
 */
#ifndef WEFT_COLLECTOR_TRACES_STORE_H
#define WEFT_COLLECTOR_TRACES_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/store/keeper.h"
#include "collector/traces/catalog.h"
#include "collector/traces/run.h"

enum { STORE_GENERATIONS_MAX = 32 };

struct store;
struct generation;

struct store_options {
    const char *directory; /* of the segments */
    uint64_t head_bytes;   /* the bound of the spans that no segment has yet */
    unsigned generations;  /* the bound is kept in steps of head_bytes / generations; 4 */
    uint64_t cut_after_ns; /* a generation older than this is cut though it is not full; 0: never */
    uint64_t limit_bytes;  /* of all segments: beyond it the oldest go; 0: none */
    uint64_t max_age_ns;   /* segments whose newest span is older go too; 0: none */
    uint64_t merge_bytes_s;        /* what merging may read and write in a second; 0: no limit */
    uint64_t ledger_begun_unix_ns; /* which ledger positions are of */
};

/* NULL and a sentence in `why`. */
struct store *store_open(const struct store_options *options, char *why, size_t why_size);
/* Stops the store's threads; what is in the head is in the ledger. Every hold must have been
 * released. */
void store_close(struct store **s);
/* From now on an insert does not wait for room any more (it fails with BATCH_ENOMEM): for
 * whoever wants to stop the inserting thread. */
void store_interrupt(struct store *s);
/* Where reading the ledger begins after a start: everything before it is in segments. The
 * beginning, if these are of another ledger. */
struct journal_position store_ledger_end(struct store *s);
/* What is before it, the ledger may drop. That is the same, or more where nothing came since that
 * belongs into segments. */
struct journal_position store_ledger_needed(struct store *s);

/* ---- inserting: one thread --------------------------------------------------------------- */

/* A decoded batch that no question sees yet. Its memory belongs to the head; that of one which
 * holds nothing but samples to the arena given for it. */
struct store_staged {
    struct batch *batch;
    struct generation *generation;
};

/* Decodes into the head's memory, or into `samples`; waits first while the head is full. BATCH_OK
 * or another of enum batch_error. Whoever has a staged batch gives it back by store_insert or
 * store_discard, in the order in which they were staged. */
int store_decode(struct store *s, struct arena *samples, const void *bytes, size_t length,
                 size_t max_bytes, struct store_staged *staged);
/* The ledger goes to `ledger_end` now, and what was appended last is not for this store. */
void store_pass(struct store *s, struct journal_position ledger_end);
/* Makes the batch visible; `agent` is copied. `ledger_end`: behind its frame in the ledger. 0; -1
 * when memory is out: then it is not, and counted in store_stats.not_indexed. One of samples only
 * is passed. */
int store_insert(struct store *s, struct store_staged *staged, const char *agent,
                 struct journal_position ledger_end);
void store_discard(struct store *s, struct store_staged *staged);

/* ---- asking: any thread ------------------------------------------------------------------ */

/* Keeps everything that is there now. Short-lived: what is held cannot be freed. */
struct store_hold {
    struct store *store;
    struct generation *generations[STORE_GENERATIONS_MAX]; /* oldest first */
    unsigned count;
    struct edition *segments; /* oldest first; older than the generations */
};
void store_hold(struct store *s, struct store_hold *hold);
void store_release(struct store_hold *hold);
/* Gives back the generations that have nothing of the trace; its runs stay valid. For a hold
 * that may last. */
void store_hold_narrow(struct store_hold *hold, struct trace_id id);

/* All runs of a trace: those of segments first, in batches that are made in `arena`, then the
 * head's, valid while held; *runs is malloc'ed, the caller frees. Without `details` the segments'
 * batches come without attributes, events and links. 0, with *count = 0 if the trace is not
 * known; -1 when memory is out. Damaged segments are passed over (catalog_note_damage tells). */
int store_find(const struct store_hold *hold, struct trace_id id, bool details, struct arena *arena,
               struct span_run **runs, size_t *count);

/* Whether a segment has so much of the trace that its details should be asked for piece by piece.
 */
bool store_is_large(const struct store_hold *hold, struct trace_id id);

/* Traces of the head in the order of their arrival: of generation `i` of the hold the runs
 * of `traces` of them from `first` on (runs and firsts as block_of_runs wants them,
 * malloc'ed). -1: no memory. */
int store_head_runs(const struct store_hold *hold, unsigned i, uint32_t first, uint32_t traces,
                    struct span_run **runs, uint32_t **firsts);
void store_head_bounds(const struct store_hold *hold, unsigned i, struct block_bounds *bounds);
/* Ids of traces in generation `i` of which older generations or segments have spans too; some
 * may be named that are not. malloc'ed. -1: no memory. */
int store_head_continued(const struct store_hold *hold, unsigned i, struct trace_id **ids,
                         size_t *count);

/* What is known of a process (by its uuid) at last: its state may be newer than that in the
 * batch a span came with. NULL if the head knows none. Valid while held. */
const struct batch_process_view *store_process(const struct store_hold *hold,
                                               const uint8_t uuid[16]);

/* Calls for every loss record that overlaps [from, to], from segments (in `arena`) and from the
 * head (under its read lock: short work only). -1: no memory. */
struct store_loss {
    struct batch_str agent, service; /* service: empty where it concerns the whole agent */
    const uint8_t *process;          /* uuid; NULL likewise */
    unsigned reason;
    uint64_t count, from_unix_ns, to_unix_ns;
};
int store_losses(const struct store_hold *hold, uint64_t from_unix_ns, uint64_t to_unix_ns,
                 struct arena *arena, void (*each)(void *context, const struct store_loss *loss),
                 void *context);

/* Calls for every service with its counts, for every operation seen in it, and for every process,
 * of each generation and of the newest STORE_NAMED_SEGMENTS segments (whose names are made in
 * `arena`). The same names may come again. -1: no memory. */
enum { STORE_NAMED_SEGMENTS = 64 };
struct store_service_visit {
    void (*service)(void *context, struct batch_str name, uint64_t spans, uint64_t errors,
                    uint64_t died);
    void (*operation)(void *context, struct batch_str service, struct batch_str name);
    void (*process)(void *context, const struct batch_process_view *process);
    void *context;
};
int store_services(const struct store_hold *hold, struct arena *arena,
                   const struct store_service_visit *visit);

struct store_stats {
    uint64_t head_traces, head_spans, head_bytes, head_limit_bytes;
    uint64_t oldest_unix_ns; /* the earliest start of a span, anywhere; 0 if empty */
    unsigned generations;
    uint64_t not_indexed; /* spans */
    uint64_t cuts;        /* since the start */
    struct keeper_state keeping;
    struct catalog_stats segments;
    uint64_t segments_limit_bytes;
};
void store_stats(struct store *s, struct store_stats *out);
/* As files_damaged. */
struct files_damage *store_damaged(struct store *s, size_t *count);

#endif
