// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "lib/base/number.h"
#include "lib/otlp/otlp.h"
#include "lib/otlp/otlp_names.h"

enum { DEPTH_MAX = 32 };

/* ---- protobuf ---------------------------------------------------------------------------- */

static void *arena_take(void *context, size_t bytes)
{
    return arena_alloc(context, bytes ? bytes : 1);
}

static void arena_keep(void *context, void *memory)
{
    (void)context;
    (void)memory;
}

Otlp__Traces *otlp_from_protobuf(struct arena *arena, const void *bytes, size_t length,
                                 char why[OTLP_WHY_MAX])
{
    ProtobufCAllocator allocator = {arena_take, arena_keep, arena};
    Otlp__Traces *t = otlp__traces__unpack(&allocator, length, bytes);
    if (!t)
        snprintf(why, OTLP_WHY_MAX, "expected the protobuf message ExportTraceServiceRequest");
    return t;
}

/* ---- arrays and maps as JSON ------------------------------------------------------------- */

struct telling { /* of a value that has no type here */
    struct arena arena;
    struct json_writer writer;
    struct buffer text;
};

static void put_plain(struct telling *t, const Otlp__AnyValue *v, unsigned depth);

static void put_array(struct telling *t, ProtobufCBinaryData packed, unsigned depth)
{
    ProtobufCAllocator allocator = {arena_take, arena_keep, &t->arena};
    const Otlp__ArrayValue *a =
        depth < DEPTH_MAX ? otlp__array_value__unpack(&allocator, packed.len, packed.data) : NULL;
    json_open_array(&t->writer);
    for (size_t i = 0; a && i < a->n_values; i++)
        put_plain(t, a->values[i], depth + 1);
    json_close_array(&t->writer);
}

static void put_map(struct telling *t, ProtobufCBinaryData packed, unsigned depth)
{
    ProtobufCAllocator allocator = {arena_take, arena_keep, &t->arena};
    const Otlp__KeyValueList *l =
        depth < DEPTH_MAX ? otlp__key_value_list__unpack(&allocator, packed.len, packed.data)
                          : NULL;
    json_open_object(&t->writer);
    for (size_t i = 0; l && i < l->n_values; i++) {
        struct buffer key = {0};
        buffer_append(&key, l->values[i]->key.data, l->values[i]->key.len);
        json_key(&t->writer, buffer_cstring(&key));
        put_plain(t, l->values[i]->value, depth + 1);
        buffer_fini(&key);
    }
    json_close_object(&t->writer);
}

static void put_plain(struct telling *t, const Otlp__AnyValue *v, unsigned depth)
{
    switch (v ? v->value_case : OTLP__ANY_VALUE__VALUE__NOT_SET) {
    case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
        json_put_string(&t->writer, v->string_value.data, v->string_value.len);
        break;
    case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
        json_put_bool(&t->writer, v->bool_value);
        break;
    case OTLP__ANY_VALUE__VALUE_INT_VALUE:
        json_put_int(&t->writer, v->int_value);
        break;
    case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
        json_put_double(&t->writer, v->double_value);
        break;
    case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
        json_put_base64(&t->writer, v->bytes_value.data, v->bytes_value.len);
        break;
    case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
        put_array(t, v->array_value, depth);
        break;
    case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
        put_map(t, v->kvlist_value, depth);
        break;
    default:
        json_put_text(&t->writer, "");
    }
}

/* ---- attributes -------------------------------------------------------------------------- */

struct typed {
    enum value_type type;
    uint64_t value;
};

static uint32_t string_of(struct batch_builder *b, ProtobufCBinaryData data)
{
    return data.len ? batch_string(b, data.data, data.len) : 0;
}

static uint32_t plain_string(struct batch_builder *b, const Otlp__AnyValue *v)
{
    struct telling t = {0};
    arena_init(&t.arena, 4096);
    t.writer = json_writer_to(&t.text);
    put_plain(&t, v, 0);
    uint32_t index = batch_string(b, t.text.data, t.text.length);
    buffer_fini(&t.text);
    arena_fini(&t.arena);
    return index;
}

static struct typed value_of(struct batch_builder *b, const Otlp__AnyValue *v)
{
    switch (v ? v->value_case : OTLP__ANY_VALUE__VALUE__NOT_SET) {
    case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
        return (struct typed){VALUE_STRING, string_of(b, v->string_value)};
    case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
        return (struct typed){VALUE_BYTES, string_of(b, v->bytes_value)};
    case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
        return (struct typed){VALUE_BOOL, v->bool_value != 0};
    case OTLP__ANY_VALUE__VALUE_INT_VALUE:
        return (struct typed){VALUE_INT, (uint64_t)v->int_value};
    case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
        return (struct typed){VALUE_DOUBLE, number_bits(v->double_value)};
    case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
    case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
        return (struct typed){VALUE_STRING, plain_string(b, v)};
    default:
        return (struct typed){VALUE_STRING, 0};
    }
}

static void put_attributes(struct batch_builder *b, Otlp__KeyValue *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct typed v = value_of(b, list[i]->value);
        batch_attribute(b, string_of(b, list[i]->key), v.type, v.value);
    }
}

static bool is_key(const Otlp__KeyValue *kv, const char *key)
{
    size_t length = strlen(key);
    return kv->key.len == length && memcmp(kv->key.data, key, length) == 0;
}

/* ---- resources --------------------------------------------------------------------------- */

static void append_sized(struct buffer *out, ProtobufCBinaryData data)
{
    uint64_t length = data.len;
    buffer_append(out, &length, sizeof length);
    buffer_append(out, data.data, data.len);
}

static void append_value(struct buffer *out, const Otlp__AnyValue *v)
{
    uint32_t type = v ? v->value_case : OTLP__ANY_VALUE__VALUE__NOT_SET;
    buffer_append(out, &type, sizeof type);
    switch (type) {
    case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
    case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
    case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
    case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
        append_sized(out, v->string_value); /* all four are bytes in the same place */
        break;
    case OTLP__ANY_VALUE__VALUE_INT_VALUE:
    case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
        buffer_append(out, &v->int_value, sizeof v->int_value); /* likewise */
        break;
    case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
        buffer_byte(out, v->bool_value ? 1 : 0);
        break;
    default:
        break;
    }
}

/* Who says the same of itself is the same process, in every request. */
static void uuid_of(const Otlp__Resource *resource, uint8_t uuid[16])
{
    XXH128_canonical_t canonical;
    struct buffer said = {0};
    for (size_t i = 0; resource && i < resource->n_attributes; i++) {
        append_sized(&said, resource->attributes[i]->key);
        append_value(&said, resource->attributes[i]->value);
    }
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(said.data, said.length));
    memcpy(uuid, canonical.digest, 16);
    uuid[0] |= 1; /* zero means none */
    buffer_fini(&said);
}

struct field { /* of a process, by its resource attribute */
    const char *key;
    char *text; /* NULL: none */
};

/* The field that the attribute stands for; NULL: none. */
static struct field *field_of(struct field *fields, const Otlp__KeyValue *kv)
{
    if (!kv->value || kv->value->value_case != OTLP__ANY_VALUE__VALUE_STRING_VALUE ||
        !kv->value->string_value.data ||
        memchr(kv->value->string_value.data, 0, kv->value->string_value.len))
        return NULL;
    for (struct field *f = fields; f->key; f++) {
        if (is_key(kv, f->key))
            return f;
    }
    return NULL;
}

static bool is_pid(const Otlp__KeyValue *kv)
{
    return is_key(kv, OTLP_PID) && kv->value &&
           kv->value->value_case == OTLP__ANY_VALUE__VALUE_INT_VALUE;
}

static void take_fields(const Otlp__Resource *resource, struct field *fields,
                        struct batch_process_info *info)
{
    for (size_t i = 0; resource && i < resource->n_attributes; i++) {
        const Otlp__KeyValue *kv = resource->attributes[i];
        struct field *f = field_of(fields, kv);
        if (f && !f->text)
            f->text =
                strndup((const char *)kv->value->string_value.data, kv->value->string_value.len);
        else if (is_pid(kv))
            info->pid = (uint32_t)kv->value->int_value;
    }
}

static uint32_t read_resource(const Otlp__Resource *resource, struct batch_builder *b)
{
    struct field fields[] = {{OTLP_SERVICE, NULL}, {OTLP_VERSION, NULL}, {OTLP_INSTANCE, NULL},
                             {OTLP_HOST, NULL},    {OTLP_CELL, NULL},    {NULL, NULL}};
    struct batch_process_info info = {.state = PROCESS_ALIVE};
    uuid_of(resource, info.uuid);
    take_fields(resource, fields, &info);
    info.service = fields[0].text;
    info.version = fields[1].text;
    info.instance = fields[2].text;
    info.host = fields[3].text;
    info.cell = fields[4].text;
    uint32_t process = batch_process(b, &info);
    for (size_t i = 0; resource && i < resource->n_attributes; i++) {
        const Otlp__KeyValue *kv = resource->attributes[i];
        if (is_pid(kv) || field_of(fields, kv))
            continue;
        struct typed v = value_of(b, kv->value);
        batch_process_attribute(b, string_of(b, kv->key), v.type, v.value);
    }
    for (struct field *f = fields; f->key; f++)
        free(f->text);
    return process;
}

/* ---- spans ------------------------------------------------------------------------------- */

static uint64_t big_endian(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

static struct trace_id trace_id_of(ProtobufCBinaryData id)
{
    if (id.len != 16)
        return (struct trace_id){0};
    return (struct trace_id){big_endian(id.data), big_endian(id.data + 8)};
}

static uint64_t span_id_of(ProtobufCBinaryData id)
{
    return id.len == 8 ? big_endian(id.data) : 0;
}

static bool says_died(const Otlp__KeyValue *kv)
{
    return is_key(kv, OTLP_STATUS) && kv->value &&
           kv->value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE &&
           kv->value->string_value.len == 4 && memcmp(kv->value->string_value.data, "died", 4) == 0;
}

static uint8_t status_of(const Otlp__Span *s)
{
    for (size_t i = 0; i < s->n_attributes; i++) {
        if (says_died(s->attributes[i]))
            return SPAN_DIED;
    }
    uint32_t code = s->status ? s->status->code : 0;
    return code == 2 ? SPAN_ERROR : code == 1 ? SPAN_OK : SPAN_UNSET;
}

static uint8_t flags_of(const Otlp__Span *s)
{
    uint8_t flags = s->flags & (SPAN_FLAG_SAMPLED | SPAN_FLAG_RANDOM);
    if ((s->flags & 0x300) == 0x300)
        flags |= SPAN_FLAG_REMOTE_PARENT;
    if (s->trace_state.len > 0)
        flags |= SPAN_FLAG_TRACESTATE;
    return flags;
}

static void put_scope(struct batch_builder *b, const Otlp__Scope *scope)
{
    if (!scope)
        return;
    if (scope->name.len)
        batch_attribute(b, batch_string(b, OTLP_SCOPE_NAME, strlen(OTLP_SCOPE_NAME)), VALUE_STRING,
                        string_of(b, scope->name));
    if (scope->version.len)
        batch_attribute(b, batch_string(b, OTLP_SCOPE_VERSION, strlen(OTLP_SCOPE_VERSION)),
                        VALUE_STRING, string_of(b, scope->version));
    for (size_t i = 0; i < scope->n_attributes; i++) {
        struct buffer key = {0};
        buffer_text(&key, OTLP_SCOPE);
        buffer_append(&key, scope->attributes[i]->key.data, scope->attributes[i]->key.len);
        struct typed v = value_of(b, scope->attributes[i]->value);
        batch_attribute(b, batch_string(b, key.data, key.length), v.type, v.value);
        buffer_fini(&key);
    }
}

static void put_hangings(struct batch_builder *b, const Otlp__Span *s)
{
    for (size_t i = 0; i < s->n_events; i++) {
        const Otlp__Event *e = s->events[i];
        batch_event(b, string_of(b, e->name), e->time_unix_nano);
        put_attributes(b, e->attributes, e->n_attributes);
    }
    for (size_t i = 0; i < s->n_links; i++) {
        const Otlp__Link *l = s->links[i];
        batch_link(b, trace_id_of(l->trace_id), span_id_of(l->span_id));
        put_attributes(b, l->attributes, l->n_attributes);
    }
}

static bool read_span(const Otlp__Span *s, const Otlp__Scope *scope, uint32_t process,
                      struct batch_builder *b)
{
    uint64_t start = s->start_time_unix_nano, end = s->end_time_unix_nano;
    struct batch_span span = {
        .process = process,
        .name = string_of(b, s->name),
        .trace_id = trace_id_of(s->trace_id),
        .span_id = span_id_of(s->span_id),
        .parent_id = span_id_of(s->parent_span_id),
        .start_unix_ns = start,
        .duration_ns = end > start ? end - start : 0,
        .kind = s->kind >= 1 && s->kind <= SPAN_KINDS ? (uint8_t)(s->kind - 1) : SPAN_INTERNAL,
        .status = status_of(s),
        .flags = flags_of(s),
        .dropped_attributes = s->dropped_attributes_count < UINT8_MAX
                                  ? (uint8_t)s->dropped_attributes_count
                                  : UINT8_MAX,
        .status_message = s->status ? string_of(b, s->status->message) : 0,
        .tracestate = string_of(b, s->trace_state),
    };
    if ((!span.trace_id.hi && !span.trace_id.lo) || !span.span_id)
        return false;
    batch_span_add(b, &span);
    for (size_t i = 0; i < s->n_attributes; i++) {
        if (!says_died(s->attributes[i]))
            put_attributes(b, s->attributes + i, 1);
    }
    put_scope(b, scope);
    put_hangings(b, s);
    return true;
}

void otlp_read(const Otlp__Traces *traces, struct batch_builder *b, struct otlp_counts *counts)
{
    *counts = (struct otlp_counts){0};
    for (size_t r = 0; r < traces->n_resource_spans; r++) {
        const Otlp__ResourceSpans *resource = traces->resource_spans[r];
        uint32_t process = read_resource(resource->resource, b);
        for (size_t c = 0; c < resource->n_scope_spans; c++) {
            const Otlp__ScopeSpans *scope = resource->scope_spans[c];
            for (size_t i = 0; i < scope->n_spans; i++) {
                if (read_span(scope->spans[i], scope->scope, process, b))
                    counts->spans++;
                else
                    counts->rejected++;
            }
        }
    }
}
