// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/otlp/otlp.h"

struct reading {
    struct arena *arena;
    bool failed; /* memory */
};

static void *need(struct reading *r, size_t count, size_t bytes)
{
    void *memory = arena_calloc(r->arena, count ? count : 1, bytes);
    r->failed = r->failed || !memory;
    return memory;
}

static ProtobufCBinaryData copy(struct reading *r, const void *bytes, size_t length)
{
    void *memory = length ? arena_copy(r->arena, bytes, length) : NULL;
    r->failed = r->failed || (length && !memory);
    return (ProtobufCBinaryData){memory ? length : 0, memory};
}

/* ---- plain values ------------------------------------------------------------------------ */

static ProtobufCBinaryData text(struct reading *r, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return copy(r, json_string_value(value), json_string_length(value));
}

static int nibble(char c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

/* OTLP's JSON has ids in hex. What is no id of that length stays empty. */
static ProtobufCBinaryData id(struct reading *r, const json_t *object, const char *key,
                              size_t length)
{
    const json_t *value = json_object_get(object, key);
    const char *hex = json_string_value(value);
    uint8_t bytes[16];
    if (!hex || json_string_length(value) != length * 2)
        return (ProtobufCBinaryData){0};
    for (size_t i = 0; i < length; i++) {
        int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return (ProtobufCBinaryData){0};
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return copy(r, bytes, length);
}

/* 64-bit numbers come as strings, and from some writers as numbers. */
static uint64_t number(const json_t *value)
{
    if (json_is_integer(value))
        return (uint64_t)json_integer_value(value);
    if (json_is_real(value)) {
        double real = json_real_value(value);
        return real >= 0 && real < 0x1p64 ? (uint64_t)real : 0;
    }
    const char *digits = json_string_value(value);
    if (!digits)
        return 0;
    return *digits == '-' ? (uint64_t)strtoll(digits, NULL, 10) : strtoull(digits, NULL, 10);
}

/* A number, or the name of an enum's value as protobuf's JSON also allows. */
static uint32_t choice(const json_t *value, const char *const *names, uint32_t count)
{
    const char *name = json_string_value(value);
    for (uint32_t i = 0; name && i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return i;
    }
    return (uint32_t)number(value);
}

static ProtobufCBinaryData base64(struct reading *r, const json_t *value)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = json_string_length(value), at = 0;
    const char *text64 = json_string_value(value);
    uint8_t *out = need(r, length + 1, 1);
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; out && i < length && text64[i] != '='; i++) {
        char c = text64[i] == '-' ? '+' : text64[i] == '_' ? '/' : text64[i];
        const char *digit = memchr(digits, c, 64);
        if (!digit)
            continue;
        bits = bits << 6 | (uint32_t)(digit - digits);
        held += 6;
        if (held >= 8)
            out[at++] = (uint8_t)(bits >> (held -= 8));
    }
    return (ProtobufCBinaryData){at, out};
}

/* ---- attributes -------------------------------------------------------------------------- */

/* What an AnyValue means, without OTLP's wrapping; a new reference. */
static json_t *plain(const json_t *object)
{
    static const char *const scalars[] = {"stringValue", "boolValue", "intValue", "doubleValue",
                                          "bytesValue"};
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        json_t *value = json_object_get(object, scalars[i]);
        if (value)
            return json_incref(value);
    }
    const json_t *array = json_object_get(json_object_get(object, "arrayValue"), "values");
    const json_t *map = json_object_get(json_object_get(object, "kvlistValue"), "values");
    json_t *out = map ? json_object() : array ? json_array() : json_null();
    for (size_t i = 0; i < json_array_size(array); i++)
        json_array_append_new(out, plain(json_array_get(array, i)));
    for (size_t i = 0; i < json_array_size(map); i++) {
        const json_t *item = json_array_get(map, i);
        const char *key = json_string_value(json_object_get(item, "key"));
        json_object_set_new(out, key ? key : "", plain(json_object_get(item, "value")));
    }
    return out;
}

/* An array or a map becomes its JSON. */
static void put_as_text(struct reading *r, const json_t *object, Otlp__AnyValue *out)
{
    json_t *value = plain(object);
    char *dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(value);
    r->failed = r->failed || !dump;
    out->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    out->string_value = copy(r, dump, dump ? strlen(dump) : 0);
    free(dump);
}

static Otlp__AnyValue *any_value(struct reading *r, const json_t *object)
{
    Otlp__AnyValue *out = need(r, 1, sizeof *out);
    const json_t *value;
    if (!out)
        return NULL;
    otlp__any_value__init(out);
    if ((value = json_object_get(object, "stringValue")) != NULL) {
        out->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
        out->string_value = copy(r, json_string_value(value), json_string_length(value));
    } else if ((value = json_object_get(object, "intValue")) != NULL) {
        out->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
        out->int_value = (int64_t)number(value);
    } else if ((value = json_object_get(object, "boolValue")) != NULL) {
        out->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
        out->bool_value = json_is_true(value);
    } else if ((value = json_object_get(object, "doubleValue")) != NULL) {
        out->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
        out->double_value = json_is_string(value) ? strtod(json_string_value(value), NULL)
                                                  : json_number_value(value);
    } else if ((value = json_object_get(object, "bytesValue")) != NULL) {
        out->value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
        out->bytes_value = base64(r, value);
    } else if (json_object_get(object, "arrayValue") || json_object_get(object, "kvlistValue")) {
        put_as_text(r, object, out);
    }
    return out;
}

static size_t attributes(struct reading *r, const json_t *object, Otlp__KeyValue ***list)
{
    const json_t *array = json_object_get(object, "attributes");
    size_t count = json_array_size(array);
    *list = need(r, count, sizeof **list);
    for (size_t i = 0; *list && i < count; i++) {
        const json_t *item = json_array_get(array, i);
        Otlp__KeyValue *kv = (*list)[i] = need(r, 1, sizeof *kv);
        if (!kv)
            return 0;
        otlp__key_value__init(kv);
        kv->key = text(r, item, "key");
        kv->value = any_value(r, json_object_get(item, "value"));
    }
    return *list ? count : 0;
}

/* ---- spans ------------------------------------------------------------------------------- */

static size_t events(struct reading *r, const json_t *span, Otlp__Event ***list)
{
    const json_t *array = json_object_get(span, "events");
    size_t count = json_array_size(array);
    *list = need(r, count, sizeof **list);
    for (size_t i = 0; *list && i < count; i++) {
        const json_t *item = json_array_get(array, i);
        Otlp__Event *e = (*list)[i] = need(r, 1, sizeof *e);
        if (!e)
            return 0;
        otlp__event__init(e);
        e->time_unix_nano = number(json_object_get(item, "timeUnixNano"));
        e->name = text(r, item, "name");
        e->n_attributes = attributes(r, item, &e->attributes);
    }
    return *list ? count : 0;
}

static size_t links(struct reading *r, const json_t *span, Otlp__Link ***list)
{
    const json_t *array = json_object_get(span, "links");
    size_t count = json_array_size(array);
    *list = need(r, count, sizeof **list);
    for (size_t i = 0; *list && i < count; i++) {
        const json_t *item = json_array_get(array, i);
        Otlp__Link *l = (*list)[i] = need(r, 1, sizeof *l);
        if (!l)
            return 0;
        otlp__link__init(l);
        l->trace_id = id(r, item, "traceId", 16);
        l->span_id = id(r, item, "spanId", 8);
        l->n_attributes = attributes(r, item, &l->attributes);
    }
    return *list ? count : 0;
}

static Otlp__Status *status(struct reading *r, const json_t *object)
{
    static const char *const codes[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"};
    Otlp__Status *s = object ? need(r, 1, sizeof *s) : NULL;
    if (!s)
        return NULL;
    otlp__status__init(s);
    s->message = text(r, object, "message");
    s->code = choice(json_object_get(object, "code"), codes, 3);
    return s;
}

static Otlp__Span *span(struct reading *r, const json_t *object)
{
    static const char *const kinds[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                        "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                        "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
    Otlp__Span *s = need(r, 1, sizeof *s);
    if (!s)
        return NULL;
    otlp__span__init(s);
    s->trace_id = id(r, object, "traceId", 16);
    s->span_id = id(r, object, "spanId", 8);
    s->parent_span_id = id(r, object, "parentSpanId", 8);
    s->trace_state = text(r, object, "traceState");
    s->name = text(r, object, "name");
    s->kind = choice(json_object_get(object, "kind"), kinds, 6);
    s->start_time_unix_nano = number(json_object_get(object, "startTimeUnixNano"));
    s->end_time_unix_nano = number(json_object_get(object, "endTimeUnixNano"));
    s->n_attributes = attributes(r, object, &s->attributes);
    s->dropped_attributes_count =
        (uint32_t)number(json_object_get(object, "droppedAttributesCount"));
    s->n_events = events(r, object, &s->events);
    s->n_links = links(r, object, &s->links);
    s->status = status(r, json_object_get(object, "status"));
    s->flags = (uint32_t)number(json_object_get(object, "flags"));
    return s;
}

static Otlp__ScopeSpans *scope_spans(struct reading *r, const json_t *object)
{
    const json_t *array = json_object_get(object, "spans"),
                 *scope = json_object_get(object, "scope");
    Otlp__ScopeSpans *s = need(r, 1, sizeof *s);
    if (!s)
        return NULL;
    otlp__scope_spans__init(s);
    if (scope && (s->scope = need(r, 1, sizeof *s->scope)) != NULL) {
        otlp__scope__init(s->scope);
        s->scope->name = text(r, scope, "name");
        s->scope->version = text(r, scope, "version");
        s->scope->n_attributes = attributes(r, scope, &s->scope->attributes);
    }
    s->spans = need(r, json_array_size(array), sizeof *s->spans);
    for (size_t i = 0; s->spans && i < json_array_size(array) && !r->failed; i++)
        s->spans[s->n_spans++] = span(r, json_array_get(array, i));
    return s;
}

static Otlp__ResourceSpans *resource_spans(struct reading *r, const json_t *object)
{
    const json_t *array = json_object_get(object, "scopeSpans");
    Otlp__ResourceSpans *s = need(r, 1, sizeof *s);
    if (!s)
        return NULL;
    otlp__resource_spans__init(s);
    s->resource = need(r, 1, sizeof *s->resource);
    if (!s->resource)
        return s;
    otlp__resource__init(s->resource);
    s->resource->n_attributes =
        attributes(r, json_object_get(object, "resource"), &s->resource->attributes);
    s->scope_spans = need(r, json_array_size(array), sizeof *s->scope_spans);
    for (size_t i = 0; s->scope_spans && i < json_array_size(array) && !r->failed; i++)
        s->scope_spans[s->n_scope_spans++] = scope_spans(r, json_array_get(array, i));
    return s;
}

Otlp__Traces *otlp_from_json(struct arena *arena, const char *bytes, size_t length,
                             char why[OTLP_WHY_MAX])
{
    struct reading r = {.arena = arena};
    json_error_t error;
    json_t *root = json_loadb(bytes, length, JSON_ALLOW_NUL, &error);
    if (!root) {
        snprintf(why, OTLP_WHY_MAX, "line %d, column %d: %s", error.line, error.column, error.text);
        return NULL;
    }
    const json_t *array = json_object_get(root, "resourceSpans");
    if (!json_is_array(array)) {
        json_decref(root);
        snprintf(why, OTLP_WHY_MAX, "expected an object with the array \"resourceSpans\"");
        return NULL;
    }
    Otlp__Traces *t = need(&r, 1, sizeof *t);
    if (t) {
        otlp__traces__init(t);
        t->resource_spans = need(&r, json_array_size(array), sizeof *t->resource_spans);
        for (size_t i = 0; t->resource_spans && i < json_array_size(array) && !r.failed; i++)
            t->resource_spans[t->n_resource_spans++] = resource_spans(&r, json_array_get(array, i));
    }
    json_decref(root);
    if (!r.failed)
        return t;
    snprintf(why, OTLP_WHY_MAX, "no memory");
    return NULL;
}
