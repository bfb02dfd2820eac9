// SPDX-License-Identifier: Apache-2.0
#include "lib/otlp/otlp.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct arena arena;
    struct batch_builder *builder;
    char why[OTLP_WHY_MAX];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 4096);
    f->builder = batch_builder_create();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_fini(&f->arena);
    batch_builder_destroy(&f->builder);
    free(f);
    return 0;
}

static const struct batch *built(struct fixture *f)
{
    struct buffer bytes = {0};
    int error;
    assert_int_equal(batch_encode(f->builder, &bytes), 0);
    const struct batch *b = batch_decode(&f->arena, bytes.data, bytes.length, 16 << 20, &error);
    assert_non_null(b);
    buffer_fini(&bytes);
    batch_builder_reset(f->builder);
    return b;
}

static const struct batch *read_json(struct fixture *f, const char *json)
{
    struct otlp_counts counts;
    Otlp__Traces *t = otlp_from_json(&f->arena, json, strlen(json), f->why);
    if (!t)
        fail_msg("%s", f->why);
    otlp_read(t, f->builder, &counts);
    return built(f);
}

/* The index of the span's attribute under `key`; fails if there is none. */
static uint32_t attribute(const struct batch *b, uint32_t row, const char *key)
{
    for (uint32_t i = 0; i < b->attribute_count[row]; i++) {
        if (batch_str_is(b->strings[b->attributes.key[b->attribute_first[row] + i]], key))
            return b->attribute_first[row] + i;
    }
    fail_msg("no attribute %s", key);
    return 0;
}

static const char document[] =
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":["
    "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"web\"}},"
    "{\"key\":\"process.pid\",\"value\":{\"intValue\":\"77\"}},"
    "{\"key\":\"zone\",\"value\":{\"stringValue\":\"b\"}}]},"
    "\"scopeSpans\":[{\"scope\":{\"name\":\"lib\",\"version\":\"2\"},\"spans\":[{"
    "\"traceId\":\"0102030405060708090A0b0c0d0e0f10\",\"spanId\":\"00000000000000ff\","
    "\"parentSpanId\":\"0000000000000001\",\"traceState\":\"a=1\",\"name\":\"GET /\",\"kind\":2,"
    "\"startTimeUnixNano\":\"1763760000000000001\",\"endTimeUnixNano\":\"1763760000000000501\","
    "\"attributes\":[{\"key\":\"n\",\"value\":{\"intValue\":\"-9223372036854775808\"}},"
    "{\"key\":\"d\",\"value\":{\"doubleValue\":0.5}},{\"key\":\"b\",\"value\":{\"boolValue\":true}}"
    ","
    "{\"key\":\"bytes\",\"value\":{\"bytesValue\":\"AAH/\"}},"
    "{\"key\":\"list\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"x\"},"
    "{\"boolValue\":false}]}}}],"
    "\"events\":[{\"timeUnixNano\":\"1763760000000000101\",\"name\":\"retry\",\"attributes\":["
    "{\"key\":\"try\",\"value\":{\"intValue\":2}}]}],"
    "\"links\":[{\"traceId\":\"ffffffffffffffffffffffffffffffff\",\"spanId\":\"0000000000000002\"}]"
    ","
    "\"status\":{\"code\":\"STATUS_CODE_ERROR\",\"message\":\"no\"},\"flags\":769}]}]}]}";

static void assert_is_document(const struct batch *b)
{
    assert_int_equal(b->span_count, 1);
    const struct batch_process_view *p = &b->processes[b->process[0]];
    assert_true(batch_str_is(p->service, "web"));
    assert_int_equal(p->pid, 77);
    assert_int_equal(p->attribute_count, 1);
    assert_true(batch_str_is(b->strings[b->resource.value[p->attribute_first]], "b"));
    assert_int_equal(b->trace_hi[0], 0x0102030405060708);
    assert_int_equal(b->trace_lo[0], 0x090a0b0c0d0e0f10);
    assert_int_equal(b->span_id[0], 0xff);
    assert_int_equal(b->parent_id[0], 1);
    assert_int_equal(b->start_unix_ns[0], 1763760000000000001);
    assert_int_equal(b->duration_ns[0], 500);
    assert_int_equal(b->kind[0], SPAN_SERVER);
    assert_int_equal(b->status[0], SPAN_ERROR);
    assert_true(batch_str_is(b->strings[b->status_message[0]], "no"));
    assert_true(batch_str_is(b->strings[b->tracestate[0]], "a=1"));
    assert_true(b->flags[0] & SPAN_FLAG_REMOTE_PARENT);
    assert_true((int64_t)b->attributes.value[attribute(b, 0, "n")] == INT64_MIN);
    double d;
    memcpy(&d, &b->attributes.value[attribute(b, 0, "d")], sizeof d);
    assert_true(d == 0.5);
    assert_int_equal(b->attributes.type[attribute(b, 0, "b")], VALUE_BOOL);
    struct batch_str bytes = b->strings[b->attributes.value[attribute(b, 0, "bytes")]];
    assert_int_equal(bytes.length, 3);
    assert_memory_equal(bytes.bytes, "\0\1\xff", 3);
    assert_true(
        batch_str_is(b->strings[b->attributes.value[attribute(b, 0, "list")]], "[\"x\",false]"));
    assert_true(
        batch_str_is(b->strings[b->attributes.value[attribute(b, 0, "otel.scope.name")]], "lib"));
    assert_int_equal(b->event_count[0], 1);
    assert_int_equal(b->event_unix_ns[b->event_first[0]], 1763760000000000101);
    assert_int_equal(b->event_attribute_count[b->event_first[0]], 1);
    assert_int_equal(b->link_count[0], 1);
    assert_true(b->link_trace_hi[b->link_first[0]] == UINT64_MAX);
}

static void a_document_becomes_a_batch(void **state)
{
    assert_is_document(read_json(*state, document));
}

static void what_is_written_reads_back_the_same(void **state)
{
    struct fixture *f = *state;
    const struct batch *first = read_json(f, document);
    Otlp__Traces *t = otlp_write(&f->arena, &(struct otlp_row){first, 0}, 1);
    struct buffer json = {0}, packed = {0};
    struct json_writer w = json_writer_to(&json);
    otlp_put_json(&w, t);
    const struct batch *again = read_json(f, buffer_cstring(&json));
    assert_is_document(again);
    assert_memory_equal(again->processes[0].uuid, first->processes[0].uuid, 1);

    struct otlp_counts counts;
    otlp_put_protobuf(&packed, t);
    t = otlp_from_protobuf(&f->arena, packed.data, packed.length, f->why);
    assert_non_null(t);
    otlp_read(t, f->builder, &counts);
    assert_int_equal(counts.spans, 1);
    assert_is_document(built(f));
    buffer_fini(&json);
    buffer_fini(&packed);
}

static void the_same_resource_is_the_same_process(void **state)
{
    struct fixture *f = *state;
    uint8_t uuid[16];
    memcpy(uuid, read_json(f, document)->processes[0].uuid, 16);
    assert_memory_equal(read_json(f, document)->processes[0].uuid, uuid, 16);
    char other[sizeof document];
    memcpy(other, document, sizeof document);
    *(strstr(other, "\"zone\"") + 1) = 'x';
    assert_memory_not_equal(read_json(f, other)->processes[0].uuid, uuid, 16);
}

static void a_span_that_died_says_so_and_comes_back_dead(void **state)
{
    struct fixture *f = *state;
    struct batch_process_info process = {.uuid = {1}, .service = "cell"};
    batch_process(f->builder, &process);
    batch_span_add(f->builder,
                   &(struct batch_span){
                       .trace_id = {1, 1}, .span_id = 5, .start_unix_ns = 10, .status = SPAN_DIED});
    const struct batch *b = built(f);
    struct buffer json = {0};
    struct json_writer w = json_writer_to(&json);
    otlp_put_json(&w, otlp_write(&f->arena, &(struct otlp_row){b, 0}, 1));
    assert_non_null(strstr(buffer_cstring(&json), "weft.status"));
    b = read_json(f, buffer_cstring(&json));
    assert_int_equal(b->status[0], SPAN_DIED);
    assert_int_equal(b->attribute_count[0], 0);
    buffer_fini(&json);
}

static void a_span_without_ids_is_rejected_and_counted(void **state)
{
    struct fixture *f = *state;
    static const char json[] = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":["
                               "{\"traceId\":\"zz\",\"spanId\":\"00000000000000ff\"},"
                               "{\"traceId\":\"0102030405060708090A0b0c0d0e0f10\"},{}]}]}]}";
    struct otlp_counts counts;
    Otlp__Traces *t = otlp_from_json(&f->arena, json, strlen(json), f->why);
    assert_non_null(t);
    otlp_read(t, f->builder, &counts);
    assert_int_equal(counts.spans, 0);
    assert_int_equal(counts.rejected, 3);
}

static void what_is_no_document_is_explained(void **state)
{
    struct fixture *f = *state;
    assert_null(otlp_from_json(&f->arena, "{\"a\":\n tru}", 11, f->why));
    assert_non_null(strstr(f->why, "line 2"));
    assert_null(otlp_from_json(&f->arena, "[]", 2, f->why));
    assert_non_null(strstr(f->why, "resourceSpans"));
    assert_null(otlp_from_protobuf(&f->arena, "\x0a\xff", 2, f->why));
}

static void arrays_within_arrays_end_somewhere(void **state)
{
    struct fixture *f = *state;
    /* AnyValue{array_value: ArrayValue{values: [AnyValue …]}}, 3,000 levels deep. */
    struct buffer inner = {0};
    for (int i = 0; i < 3000; i++) {
        struct buffer outer = {0};
        Otlp__AnyValue v = OTLP__ANY_VALUE__INIT;
        v.value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
        uint8_t head[12] = {0x0a};
        size_t at = 1, length = inner.length;
        for (; length >= 0x80; length >>= 7)
            head[at++] = (uint8_t)(length | 0x80);
        head[at++] = (uint8_t)length;
        struct buffer array = {0};
        buffer_append(&array, head, at);
        buffer_append(&array, inner.data, inner.length);
        v.array_value = (ProtobufCBinaryData){array.length, (uint8_t *)array.data};
        char *place = buffer_reserve(&outer, array.length + 16);
        outer.length = otlp__any_value__pack(&v, (uint8_t *)place);
        buffer_fini(&array);
        buffer_fini(&inner);
        inner = outer;
    }
    Otlp__AnyValue *value =
        otlp__any_value__unpack(NULL, inner.length, (const uint8_t *)inner.data);
    assert_non_null(value);
    Otlp__KeyValue kv = OTLP__KEY_VALUE__INIT, *list = &kv;
    kv.key = (ProtobufCBinaryData){1, (uint8_t *)"k"};
    kv.value = value;
    Otlp__Span span = OTLP__SPAN__INIT, *spans = &span;
    span.trace_id = (ProtobufCBinaryData){16, (uint8_t *)"0123456789abcdef"};
    span.span_id = (ProtobufCBinaryData){8, (uint8_t *)"01234567"};
    span.attributes = &list;
    span.n_attributes = 1;
    Otlp__ScopeSpans scope = OTLP__SCOPE_SPANS__INIT, *scopes = &scope;
    scope.spans = &spans;
    scope.n_spans = 1;
    Otlp__ResourceSpans resource = OTLP__RESOURCE_SPANS__INIT, *resources = &resource;
    resource.scope_spans = &scopes;
    resource.n_scope_spans = 1;
    Otlp__Traces traces = OTLP__TRACES__INIT;
    traces.resource_spans = &resources;
    traces.n_resource_spans = 1;
    struct otlp_counts counts;
    otlp_read(&traces, f->builder, &counts);
    const struct batch *b = built(f);
    assert_true(b->strings[b->attributes.value[attribute(b, 0, "k")]].length <= 2 * 33);
    otlp__any_value__free_unpacked(value, NULL);
    buffer_fini(&inner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_document_becomes_a_batch),
        TEST(what_is_written_reads_back_the_same),
        TEST(the_same_resource_is_the_same_process),
        TEST(a_span_that_died_says_so_and_comes_back_dead),
        TEST(a_span_without_ids_is_rejected_and_counted),
        TEST(what_is_no_document_is_explained),
        TEST(arrays_within_arrays_end_somewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
