// SPDX-License-Identifier: Apache-2.0
#include "collector/firehose/checkpoints.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { FORMAT_VERSION = 1, BUSY_MS = 2000, PATH_BYTES = 4096 };

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    READ_APP,
    READ,
    COUNT,
    PUT_APP,
    PUT,
    REMOVE,
    LIST,
    STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [READ_APP] = "SELECT ledger_begun_unix_ns FROM firehose_app WHERE app = ?1",
    [READ] = "SELECT \"partition\", segment, \"offset\", \"row\", spans FROM firehose_checkpoint "
             "WHERE app = ?1",
    [COUNT] = "SELECT count(*) FROM firehose_app",
    [PUT_APP] = "INSERT INTO firehose_app VALUES (?1, ?2, ?3) ON CONFLICT (app) DO UPDATE SET "
                "ledger_begun_unix_ns = ?2, written_unix_ns = ?3",
    [PUT] = "INSERT OR REPLACE INTO firehose_checkpoint VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [REMOVE] = "DELETE FROM firehose_app WHERE app = ?1", /* its positions go with it */
    [LIST] = "SELECT app, written_unix_ns FROM firehose_app ORDER BY app",
};

static const char schema[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "PRAGMA foreign_keys = ON;"
    "CREATE TABLE IF NOT EXISTS firehose_app ("
    "  app TEXT PRIMARY KEY, ledger_begun_unix_ns INTEGER NOT NULL,"
    "  written_unix_ns INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS firehose_checkpoint ("
    "  app TEXT NOT NULL REFERENCES firehose_app ON DELETE CASCADE,"
    "  \"partition\" INTEGER NOT NULL, segment INTEGER NOT NULL, \"offset\" INTEGER NOT NULL,"
    "  \"row\" INTEGER NOT NULL, spans INTEGER NOT NULL,"
    "  PRIMARY KEY (app, \"partition\")) WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

struct checkpoints {
    char path[PATH_BYTES];
    pthread_mutex_t lock; /* for the rest */
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
};

/* ---- opening ----------------------------------------------------------------------------- */

static void close_database(struct checkpoints *c)
{
    for (int i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(c->statements[i]);
        c->statements[i] = NULL;
    }
    sqlite3_close(c->db);
    c->db = NULL;
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

/* SQLITE_OK, SQLITE_SCHEMA for a version that is not known here, or another of its codes. */
static int open_database(struct checkpoints *c)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int result = sqlite3_open_v2(c->path, &c->db, flags, NULL);
    if (result != SQLITE_OK)
        return result;
    sqlite3_busy_timeout(c->db, BUSY_MS);
    sqlite3_extended_result_codes(c->db, 0);
    int version = user_version(c->db);
    if (version < 0)
        return sqlite3_errcode(c->db);
    if (version > FORMAT_VERSION)
        return SQLITE_SCHEMA;
    result = sqlite3_exec(c->db, schema, NULL, NULL, NULL);
    for (int i = 0; i < STATEMENTS && result == SQLITE_OK; i++)
        result = sqlite3_prepare_v3(c->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &c->statements[i], NULL);
    return result;
}

/* Under a name that says when. What belongs to it (-wal, -shm) means nothing to another. */
static void set_aside(struct checkpoints *c)
{
    char other[PATH_BYTES + 64];
    snprintf(other, sizeof other, "%s.damaged-%llu", c->path,
             (unsigned long long)(clock_unix_ns() / 1000000000));
    if (rename(c->path, other) != 0)
        return;
    LOG_ERROR("firehose: %s is damaged and was set aside as %s: apps begin anew", c->path, other);
    snprintf(other, sizeof other, "%s-wal", c->path);
    unlink(other);
    snprintf(other, sizeof other, "%s-shm", c->path);
    unlink(other);
}

struct checkpoints *checkpoints_open(const char *directory, char *why, size_t why_size)
{
    struct checkpoints *c = calloc(1, sizeof *c);
    if (!c) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL);
    int length = snprintf(c->path, sizeof c->path, "%s/firehose.db", directory);
    int result = SQLITE_CANTOPEN;
    if (length > 0 && (size_t)length < sizeof c->path) {
        mkdir(directory, 0700);
        result = open_database(c);
    }
    if (result == SQLITE_CORRUPT || result == SQLITE_NOTADB) {
        close_database(c);
        set_aside(c);
        result = open_database(c);
    }
    if (result == SQLITE_OK)
        return c;
    snprintf(why, why_size, "firehose %s: %s", directory,
             result == SQLITE_SCHEMA ? "the database was written by a newer version"
                                     : sqlite3_errstr(result));
    checkpoints_close(&c);
    return NULL;
}

void checkpoints_close(struct checkpoints **place)
{
    struct checkpoints *c = *place;
    if (!c)
        return;
    close_database(c);
    pthread_mutex_destroy(&c->lock);
    free(c);
    *place = NULL;
}

/* ---- reading ----------------------------------------------------------------------------- */

static sqlite3_stmt *statement(struct checkpoints *c, enum statement which, const char *app)
{
    sqlite3_stmt *s = c->statements[which];
    if (app)
        sqlite3_bind_text(s, 1, app, -1, SQLITE_STATIC);
    return s;
}

static void read_position(sqlite3_stmt *s, struct checkpoint *out)
{
    int64_t partition = sqlite3_column_int64(s, 0);
    if (partition < 0 || partition >= FIREHOSE_PARTITIONS)
        return;
    out->positions[partition] = (struct firehose_position){
        .segment = (uint64_t)sqlite3_column_int64(s, 1),
        .offset = (uint64_t)sqlite3_column_int64(s, 2),
        .row = (uint32_t)sqlite3_column_int64(s, 3),
        .spans = (uint64_t)sqlite3_column_int64(s, 4),
    };
}

/* 1: it is known; 0; or CHECKPOINTS_EIO. */
static int read_app(struct checkpoints *c, const char *app, uint64_t *ledger_begun_unix_ns)
{
    sqlite3_stmt *s = statement(c, READ_APP, app);
    int result = sqlite3_step(s);
    if (result == SQLITE_ROW)
        *ledger_begun_unix_ns = (uint64_t)sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return result == SQLITE_ROW ? 1 : result == SQLITE_DONE ? 0 : CHECKPOINTS_EIO;
}

static int answer_unknown(struct checkpoints *c)
{
    sqlite3_stmt *s = statement(c, COUNT, NULL);
    int result = sqlite3_step(s);
    int64_t apps = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    if (result != SQLITE_ROW)
        return CHECKPOINTS_EIO;
    return apps < CHECKPOINTS_APPS_MOST ? CHECKPOINTS_NONE : CHECKPOINTS_EMANY;
}

static int read_positions(struct checkpoints *c, const char *app, struct checkpoint *out)
{
    sqlite3_stmt *s = statement(c, READ, app);
    int result;
    while ((result = sqlite3_step(s)) == SQLITE_ROW)
        read_position(s, out);
    sqlite3_reset(s);
    return result == SQLITE_DONE ? CHECKPOINTS_OK : CHECKPOINTS_EIO;
}

/* Passes an error on, and says so. */
static int report(struct checkpoints *c, int result, const char *what)
{
    if (result == CHECKPOINTS_EIO)
        LOG_WARN_EVERY("firehose: %s: %s: %s", c->path, what, sqlite3_errmsg(c->db));
    return result;
}

int checkpoints_read(struct checkpoints *c, const char *app, struct checkpoint *out)
{
    *out = (struct checkpoint){0};
    pthread_mutex_lock(&c->lock);
    int result = read_app(c, app, &out->ledger_begun_unix_ns);
    if (result == 1)
        result = read_positions(c, app, out);
    else if (result == 0)
        result = answer_unknown(c);
    report(c, result, "an app's positions cannot be read");
    pthread_mutex_unlock(&c->lock);
    return result;
}

int checkpoints_list(struct checkpoints *c,
                     void (*each)(void *context, const char *app, uint64_t written_unix_ns),
                     void *context)
{
    pthread_mutex_lock(&c->lock);
    sqlite3_stmt *s = statement(c, LIST, NULL);
    int result;
    while ((result = sqlite3_step(s)) == SQLITE_ROW)
        each(context, (const char *)sqlite3_column_text(s, 0),
             (uint64_t)sqlite3_column_int64(s, 1));
    sqlite3_reset(s);
    result = report(c, result == SQLITE_DONE ? CHECKPOINTS_OK : CHECKPOINTS_EIO,
                    "apps cannot be listed");
    pthread_mutex_unlock(&c->lock);
    return result;
}

/* ---- writing ----------------------------------------------------------------------------- */

static bool run(sqlite3_stmt *s)
{
    int result = sqlite3_step(s);
    sqlite3_reset(s);
    return result == SQLITE_DONE;
}

static bool put_positions(struct checkpoints *c, const char *app,
                          const struct checkpoint *checkpoint)
{
    for (int i = 0; i < FIREHOSE_PARTITIONS; i++) {
        const struct firehose_position *p = &checkpoint->positions[i];
        sqlite3_stmt *s = statement(c, PUT, app);
        sqlite3_bind_int(s, 2, i);
        sqlite3_bind_int64(s, 3, (int64_t)p->segment);
        sqlite3_bind_int64(s, 4, (int64_t)p->offset);
        sqlite3_bind_int64(s, 5, p->row);
        sqlite3_bind_int64(s, 6, (int64_t)p->spans);
        if (!run(s))
            return false;
    }
    return true;
}

static bool put_app(struct checkpoints *c, const char *app, uint64_t begun, uint64_t now_unix_ns)
{
    sqlite3_stmt *s = statement(c, PUT_APP, app);
    sqlite3_bind_int64(s, 2, (int64_t)begun);
    sqlite3_bind_int64(s, 3, (int64_t)now_unix_ns);
    return run(s);
}

int checkpoints_write(struct checkpoints *c, const char *app, const struct checkpoint *checkpoint,
                      uint64_t now_unix_ns)
{
    pthread_mutex_lock(&c->lock);
    bool begun = run(statement(c, BEGIN, NULL));
    bool written = begun && put_app(c, app, checkpoint->ledger_begun_unix_ns, now_unix_ns) &&
                   put_positions(c, app, checkpoint) && run(statement(c, COMMIT, NULL));
    int result =
        report(c, written ? CHECKPOINTS_OK : CHECKPOINTS_EIO, "positions cannot be written");
    if (begun && !written)
        run(statement(c, ROLLBACK, NULL));
    pthread_mutex_unlock(&c->lock);
    return result;
}

int checkpoints_remove(struct checkpoints *c, const char *app)
{
    pthread_mutex_lock(&c->lock);
    bool removed = run(statement(c, REMOVE, app));
    int result = report(c, removed ? CHECKPOINTS_OK : CHECKPOINTS_EIO, "an app cannot be removed");
    pthread_mutex_unlock(&c->lock);
    return result;
}
