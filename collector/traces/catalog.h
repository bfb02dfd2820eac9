// SPDX-License-Identifier: Apache-2.0
/* Which segments there are: the directory, and the list that questions hold.
 *
 * Files are named and set aside as collector/store/files.h says: one cut from the head stands for
 * one number. Blocks that turn out to be damaged later are passed over; both are named in the log
 * and by catalog_damaged. Nothing else is ever written.
 *
 * The list is an *edition*: immutable, counted; a change makes another one. An edition keeps its
 * segments open, so a question reads what it began with though it was merged or aged out.
 *
 * Sums need no file of their own: each segment knows how many spans ever came before it
 * (segment_summary.spans_before), so what was aged out is what the oldest one says, and what a
 * damaged file held is the gap it leaves.
 *
 * Any thread may call anything; changes wait for each other.
 */
#ifndef WEFT_COLLECTOR_TRACES_CATALOG_H
#define WEFT_COLLECTOR_TRACES_CATALOG_H

#include <stdatomic.h>

#include "collector/store/files.h"
#include "collector/traces/segment/segment.h"

struct catalog;

struct catalog_entry {
    struct segment *segment;
    const struct segment_summary *summary;
    char name[FILES_NAME_MAX];
    atomic_uint references; /* editions that list it */
    atomic_bool damage_told;
};

struct edition {
    atomic_uint references;
    size_t count;
    struct catalog_entry *entries[]; /* by number, oldest first */
};

/* Opens the directory (made if missing, locked against a second process) and every segment in
 * it. NULL and a sentence. */
struct catalog *catalog_open(const char *directory, char *why, size_t why_size);
/* Every edition must have been released. */
void catalog_close(struct catalog **c);

/* The time of some spans: from the first start to the last end. */
struct catalog_window {
    uint64_t from_unix_ns, to_unix_ns;
};
/* Whether one of the first `count` segments may have spans of a trace of which others are in that
 * time. Only segments near it are asked: what is further apart than CATALOG_NEAR_NS, with no span
 * that spans the gap, counts as two traces in a search (and as one when asked for by its id). */
#define CATALOG_NEAR_NS UINT64_C(60000000000)
bool edition_may_have(const struct edition *e, size_t count, struct trace_id id,
                      struct catalog_window window);

struct edition *catalog_hold(struct catalog *c);
void catalog_release(struct catalog *c, struct edition **e);

/* ---- changing ---------------------------------------------------------------------------- */

/* A file to write a segment to; its name ends in ".new". -errno. */
int catalog_create_file(struct catalog *c, uint64_t first, uint64_t last);
void catalog_remove_file(struct catalog *c, uint64_t first, uint64_t last);
/* Makes the file that was written durable and puts it in the place of the segments whose numbers
 * it has, then deletes these. With `swap` it becomes visible only by the catalog_publish that
 * swap must do: so the head can drop, under its own lock, what the segment holds. Takes over fd.
 * 0 or -errno; then the file is gone and nothing has changed. */
int catalog_install(struct catalog *c, int fd, uint64_t first, uint64_t last,
                    void (*swap)(void *context, struct edition *fresh), void *context);
void catalog_publish(struct catalog *c, struct edition *fresh);
/* Removes the oldest segment, never the only one. 0 or -errno. */
int catalog_remove_oldest(struct catalog *c);

/* ---- sums -------------------------------------------------------------------------------- */

struct catalog_stats {
    uint64_t segments, spans, traces, bytes, resident_bytes;
    uint64_t oldest_unix_ns;     /* the earliest start; 0 if there is none */
    uint64_t total_spans;        /* ever put into segments, as they were accepted */
    uint64_t aged_spans;         /* of these, removed with the oldest segments */
    uint64_t damaged_spans;      /* in files that were set aside */
    uint64_t aged_until_unix_ns; /* the newest end among what was removed in this run; 0: none */
    struct journal_position ledger_end; /* of the newest segment */
    uint64_t ledger_begun_unix_ns;
};
void catalog_stats(struct catalog *c, struct catalog_stats *out);
uint64_t catalog_next_number(struct catalog *c);

/* Looks whether reading has met damage since the last look, and logs it. */
void catalog_note_damage(struct catalog *c);

/* As files_damaged. */
struct files_damage *catalog_damaged(struct catalog *c, size_t *count);

#endif
