// SPDX-License-Identifier: Apache-2.0
#include "collector/firehose/format.h"
#include "collector/span_json.h"

static void field_if_any(struct json_writer *w, const char *key, struct batch_str s)
{
    if (s.length > 0)
        span_json_str(w, key, s);
}

static void put_process(struct json_writer *w, const struct batch *b, uint32_t process,
                        const char *agent)
{
    const struct batch_process_view *p = &b->processes[process];
    span_json_str(w, "version", p->version);
    span_json_str(w, "instance", p->instance);
    span_json_str(w, "cell", p->cell);
    span_json_str(w, "host", p->host);
    json_field_uint(w, "pid", p->pid);
    json_field_text(w, "agent", agent);
    span_json_attributes(w, "resource", b, &b->resource, p->attribute_first, p->attribute_count);
}

static void put_cursor(struct json_writer *w, const struct firehose_position *behind)
{
    char text[POSITION_TEXT_MAX];
    position_text(behind, text);
    json_field_text(w, "cursor", text);
}

/* ---- lines ------------------------------------------------------------------------------- */

static void put_span(struct buffer *out, const struct firehose_row *r)
{
    const struct batch *b = r->batch;
    uint32_t row = r->row;
    struct json_writer w = json_writer_to(out);
    json_open_object(&w);
    put_cursor(&w, &r->behind);
    json_field_hex128(&w, "trace_id", b->trace_hi[row], b->trace_lo[row]);
    json_field_hex64(&w, "span_id", b->span_id[row]);
    span_json_parent(&w, b->parent_id[row]);
    span_json_str(&w, "service", b->processes[b->process[row]].service);
    span_json_str(&w, "name", b->strings[b->name[row]]);
    json_field_text(&w, "kind", span_kind_name(b->kind[row]));
    json_field_text(&w, "status", span_status_name(b->status[row]));
    field_if_any(&w, "status_message", b->strings[b->status_message[row]]);
    json_field_unix_ns(&w, "start_unix_ns", b->start_unix_ns[row]);
    json_field_uint(&w, "duration_ns", b->duration_ns[row]);
    span_json_details(&w, b, row);
    field_if_any(&w, "tracestate", b->strings[b->tracestate[row]]);
    if (b->dropped_attributes[row])
        json_field_uint(&w, "dropped_attributes", b->dropped_attributes[row]);
    put_process(&w, b, b->process[row], r->agent);
    json_close_object(&w);
    buffer_byte(out, '\n');
}

static void put_gap(struct buffer *out, const struct firehose_gap *gap)
{
    struct json_writer w = json_writer_to(out);
    json_open_object(&w);
    put_cursor(&w, &gap->behind);
    json_field_object(&w, "gap");
    json_field_text(&w, "reason", gap->reason == FIREHOSE_GAP_AGED ? "aged" : "damaged");
    json_field_uint(&w, "spans", gap->spans);
    json_close_object(&w);
    json_close_object(&w);
    buffer_byte(out, '\n');
}

static void put_keep_alive(struct buffer *out)
{
    buffer_byte(out, '\n');
}

const struct firehose_format firehose_json = {
    .content_type = "application/x-ndjson; charset=utf-8",
    .span = put_span,
    .gap = put_gap,
    .keep_alive = put_keep_alive,
};
