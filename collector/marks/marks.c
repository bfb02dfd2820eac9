// SPDX-License-Identifier: Apache-2.0
#include "collector/marks/marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/marks/marks_internal.h"
#include "lib/base/clock.h"

enum { FORMAT_VERSION = 1 };

#define COLUMNS                                                                                    \
    "id, kind, from_unix_ns, to_unix_ns, title, text, service, version, previous, cell, n"

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [ADD] = "INSERT INTO mark VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [FIND] = "SELECT " COLUMNS " FROM mark WHERE from_unix_ns <= ?2 AND to_unix_ns >= ?1 "
             "AND (?3 < 0 OR kind = ?3) AND (?4 IS NULL OR service = ?4 OR service = '') "
             "ORDER BY from_unix_ns DESC, id DESC LIMIT ?5",
    [GET] = "SELECT " COLUMNS " FROM mark WHERE id = ?1",
    [AGE] = "DELETE FROM mark WHERE to_unix_ns < ?1",
    [HOST] =
        "SELECT version, since_unix_ns FROM host WHERE service = ?1 AND cell = ?2 AND host = ?3",
    [PUT_HOST] = "INSERT OR REPLACE INTO host VALUES (?1, ?2, ?3, ?4, ?5)",
    [OTHER] = "SELECT version FROM host WHERE service = ?1 AND cell = ?2 AND version <> ?3 "
              "ORDER BY since_unix_ns DESC LIMIT 1",
    [LAST_DEPLOY] = "SELECT id, from_unix_ns, to_unix_ns FROM mark WHERE kind = 1 AND service = ?1 "
                    "AND cell = ?2 AND version = ?3 AND previous = ?4 "
                    "ORDER BY from_unix_ns DESC LIMIT 1",
    [PROLONG] = "UPDATE mark SET from_unix_ns = min(from_unix_ns, ?2), "
                "to_unix_ns = max(to_unix_ns, ?2), n = n + 1 WHERE id = ?1",
    [ADD_DEPLOYED] = "INSERT OR IGNORE INTO deployed VALUES (?1, ?2, ?3)",
    [DEPLOYED_ENDS] = "SELECT (SELECT host FROM deployed WHERE mark = ?1 ORDER BY unix_ns, host "
                      "LIMIT 1), (SELECT host FROM deployed WHERE mark = ?1 "
                      "ORDER BY unix_ns DESC, host DESC LIMIT 1)",
    [AGE_DEPLOYED] = "DELETE FROM deployed WHERE mark NOT IN (SELECT id FROM mark)",
    [END] = "UPDATE mark SET to_unix_ns = max(from_unix_ns, ?2) WHERE id = ?1",
    [ADD_DEAD] = "INSERT OR IGNORE INTO dead VALUES (?1, ?2)",
    [AGE_DEAD] = "DELETE FROM dead WHERE died_unix_ns < ?1",
    [IS_DEAD] = "SELECT 1 FROM dead WHERE process = ?1",
    [ADD_TEXT] = "UPDATE mark SET text = CASE WHEN text = '' THEN ?2 WHEN instr(text, ?2) > 0 OR "
                 "length(text) > 1000 THEN text ELSE text || '; ' || ?2 END WHERE id = ?1",
    [ADD_MOMENT] = "INSERT OR IGNORE INTO moment VALUES (?1, ?2, ?3)",
    [AGE_MOMENT] = "DELETE FROM moment WHERE unix_ns < ?1",
    [NEAR_MOMENT] = "SELECT id FROM mark WHERE kind = 6 AND service = ?1 AND cell = ?2 "
                    "AND title = ?3 AND to_unix_ns >= ?4 AND from_unix_ns <= ?5 "
                    "ORDER BY from_unix_ns DESC LIMIT 1",
    [LAST_DEATH] = "SELECT id, from_unix_ns, to_unix_ns FROM mark WHERE kind = 2 AND service = ?1 "
                   "AND cell = ?2 AND version = ?3 ORDER BY from_unix_ns DESC LIMIT 1",
    [TOLD] = "SELECT text FROM mark WHERE title = ?1 AND text = ?2 AND from_unix_ns = ?3 "
             "AND kind = ?4",
    [NEAR] = "SELECT id FROM mark WHERE title = ?1 AND kind = ?2 AND to_unix_ns >= ?3 "
             "AND from_unix_ns <= ?4 ORDER BY from_unix_ns DESC LIMIT 1",
    [EXTEND] = "UPDATE mark SET from_unix_ns = min(from_unix_ns, ?2), "
               "to_unix_ns = max(to_unix_ns, ?3) WHERE id = ?1",
    [REACHED] = "SELECT segment, offset FROM reached",
    [SET_REACHED] = "INSERT OR REPLACE INTO reached VALUES (1, ?1, ?2)",
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS mark ("
    "  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, from_unix_ns INTEGER NOT NULL,"
    "  to_unix_ns INTEGER NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, service TEXT NOT NULL,"
    "  version TEXT NOT NULL, previous TEXT NOT NULL, cell TEXT NOT NULL, n INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS mark_time ON mark (from_unix_ns);"
    "CREATE INDEX IF NOT EXISTS mark_service ON mark (kind, service, cell, from_unix_ns);"
    "CREATE TABLE IF NOT EXISTS host ("
    "  service TEXT NOT NULL, cell TEXT NOT NULL, host TEXT NOT NULL, version TEXT NOT NULL,"
    "  since_unix_ns INTEGER NOT NULL, PRIMARY KEY (service, cell, host)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS deployed ("
    "  mark INTEGER NOT NULL, host TEXT NOT NULL, unix_ns INTEGER NOT NULL,"
    "  PRIMARY KEY (mark, host)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS dead ("
    "  process BLOB PRIMARY KEY, died_unix_ns INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS moment ("
    "  process BLOB NOT NULL, moment INTEGER NOT NULL, unix_ns INTEGER NOT NULL,"
    "  PRIMARY KEY (process, moment)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS reached ("
    "  id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, offset INTEGER NOT NULL);";

/* ---- kinds ------------------------------------------------------------------------------- */

static const char *const kinds[MARK_KINDS] = {"note",         "deploy",  "death",  "alert",
                                              "notification", "hot-key", "process"};

const char *mark_kind_name(unsigned kind)
{
    return kind < MARK_KINDS ? kinds[kind] : NULL;
}

int mark_kind_parse(const char *name)
{
    for (int i = 0; i < MARK_KINDS; i++)
        if (strcmp(kinds[i], name) == 0)
            return i;
    return -1;
}

/* ---- opening ----------------------------------------------------------------------------- */

struct marks *marks_open(const char *directory, uint64_t age_ns, char *why, size_t why_size)
{
    struct marks *m = calloc(1, sizeof *m);
    if (!m) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    m->age_ns = age_ns;
    m->options = (struct database_options){
        .directory = directory,
        .file = "marks.db",
        .name = "marks",
        .lost = "earlier marks and deploys are not shown",
        .version = FORMAT_VERSION,
        .schema = schema,
        .statements = texts,
        .statement_count = STATEMENTS,
    };
    if (database_open(&m->database, &m->options, why, why_size) == 0)
        return m;
    free(m);
    return NULL;
}

void marks_close(struct marks **place)
{
    struct marks *m = *place;
    if (!m)
        return;
    database_close(&m->database);
    free(m);
    *place = NULL;
}

void marks_error(struct marks *m, char *out, size_t size)
{
    pthread_mutex_lock(&m->database.lock);
    snprintf(out, size, "%s", m->error);
    pthread_mutex_unlock(&m->database.lock);
}

/* ---- statements -------------------------------------------------------------------------- */

static void bind_texts(sqlite3_stmt *s, int first, const char *const *list, int count)
{
    for (int i = 0; i < count; i++)
        sqlite3_bind_text(s, first + i, list[i] ? list[i] : "", -1, SQLITE_STATIC);
}

sqlite3_stmt *marks_prepared(struct marks *m, enum statement which, const char *a, const char *b,
                             const char *c)
{
    sqlite3_stmt *s = m->database.statements[which];
    bind_texts(s, 1, (const char *const[]){a, b, c}, c ? 3 : b ? 2 : a ? 1 : 0);
    return s;
}

int marks_insert(struct marks *m, const struct mark *mark, uint64_t *id)
{
    sqlite3_stmt *s = m->database.statements[ADD];
    const char *const list[] = {mark->title,   mark->text,     mark->service,
                                mark->version, mark->previous, mark->cell};
    sqlite3_bind_int(s, 1, (int)mark->kind);
    sqlite3_bind_int64(s, 2, marks_clipped(mark->from_unix_ns));
    sqlite3_bind_int64(s, 3, marks_clipped(mark->to_unix_ns));
    bind_texts(s, 4, list, 6);
    sqlite3_bind_int64(s, 10, (int64_t)mark->count);
    if (!database_run(s))
        return -1;
    if (id)
        *id = (uint64_t)sqlite3_last_insert_rowid(m->database.db);
    return 0;
}

/* Once an hour, what is too old. */
static void age(struct marks *m)
{
    const uint64_t hour_ns = UINT64_C(3600000000000);
    uint64_t now = clock_unix_ns();
    if (now < m->aged_unix_ns + hour_ns)
        return;
    m->aged_unix_ns = now;
    for (int i = 0; i < 2; i++) {
        sqlite3_stmt *s = m->database.statements[i == 0 ? AGE_DEAD : AGE_MOMENT];
        sqlite3_bind_int64(s, 1, (int64_t)(now - MARKS_PROCESS_AGE_NS));
        database_run(s);
    }
    if (m->age_ns == 0 || now < m->age_ns)
        return;
    sqlite3_bind_int64(m->database.statements[AGE], 1, (int64_t)(now - m->age_ns));
    database_run(m->database.statements[AGE]);
    database_run(m->database.statements[AGE_DEPLOYED]);
}

static int failure(struct marks *m)
{
    struct database *d = &m->database;
    snprintf(m->error, sizeof m->error, "%s", sqlite3_errmsg(d->db));
    database_warn(d, "a mark cannot be written");
    return database_may_heal(d) ? MARKS_EDISK : MARKS_EREFUSED;
}

int marks_transaction(struct marks *m, int (*change)(struct marks *m, void *context), void *context)
{
    struct database *d = &m->database;
    pthread_mutex_lock(&d->lock);
    bool begun = database_run(d->statements[BEGIN]);
    bool done = begun && change(m, context) == 0 && database_run(d->statements[COMMIT]);
    int result = done ? 0 : failure(m);
    if (begun && !done)
        database_run(d->statements[ROLLBACK]);
    age(m);
    pthread_mutex_unlock(&d->lock);
    return result;
}

struct adding {
    const struct mark *mark;
    uint64_t *id;
};

static int add(struct marks *m, void *context)
{
    const struct adding *a = context;
    return marks_insert(m, a->mark, a->id);
}

int marks_add(struct marks *m, const struct mark *mark, uint64_t *id)
{
    return marks_transaction(m, add, &(struct adding){mark, id});
}

struct ending {
    uint64_t id, to_unix_ns;
};

static int end(struct marks *m, void *context)
{
    const struct ending *e = context;
    sqlite3_stmt *s = m->database.statements[END];
    sqlite3_bind_int64(s, 1, (int64_t)e->id);
    sqlite3_bind_int64(s, 2, (int64_t)e->to_unix_ns);
    return database_run(s) ? 0 : -1;
}

int marks_end(struct marks *m, uint64_t id, uint64_t to_unix_ns)
{
    return marks_transaction(m, end, &(struct ending){id, to_unix_ns});
}

/* ---- asking ------------------------------------------------------------------------------ */

static const char *copy_text(struct arena *arena, sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return arena_copy(arena, text ? text : "", (size_t)sqlite3_column_bytes(s, column) + 1);
}

static bool read_mark(struct arena *arena, sqlite3_stmt *s, struct mark *out)
{
    *out = (struct mark){
        .id = (uint64_t)sqlite3_column_int64(s, 0),
        .kind = (enum mark_kind)sqlite3_column_int(s, 1),
        .from_unix_ns = (uint64_t)sqlite3_column_int64(s, 2),
        .to_unix_ns = (uint64_t)sqlite3_column_int64(s, 3),
        .title = copy_text(arena, s, 4),
        .text = copy_text(arena, s, 5),
        .service = copy_text(arena, s, 6),
        .version = copy_text(arena, s, 7),
        .previous = copy_text(arena, s, 8),
        .cell = copy_text(arena, s, 9),
        .count = (uint64_t)sqlite3_column_int64(s, 10),
    };
    return out->title && out->text && out->service && out->version && out->previous && out->cell;
}

int marks_find(struct marks *m, const struct marks_filter *filter, struct arena *arena,
               struct mark **list, uint32_t *count, bool *more)
{
    int result = SQLITE_ROW;
    bool good = (*list = arena_alloc(arena, filter->limit * sizeof **list)) != NULL;
    *count = 0;
    *more = false;
    pthread_mutex_lock(&m->database.lock);
    sqlite3_stmt *s = m->database.statements[FIND];
    sqlite3_bind_int64(s, 1, marks_clipped(filter->from_unix_ns));
    sqlite3_bind_int64(s, 2, marks_clipped(filter->to_unix_ns));
    sqlite3_bind_int(s, 3, filter->kind);
    if (filter->service)
        sqlite3_bind_text(s, 4, filter->service, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(s, 4);
    sqlite3_bind_int64(s, 5, (int64_t)filter->limit + 1);
    while (good && !*more && (result = sqlite3_step(s)) == SQLITE_ROW) {
        *more = *count == filter->limit;
        if (!*more)
            good = read_mark(arena, s, &(*list)[(*count)++]);
    }
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        database_warn(&m->database, "marks cannot be read");
    sqlite3_reset(s);
    pthread_mutex_unlock(&m->database.lock);
    return good && (result == SQLITE_DONE || *more) ? 0 : -1;
}

int marks_get(struct marks *m, uint64_t id, struct arena *arena, struct mark *out)
{
    pthread_mutex_lock(&m->database.lock);
    sqlite3_stmt *s = m->database.statements[GET];
    sqlite3_bind_int64(s, 1, marks_clipped(id));
    int result = sqlite3_step(s);
    bool read = result == SQLITE_ROW && read_mark(arena, s, out);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        database_warn(&m->database, "marks cannot be read");
    sqlite3_reset(s);
    pthread_mutex_unlock(&m->database.lock);
    return read ? 1 : result == SQLITE_DONE ? 0 : -1;
}

int marks_hosts(struct marks *m, uint64_t id, struct arena *arena, struct mark_hosts *out)
{
    int found = -1;
    pthread_mutex_lock(&m->database.lock);
    sqlite3_stmt *s = m->database.statements[DEPLOYED_ENDS];
    sqlite3_bind_int64(s, 1, marks_clipped(id));
    if (sqlite3_step(s) == SQLITE_ROW) {
        found = sqlite3_column_type(s, 0) != SQLITE_NULL;
        *out = (struct mark_hosts){copy_text(arena, s, 0), copy_text(arena, s, 1)};
        if (!out->first || !out->last)
            found = -1;
    } else {
        database_warn(&m->database, "marks cannot be read");
    }
    sqlite3_reset(s);
    pthread_mutex_unlock(&m->database.lock);
    return found;
}

/* ---- what is told ------------------------------------------------------------------------ */

static int see_told(struct marks *m, void *context)
{
    const struct mark *mark = context;
    sqlite3_stmt *s = marks_prepared(m, TOLD, mark->title, mark->text, NULL);
    sqlite3_bind_int64(s, 3, (int64_t)mark->from_unix_ns);
    sqlite3_bind_int(s, 4, (int)mark->kind);
    int known = sqlite3_step(s);
    sqlite3_reset(s);
    return known == SQLITE_DONE ? marks_insert(m, mark, NULL) : known == SQLITE_ROW ? 0 : -1;
}

int marks_told(struct marks *m, const struct mark *mark)
{
    struct mark copy = *mark;
    return marks_transaction(m, see_told, &copy);
}

/* ---- how far ----------------------------------------------------------------------------- */

int marks_reached(struct marks *m, struct journal_position *at)
{
    pthread_mutex_lock(&m->database.lock);
    sqlite3_stmt *s = m->database.statements[REACHED];
    int result = sqlite3_step(s);
    if (result == SQLITE_ROW)
        *at = (struct journal_position){(uint64_t)sqlite3_column_int64(s, 0),
                                        (uint64_t)sqlite3_column_int64(s, 1)};
    else if (result != SQLITE_DONE)
        database_warn(&m->database, "how far marks reach cannot be read");
    sqlite3_reset(s);
    pthread_mutex_unlock(&m->database.lock);
    return result == SQLITE_ROW ? 1 : result == SQLITE_DONE ? 0 : MARKS_EDISK;
}

static int set_reached(struct marks *m, void *context)
{
    const struct journal_position *at = context;
    sqlite3_stmt *s = m->database.statements[SET_REACHED];
    sqlite3_bind_int64(s, 1, (int64_t)at->segment);
    sqlite3_bind_int64(s, 2, (int64_t)at->offset);
    return database_run(s) ? 0 : -1;
}

int marks_set_reached(struct marks *m, struct journal_position at)
{
    return marks_transaction(m, set_reached, &at);
}
