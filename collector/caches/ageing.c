// SPDX-License-Identifier: Apache-2.0
/* Sums of windows take the place of what is old. A window that comes again would count twice once
 * it stands in a sum: so only what has been here for a while is summed up. */
#include <stdlib.h>

#include "collector/caches/caches_internal.h"
#include "collector/caches/sum.h"

enum { SETTLE_MS = 600000, KEYS_KEPT = 200, DROPS_MOST = 50 };
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   INT64_C(3600000)

/* By the level that is summed up. */
static const struct {
    int64_t kept_ms, sum_ms;
} levels[] = {{HOUR_MS, MINUTE_MS}, {24 * HOUR_MS, HOUR_MS}};

const struct batch_window *caches_decode(sqlite3_stmt *s, int column, struct arena *arena)
{
    int error;
    const struct batch *b =
        batch_decode(arena, sqlite3_column_blob(s, column), (size_t)sqlite3_column_bytes(s, column),
                     WINDOW_BYTES_MOST, &error);
    return b && b->window_count == 1 ? &b->windows[0] : NULL;
}

struct due {
    int64_t cache, slot_ms;
    int level;
    int64_t now_ms;
};

static void bind_parts(sqlite3_stmt *s, const struct due *d)
{
    sqlite3_bind_int64(s, 1, d->cache);
    sqlite3_bind_int(s, 2, d->level);
    sqlite3_bind_int64(s, 3, d->slot_ms);
    sqlite3_bind_int64(s, 4, d->slot_ms + levels[d->level].sum_ms);
}

/* 0 or -1. A part that is damaged is left out. */
static int add_parts(struct caches *c, const struct due *d, struct window_sum *sum)
{
    sqlite3_stmt *s = c->database.statements[PARTS];
    struct arena arena;
    int result;
    arena_init(&arena, 64 << 10);
    bind_parts(s, d);
    while ((result = sqlite3_step(s)) == SQLITE_ROW) {
        const struct batch_window *w = caches_decode(s, 0, &arena);
        if (w)
            window_sum_add(sum, w);
        arena_reset(&arena);
    }
    sqlite3_reset(s);
    arena_fini(&arena);
    return result == SQLITE_DONE && !sum->failed ? 0 : -1;
}

static int write_sum(struct caches *c, const struct due *d, const struct window_sum *sum)
{
    struct arena arena;
    struct batch_window w;
    arena_init(&arena, 64 << 10);
    int result = window_sum_window(sum, KEYS_KEPT, &arena, &w);
    if (result == 0)
        result = caches_insert(c, d->cache, d->level + 1, d->slot_ms, d->now_ms, &w);
    arena_fini(&arena);
    return result;
}

static int sum_up(struct caches *c, void *context)
{
    const struct due *d = context;
    struct window_sum sum;
    window_sum_init(&sum, SUM_ALL_KINDS);
    int result = add_parts(c, d, &sum);
    if (result == 0 && sum.windows > 0)
        result = write_sum(c, d, &sum);
    window_sum_fini(&sum);
    if (result != 0)
        return -1;
    bind_parts(c->database.statements[DROP_PARTS], d);
    return database_run(c->database.statements[DROP_PARTS]) ? 0 : -1;
}

/* Times that are wholly older than the level is kept for: a list in the arena. -1: the disk, or
 * memory. */
static int find_due(struct caches *c, int level, int64_t now_ms, struct arena *arena,
                    struct due **list, uint32_t *count)
{
    enum { MOST = 1000 }; /* as in the statement */
    int64_t sum_ms = levels[level].sum_ms;
    sqlite3_stmt *s = c->database.statements[DUE];
    int result = SQLITE_NOMEM;
    *count = 0;
    *list = arena_alloc(arena, MOST * sizeof **list);
    pthread_mutex_lock(&c->database.lock);
    sqlite3_bind_int(s, 1, level);
    sqlite3_bind_int64(s, 2, sum_ms);
    sqlite3_bind_int64(s, 3, (now_ms - levels[level].kept_ms) / sum_ms * sum_ms);
    sqlite3_bind_int64(s, 4, now_ms - SETTLE_MS);
    while (*list && *count < MOST && (result = sqlite3_step(s)) == SQLITE_ROW)
        (*list)[(*count)++] =
            (struct due){sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), level, now_ms};
    sqlite3_reset(s);
    pthread_mutex_unlock(&c->database.lock);
    return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : -1;
}

static int age_level(struct caches *c, int level, int64_t now_ms)
{
    struct arena arena;
    struct due *list;
    uint32_t count;
    arena_init(&arena, 4096);
    int result = find_due(c, level, now_ms, &arena, &list, &count);
    for (uint32_t i = 0; i < count && result == 0; i++)
        result = caches_transaction(c, sum_up, &list[i]);
    arena_fini(&arena);
    return result;
}

/* ---- what goes ---------------------------------------------------------------------------- */

static int64_t used_bytes(struct caches *c)
{
    sqlite3_stmt *s = c->database.statements[USED_BYTES];
    int64_t bytes = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_reset(s);
    return bytes;
}

static int remove_old(struct caches *c, void *context)
{
    const int64_t *now_ms = context;
    int64_t age_ms = (int64_t)(c->age_ns / 1000000);
    uint64_t removed = 0;
    sqlite3_stmt *age = c->database.statements[AGE];
    if (age_ms > 0) {
        sqlite3_bind_int64(age, 1, *now_ms - age_ms);
        if (!database_run(age))
            return -1;
        removed += (uint64_t)sqlite3_changes(c->database.db);
    }
    int64_t bytes = used_bytes(c);
    for (int i = 0; bytes > 0 && (uint64_t)bytes > c->limit_bytes && i < DROPS_MOST; i++) {
        if (!database_run(c->database.statements[DROP_OLDEST]))
            return -1;
        removed += (uint64_t)sqlite3_changes(c->database.db);
        bytes = used_bytes(c);
    }
    c->stats.bytes = bytes > 0 ? (uint64_t)bytes : 0;
    c->stats.aged_windows += removed;
    return bytes < 0 ? -1 : 0;
}

int caches_age(struct caches *c, int64_t now_unix_ms)
{
    int result = caches_transaction(c, remove_old, &now_unix_ms);
    for (int level = LEVEL_TOLD; level < LEVEL_HOUR && result == 0; level++)
        result = age_level(c, level, now_unix_ms);
    return result == 0 ? 0 : CACHES_EDISK;
}

void caches_read_stats(struct caches *c, struct caches_stats *out)
{
    pthread_mutex_lock(&c->database.lock);
    *out = c->stats;
    pthread_mutex_unlock(&c->database.lock);
}
