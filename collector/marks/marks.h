// SPDX-License-Identifier: Apache-2.0
/* Marks: moments and periods on the time axis that explain what graphs show. People make them
 * (`weft mark`, POST /api/v1/marks), and they make themselves (observe.h): a deploy when a
 * service's processes begin to have another version, a death when a process dies, and moments of
 * processes that agents watch: started, ready, ended.
 *
 * A *deploy* is of one service in one cell: it begins on the first host and ends on the last one so
 * far; a version that comes to further hosts within the hour belongs to the same deploy. Deaths of
 * one service in one cell that follow each other within a minute are one mark, with a count; so are
 * the same moments of its processes on one host.
 *
 * In a SQLite database (collector/database.h), "marks.db". Any thread; each call may wait for the
 * disk. */
#ifndef WEFT_COLLECTOR_MARKS_MARKS_H
#define WEFT_COLLECTOR_MARKS_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/journal.h"

enum mark_kind {
    MARK_NOTE = 0,
    MARK_DEPLOY = 1,
    MARK_DEATH = 2,
    MARK_ALERT = 3,
    MARK_NOTIFICATION = 4,
    MARK_HOT_KEY = 5,
    MARK_PROCESS = 6,
    MARK_KINDS
};
/* "note", "deploy" …; NULL beyond. */
const char *mark_kind_name(unsigned kind);
/* -1: there is none of that name. */
int mark_kind_parse(const char *name);

enum { MARK_TEXT_MAX = 4096 };

/* Texts are UTF-8, at most MARK_TEXT_MAX bytes, "" where there is nothing to say. */
struct mark {
    uint64_t id; /* 0: not stored yet */
    enum mark_kind kind;
    uint64_t from_unix_ns, to_unix_ns; /* the same for a moment */
    const char *title, *text;
    const char *service, *version, *previous, *cell; /* previous: the version before, of a deploy */
    uint64_t count; /* of a deploy its hosts, of a death or a process its processes, else 1 */
};

struct marks;

enum {
    MARKS_EDISK = -1,    /* the database cannot be written, or read, now */
    MARKS_EREFUSED = -2, /* it could be, but does not take this */
};

/* NULL and a sentence in `why`. The directory is made if missing. Marks older than `age_ns` go; 0:
 * none do. */
struct marks *marks_open(const char *directory, uint64_t age_ns, char *why, size_t why_size);
void marks_close(struct marks **m);
/* What was wrong the last time that something failed; "" if nothing did. */
void marks_error(struct marks *m, char *out, size_t size);

/* Stores a mark; *id is its number. 0, MARKS_EDISK or MARKS_EREFUSED. */
int marks_add(struct marks *m, const struct mark *mark, uint64_t *id);
/* A mark went on until then, and no longer. Nothing, where there is none of that number. 0,
 * MARKS_EDISK or MARKS_EREFUSED. */
int marks_end(struct marks *m, uint64_t id, uint64_t to_unix_ns);

struct marks_filter {
    uint64_t from_unix_ns, to_unix_ns; /* marks that touch this time */
    int kind;                          /* -1: any */
    const char *service;               /* NULL: any; marks of no service are always told */
    uint32_t limit;
};
/* Newest first, in `arena`. *more: there are others. 0; -1: the disk, or memory. */
int marks_find(struct marks *m, const struct marks_filter *filter, struct arena *arena,
               struct mark **list, uint32_t *count, bool *more);
/* 1; 0: there is none; -1: the disk, or memory. */
int marks_get(struct marks *m, uint64_t id, struct arena *arena, struct mark *out);

/* The first and the last host that a deploy came to, in `arena`. */
struct mark_hosts {
    const char *first, *last;
};
/* 1; 0: nobody knows; -1: the disk, or memory. */
int marks_hosts(struct marks *m, uint64_t id, struct arena *arena, struct mark_hosts *out);

/* ---- what is observed ----------------------------------------------------------------------
 * 0, MARKS_EDISK or MARKS_EREFUSED: nothing was changed then. */

/* How far in the ledger everything is written. 1; 0: nobody said; MARKS_EDISK. */
int marks_reached(struct marks *m, struct journal_position *at);
int marks_set_reached(struct marks *m, struct journal_position at);

/* A process of this service, version and cell runs on the host since then. Makes or prolongs a
 * deploy where the host had another version. */
int marks_process(struct marks *m, const char *service, const char *version, const char *cell,
                  const char *host, uint64_t since_unix_ns);
/* This process died; `how` ("killed by SIGKILL") may be "", and be told later. Told again it
 * changes nothing. */
int marks_death(struct marks *m, const uint8_t process[16], const char *service,
                const char *version, const char *cell, const char *host, uint64_t died_unix_ns,
                const char *how);

enum process_moment { MOMENT_STARTED = 0, MOMENT_READY = 1, MOMENT_ENDED = 2, MOMENT_DIED = 3 };
/* A moment of a watched process, as a mark of kind MARK_PROCESS: each of a process' moments counts
 * once. The end of one whose death is known makes no mark; that death's text tells of it. */
int marks_moment(struct marks *m, const uint8_t process[16], enum process_moment moment,
                 const struct mark *mark);
/* A moment that somebody on a host told of: stored, unless one of the same kind, moment, title and
 * text is there. */
int marks_told(struct marks *m, const struct mark *mark);
/* Something went on over that time: prolongs a mark of the same kind and title that lies within
 * `gap_ns` of it, or makes one. Told again it changes nothing. */
int marks_period(struct marks *m, const struct mark *mark, uint64_t gap_ns);

#endif
