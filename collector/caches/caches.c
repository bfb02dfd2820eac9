// SPDX-License-Identifier: Apache-2.0
#include "collector/caches/caches.h"

#include <stdio.h>
#include <stdlib.h>

#include "collector/caches/caches_internal.h"

enum { FORMAT_VERSION = 1, FUTURE_MS = 600000 };

#define CHOSEN                                                                                     \
    "(?1 = 0 OR cache.id = ?1) AND (?2 IS NULL OR host = ?2) AND (?3 IS NULL OR protocol = ?3)"

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [SEE_CACHE] = "INSERT INTO cache VALUES (NULL, ?1, ?2, ?3, ?4) "
                  "ON CONFLICT (host, address, protocol) DO UPDATE SET "
                  "seen_unix_ms = max(seen_unix_ms, excluded.seen_unix_ms)",
    [CACHE_ID] = "SELECT id FROM cache WHERE host = ?1 AND address = ?2 AND protocol = ?3",
    [PUT_WINDOW] = "INSERT OR REPLACE INTO window VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [DUE] = "SELECT cache, slot_unix_ms / ?2 * ?2 AS time FROM window "
            "WHERE level = ?1 AND slot_unix_ms < ?3 "
            "GROUP BY cache, time HAVING max(stored_unix_ms) < ?4 LIMIT 1000",
    [PARTS] = "SELECT content FROM window WHERE cache = ?1 AND "
              "((level = ?2 AND slot_unix_ms >= ?3 AND slot_unix_ms < ?4) OR "
              " (level = ?2 + 1 AND slot_unix_ms = ?3))",
    [DROP_PARTS] = "DELETE FROM window WHERE cache = ?1 AND level = ?2 "
                   "AND slot_unix_ms >= ?3 AND slot_unix_ms < ?4",
    [AGE] = "DELETE FROM window WHERE end_unix_ms < ?1",
    [DROP_OLDEST] = "DELETE FROM window WHERE rowid IN "
                    "(SELECT rowid FROM window ORDER BY end_unix_ms LIMIT 100)",
    [USED_BYTES] = "SELECT (page_count - freelist_count) * page_size FROM "
                   "pragma_page_count, pragma_freelist_count, pragma_page_size",
    [LIST] = "SELECT id, host, address, protocol, seen_unix_ms FROM cache WHERE " CHOSEN
             " AND seen_unix_ms >= ?4 ORDER BY host, address, protocol",
    [WINDOWS] = "SELECT cache.id, content FROM window JOIN cache ON cache.id = window.cache "
                "WHERE " CHOSEN " AND end_unix_ms > ?4 AND begin_unix_ms < ?5",
    [REACHED] = "SELECT segment, offset FROM reached",
    [SET_REACHED] = "INSERT OR REPLACE INTO reached VALUES (1, ?1, ?2)",
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS cache ("
    "  id INTEGER PRIMARY KEY, host TEXT NOT NULL, address TEXT NOT NULL, protocol TEXT NOT NULL,"
    "  seen_unix_ms INTEGER NOT NULL, UNIQUE (host, address, protocol));"
    "CREATE TABLE IF NOT EXISTS window ("
    "  level INTEGER NOT NULL, cache INTEGER NOT NULL, slot_unix_ms INTEGER NOT NULL,"
    "  begin_unix_ms INTEGER NOT NULL, end_unix_ms INTEGER NOT NULL, commands INTEGER NOT NULL,"
    "  stored_unix_ms INTEGER NOT NULL, content BLOB NOT NULL,"
    "  UNIQUE (level, cache, slot_unix_ms));"
    "CREATE INDEX IF NOT EXISTS window_slot ON window (level, slot_unix_ms);"
    "CREATE INDEX IF NOT EXISTS window_end ON window (end_unix_ms, begin_unix_ms);"
    "CREATE INDEX IF NOT EXISTS window_cache ON window (cache, end_unix_ms);"
    "CREATE TABLE IF NOT EXISTS reached ("
    "  id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, offset INTEGER NOT NULL);";

/* ---- opening ------------------------------------------------------------------------------ */

struct caches *caches_open(const struct caches_options *options, char *why, size_t why_size)
{
    struct caches *c = calloc(1, sizeof *c);
    if (c)
        c->builder = batch_builder_create();
    if (!c || !c->builder) {
        snprintf(why, why_size, "no memory");
        free(c);
        return NULL;
    }
    c->age_ns = options->age_ns;
    c->limit_bytes = c->stats.limit_bytes = options->limit_bytes;
    c->options = (struct database_options){
        .directory = options->directory,
        .file = "caches.db",
        .name = "caches",
        .lost = "which keys were hot until now is not known",
        .version = FORMAT_VERSION,
        .schema = schema,
        .statements = texts,
        .statement_count = STATEMENTS,
    };
    if (database_open(&c->database, &c->options, why, why_size) == 0 &&
        database_open(&c->reading, &c->options, why, why_size) == 0)
        return c;
    caches_close(&c);
    return NULL;
}

void caches_close(struct caches **place)
{
    struct caches *c = *place;
    if (!c)
        return;
    database_close(&c->reading);
    database_close(&c->database);
    batch_builder_destroy(&c->builder);
    buffer_fini(&c->bytes);
    free(c);
    *place = NULL;
}

void caches_error(struct caches *c, char *out, size_t size)
{
    pthread_mutex_lock(&c->database.lock);
    snprintf(out, size, "%s", c->error);
    pthread_mutex_unlock(&c->database.lock);
}

/* ---- transactions ------------------------------------------------------------------------- */

static int failure(struct caches *c)
{
    struct database *d = &c->database;
    snprintf(c->error, sizeof c->error, "%s", sqlite3_errmsg(d->db));
    database_warn(d, "windows of caches cannot be written");
    return database_may_heal(d) ? CACHES_EDISK : CACHES_EREFUSED;
}

int caches_transaction(struct caches *c, int (*change)(struct caches *c, void *context),
                       void *context)
{
    struct database *d = &c->database;
    pthread_mutex_lock(&d->lock);
    bool begun = database_run(d->statements[BEGIN]);
    bool done = begun && change(c, context) == 0 && database_run(d->statements[COMMIT]);
    int result = done ? 0 : failure(c);
    if (begun && !done)
        database_run(d->statements[ROLLBACK]);
    pthread_mutex_unlock(&d->lock);
    return result;
}

/* ---- telling ------------------------------------------------------------------------------ */

static void bind_names(sqlite3_stmt *s, const struct batch_window *w)
{
    const struct batch_str names[] = {w->host, w->cache, w->protocol};
    for (int i = 0; i < 3; i++)
        sqlite3_bind_text(s, 1 + i, names[i].length ? names[i].bytes : "", (int)names[i].length,
                          SQLITE_STATIC);
}

int caches_insert(struct caches *c, int64_t cache, int level, int64_t slot_ms, int64_t stored_ms,
                  const struct batch_window *w)
{
    sqlite3_stmt *s = c->database.statements[PUT_WINDOW];
    batch_builder_reset(c->builder);
    buffer_clear(&c->bytes);
    batch_window_add(c->builder, w);
    if (batch_encode(c->builder, &c->bytes) != 0)
        return -1;
    const int64_t numbers[] = {level,
                               cache,
                               slot_ms,
                               w->begin_unix_ms,
                               w->begin_unix_ms + w->length_ms,
                               w->commands > INT64_MAX ? INT64_MAX : (int64_t)w->commands,
                               stored_ms};
    for (int i = 0; i < 7; i++)
        sqlite3_bind_int64(s, 1 + i, numbers[i]);
    sqlite3_bind_blob(s, 8, c->bytes.data, (int)c->bytes.length, SQLITE_STATIC);
    return database_run(s) ? 0 : -1;
}

struct putting {
    const struct batch_window *window;
    int64_t now_ms;
};

static int put(struct caches *c, void *context)
{
    const struct putting *p = context;
    const struct batch_window *w = p->window;
    sqlite3_stmt *see = c->database.statements[SEE_CACHE], *id = c->database.statements[CACHE_ID];
    bind_names(see, w);
    sqlite3_bind_int64(see, 4, w->begin_unix_ms + w->length_ms);
    if (!database_run(see))
        return -1;
    bind_names(id, w);
    int64_t cache = sqlite3_step(id) == SQLITE_ROW ? sqlite3_column_int64(id, 0) : 0;
    sqlite3_reset(id);
    return cache ? caches_insert(c, cache, LEVEL_TOLD, w->begin_unix_ms, p->now_ms, w) : -1;
}

int caches_put(struct caches *c, const struct batch_window *w, int64_t now_unix_ms)
{
    if (w->begin_unix_ms > now_unix_ms + FUTURE_MS)
        return CACHES_EREFUSED;
    return caches_transaction(c, put, &(struct putting){w, now_unix_ms});
}

/* ---- how far ------------------------------------------------------------------------------ */

int caches_reached(struct caches *c, struct journal_position *at)
{
    pthread_mutex_lock(&c->database.lock);
    sqlite3_stmt *s = c->database.statements[REACHED];
    int result = sqlite3_step(s);
    if (result == SQLITE_ROW)
        *at = (struct journal_position){(uint64_t)sqlite3_column_int64(s, 0),
                                        (uint64_t)sqlite3_column_int64(s, 1)};
    else if (result != SQLITE_DONE)
        database_warn(&c->database, "how far windows of caches reach cannot be read");
    sqlite3_reset(s);
    pthread_mutex_unlock(&c->database.lock);
    return result == SQLITE_ROW ? 1 : result == SQLITE_DONE ? 0 : CACHES_EDISK;
}

static int set_reached(struct caches *c, void *context)
{
    const struct journal_position *at = context;
    sqlite3_stmt *s = c->database.statements[SET_REACHED];
    sqlite3_bind_int64(s, 1, (int64_t)at->segment);
    sqlite3_bind_int64(s, 2, (int64_t)at->offset);
    return database_run(s) ? 0 : -1;
}

int caches_set_reached(struct caches *c, struct journal_position at)
{
    return caches_transaction(c, set_reached, &at);
}
