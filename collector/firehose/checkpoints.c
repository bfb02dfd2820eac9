// SPDX-License-Identifier: Apache-2.0
#include "collector/firehose/checkpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/database.h"

enum { FORMAT_VERSION = 1 };

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
    "CREATE TABLE IF NOT EXISTS firehose_app ("
    "  app TEXT PRIMARY KEY, ledger_begun_unix_ns INTEGER NOT NULL,"
    "  written_unix_ns INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS firehose_checkpoint ("
    "  app TEXT NOT NULL REFERENCES firehose_app ON DELETE CASCADE,"
    "  \"partition\" INTEGER NOT NULL, segment INTEGER NOT NULL, \"offset\" INTEGER NOT NULL,"
    "  \"row\" INTEGER NOT NULL, spans INTEGER NOT NULL,"
    "  PRIMARY KEY (app, \"partition\")) WITHOUT ROWID;";

struct checkpoints {
    struct database_options options;
    struct database database; /* its lock is for everything */
};

struct checkpoints *checkpoints_open(const char *directory, char *why, size_t why_size)
{
    struct checkpoints *c = calloc(1, sizeof *c);
    if (!c) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    c->options = (struct database_options){
        .directory = directory,
        .file = "firehose.db",
        .name = "firehose",
        .lost = "apps begin anew",
        .version = FORMAT_VERSION,
        .schema = schema,
        .statements = texts,
        .statement_count = STATEMENTS,
    };
    if (database_open(&c->database, &c->options, why, why_size) == 0)
        return c;
    free(c);
    return NULL;
}

void checkpoints_close(struct checkpoints **place)
{
    struct checkpoints *c = *place;
    if (!c)
        return;
    database_close(&c->database);
    free(c);
    *place = NULL;
}

/* ---- reading ----------------------------------------------------------------------------- */

static sqlite3_stmt *statement(struct checkpoints *c, enum statement which, const char *app)
{
    sqlite3_stmt *s = c->database.statements[which];
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
        database_warn(&c->database, what);
    return result;
}

int checkpoints_read(struct checkpoints *c, const char *app, struct checkpoint *out)
{
    *out = (struct checkpoint){0};
    pthread_mutex_lock(&c->database.lock);
    int result = read_app(c, app, &out->ledger_begun_unix_ns);
    if (result == 1)
        result = read_positions(c, app, out);
    else if (result == 0)
        result = answer_unknown(c);
    report(c, result, "an app's positions cannot be read");
    pthread_mutex_unlock(&c->database.lock);
    return result;
}

int checkpoints_list(struct checkpoints *c,
                     void (*each)(void *context, const char *app, uint64_t written_unix_ns),
                     void *context)
{
    pthread_mutex_lock(&c->database.lock);
    sqlite3_stmt *s = statement(c, LIST, NULL);
    int result;
    while ((result = sqlite3_step(s)) == SQLITE_ROW)
        each(context, (const char *)sqlite3_column_text(s, 0),
             (uint64_t)sqlite3_column_int64(s, 1));
    sqlite3_reset(s);
    result = report(c, result == SQLITE_DONE ? CHECKPOINTS_OK : CHECKPOINTS_EIO,
                    "apps cannot be listed");
    pthread_mutex_unlock(&c->database.lock);
    return result;
}

/* ---- writing ----------------------------------------------------------------------------- */

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
        if (!database_run(s))
            return false;
    }
    return true;
}

static bool put_app(struct checkpoints *c, const char *app, uint64_t begun, uint64_t now_unix_ns)
{
    sqlite3_stmt *s = statement(c, PUT_APP, app);
    sqlite3_bind_int64(s, 2, (int64_t)begun);
    sqlite3_bind_int64(s, 3, (int64_t)now_unix_ns);
    return database_run(s);
}

int checkpoints_write(struct checkpoints *c, const char *app, const struct checkpoint *checkpoint,
                      uint64_t now_unix_ns)
{
    pthread_mutex_lock(&c->database.lock);
    bool begun = database_run(statement(c, BEGIN, NULL));
    bool written = begun && put_app(c, app, checkpoint->ledger_begun_unix_ns, now_unix_ns) &&
                   put_positions(c, app, checkpoint) && database_run(statement(c, COMMIT, NULL));
    int result =
        report(c, written ? CHECKPOINTS_OK : CHECKPOINTS_EIO, "positions cannot be written");
    if (begun && !written)
        database_run(statement(c, ROLLBACK, NULL));
    pthread_mutex_unlock(&c->database.lock);
    return result;
}

int checkpoints_remove(struct checkpoints *c, const char *app)
{
    pthread_mutex_lock(&c->database.lock);
    bool removed = database_run(statement(c, REMOVE, app));
    int result = report(c, removed ? CHECKPOINTS_OK : CHECKPOINTS_EIO, "an app cannot be removed");
    pthread_mutex_unlock(&c->database.lock);
    return result;
}
