// SPDX-License-Identifier: Apache-2.0
#include "collector/caches/caches_internal.h"
#include "lib/base/clock.h"

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
    if (text)
        sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(s, at);
}

static sqlite3_stmt *chosen(struct caches *c, enum statement which,
                            const struct caches_filter *filter)
{
    sqlite3_stmt *s = c->reading.statements[which];
    sqlite3_bind_int64(s, 1, (int64_t)filter->id);
    bind_text(s, 2, filter->host);
    bind_text(s, 3, filter->protocol);
    sqlite3_bind_int64(s, 4, filter->from_unix_ms);
    return s;
}

static const char *copy_text(struct arena *arena, sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return arena_copy(arena, text ? text : "", (size_t)sqlite3_column_bytes(s, column) + 1);
}

static bool read_cache(struct arena *arena, sqlite3_stmt *s, struct cache_view *out)
{
    *out = (struct cache_view){.id = (uint64_t)sqlite3_column_int64(s, 0),
                               .host = copy_text(arena, s, 1),
                               .address = copy_text(arena, s, 2),
                               .protocol = copy_text(arena, s, 3),
                               .seen_unix_ms = sqlite3_column_int64(s, 4)};
    return out->host && out->address && out->protocol;
}

/* Doubles the room in the arena; the old one stays there. */
static bool grow(struct arena *arena, struct cache_view **list, uint32_t count, uint32_t *room)
{
    if (count < *room)
        return true;
    uint32_t more = *room ? 2 * *room : 16;
    struct cache_view *larger = arena_calloc(arena, more, sizeof *larger);
    for (uint32_t i = 0; larger && i < count; i++)
        larger[i] = (*list)[i];
    *list = larger ? larger : *list;
    *room = larger ? more : *room;
    return larger != NULL;
}

int caches_list(struct caches *c, const struct caches_filter *filter, struct arena *arena,
                struct cache_view **list, uint32_t *count)
{
    uint32_t room = 0;
    int result = SQLITE_ROW;
    bool good = true;
    *list = NULL;
    *count = 0;
    pthread_mutex_lock(&c->reading.lock);
    sqlite3_stmt *s = chosen(c, LIST, filter);
    while (good && (result = sqlite3_step(s)) == SQLITE_ROW)
        good = grow(arena, list, *count, &room) && read_cache(arena, s, &(*list)[(*count)++]);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        database_warn(&c->reading, "caches cannot be read");
    sqlite3_reset(s);
    pthread_mutex_unlock(&c->reading.lock);
    return good && result == SQLITE_DONE ? 0 : CACHES_EDISK;
}

int caches_windows(struct caches *c, const struct caches_filter *filter,
                   bool (*each)(void *context, uint64_t cache, const struct batch_window *w),
                   void *context)
{
    struct arena arena;
    int result = SQLITE_ROW;
    bool goes_on = true, late = false;
    arena_init(&arena, 64 << 10);
    pthread_mutex_lock(&c->reading.lock);
    sqlite3_stmt *s = chosen(c, WINDOWS, filter);
    sqlite3_bind_int64(s, 5, filter->to_unix_ms);
    while (goes_on && !late && (result = sqlite3_step(s)) == SQLITE_ROW) {
        const struct batch_window *w = caches_decode(s, 1, &arena);
        if (w)
            goes_on = each(context, (uint64_t)sqlite3_column_int64(s, 0), w);
        arena_reset(&arena);
        late = filter->deadline_ns && clock_monotonic_ns() > filter->deadline_ns;
    }
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        database_warn(&c->reading, "windows of caches cannot be read");
    sqlite3_reset(s);
    pthread_mutex_unlock(&c->reading.lock);
    arena_fini(&arena);
    if (late)
        return CACHES_ETIME;
    return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : CACHES_EDISK;
}
