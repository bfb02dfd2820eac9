// SPDX-License-Identifier: Apache-2.0
/* A SQLite database of the collector's own: positions, marks, what is small and must stay. In plain
 * columns: people may look with sqlite3 while the collector runs.
 *
 * Written in WAL mode: what is written survives a kill of the process at once, a loss of power but
 * for the last moments. A database that is damaged is set aside under another name, and a fresh one
 * begun.
 *
 * Its user locks: statements are one thread's at a time. */
#ifndef WEFT_COLLECTOR_DATABASE_H
#define WEFT_COLLECTOR_DATABASE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

struct database_options {
    const char *directory; /* made if missing */
    const char *file;      /* "marks.db" */
    const char *name;      /* of the part whose it is, for the log: "marks" */
    const char *lost;      /* what a fresh one has lost: "apps begin anew" */
    int version;           /* of the schema; a newer one on disk is refused */
    const char *schema;    /* makes what is missing */
    const char *const *statements;
    int statement_count;
};

struct database {
    const struct database_options *options; /* static */
    char path[4096];
    pthread_mutex_t lock;
    sqlite3 *db;
    sqlite3_stmt **statements; /* prepared, in the order of the options */
};

/* 0; -1 and a sentence in `why`. */
int database_open(struct database *d, const struct database_options *options, char *why,
                  size_t why_size);
void database_close(struct database *d);

/* One step of a statement that answers nothing. */
bool database_run(sqlite3_stmt *s);
/* Whether the last failure may pass by itself: the disk was full, the file locked, memory out. */
bool database_may_heal(const struct database *d);
/* Logs the database's last error, not too often. */
void database_warn(const struct database *d, const char *what);

#endif
