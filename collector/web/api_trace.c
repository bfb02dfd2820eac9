// SPDX-License-Identifier: Apache-2.0
/* One trace, or a page of it, as our JSON or as OTLP (api_trace_otlp.c). A small one is written at
 * once; a large one is streamed, and keeps its batches from being freed until the last byte is sent
 * or the client is gone. */
#include <stdlib.h>

#include "collector/span_json.h"
#include "collector/web/api.h"
#include "lib/base/clock.h"
#include "lib/model/loss.h"

enum { SPANS_AT_ONCE = 500, STREAM_BYTES = 64 << 10 };

enum part { PART_HEAD, PART_SPANS, PART_TAIL };

struct trace_stream {
    struct trace_view view;
    struct json_writer writer; /* its buffer is set at each call */
    enum part part;
    bool paged;
    uint32_t first, next, end; /* in tree.nodes */
};

static const char *state_name(enum process_state state)
{
    return state == PROCESS_DIED ? "died" : state == PROCESS_EXITED ? "exited" : "alive";
}

static void put_process(struct json_writer *w, const struct tree_process *p,
                        const struct trace_state *state)
{
    const struct batch_process_view *v = p->view;
    json_open_object(w);
    api_field_str(w, "service", v->service);
    api_field_str(w, "version", v->version);
    api_field_str(w, "instance", v->instance);
    api_field_str(w, "cell", v->cell);
    api_field_str(w, "host", v->host);
    json_field_uint(w, "pid", v->pid);
    json_field_unix_ns(w, "start_unix_ns", v->start_unix_ns);
    json_field_text(w, "state", state_name(state->state));
    if (state->state != PROCESS_ALIVE)
        json_field_unix_ns(w, "state_unix_ns", state->state_unix_ns);
    span_json_attributes(w, "resource", p->batch, &p->batch->resource, v->attribute_first,
                         v->attribute_count);
    json_close_object(w);
}

static void put_root(struct json_writer *w, const struct tree *t)
{
    if (t->root == TREE_NONE)
        return;
    const struct tree_node *root = &t->nodes[t->root];
    json_field_object(w, "root");
    api_field_str(w, "service", t->processes[root->process].view->service);
    api_field_str(w, "operation", root->batch->strings[root->batch->name[root->row]]);
    json_close_object(w);
}

static void put_head(struct json_writer *w, const struct trace_stream *s)
{
    const struct trace_view *v = &s->view;
    const struct tree *t = &v->tree;
    json_open_object(w);
    json_field_hex128(w, "trace_id", v->id.hi, v->id.lo);
    json_field_unix_ns(w, "start_unix_ns", t->start_unix_ns);
    json_field_uint(w, "duration_ns", t->end_unix_ns - t->start_unix_ns);
    put_root(w, t);
    json_field_bool(w, "complete", tree_complete(t));
    json_field_uint(w, "span_count", t->count);
    json_field_uint(w, "error_count", t->errors);
    json_field_uint(w, "died_count", t->died);
    json_field_uint(w, "in_flight_count", t->in_flight);
    json_field_array(w, "processes");
    for (uint32_t i = 0; i < t->process_count; i++)
        put_process(w, &t->processes[i], &v->states[i]);
    json_close_array(w);
    if (s->paged) {
        json_field_uint(w, "offset", s->first);
        json_field_bool(w, "more", s->end < t->count);
    }
    json_field_array(w, "spans");
}

/* ---- spans ------------------------------------------------------------------------------- */

static void put_flags(struct json_writer *w, const struct tree_node *n)
{
    json_field_array(w, "flags");
    if (n->batch->flags[n->row] & SPAN_FLAG_REMOTE_PARENT)
        json_put_text(w, "remote_parent");
    if (n->batch->flags[n->row] & SPAN_FLAG_OBSERVED)
        json_put_text(w, "observed");
    if (n->flags & TREE_ORPHAN)
        json_put_text(w, "orphan");
    if (n->flags & TREE_DUPLICATE)
        json_put_text(w, "duplicate");
    if (n->flags & TREE_CYCLE)
        json_put_text(w, "cycle");
    json_close_array(w);
}

/* False: what hangs on the span cannot be read. */
static bool put_span(struct json_writer *w, struct trace_view *v, uint32_t node)
{
    const struct tree *t = &v->tree;
    const struct tree_node *n = &t->nodes[node];
    const struct batch *b = trace_view_details(v, node);
    uint32_t row = n->row;
    if (!b)
        return false;
    json_open_object(w);
    json_field_hex64(w, "span_id", b->span_id[row]);
    span_json_parent(w, b->parent_id[row]);
    json_field_uint(w, "process", n->process);
    api_field_str(w, "name", b->strings[b->name[row]]);
    json_field_text(w, "kind", span_kind_name(b->kind[row]));
    json_field_text(w, "status", span_status_name(b->status[row]));
    if (b->status_message[row])
        api_field_str(w, "status_message", b->strings[b->status_message[row]]);
    json_field_uint(w, "start_offset_ns", b->start_unix_ns[row] - t->start_unix_ns);
    json_field_uint(w, "duration_ns", b->duration_ns[row]);
    span_json_details(w, b, row);
    if (b->tracestate[row])
        api_field_str(w, "tracestate", b->strings[b->tracestate[row]]);
    json_field_uint(w, "dropped_attributes", b->dropped_attributes[row]);
    put_flags(w, n);
    json_close_object(w);
    return true;
}

/* ---- losses ------------------------------------------------------------------------------ */

static void put_losses(struct json_writer *w, const struct trace_view *v)
{
    json_field_array(w, "losses");
    for (size_t i = 0; i < v->loss_count; i++) {
        const struct trace_loss *loss = &v->losses[i];
        json_open_object(w);
        if (loss->process != TREE_NONE)
            json_field_uint(w, "process", loss->process);
        else if (loss->service.length > 0)
            api_field_str(w, "service", loss->service);
        api_field_str(w, "agent", loss->agent);
        json_field_text(w, "place", loss_reason_place(loss->reason));
        json_field_text(w, "reason", loss_reason_name(loss->reason));
        json_field_text(w, "explanation", loss_reason_explanation(loss->reason));
        json_field_uint(w, "count", loss->count);
        json_field_unix_ns(w, "from_unix_ns", loss->from_unix_ns);
        json_field_unix_ns(w, "to_unix_ns", loss->to_unix_ns);
        json_close_object(w);
    }
    json_close_array(w);
    json_close_object(w);
    buffer_byte(w->out, '\n');
}

/* ---- piece by piece ---------------------------------------------------------------------- */

static bool stream_next(void *context, struct buffer *out)
{
    struct trace_stream *s = context;
    size_t enough = out->length + STREAM_BYTES;
    s->writer.out = out;
    if (s->part == PART_HEAD) {
        put_head(&s->writer, s);
        s->part = PART_SPANS;
    }
    while (s->next < s->end && out->length < enough)
        out->failed = out->failed || !put_span(&s->writer, &s->view, s->next++);
    if (s->next < s->end)
        return !out->failed;
    json_close_array(&s->writer);
    put_losses(&s->writer, &s->view);
    return false;
}

static void stream_close(void *context)
{
    struct trace_stream *s = context;
    trace_view_fini(&s->view);
    free(s);
}

void trace_head_as_json(const struct trace_view *view, struct buffer *out)
{
    struct trace_stream s = {.view = *view};
    s.writer = json_writer_to(out);
    put_head(&s.writer, &s);
    json_close_array(&s.writer);
    put_losses(&s.writer, &s.view);
}

/* ---- the route --------------------------------------------------------------------------- */

enum format { FORMAT_JSON, FORMAT_OTLP_JSON, FORMAT_OTLP_PROTOBUF, FORMAT_COLUMNS, FORMATS };

/* `format` says it, or Accept does. -1: unknown. */
static int format_of(const struct api_call *call)
{
    static const char *const names[FORMATS] = {"json", "otlp-json", "otlp", "columns"};
    const char *format = params_get(call->params, "format"), *accept = call->request->accept;
    for (int i = 0; format && i < FORMATS; i++) {
        if (strcmp(format, names[i]) == 0)
            return i;
    }
    if (format)
        return -1;
    if (accept && strstr(accept, "application/x-protobuf"))
        return FORMAT_OTLP_PROTOBUF;
    return accept && strstr(accept, "application/otlp+json") ? FORMAT_OTLP_JSON : FORMAT_JSON;
}

struct request {
    struct trace_id id;
    enum format format;
    uint32_t offset, limit;
    bool paged;
};

static bool parse(const struct api_call *call, struct request *r, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    int format = format_of(call);
    if (params_only(call->params, "offset limit format", why) != 0 ||
        params_number(call->params, "offset", 0, UINT32_MAX - 1, 0, &r->offset, why) != 0 ||
        params_number(call->params, "limit", 1, UINT32_MAX - 1, UINT32_MAX, &r->limit, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return false;
    }
    if (format < 0) {
        reply_error(reply, 400, "format: expected json, otlp-json, otlp or columns");
        return false;
    }
    if (!params_trace_id(call->rest, &r->id)) {
        reply_error(reply, 400, "a trace id is 32 hex digits and not all zero");
        return false;
    }
    r->format = (enum format)format;
    r->paged = params_get(call->params, "offset") || params_get(call->params, "limit");
    if (r->paged && r->format == FORMAT_COLUMNS) {
        reply_error(reply, 400, "format: columns are of a whole trace: leave out offset and limit");
        return false;
    }
    return true;
}

static void send_stream(struct trace_stream *s, const struct request *r, struct reply *reply)
{
    uint32_t count = s->view.tree.count;
    s->paged = r->paged;
    s->first = s->next = r->offset < count ? r->offset : count;
    s->end = r->limit < count - s->first ? s->first + r->limit : count;
    if (s->end - s->first > SPANS_AT_ONCE) {
        reply->stream = (struct reply_stream){stream_next, stream_close, s};
        return;
    }
    while (stream_next(s, &reply->body))
        ;
    stream_close(s);
}

void api_trace(const struct api_call *call, struct reply *reply)
{
    struct request r;
    if (!parse(call, &r, reply))
        return;
    struct trace_stream *s = calloc(1, sizeof *s);
    int found = s ? query_trace(&call->web->query, r.id, clock_unix_ns(), &s->view) : -1;
    if (found == 1 && r.format == FORMAT_JSON) {
        send_stream(s, &r, reply);
        return;
    }
    if (found == 1 && r.format == FORMAT_COLUMNS)
        trace_as_columns(&s->view, reply);
    else if (found == 1)
        trace_as_otlp(&s->view, r.offset, r.limit, r.format == FORMAT_OTLP_JSON, reply);
    else if (found == 0)
        reply_error(reply, 404,
                    "no span of this trace is known: it is too old, was never "
                    "recorded, or has not arrived yet");
    else if (found == -2)
        reply_error(reply, 503, "other large traces are being read: try again in a moment");
    else
        reply_no_memory(reply);
    free(s);
}
