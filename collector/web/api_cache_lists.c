// SPDX-License-Identifier: Apache-2.0
/* GET /api/v1/caches/{id}/keys, patterns, clients; and the same without an id: of all caches
 * together. */
#include <stdlib.h>
#include <string.h>

#include "collector/web/caches_question.h"

enum { ARENA_BLOCK_BYTES = 32 << 10, LIMIT_DEFAULT = 50, LIMIT_MOST = 1000, IDS_MOST = 4096 };

struct listing {
    struct caches_filter filter;
    enum window_kind kind;
    uint32_t limit;
    struct window_sum sum;
    uint64_t ids[IDS_MOST]; /* of the caches that were added */
    uint32_t caches;
};

static void note_cache(struct listing *l, uint64_t cache)
{
    for (uint32_t i = 0; i < l->caches; i++)
        if (l->ids[i] == cache)
            return;
    if (l->caches < IDS_MOST)
        l->ids[l->caches++] = cache;
}

static bool add_window(void *context, uint64_t cache, const struct batch_window *w)
{
    struct listing *l = context;
    note_cache(l, cache);
    window_sum_add(&l->sum, w);
    return !l->sum.failed;
}

/* ---- the question ------------------------------------------------------------------------- */

static const char *const list_names[] = {"keys", "patterns", "clients"};
static const char *const by_names[] = {"calls", "bytes", "misses"}; /* by their kinds' numbers */

static int index_in(const char *const *names, const char *name)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static bool parse(const struct api_call *call, const char *name, struct listing *l,
                  struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    int list = index_in(list_names, name);
    const char *by = params_get(call->params, "by");
    if (list < 0) {
        reply_error(reply, 404, "expected keys, patterns or clients, found \"%.40s\"", name);
        return false;
    }
    if (!caches_question(call, list == 0 ? "by limit" : "limit", &l->filter, reply))
        return false;
    if (params_number(call->params, "limit", 1, LIMIT_MOST, LIMIT_DEFAULT, &l->limit, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return false;
    }
    int kind = by ? index_in(by_names, by) : WINDOW_KEYS_BY_CALLS;
    if (kind < 0) {
        reply_error(reply, 400, "by: found \"%.40s\", expected calls, bytes or misses", by);
        return false;
    }
    l->kind = list == 0 ? (enum window_kind)kind : list == 1 ? WINDOW_PATTERNS : WINDOW_CLIENTS;
    return true;
}

/* ---- the answer --------------------------------------------------------------------------- */

static void put_entry(struct json_writer *w, const struct listing *l,
                      const struct window_list *list, const struct window_entry *e, double seconds)
{
    double weight = (double)window_weight(l->kind, e);
    json_open_object(w);
    caches_put_key(w, e);
    json_field_uint(w, "calls", e->calls);
    json_field_uint(w, "bytes", e->bytes);
    json_field_uint(w, "misses", e->misses);
    if (seconds > 0)
        json_field_double(w, "per_second", weight / seconds);
    if (list->total > 0)
        json_field_double(w, "share", weight / (double)list->total);
    json_field_uint(w, "error", e->error);
    json_close_object(w);
}

static void put_made_of(struct json_writer *w, const struct listing *l)
{
    const struct window_sum *s = &l->sum;
    json_field_uint(w, "caches", l->caches);
    json_field_uint(w, "windows", s->windows);
    if (s->windows > 0) {
        json_field_unix_ns(w, "from_unix_ns", (uint64_t)s->begin_unix_ms * 1000000);
        json_field_unix_ns(w, "to_unix_ns", (uint64_t)s->end_unix_ms * 1000000);
    }
    json_field_uint(w, "commands", s->commands);
    json_field_double(w, "distinct_keys", distinct_count(&s->keys));
}

static int put(const struct listing *l, const char *name, struct arena *arena,
               struct json_writer *w)
{
    struct window_list list;
    double seconds = (double)(l->sum.end_unix_ms - l->sum.begin_unix_ms) / 1e3;
    if (l->sum.failed || window_sum_list(&l->sum, l->kind, l->limit, arena, &list) != 0)
        return -1;
    json_open_object(w);
    caches_put_time(w, &l->filter);
    json_field_text(w, "by", l->kind < 3 ? by_names[l->kind] : "calls");
    put_made_of(w, l);
    json_field_uint(w, "total", list.total);
    json_field_uint(w, "rest", list.rest);
    json_field_array(w, name);
    for (uint32_t i = 0; i < list.count; i++)
        put_entry(w, l, &list, &list.entries[i], seconds);
    json_close_array(w);
    json_close_object(w);
    return 0;
}

static void answer(const struct api_call *call, struct listing *l, const char *name,
                   struct reply *reply)
{
    struct arena arena;
    struct json_writer w = json_writer_to(&reply->body);
    arena_init(&arena, ARENA_BLOCK_BYTES);
    window_sum_init(&l->sum, 1u << l->kind);
    int error = caches_windows(call->web->caches, &l->filter, add_window, l);
    if (error != 0)
        caches_unreadable(reply, error);
    else if (put(l, name, &arena, &w) != 0)
        reply_no_memory(reply);
    window_sum_fini(&l->sum);
    arena_fini(&arena);
}

/* "keys", "7", "7/keys". */
void api_cache_rest(const struct api_call *call, struct reply *reply)
{
    const char *name = call->rest;
    char *end;
    uint64_t id = 0;
    if (*name >= '0' && *name <= '9') {
        id = strtoull(name, &end, 10);
        if (*end == '\0') {
            api_cache(call, id, reply);
            return;
        }
        name = *end == '/' ? end + 1 : end;
    }
    struct listing *l = calloc(1, sizeof *l);
    if (!l) {
        reply_no_memory(reply);
        return;
    }
    if (parse(call, name, l, reply)) {
        l->filter.id = id;
        answer(call, l, name, reply);
    }
    free(l);
}
