// SPDX-License-Identifier: Apache-2.0
/* Deletions that are not made true on the disk yet, and their file.
 *
 * A tombstone concerns what was accepted before it: the generations and blocks with numbers up to
 * `through`. A block that was merged after the deletion says so (block_summary.cleaned) and is not
 * asked again. After a start the ledger tells again what no block has: `ledger_end` says which of
 * that was accepted before the deletion.
 *
 * A set is immutable and counted; a change makes another one. The file is written whole: another
 * name, synced, renamed, and the directory synced. */
#ifndef WEFT_COLLECTOR_SERIES_DISK_TOMBSTONES_H
#define WEFT_COLLECTOR_SERIES_DISK_TOMBSTONES_H

#include <stdatomic.h>

#include "collector/series/source.h"
#include "lib/base/journal.h"

struct tombstone {
    uint64_t sequence; /* 1, 2, 3 … */
    uint64_t through;
    struct journal_position ledger_end;
    int64_t from_ms, to_ms;
    struct matcher *matchers; /* their regexes are the set's */
    size_t count;
};

struct tombstones {
    atomic_uint references;
    uint64_t next_sequence;
    size_t count;
    struct tombstone *items;
    struct arena arena;
};

struct tombstones *tombstones_hold(struct tombstones *t);
void tombstones_release(struct tombstones **t);

/* A new set: those of `old` (NULL: none) with sequence not in `done` (NULL: all stay), and `more`
 * (NULL: none), which gets the next sequence. NULL: no memory. */
struct tombstones *tombstones_with(const struct tombstones *old,
                                   bool (*done)(const void *context, const struct tombstone *t),
                                   const void *context, const struct tombstone *more);

/* 0 or -errno; -EBADMSG with a sentence in `why`: damaged. No file is an empty set. */
int tombstones_load(int directory, struct tombstones **out, char *why, size_t why_size);
int tombstones_save(int directory, const struct tombstones *t);

/* Whether the series is one of those. */
bool tombstone_matches(const struct tombstone *t, const struct labels *labels);

struct time_range {
    int64_t from_ms, to_ms;
};
/* Takes the samples in the ranges away from those from `first` on. */
void points_remove(struct points *p, size_t first, const struct time_range *ranges, size_t count);

#endif
