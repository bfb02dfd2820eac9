// SPDX-License-Identifier: Apache-2.0
/* GET /api/v1/deploys/ID: what a deploy did. */
#include <stdlib.h>
#include <time.h>

#include "collector/query/verdict/verdict.h"
#include "collector/web/api.h"
#include "lib/base/clock.h"

enum { ARENA_BLOCK_BYTES = 64 << 10, DEADLINE_S = 30 };

static void put_comparisons(struct json_writer *w, const char *key,
                            const struct comparison list[MEASURES])
{
    json_field_array(w, key);
    for (int i = 0; i < MEASURES; i++) {
        const struct comparison *c = &list[i];
        json_open_object(w);
        json_field_text(w, "measure", measure_name(c->measure));
        json_field_text(w, "change", change_name(c->change));
        json_field_double(w, "before", c->before);
        json_field_double(w, "after", c->after);
        json_field_double(w, "ratio", c->ratio);
        json_field_double(w, "delta", c->delta);
        json_field_double(w, "confidence", c->confidence);
        json_field_uint(w, "before_intervals", c->before_count);
        json_field_uint(w, "after_intervals", c->after_count);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_moment(struct json_writer *w, const char *key, int64_t unix_ms)
{
    json_field_unix_ns(w, key, (uint64_t)unix_ms * 1000000);
}

static void put_verdict(struct json_writer *w, const char *key, const struct verdict *v)
{
    json_field_object(w, key);
    json_field_text(w, "basis", verdict_basis_name(v->basis));
    json_field_text(w, "change", change_name(v->change));
    if (v->basis == VERDICT_NONE) {
        json_field_array(w, "measures");
        json_close_array(w);
    } else {
        put_moment(w, "before_from_unix_ns", v->before_from_ms);
        put_moment(w, "before_to_unix_ns", v->before_to_ms);
        put_moment(w, "after_from_unix_ns", v->after_from_ms);
        put_moment(w, "after_to_unix_ns", v->after_to_ms);
        json_field_int(w, "interval_ns", v->interval_ms * 1000000);
        put_comparisons(w, "measures", v->measures);
        if (v->has_yesterday)
            put_comparisons(w, "yesterday", v->yesterday);
    }
    json_close_object(w);
}

/* How far it has come: its hosts, of those that run the service in its cell. */
static void put_rollout(struct json_writer *w, const struct mark *deploy, uint64_t running,
                        const struct mark_hosts *hosts)
{
    json_field_object(w, "rollout");
    json_field_uint(w, "hosts", deploy->count);
    if (running)
        json_field_uint(w, "of_hosts", running > deploy->count ? running : deploy->count);
    if (hosts->first) {
        json_field_text(w, "first_host", hosts->first);
        json_field_text(w, "last_host", hosts->last);
    }
    json_close_object(w);
}

static void answer(const struct web *web, const struct mark *deploy, struct arena *arena,
                   struct reply *reply)
{
    struct verdict cell, service;
    struct mark_hosts hosts = {NULL, NULL};
    uint64_t running;
    struct verdict_question q = {.source = web_source(web),
                                 .deploy = deploy,
                                 .now_unix_ns = clock_unix_ns(),
                                 .deadline_ns =
                                     clock_monotonic_ns() + DEADLINE_S * UINT64_C(1000000000)};
    int error = verdict_hosts(&q, &running);
    if (error == 0)
        error = verdict_of(&q, arena, &cell);
    q.all_cells = true;
    if (error == 0)
        error = verdict_of(&q, arena, &service);
    if (error == 0 && marks_hosts(web->marks, deploy->id, arena, &hosts) <= 0)
        hosts = (struct mark_hosts){NULL, NULL};
    if (error != 0) {
        reply_error(reply, 503, "the series cannot be asked now: try again in a moment");
        return;
    }
    struct json_writer w = json_writer_to(&reply->body);
    json_open_object(&w);
    json_field_object(&w, "mark");
    api_put_mark(&w, deploy);
    json_close_object(&w);
    put_rollout(&w, deploy, running, &hosts);
    put_verdict(&w, "cell", &cell);
    put_verdict(&w, "service", &service);
    json_close_object(&w);
}

void api_deploy(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX], *end;
    struct arena arena;
    struct mark deploy;
    unsigned long long id = strtoull(call->rest, &end, 10);
    if (params_only(call->params, "", why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    if (*end || *call->rest < '0' || *call->rest > '9') {
        reply_error(reply, 400, "expected a deploy's number, found \"%.40s\"", call->rest);
        return;
    }
    arena_init(&arena, ARENA_BLOCK_BYTES);
    int found = marks_get(call->web->marks, id, &arena, &deploy);
    if (found < 0)
        reply_error(reply, 503, "marks cannot be read: see the collector's log");
    else if (found == 0 || deploy.kind != MARK_DEPLOY)
        reply_error(reply, 404, "there is no deploy %llu", id);
    else
        answer(call->web, &deploy, &arena, reply);
    arena_fini(&arena);
}
