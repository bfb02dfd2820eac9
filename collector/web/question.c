// SPDX-License-Identifier: Apache-2.0
#include "collector/web/question.h"

#include <stdlib.h>
#include <time.h>

#include "collector/query/traceql/parse.h"
#include "lib/base/clock.h"
#include "lib/base/units.h"

enum { ARENA_BLOCK_BYTES = 16 << 10, TIMEOUT_S = 30, TIMEOUT_MOST_S = 600, WAIT_MS = 10000 };
#define MEMORY_BYTES UINT64_C(33554432) /* of one search */

/* ---- opening ----------------------------------------------------------------------------- */

static void refuse(const struct language_error *e, struct reply *reply)
{
    reply->status = 400;
    buffer_clear(&reply->body);
    struct json_writer w = json_writer_to(&reply->body);
    struct buffer sentence = {0};
    buffer_printf(&sentence, "line %u, column %u: %s", e->line, e->column, e->message);
    json_open_object(&w);
    json_field_string(&w, "error", sentence.data, sentence.length);
    json_field_text(&w, "fault", e->fault == LANGUAGE_ESYNTAX ? "syntax" : "meaning");
    json_field_uint(&w, "line", e->line);
    json_field_uint(&w, "column", e->column);
    json_close_object(&w);
    buffer_byte(&reply->body, '\n');
    buffer_fini(&sentence);
}

static bool parse(struct question *q, enum question_kind kind, const char *text,
                  struct reply *reply)
{
    struct language_error error;
    enum language_fault fault = traceql_parse(&q->arena, text, strlen(text), &q->query, &error);
    if (fault == LANGUAGE_ENOMEM) {
        reply_no_memory(reply);
        return false;
    }
    if (fault != LANGUAGE_SOUND) {
        refuse(&error, reply);
        return false;
    }
    if (kind == QUESTION_SEARCH && !q->query->pipeline) {
        reply_error(reply, 400, "this query makes series: ask /api/v1/measure");
        return false;
    }
    if (kind == QUESTION_SERIES && !q->query->series) {
        reply_error(reply, 400,
                    "this query finds traces: ask /api/v1/search, or end it with "
                    "rate() or another function that makes series");
        return false;
    }
    return true;
}

static bool read_options(struct question *q, const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    struct traceql_options *o = &q->options;
    uint64_t timeout_ns = TIMEOUT_S * UINT64_C(1000000000);
    if (params_window(call->params, &o->start_unix_ns, &o->end_unix_ns, why) != 0 ||
        params_duration(call->params, "timeout", &timeout_ns, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return false;
    }
    if (timeout_ns > TIMEOUT_MOST_S * UINT64_C(1000000000))
        timeout_ns = TIMEOUT_MOST_S * UINT64_C(1000000000);
    o->threads = call->web->query_threads;
    o->deadline_monotonic_ns = clock_monotonic_ns() + timeout_ns;
    o->memory_bytes = MEMORY_BYTES;
    return true;
}

static bool open_scan(struct question *q, struct reply *reply)
{
    struct budget *memory = q->web->query.memory;
    if (memory) {
        q->taken_bytes = budget_take(memory, MEMORY_BYTES, WAIT_MS);
        if (q->taken_bytes == 0) {
            reply_error(reply, 503, "other searches have the memory: try again in a moment");
            return false;
        }
        q->options.memory_bytes = q->taken_bytes;
    }
    q->scan = scan_create(&q->web->query, q->options.start_unix_ns, q->options.end_unix_ns,
                          clock_unix_ns());
    if (!q->scan) {
        reply_no_memory(reply);
        return false;
    }
    q->source = traceql_source_of_scan(q->scan);
    return true;
}

bool question_open_text(struct question *q, const struct api_call *call, enum question_kind kind,
                        const char *text, struct reply *reply)
{
    *q = (struct question){.web = call->web};
    arena_init(&q->arena, ARENA_BLOCK_BYTES);
    if (read_options(q, call, reply) && parse(q, kind, text, reply) && open_scan(q, reply))
        return true;
    question_close(q);
    return false;
}

bool question_open(struct question *q, const struct api_call *call, enum question_kind kind,
                   const char *fallback, struct reply *reply)
{
    const char *text = params_get(call->params, "q");
    if (!text)
        text = fallback;
    if (text)
        return question_open_text(q, call, kind, text, reply);
    reply_error(reply, 400, "q: expected a TraceQL query, such as q=%%7Bstatus%%3Derror%%7D");
    return false;
}

void question_close(struct question *q)
{
    scan_destroy(&q->scan);
    if (q->taken_bytes > 0)
        budget_give(q->web->query.memory, q->taken_bytes);
    q->taken_bytes = 0;
    arena_fini(&q->arena);
}

/* ---- traces ------------------------------------------------------------------------------ */

int question_each_trace(struct question *q, uint32_t limit, bool details,
                        int (*each)(void *context, const struct tree *tree, struct trace_id id),
                        void *context, struct question_traces *traces)
{
    struct traceql_search found;
    struct arena arena;
    int result = 0;
    arena_init(&arena, 256 << 10);
    traceql_search(q->query, &q->source, &q->options, limit, 0, &found);
    *traces = (struct question_traces){found.end, found.progress, found.count, found.more};
    for (uint32_t i = 0; result == 0 && i < found.count; i++) {
        struct tree tree;
        arena_reset(&arena);
        result = scan_tree(q->scan, found.traces[i]->trace.id, details, &arena, &tree);
        if (result == 0) {
            result = each(context, &tree, found.traces[i]->trace.id);
            tree_fini(&tree);
        }
    }
    traceql_search_fini(&found);
    arena_fini(&arena);
    return result;
}

/* ---- answers ----------------------------------------------------------------------------- */

void question_put_progress(struct json_writer *w, const struct traceql_progress *p)
{
    json_field_object(w, "progress");
    json_field_uint(w, "units", p->units);
    json_field_uint(w, "units_done", p->units_done);
    json_field_uint(w, "units_read", p->units_read);
    json_field_uint(w, "bytes", p->bytes);
    json_field_uint(w, "bytes_done", p->bytes_done);
    json_field_uint(w, "spans", p->rows);
    json_field_uint(w, "spans_done", p->rows_done);
    json_field_uint(w, "damaged_units", p->damaged_units);
    json_field_uint(w, "matched", p->matched);
    json_close_object(w);
}

void question_put_end(struct json_writer *w, const struct question *q, enum traceql_end end,
                      const struct traceql_progress *progress)
{
    static const char *const names[] = {"all",      "limit",  "cancelled",
                                        "deadline", "memory", "no_memory"};
    uint64_t since = scan_complete_since(q->scan);
    bool whole = end == TRACEQL_END_ALL || end == TRACEQL_END_LIMIT;
    json_field_text(w, "end", names[end]);
    if (!whole)
        json_field_text(w, "explanation", traceql_end_text(end));
    json_field_bool(w, "partial", !whole || progress->damaged_units > 0);
    if (since > q->options.start_unix_ns) /* older traces were aged out */
        json_field_unix_ns(w, "complete_since_unix_ns", since);
    question_put_progress(w, progress);
}

static void put_value(struct json_writer *w, const struct traceql_value *v)
{
    switch (v->type) {
    case TRACEQL_INT:
    case TRACEQL_DURATION:
        json_put_int(w, v->integer);
        break;
    case TRACEQL_FLOAT:
        json_put_double(w, v->number);
        break;
    case TRACEQL_BOOL:
        json_put_bool(w, v->boolean);
        break;
    case TRACEQL_STATUS:
        json_put_text(w, span_status_name(v->keyword));
        break;
    case TRACEQL_KIND:
        json_put_text(w, span_kind_name(v->keyword));
        break;
    case TRACEQL_STRING:
        json_put_string(w, v->text.bytes, v->text.length);
        break;
    default:
        json_put_text(w, "nil");
    }
}

static void put_key(struct json_writer *w, struct batch_str name)
{
    struct buffer key = {0};
    buffer_append(&key, name.bytes, name.length);
    json_key(w, buffer_cstring(&key));
    buffer_fini(&key);
}

void question_put_named(struct json_writer *w, const char *key, const struct traceql_named *named,
                        uint32_t count)
{
    json_field_object(w, key);
    for (uint32_t i = 0; i < count; i++) {
        put_key(w, named[i].name);
        put_value(w, &named[i].value);
    }
    json_close_object(w);
}

static void put_span(struct json_writer *w, const struct traceql_found *t,
                     const struct traceql_span *s)
{
    json_open_object(w);
    json_field_hex64(w, "span_id", s->span_id);
    if (s->parent_id)
        json_field_hex64(w, "parent_id", s->parent_id);
    else
        json_field_text(w, "parent_id", "");
    api_field_str(w, "name", s->name);
    api_field_str(w, "service", s->service);
    json_field_text(w, "kind", span_kind_name(s->kind));
    json_field_text(w, "status", span_status_name(s->status));
    json_field_int(w, "start_offset_ns", (int64_t)(s->start_unix_ns - t->trace.start_unix_ns));
    json_field_uint(w, "duration_ns", s->duration_ns);
    question_put_named(w, "values", s->values, s->value_count);
    json_close_object(w);
}

void question_put_trace(struct json_writer *w, const struct traceql_found *t)
{
    json_open_object(w);
    api_put_summary(w, &t->trace);
    json_field_array(w, "spansets");
    for (uint32_t i = 0; i < t->set_count; i++) {
        const struct traceql_spanset *set = &t->sets[i];
        json_open_object(w);
        json_field_uint(w, "matched", set->matched);
        question_put_named(w, "values", set->notes, set->note_count);
        json_field_array(w, "spans");
        for (uint32_t n = 0; n < set->span_count; n++)
            put_span(w, t, &set->spans[n]);
        json_close_array(w);
        json_close_object(w);
    }
    json_close_array(w);
    json_close_object(w);
}
