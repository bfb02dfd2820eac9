// SPDX-License-Identifier: Apache-2.0
/* Segments: immutable files of spans in columns, sorted by trace. docs/format/segment.md has the
 * bytes.
 *
 *   encoding        how a column of numbers becomes bytes: the smallest of several
 *   writer          traces in ascending order of their ids, group by group, into a file
 *   segment         an open file: its footer, its trace filter, a trace by id
 *   group           one row group as a block (collector/traces/block.h)
 *
 * A segment is read by any number of threads at a time; nothing in it changes. A writer belongs
 * to one thread. Files are read by pread and checked block by block: a flipped bit is an error
 * that names the block, never a wrong answer. Memory is taken for what is being read and given
 * back with it; what an open segment keeps is in `segment_resident_bytes`.
 */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_SEGMENT_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_SEGMENT_H

#include "collector/traces/block.h"
#include "collector/traces/run.h"
#include "lib/base/journal.h"

enum { SEGMENT_FORMAT_VERSION = 1 };
/* A group ends with the trace that brings it to so many rows; a larger trace is cut. */
enum { SEGMENT_GROUP_ROWS = 32768, SEGMENT_GROUP_ROWS_MAX = 65536 };

/* What the footer says of the whole. */
struct segment_summary {
    uint64_t first, last;               /* numbers: a merged segment stands for a range of them */
    uint64_t spans, traces;             /* traces: those cut over several groups count once */
    uint64_t spans_before;              /* in all segments that ever came before this one */
    uint64_t accepted_spans;            /* as they came: spans and the copies that were dropped */
    struct journal_position ledger_end; /* all of the ledger before it is in segments up to here */
    uint64_t ledger_begun_unix_ns;      /* of that ledger: a later one is another */
    uint64_t created_unix_ns;
    uint64_t start_min_unix_ns, start_max_unix_ns, end_max_unix_ns;
    uint64_t errors, died; /* spans with these statuses */
    uint32_t groups;
    uint64_t file_bytes; /* told by the writer and by segment_open */
};

/* A loss as the agents told it, kept so that holes can be explained later. */
struct segment_loss {
    struct batch_str agent, service; /* service: empty where no process is meant */
    uint8_t process[16];             /* its uuid; zero where none is meant */
    uint32_t reason;
    uint64_t count, from_unix_ns, to_unix_ns;
};

/* Who recorded what: sums over the segment. An operation's `service` is an index. */
struct segment_service {
    struct batch_str name;
    uint64_t spans, errors, died;
};
struct segment_operation {
    uint32_t service;
    struct batch_str name;
};

/* ---- writing ----------------------------------------------------------------------------- */

struct segment_writer;

/* Writes to `fd` (empty, owned by the caller, read and write) from its beginning. NULL: no memory.
 */
struct segment_writer *segment_writer_create(int fd);
void segment_writer_destroy(struct segment_writer **w);

/* One span of a trace, in the order of the tree. */
struct segment_row {
    const struct batch *batch; /* lives until the writer is finished or destroyed, or until */
    uint32_t row;              /* segment_writer_forget_batches */
    uint32_t parent;           /* which row of this trace, smaller than its own; BLOCK_NONE */
};
/* Traces come in ascending order of their ids (hi, then lo), each once. `continued`: an older
 * segment has spans of this trace too. 0 or -errno (-ENOSPC, -EIO, -ENOMEM). */
int segment_writer_add(struct segment_writer *w, struct trace_id id, bool continued,
                       const struct segment_row *rows, uint32_t count);
/* What the writer keeps per batch (translations of its strings) is dropped; batches given so far
 * may be freed. */
void segment_writer_forget_batches(struct segment_writer *w);
int segment_writer_loss(struct segment_writer *w, const struct segment_loss *loss);
/* Writes what is left and the footer; the caller syncs and renames the file. Of `summary` the
 * caller sets first, last, spans_before, accepted_spans, ledger_* and created_unix_ns; the rest
 * is filled in. 0 or -errno. */
int segment_writer_finish(struct segment_writer *w, struct segment_summary *summary);

/* ---- reading ----------------------------------------------------------------------------- */

struct segment;

enum segment_error {
    SEGMENT_OK = 0,
    SEGMENT_ENOMEM = -1,
    SEGMENT_EIO = -2,      /* errno tells more */
    SEGMENT_EDAMAGED = -3, /* `why` names the block and its place */
    SEGMENT_EVERSION = -4, /* of a newer program */
};

/* Reads the footer and the trace filter. Takes over `fd` on success. NULL with *error and a
 * sentence in `why` that names what is damaged, and where. */
struct segment *segment_open(int fd, int *error, char *why, size_t why_size);
void segment_close(struct segment **s);
const struct segment_summary *segment_summary(const struct segment *s);
size_t segment_resident_bytes(const struct segment *s);
/* Gives back what was kept for questions: the processes that blocks have shown. For whoever asked
 * last, or in between; does nothing while a block of the segment uses them. Any thread. */
void segment_trim(struct segment *s);

/* The first damage that was met in this segment since it was opened, by any thread; false: none.
 * `why` may be NULL with a size of 0. */
bool segment_damage(const struct segment *s, char *why, size_t why_size);

/* False: the trace is not here. True: it may be (one in a hundred such answers is wrong). */
bool segment_may_have(const struct segment *s, struct trace_id id);

/* The trace's spans, in the order of the tree, as batches in `arena`: one for each group that has
 * some of it, with nothing else in them; *runs is in the arena too. Without `details` the batches
 * have no attributes, events and links (all their counts are 0): a fifth of the memory.
 * SEGMENT_OK with *count = 0 if the trace is not here. */
int segment_find(struct segment *s, struct trace_id id, bool details, struct arena *arena,
                 struct span_run **runs, size_t *count);

/* Whether the trace is so large that it was cut over several groups; false also if it is not here.
 */
bool segment_cuts(const struct segment *s, struct trace_id id);
/* The same rows as a run of segment_find without details, with them. */
int segment_find_details(const struct span_run *run, struct arena *arena, struct span_run *details);

/* Traces that older segments have too, as the writer was told, ascending; malloc'ed, the caller
 * frees. SEGMENT_OK or another. */
int segment_continued(struct segment *s, struct trace_id **ids, size_t *count);

/* Bounds of group i, from the footer. */
const struct block_bounds *segment_group_bounds(const struct segment *s, uint32_t i);
/* The trace that group i begins with. */
struct trace_id segment_group_first(const struct segment *s, uint32_t i);
/* Whether the group begins with the rest of a trace that began in the one before it. Its block
 * then holds a part of a trace: segment_find has the whole. */
bool segment_group_is_cut(const struct segment *s, uint32_t i);
/* The group as a block; the segment must outlive it. NULL: no memory; a block with an error
 * where it cannot be read. */
struct block *segment_group(struct segment *s, uint32_t i);
/* The whole group as one batch in `arena`, rows in order, and each row's parent as a row of its
 * trace (for merging). */
int segment_group_batch(struct segment *s, uint32_t i, struct arena *arena, struct batch **batch,
                        const uint32_t **parents);

int segment_losses(struct segment *s, struct arena *arena, struct segment_loss **losses,
                   size_t *count);
int segment_names(struct segment *s, struct arena *arena, struct segment_service **services,
                  size_t *service_count, struct segment_operation **operations,
                  size_t *operation_count);
/* All processes with their resource attributes. */
int segment_processes(struct segment *s, struct arena *arena, struct block_processes *processes);

/* Bytes of each kind of column in the file, for the benchmark's table. `each` is told a name that
 * people understand ("trace ids", "start", "attribute app.key.7"), and its bytes. */
int segment_bytes_by_column(struct segment *s,
                            void (*each)(void *context, const char *column, uint64_t bytes),
                            void *context);

#endif
