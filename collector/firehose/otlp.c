// SPDX-License-Identifier: Apache-2.0
#include "collector/firehose/otlp.h"

#include <string.h>

#include "lib/otlp/otlp.h"

enum { ARENA_BLOCK_BYTES = 4096 };

static void put_length(struct buffer *out, size_t length)
{
    for (; length >= 0x80; length >>= 7)
        buffer_byte(out, (char)(length | 0x80));
    buffer_byte(out, (char)length);
}

static void put_message(struct buffer *out, const Otlp__Traces *t)
{
    put_length(out, otlp__traces__get_packed_size(t));
    otlp_put_protobuf(out, t);
}

/* An attribute on the stack of who makes it. */
struct made {
    Otlp__KeyValue kv;
    Otlp__AnyValue value;
};

static Otlp__KeyValue *make(struct made *m, const char *key)
{
    otlp__key_value__init(&m->kv);
    otlp__any_value__init(&m->value);
    m->kv.key = (ProtobufCBinaryData){strlen(key), (uint8_t *)(uintptr_t)key};
    m->kv.value = &m->value;
    return &m->kv;
}

static Otlp__KeyValue *make_text(struct made *m, const char *key, const char *text)
{
    make(m, key);
    m->value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    m->value.string_value = (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
    return &m->kv;
}

static void put_span(struct buffer *out, const struct firehose_row *r)
{
    struct arena arena;
    struct made cursor;
    char text[POSITION_TEXT_MAX];
    arena_init(&arena, ARENA_BLOCK_BYTES);
    Otlp__Traces *t = otlp_write(&arena, &(struct otlp_row){r->batch, r->row}, 1);
    Otlp__Resource *resource = t ? t->resource_spans[0]->resource : NULL;
    size_t count = resource ? resource->n_attributes : 0;
    Otlp__KeyValue **list = arena_calloc(&arena, count + 1, sizeof *list);
    if (resource && list) {
        position_text(&r->behind, text);
        if (count > 0)
            memcpy(list, resource->attributes, count * sizeof *list);
        list[count] = make_text(&cursor, "weft.cursor", text);
        resource->attributes = list;
        resource->n_attributes = count + 1;
        put_message(out, t);
    } else {
        out->failed = true;
    }
    arena_fini(&arena);
}

static void put_gap(struct buffer *out, const struct firehose_gap *gap)
{
    struct made cursor, reason, spans;
    char text[POSITION_TEXT_MAX];
    position_text(&gap->behind, text);
    make(&spans, "weft.gap.spans");
    spans.value.value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
    spans.value.int_value = (int64_t)gap->spans;
    Otlp__KeyValue *list[] = {
        make_text(&cursor, "weft.cursor", text),
        make_text(&reason, "weft.gap.reason",
                  gap->reason == FIREHOSE_GAP_AGED ? "aged" : "damaged"),
        &spans.kv,
    };
    Otlp__Resource resource = OTLP__RESOURCE__INIT;
    resource.attributes = list;
    resource.n_attributes = sizeof list / sizeof *list;
    Otlp__ResourceSpans group = OTLP__RESOURCE_SPANS__INIT, *groups = &group;
    group.resource = &resource;
    Otlp__Traces t = OTLP__TRACES__INIT;
    t.resource_spans = &groups;
    t.n_resource_spans = 1;
    put_message(out, &t);
}

static void put_keep_alive(struct buffer *out)
{
    put_length(out, 0);
}

const struct firehose_format firehose_otlp = {
    .content_type = "application/x-protobuf",
    .span = put_span,
    .gap = put_gap,
    .keep_alive = put_keep_alive,
};
