// SPDX-License-Identifier: Apache-2.0
#include "collector/archive/index.h"

#include <stdlib.h>
#include <string.h>

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    ADD,
    ADD_LABEL,
    REMOVE,
    REMOVE_LABELS,
    EACH,
    DONE,
    SET_DONE,
    STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [ADD] = "INSERT OR IGNORE INTO series VALUES (?1, ?2, ?3)",
    [ADD_LABEL] = "INSERT OR IGNORE INTO label VALUES (?1, ?2, ?3)",
    [REMOVE] = "DELETE FROM series WHERE file = ?1",
    [REMOVE_LABELS] = "DELETE FROM label WHERE file = ?1",
    /* file, is_raw, since_unix_s, name, value */
    [EACH] = "SELECT * FROM series JOIN label USING (file) ORDER BY file, name",
    [DONE] = "SELECT done_unix_s FROM rule WHERE name = ?1",
    [SET_DONE] = "INSERT OR REPLACE INTO rule VALUES (?1, ?2)",
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS series ("
    "  file TEXT PRIMARY KEY, is_raw INTEGER NOT NULL, since_unix_s INTEGER NOT NULL) "
    "WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS label ("
    "  file TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    "  PRIMARY KEY (file, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS rule (name TEXT PRIMARY KEY, done_unix_s INTEGER NOT NULL) "
    "WITHOUT ROWID;";

static const struct database_options options = {
    .file = "archive.db",
    .name = "archive",
    .lost = "files are found again when their series go on",
    .version = 1,
    .schema = schema,
    .statements = texts,
    .statement_count = STATEMENTS,
};

int archive_index_open(struct archive_index *ix, const char *directory, char *why, size_t why_size)
{
    ix->options = options;
    ix->options.directory = directory;
    return database_open(&ix->database, &ix->options, why, why_size);
}

void archive_index_close(struct archive_index *ix)
{
    database_close(&ix->database);
}

static sqlite3_stmt *statement(struct archive_index *ix, enum statement s)
{
    return ix->database.statements[s];
}

static void bind_text(sqlite3_stmt *s, int at, struct batch_str text)
{
    sqlite3_bind_text(s, at, text.bytes, (int)text.length, SQLITE_STATIC);
}

static void bind_name(sqlite3_stmt *s, int at, const char *text)
{
    sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

/* ---- reading ----------------------------------------------------------------------------- */

static struct batch_str column(sqlite3_stmt *s, int at, char *memory, size_t *used, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(s, at);
    size_t length = (size_t)sqlite3_column_bytes(s, at);
    struct batch_str out = {memory + *used, 0};
    if (text && length <= size - *used) {
        memcpy(memory + *used, text, length);
        out.length = (uint32_t)length;
        *used += length;
    }
    return out;
}

struct gathering { /* the labels of one file */
    char file[64];
    bool is_raw;
    int64_t since_s;
    struct label items[LABELS_MAX];
    struct labels labels;
    size_t used;
    char memory[256 << 10];
};

static void take_row(struct gathering *g, sqlite3_stmt *s)
{
    if (g->labels.count == LABELS_MAX)
        return;
    struct label *l = &g->items[g->labels.count];
    l->name = column(s, 3, g->memory, &g->used, sizeof g->memory);
    l->value = column(s, 4, g->memory, &g->used, sizeof g->memory);
    if (l->name.length > 0 && l->value.length > 0)
        g->labels.count++;
}

int archive_index_each(struct archive_index *ix,
                       int (*each)(void *context, const char *file, bool is_raw, int64_t since_s,
                                   const struct labels *labels),
                       void *context)
{
    sqlite3_stmt *s = statement(ix, EACH);
    struct gathering *g = calloc(1, sizeof *g);
    int step = SQLITE_DONE, result = g ? 0 : -1;
    if (g)
        g->labels.items = g->items;
    while (result == 0 && (step = sqlite3_step(s)) == SQLITE_ROW) {
        const char *file = (const char *)sqlite3_column_text(s, 0);
        if (!file || strlen(file) >= sizeof g->file)
            continue;
        if (strcmp(file, g->file) != 0) {
            if (g->labels.count > 0)
                result = each(context, g->file, g->is_raw, g->since_s, &g->labels);
            strcpy(g->file, file);
            g->is_raw = sqlite3_column_int(s, 1) != 0;
            g->since_s = sqlite3_column_int64(s, 2);
            g->labels.count = 0;
            g->used = 0;
        }
        take_row(g, s);
    }
    if (result == 0 && g->labels.count > 0)
        result = each(context, g->file, g->is_raw, g->since_s, &g->labels);
    sqlite3_reset(s);
    free(g);
    return result == 0 && step == SQLITE_DONE ? 0 : -1;
}

/* ---- writing ----------------------------------------------------------------------------- */

static bool add_all(struct archive_index *ix, const char *file, bool is_raw, int64_t since_s,
                    const struct labels *labels)
{
    sqlite3_stmt *s = statement(ix, ADD);
    bind_name(s, 1, file);
    sqlite3_bind_int(s, 2, is_raw);
    sqlite3_bind_int64(s, 3, since_s);
    if (!database_run(s))
        return false;
    s = statement(ix, ADD_LABEL);
    for (uint32_t i = 0; i < labels->count; i++) {
        bind_name(s, 1, file);
        bind_text(s, 2, labels->items[i].name);
        bind_text(s, 3, labels->items[i].value);
        if (!database_run(s))
            return false;
    }
    return true;
}

int archive_index_add(struct archive_index *ix, const char *file, bool is_raw, int64_t since_s,
                      const struct labels *labels)
{
    if (!database_run(statement(ix, BEGIN)))
        goto fail;
    if (add_all(ix, file, is_raw, since_s, labels) && database_run(statement(ix, COMMIT)))
        return 0;
    database_run(statement(ix, ROLLBACK));
fail:
    database_warn(&ix->database, "a series cannot be noted");
    return -1;
}

int archive_index_remove(struct archive_index *ix, const char *file)
{
    bind_name(statement(ix, REMOVE), 1, file);
    bind_name(statement(ix, REMOVE_LABELS), 1, file);
    if (!database_run(statement(ix, BEGIN)))
        goto fail;
    if (database_run(statement(ix, REMOVE)) && database_run(statement(ix, REMOVE_LABELS)) &&
        database_run(statement(ix, COMMIT)))
        return 0;
    database_run(statement(ix, ROLLBACK));
fail:
    database_warn(&ix->database, "a series cannot be removed");
    return -1;
}

int64_t archive_index_done_s(struct archive_index *ix, const char *rule)
{
    sqlite3_stmt *s = statement(ix, DONE);
    bind_name(s, 1, rule);
    int64_t done_s = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return done_s;
}

int archive_index_set_done(struct archive_index *ix, const char *rule, int64_t done_s)
{
    sqlite3_stmt *s = statement(ix, SET_DONE);
    bind_name(s, 1, rule);
    sqlite3_bind_int64(s, 2, done_s);
    if (database_run(s))
        return 0;
    database_warn(&ix->database, "progress cannot be noted");
    return -1;
}
