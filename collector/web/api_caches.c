// SPDX-License-Identifier: Apache-2.0
/* GET /api/v1/caches, /api/v1/caches/{id}: how each cache does. */
#include <math.h>

#include "collector/query/cache_series.h"
#include "collector/web/caches_question.h"

enum { ARENA_BLOCK_BYTES = 32 << 10 };

struct overview {
    struct caches_filter filter;
    struct arena arena;
    struct cache_view *caches;
    uint32_t count;
    struct window_sum *sums;
    struct cache_series *series;
};

static bool add_window(void *context, uint64_t cache, const struct batch_window *w)
{
    struct overview *o = context;
    for (uint32_t i = 0; i < o->count; i++)
        if (o->caches[i].id == cache)
            window_sum_add(&o->sums[i], w);
    return true;
}

static bool gather(const struct web *web, struct overview *o, struct reply *reply)
{
    struct cache_series_question q = {.source = web_source(web),
                                      .from_unix_ms = o->filter.from_unix_ms,
                                      .to_unix_ms = o->filter.to_unix_ms,
                                      .deadline_ns = o->filter.deadline_ns};
    int error = caches_list(web->caches, &o->filter, &o->arena, &o->caches, &o->count);
    if (error != 0) {
        caches_unreadable(reply, error);
        return false;
    }
    o->sums = arena_calloc(&o->arena, o->count, sizeof *o->sums);
    o->series = arena_calloc(&o->arena, o->count, sizeof *o->series);
    if (!o->sums || !o->series) {
        o->sums = NULL;
        reply_no_memory(reply);
        return false;
    }
    for (uint32_t i = 0; i < o->count; i++)
        window_sum_init(&o->sums[i], 1 << WINDOW_KEYS_BY_CALLS);
    if ((error = caches_windows(web->caches, &o->filter, add_window, o)) != 0) {
        caches_unreadable(reply, error);
        return false;
    }
    if (cache_series_ask(&q, o->caches, o->count, o->series) == 0)
        return true;
    reply_error(reply, 503, "the series cannot be asked now: try again in a moment");
    return false;
}

/* ---- one cache ---------------------------------------------------------------------------- */

static void put_number(struct json_writer *w, const char *key, double value)
{
    if (isfinite(value))
        json_field_double(w, key, value);
}

static double zero_if_none(double value)
{
    return isnan(value) ? 0 : value;
}

static void put_series(struct json_writer *w, const struct cache_series *s)
{
    double hits = zero_if_none(s->hits_per_s), looked = hits + zero_if_none(s->misses_per_s);
    put_number(w, "commands_per_s", s->commands_per_s);
    if (looked > 0)
        json_field_double(w, "hit_rate", hits / looked);
    /* A cache that never failed has no series of errors. */
    if (isfinite(s->commands_per_s))
        put_number(w, "errors_per_s", zero_if_none(s->errors_per_s));
    put_number(w, "request_bytes_per_s", s->request_bytes_per_s);
    put_number(w, "reply_bytes_per_s", s->reply_bytes_per_s);
    put_number(w, "p50_seconds", s->p50_seconds);
    put_number(w, "p99_seconds", s->p99_seconds);
    put_number(w, "p999_seconds", s->p999_seconds);
}

static int put_windows(struct json_writer *w, const struct window_sum *s, struct arena *arena)
{
    struct window_list hottest;
    double seconds = (double)(s->end_unix_ms - s->begin_unix_ms) / 1e3;
    json_field_uint(w, "windows", s->windows);
    if (s->windows == 0)
        return 0;
    if (window_sum_list(s, WINDOW_KEYS_BY_CALLS, 1, arena, &hottest) != 0)
        return -1;
    json_field_double(w, "distinct_keys", distinct_count(&s->keys));
    json_field_uint(w, "peak_commands", s->peak_commands);
    if (s->commands > 0 && seconds >= 1)
        json_field_double(w, "peak_ratio",
                          (double)s->peak_commands * seconds / (double)s->commands);
    if (hottest.count == 0 || hottest.total == 0)
        return 0;
    json_field_object(w, "hottest");
    caches_put_key(w, &hottest.entries[0]);
    json_field_uint(w, "calls", hottest.entries[0].calls);
    json_field_double(w, "share", (double)hottest.entries[0].calls / (double)hottest.total);
    json_close_object(w);
    return 0;
}

static int put_cache(struct json_writer *w, struct overview *o, uint32_t i)
{
    const struct cache_view *c = &o->caches[i];
    json_open_object(w);
    json_field_uint(w, "id", c->id);
    json_field_text(w, "host", c->host);
    json_field_text(w, "address", c->address);
    json_field_text(w, "protocol", c->protocol);
    json_field_unix_ns(w, "seen_unix_ns", (uint64_t)c->seen_unix_ms * 1000000);
    put_series(w, &o->series[i]);
    int result = o->sums[i].failed ? -1 : put_windows(w, &o->sums[i], &o->arena);
    json_close_object(w);
    return result;
}

/* ---- the routes --------------------------------------------------------------------------- */

static void put_all(struct overview *o, struct reply *reply)
{
    struct json_writer w = json_writer_to(&reply->body);
    int result = 0;
    json_open_object(&w);
    caches_put_time(&w, &o->filter);
    json_field_array(&w, "caches");
    for (uint32_t i = 0; i < o->count && result == 0; i++)
        result = put_cache(&w, o, i);
    json_close_array(&w);
    json_close_object(&w);
    if (result != 0)
        reply_no_memory(reply);
}

static void put_one(struct overview *o, struct reply *reply)
{
    struct json_writer w = json_writer_to(&reply->body);
    if (o->count == 0)
        reply_error(reply, 404, "there is no cache %llu, or it was not seen since then",
                    (unsigned long long)o->filter.id);
    else if (put_cache(&w, o, 0) != 0)
        reply_no_memory(reply);
}

static void answer(const struct api_call *call, uint64_t id, struct reply *reply)
{
    struct overview o = {.count = 0};
    if (!caches_question(call, "", &o.filter, reply))
        return;
    o.filter.id = id;
    arena_init(&o.arena, ARENA_BLOCK_BYTES);
    if (gather(call->web, &o, reply)) {
        if (id)
            put_one(&o, reply);
        else
            put_all(&o, reply);
    }
    for (uint32_t i = 0; o.sums && i < o.count; i++)
        window_sum_fini(&o.sums[i]);
    arena_fini(&o.arena);
}

void api_caches(const struct api_call *call, struct reply *reply)
{
    answer(call, 0, reply);
}

void api_cache(const struct api_call *call, uint64_t id, struct reply *reply)
{
    answer(call, id, reply);
}
