// SPDX-License-Identifier: Apache-2.0
#include "collector/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { BUSY_MS = 2000 };

static const char pragmas[] = "PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = NORMAL;"
                              "PRAGMA foreign_keys = ON;";

static void forget(struct database *d)
{
    for (int i = 0; d->statements && i < d->options->statement_count; i++) {
        sqlite3_finalize(d->statements[i]);
        d->statements[i] = NULL;
    }
    sqlite3_close(d->db);
    d->db = NULL;
}

static int user_version(sqlite3 *db)
{
    sqlite3_stmt *s = NULL;
    int version = -1;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        version = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return version;
}

/* Writes nothing where all is as it was: a disk that is full keeps nobody from starting. */
static int make_schema(struct database *d, int before)
{
    char version[64];
    snprintf(version, sizeof version, "PRAGMA user_version = %d;", d->options->version);
    int result = sqlite3_exec(d->db, pragmas, NULL, NULL, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_exec(d->db, d->options->schema, NULL, NULL, NULL);
    bool is_new = result == SQLITE_OK && before != d->options->version;
    return is_new ? sqlite3_exec(d->db, version, NULL, NULL, NULL) : result;
}

/* SQLITE_OK, SQLITE_SCHEMA for a version that is not known here, or another of its codes. */
static int open_file(struct database *d)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int result = sqlite3_open_v2(d->path, &d->db, flags, NULL);
    if (result != SQLITE_OK)
        return result;
    sqlite3_busy_timeout(d->db, BUSY_MS);
    sqlite3_extended_result_codes(d->db, 0);
    int version = user_version(d->db);
    if (version < 0)
        return sqlite3_errcode(d->db);
    if (version > d->options->version)
        return SQLITE_SCHEMA;
    result = make_schema(d, version);
    for (int i = 0; i < d->options->statement_count && result == SQLITE_OK; i++)
        result = sqlite3_prepare_v3(d->db, d->options->statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &d->statements[i], NULL);
    return result;
}

/* Under a name that says when. What belongs to it (-wal, -shm) means nothing to another. */
static void set_aside(struct database *d)
{
    char other[sizeof d->path + 64];
    snprintf(other, sizeof other, "%s.damaged-%llu", d->path,
             (unsigned long long)(clock_unix_ns() / 1000000000));
    if (rename(d->path, other) != 0)
        return;
    LOG_ERROR("%s: %s is damaged and was set aside as %s: %s", d->options->name, d->path, other,
              d->options->lost);
    snprintf(other, sizeof other, "%s-wal", d->path);
    unlink(other);
    snprintf(other, sizeof other, "%s-shm", d->path);
    unlink(other);
}

int database_open(struct database *d, const struct database_options *options, char *why,
                  size_t why_size)
{
    *d = (struct database){.options = options};
    pthread_mutex_init(&d->lock, NULL);
    d->statements = calloc((size_t)options->statement_count, sizeof(sqlite3_stmt *));
    int length = snprintf(d->path, sizeof d->path, "%s/%s", options->directory, options->file);
    int result = d->statements ? SQLITE_CANTOPEN : SQLITE_NOMEM;
    if (d->statements && length > 0 && (size_t)length < sizeof d->path) {
        mkdir(options->directory, 0700);
        result = open_file(d);
    }
    if (result == SQLITE_CORRUPT || result == SQLITE_NOTADB) {
        forget(d);
        set_aside(d);
        result = open_file(d);
    }
    if (result == SQLITE_OK)
        return 0;
    snprintf(why, why_size, "%s %s: %s", options->name, options->directory,
             result == SQLITE_SCHEMA ? "the database was written by a newer version"
                                     : sqlite3_errstr(result));
    database_close(d);
    return -1;
}

void database_close(struct database *d)
{
    if (!d->options)
        return;
    forget(d);
    free(d->statements);
    pthread_mutex_destroy(&d->lock);
    *d = (struct database){0};
}

bool database_run(sqlite3_stmt *s)
{
    int result = sqlite3_step(s);
    sqlite3_reset(s);
    return result == SQLITE_DONE;
}

void database_warn(const struct database *d, const char *what)
{
    LOG_WARN_EVERY("%s: %s: %s: %s", d->options->name, d->path, what, sqlite3_errmsg(d->db));
}

bool database_may_heal(const struct database *d)
{
    switch (sqlite3_errcode(d->db) & 0xff) {
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
        return false;
    default:
        return true;
    }
}
