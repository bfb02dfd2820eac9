// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "collector/firehose/format.h"
#include "lib/base/json_writer.h"

static void field_str(struct json_writer *w, const char *key, struct batch_str s)
{
    json_field_string(w, key, s.bytes, s.length);
}

static void field_if_any(struct json_writer *w, const char *key, struct batch_str s)
{
    if (s.length > 0)
        field_str(w, key, s);
}

/* ---- attributes -------------------------------------------------------------------------- */

static void put_value(struct json_writer *w, const struct batch *b, unsigned type, uint64_t value)
{
    double number;
    json_key(w, "value");
    switch (type) {
    case VALUE_STRING:
        json_put_string(w, b->strings[value].bytes, b->strings[value].length);
        return;
    case VALUE_INT:
        json_put_int(w, (int64_t)value);
        return;
    case VALUE_DOUBLE:
        memcpy(&number, &value, sizeof number);
        json_put_double(w, number);
        return;
    case VALUE_BOOL:
        json_put_bool(w, value != 0);
        return;
    default: /* VALUE_BYTES: batch_decode lets no other through */
        json_put_base64(w, b->strings[value].bytes, b->strings[value].length);
    }
}

static void put_attributes(struct json_writer *w, const char *key, const struct batch *b,
                           const struct batch_attributes *columns, uint32_t first, uint32_t count)
{
    static const char *const types[VALUE_TYPES] = {"string", "int", "double", "bool", "bytes"};
    json_field_array(w, key);
    for (uint32_t i = first; i < first + count; i++) {
        json_open_object(w);
        field_str(w, "key", b->strings[columns->key[i]]);
        json_field_text(w, "type", types[columns->type[i]]);
        put_value(w, b, columns->type[i], columns->value[i]);
        json_close_object(w);
    }
    json_close_array(w);
}

/* ---- what hangs on a span ---------------------------------------------------------------- */

static void put_events(struct json_writer *w, const struct batch *b, uint32_t row)
{
    json_field_array(w, "events");
    for (uint32_t i = b->event_first[row]; i < b->event_first[row] + b->event_count[row]; i++) {
        json_open_object(w);
        field_str(w, "name", b->strings[b->event_name[i]]);
        json_field_int(w, "offset_ns", (int64_t)(b->event_unix_ns[i] - b->start_unix_ns[row]));
        put_attributes(w, "attributes", b, &b->attributes, b->event_attribute_first[i],
                       b->event_attribute_count[i]);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_links(struct json_writer *w, const struct batch *b, uint32_t row)
{
    json_field_array(w, "links");
    for (uint32_t i = b->link_first[row]; i < b->link_first[row] + b->link_count[row]; i++) {
        json_open_object(w);
        json_field_hex128(w, "trace_id", b->link_trace_hi[i], b->link_trace_lo[i]);
        json_field_hex64(w, "span_id", b->link_span_id[i]);
        put_attributes(w, "attributes", b, &b->attributes, b->link_attribute_first[i],
                       b->link_attribute_count[i]);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_process(struct json_writer *w, const struct batch *b, uint32_t process,
                        const char *agent)
{
    const struct batch_process_view *p = &b->processes[process];
    field_str(w, "version", p->version);
    field_str(w, "instance", p->instance);
    field_str(w, "cell", p->cell);
    field_str(w, "host", p->host);
    json_field_uint(w, "pid", p->pid);
    json_field_text(w, "agent", agent);
    put_attributes(w, "resource", b, &b->resource, p->attribute_first, p->attribute_count);
}

static void put_parent(struct json_writer *w, uint64_t parent_id)
{
    if (parent_id)
        json_field_hex64(w, "parent_id", parent_id);
    else
        json_field_text(w, "parent_id", "");
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
    put_parent(&w, b->parent_id[row]);
    field_str(&w, "service", b->processes[b->process[row]].service);
    field_str(&w, "name", b->strings[b->name[row]]);
    json_field_text(&w, "kind", span_kind_name(b->kind[row]));
    json_field_text(&w, "status", span_status_name(b->status[row]));
    field_if_any(&w, "status_message", b->strings[b->status_message[row]]);
    json_field_unix_ns(&w, "start_unix_ns", b->start_unix_ns[row]);
    json_field_uint(&w, "duration_ns", b->duration_ns[row]);
    put_attributes(&w, "attributes", b, &b->attributes, b->attribute_first[row],
                   b->attribute_count[row]);
    put_events(&w, b, row);
    put_links(&w, b, row);
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
