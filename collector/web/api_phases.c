// SPDX-License-Identifier: Apache-2.0
/* GET /api/v1/analysis/phases: over many traces, which operation holds how much of the critical
 * path. */
#include <math.h>
#include <stdlib.h>

#include "collector/query/analysis/phases.h"
#include "collector/web/question.h"

enum { TRACES_DEFAULT = 500, TRACES_MOST = 5000, OPERATIONS_MAX = 2000 };

static int add(void *context, const struct tree *t, struct trace_id id)
{
    struct phases *p = context;
    struct timeline l;
    struct critical_path path;
    if (timeline_build(&l, t, NULL) != 0)
        return -1;
    int result = critical_path_build(&path, t, &l, TREE_NONE);
    if (result == 0) {
        result = phases_add(p, t, &path, id);
        critical_path_fini(&path);
    }
    timeline_fini(&l);
    return result;
}

static void put_operation(struct json_writer *w, const struct phases *p, const struct phase *row)
{
    if (row->operation == PHASES_UNKNOWN) {
        json_field_text(w, "what", "unknown");
        return;
    }
    if (row->operation == OPERATION_REST) {
        json_field_text(w, "what", "rest");
        return;
    }
    const struct operation *o = &p->operations.list[row->operation];
    json_field_text(w, "what", "operation");
    api_field_str(w, "service", o->service);
    api_field_str(w, "operation", o->name);
    json_field_text(w, "kind", span_kind_name(o->kind));
}

static int put_rows(struct json_writer *w, const struct phases *p)
{
    uint32_t count;
    struct phase *rows = phases_rows(p, &count);
    if (!rows)
        return -1;
    json_field_array(w, "phases");
    for (uint32_t i = 0; i < count; i++) {
        json_open_object(w);
        put_operation(w, p, &rows[i]);
        json_field_uint(w, "traces", rows[i].traces);
        json_field_double(w, "share", rows[i].share);
        json_field_uint(w, "critical_ns", rows[i].critical_ns);
        json_field_uint(w, "p50_ns", (uint64_t)llround(rows[i].p50_ns));
        json_field_uint(w, "p99_ns", (uint64_t)llround(rows[i].p99_ns));
        json_field_uint(w, "max_ns", (uint64_t)llround(rows[i].max_ns));
        json_field_array(w, "exemplars");
        for (uint32_t n = 0; n < rows[i].exemplar_count; n++)
            json_put_hex128(w, rows[i].exemplars[n].hi, rows[i].exemplars[n].lo);
        json_close_array(w);
        json_close_object(w);
    }
    json_close_array(w);
    free(rows);
    return 0;
}

void api_phases(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    uint32_t limit;
    struct question q;
    struct question_traces traces;
    struct phases p;
    if (params_only(call->params, "q start end limit timeout", why) != 0 ||
        params_number(call->params, "limit", 1, TRACES_MOST, TRACES_DEFAULT, &limit, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    if (!question_open(&q, call, QUESTION_SEARCH, "{ }", reply))
        return;
    phases_init(&p, OPERATIONS_MAX);
    struct json_writer w = json_writer_to(&reply->body);
    int result = question_each_trace(&q, limit, false, add, &p, &traces);
    if (result == 0) {
        json_open_object(&w);
        json_field_uint(&w, "traces", p.traces);
        json_field_uint(&w, "total_ns", p.total_ns);
        result = put_rows(&w, &p);
        json_field_bool(&w, "more", traces.more);
        question_put_end(&w, &q, traces.end, &traces.progress);
        json_close_object(&w);
        buffer_byte(&reply->body, '\n');
    }
    if (result != 0)
        reply_no_memory(reply);
    phases_fini(&p);
    question_close(&q);
}
