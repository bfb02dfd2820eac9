// SPDX-License-Identifier: Apache-2.0
/* OTLP's JSON: protobuf's, with ids in hex, enums as numbers, 64-bit numbers as strings; what is
 * empty is left out. */
#include <stdio.h>

#include "lib/otlp/otlp.h"

static void field_text(struct json_writer *w, const char *key, ProtobufCBinaryData text)
{
    if (text.len > 0)
        json_field_string(w, key, text.data, text.len);
}

static void field_id(struct json_writer *w, const char *key, ProtobufCBinaryData id)
{
    static const char digits[] = "0123456789abcdef";
    char hex[32];
    if (id.len == 0 || id.len > 16)
        return;
    for (size_t i = 0; i < id.len; i++) {
        hex[2 * i] = digits[id.data[i] >> 4];
        hex[2 * i + 1] = digits[id.data[i] & 15];
    }
    json_field_string(w, key, hex, id.len * 2);
}

static void field_count(struct json_writer *w, const char *key, uint64_t value)
{
    if (value)
        json_field_uint(w, key, value);
}

static void put_value(struct json_writer *w, const Otlp__AnyValue *v)
{
    char number[24];
    json_field_object(w, "value");
    switch (v ? v->value_case : OTLP__ANY_VALUE__VALUE__NOT_SET) {
    case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
        json_field_string(w, "stringValue", v->string_value.data, v->string_value.len);
        break;
    case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
        json_field_bool(w, "boolValue", v->bool_value);
        break;
    case OTLP__ANY_VALUE__VALUE_INT_VALUE:
        snprintf(number, sizeof number, "%lld", (long long)v->int_value);
        json_field_text(w, "intValue", number);
        break;
    case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
        json_field_double(w, "doubleValue", v->double_value);
        break;
    case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
        json_key(w, "bytesValue");
        json_put_base64(w, v->bytes_value.data, v->bytes_value.len);
        break;
    default: /* arrays and maps are never written: batches have none */
        break;
    }
    json_close_object(w);
}

static void put_attributes(struct json_writer *w, Otlp__KeyValue *const *list, size_t count)
{
    if (count == 0)
        return;
    json_field_array(w, "attributes");
    for (size_t i = 0; i < count; i++) {
        json_open_object(w);
        json_field_string(w, "key", list[i]->key.data, list[i]->key.len);
        put_value(w, list[i]->value);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_events(struct json_writer *w, const Otlp__Span *s)
{
    if (s->n_events == 0)
        return;
    json_field_array(w, "events");
    for (size_t i = 0; i < s->n_events; i++) {
        json_open_object(w);
        json_field_unix_ns(w, "timeUnixNano", s->events[i]->time_unix_nano);
        field_text(w, "name", s->events[i]->name);
        put_attributes(w, s->events[i]->attributes, s->events[i]->n_attributes);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_links(struct json_writer *w, const Otlp__Span *s)
{
    if (s->n_links == 0)
        return;
    json_field_array(w, "links");
    for (size_t i = 0; i < s->n_links; i++) {
        json_open_object(w);
        field_id(w, "traceId", s->links[i]->trace_id);
        field_id(w, "spanId", s->links[i]->span_id);
        put_attributes(w, s->links[i]->attributes, s->links[i]->n_attributes);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_span(struct json_writer *w, const Otlp__Span *s)
{
    json_open_object(w);
    field_id(w, "traceId", s->trace_id);
    field_id(w, "spanId", s->span_id);
    field_text(w, "traceState", s->trace_state);
    field_id(w, "parentSpanId", s->parent_span_id);
    field_text(w, "name", s->name);
    json_field_uint(w, "kind", s->kind);
    json_field_unix_ns(w, "startTimeUnixNano", s->start_time_unix_nano);
    json_field_unix_ns(w, "endTimeUnixNano", s->end_time_unix_nano);
    put_attributes(w, s->attributes, s->n_attributes);
    field_count(w, "droppedAttributesCount", s->dropped_attributes_count);
    put_events(w, s);
    put_links(w, s);
    if (s->status) {
        json_field_object(w, "status");
        field_text(w, "message", s->status->message);
        field_count(w, "code", s->status->code);
        json_close_object(w);
    }
    field_count(w, "flags", s->flags);
    json_close_object(w);
}

static void put_scope_spans(struct json_writer *w, const Otlp__ScopeSpans *s)
{
    json_open_object(w);
    if (s->scope) {
        json_field_object(w, "scope");
        field_text(w, "name", s->scope->name);
        field_text(w, "version", s->scope->version);
        put_attributes(w, s->scope->attributes, s->scope->n_attributes);
        json_close_object(w);
    }
    json_field_array(w, "spans");
    for (size_t i = 0; i < s->n_spans; i++)
        put_span(w, s->spans[i]);
    json_close_array(w);
    json_close_object(w);
}

void otlp_put_json_items(struct json_writer *w, const Otlp__Traces *traces)
{
    for (size_t r = 0; r < traces->n_resource_spans; r++) {
        const Otlp__ResourceSpans *resource = traces->resource_spans[r];
        json_open_object(w);
        json_field_object(w, "resource");
        put_attributes(w, resource->resource->attributes, resource->resource->n_attributes);
        json_close_object(w);
        json_field_array(w, "scopeSpans");
        for (size_t i = 0; i < resource->n_scope_spans; i++)
            put_scope_spans(w, resource->scope_spans[i]);
        json_close_array(w);
        json_close_object(w);
    }
}

void otlp_put_json(struct json_writer *w, const Otlp__Traces *traces)
{
    json_open_object(w);
    json_field_array(w, "resourceSpans");
    otlp_put_json_items(w, traces);
    json_close_array(w);
    json_close_object(w);
}
