// SPDX-License-Identifier: Apache-2.0
/* GET /api/v1/analysis/diff: two traces, or two sets of traces (each told by a TraceQL query), side
 * by side. */
#include <math.h>
#include <stdlib.h>

#include "collector/query/analysis/diff.h"
#include "collector/web/question.h"

enum { TRACES_DEFAULT = 200, TRACES_MOST = 5000, ROWS_MAX = 5000 };

struct adding {
    struct diff *diff;
    enum diff_side side;
};

static int add(void *context, const struct tree *t, struct trace_id id)
{
    const struct adding *a = context;
    struct timeline l;
    struct critical_path path;
    if (t->count == 0)
        return 0;
    if (timeline_build(&l, t, NULL) != 0)
        return -1;
    int result = critical_path_build(&path, t, &l, TREE_NONE);
    if (result == 0) {
        result = diff_add(a->diff, a->side, t, &l, &path, id);
        critical_path_fini(&path);
    }
    timeline_fini(&l);
    return result;
}

static bool add_set(const struct api_call *call, const char *text, uint32_t limit, struct adding *a,
                    struct reply *reply)
{
    struct question q;
    struct question_traces traces;
    if (!question_open_text(&q, call, QUESTION_SEARCH, text, reply))
        return false;
    int result = question_each_trace(&q, limit, false, add, a, &traces);
    question_close(&q);
    if (result != 0)
        reply_no_memory(reply);
    return result == 0;
}

static bool add_trace(const struct api_call *call, struct trace_id id, struct adding *a,
                      struct reply *reply)
{
    struct question q;
    struct arena arena;
    struct tree t;
    if (!question_open_text(&q, call, QUESTION_SEARCH, "{ }", reply))
        return false;
    arena_init(&arena, 64 << 10);
    int result = scan_tree(q.scan, id, false, &arena, &t);
    bool known = result == 0 && t.count > 0;
    if (result == 0) {
        result = add(a, &t, id);
        tree_fini(&t);
    }
    arena_fini(&arena);
    question_close(&q);
    if (result != 0)
        reply_no_memory(reply);
    else if (!known)
        reply_error(reply, 404, "%s: no span of this trace is known",
                    a->side == DIFF_A ? "a" : "b");
    return result == 0 && known;
}

/* ---- the answer -------------------------------------------------------------------------- */

static void put_side(struct json_writer *w, const char *key, const struct diff_sum *s)
{
    json_field_object(w, key);
    json_field_uint(w, "traces", s->traces);
    json_field_uint(w, "spans", s->spans);
    json_field_uint(w, "errors", s->errors);
    json_field_uint(w, "died", s->died);
    json_field_uint(w, "self_ns", s->self_ns);
    json_field_uint(w, "total_ns", s->total_ns);
    json_field_uint(w, "critical_ns", s->critical_ns);
    if (s->traces > 0)
        json_field_hex128(w, "exemplar", s->exemplar.hi, s->exemplar.lo);
    json_close_object(w);
}

static void put_operation(struct json_writer *w, const struct operation *o)
{
    json_open_object(w);
    api_field_str(w, "service", o->service);
    api_field_str(w, "operation", o->name);
    json_field_text(w, "kind", span_kind_name(o->kind));
    json_close_object(w);
}

/* From the top down to the row's own. */
static void put_path(struct json_writer *w, const struct diff *d, uint32_t key)
{
    enum { DEPTH_MAX = 64 };
    uint32_t steps[DEPTH_MAX], depth = 0;
    for (uint32_t at = key; at != PAIR_NONE && at != PAIR_REST && depth < DEPTH_MAX;
         at = d->paths.list[at].left)
        steps[depth++] = at;
    json_field_array(w, "path");
    while (depth > 0)
        put_operation(w, diff_operation(d, steps[--depth]));
    json_close_array(w);
}

static int put_rows(struct json_writer *w, const struct diff *d)
{
    uint32_t count;
    struct diff_row *rows = diff_rows(d, &count);
    if (!rows)
        return -1;
    json_field_array(w, "rows");
    for (uint32_t i = 0; i < count; i++) {
        const struct diff_row *r = &rows[i];
        json_open_object(w);
        json_field_bool(w, "rest", r->key == 0);
        if (r->key != 0 && d->by == DIFF_BY_PATH)
            put_path(w, d, r->key);
        if (r->key != 0) {
            json_key(w, "operation");
            put_operation(w, diff_operation(d, r->key));
        }
        put_side(w, "a", &r->side[DIFF_A]);
        put_side(w, "b", &r->side[DIFF_B]);
        json_field_int(w, "critical_change_ns", llround(r->critical_change_ns));
        json_field_int(w, "self_change_ns", llround(r->self_change_ns));
        json_field_double(w, "spans_change", r->spans_change);
        json_close_object(w);
    }
    json_close_array(w);
    free(rows);
    return 0;
}

static void put_sums(struct json_writer *w, const char *key, const struct diff *d,
                     enum diff_side side)
{
    json_field_object(w, key);
    json_field_uint(w, "traces", d->traces[side]);
    json_field_uint(w, "total_ns", d->total_ns[side]);
    json_close_object(w);
}

static void answer(const struct diff *d, struct reply *reply)
{
    struct json_writer w = json_writer_to(&reply->body);
    json_open_object(&w);
    json_field_text(&w, "by", d->by == DIFF_BY_PATH ? "path" : "operation");
    put_sums(&w, "a", d, DIFF_A);
    put_sums(&w, "b", d, DIFF_B);
    if (put_rows(&w, d) != 0) {
        reply_no_memory(reply);
        return;
    }
    json_close_object(&w);
    buffer_byte(&reply->body, '\n');
}

/* ---- the route --------------------------------------------------------------------------- */

static bool add_sides(const struct api_call *call, const char *const texts[DIFF_SIDES],
                      uint32_t limit, struct diff *d, struct reply *reply)
{
    for (int side = 0; side < DIFF_SIDES; side++) {
        struct adding a = {d, (enum diff_side)side};
        struct trace_id id;
        bool single = strlen(texts[side]) == 32 && params_trace_id(texts[side], &id);
        if (single ? !add_trace(call, id, &a, reply)
                   : !add_set(call, texts[side], limit, &a, reply))
            return false;
    }
    return true;
}

void api_diff(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    uint32_t limit;
    const char *const texts[DIFF_SIDES] = {params_get(call->params, "a"),
                                           params_get(call->params, "b")};
    const char *by = params_get(call->params, "by");
    if (params_only(call->params, "a b by start end limit timeout", why) != 0 ||
        params_number(call->params, "limit", 1, TRACES_MOST, TRACES_DEFAULT, &limit, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    if (!texts[DIFF_A] || !texts[DIFF_B]) {
        reply_error(reply, 400, "expected a and b: trace ids, or TraceQL queries");
        return;
    }
    if (by && strcmp(by, "operation") != 0 && strcmp(by, "path") != 0) {
        reply_error(reply, 400, "by: found \"%.20s\", expected operation or path", by);
        return;
    }
    struct diff d;
    diff_init(&d, by && *by == 'p' ? DIFF_BY_PATH : DIFF_BY_OPERATION, ROWS_MAX);
    if (add_sides(call, texts, limit, &d, reply))
        answer(&d, reply);
    diff_fini(&d);
}
