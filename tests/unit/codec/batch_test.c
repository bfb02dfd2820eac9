// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "lib/codec/batch.h"
#include "lib/ring/span_id.h"
#include "weft.pb-c.h"

enum { MAX_BYTES = 64 << 20 };

struct fixture {
    struct batch_builder *builder;
    struct buffer bytes;
    struct arena arena;
    struct batch *batch;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->builder = batch_builder_create();
    arena_init(&f->arena, 4096);
    *state = f;
    return f->builder ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    batch_builder_destroy(&f->builder);
    assert_null(f->builder);
    buffer_fini(&f->bytes);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static struct batch *encode_and_decode(struct fixture *f)
{
    int error = 1;
    f->bytes.length = 0;
    assert_int_equal(batch_encode(f->builder, &f->bytes), 0);
    f->batch = batch_decode(&f->arena, f->bytes.data, f->bytes.length, MAX_BYTES, &error);
    assert_int_equal(error, BATCH_OK);
    assert_non_null(f->batch);
    return f->batch;
}

static uint32_t text(struct fixture *f, const char *s)
{
    return batch_string(f->builder, s, strlen(s));
}

static void assert_text(const struct batch *b, uint32_t index, const char *expected)
{
    assert_true(index < b->string_count);
    assert_int_equal(b->strings[index].length, strlen(expected));
    assert_memory_equal(b->strings[index].bytes, expected, strlen(expected));
}

static void assert_str(struct batch_str s, const char *expected)
{
    assert_int_equal(s.length, strlen(expected));
    assert_memory_equal(s.bytes, expected, strlen(expected));
}

static uint32_t add_process(struct fixture *f, const char *service)
{
    struct batch_process_info info = {.uuid = {1, 2, 3}, .service = service, .pid = 7};
    return batch_process(f->builder, &info);
}

static uint64_t random_state = 88172645463325252u;

static uint64_t random64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

/* ---- what goes in comes out -------------------------------------------------------------- */

static void an_empty_batch_is_valid(void **state)
{
    struct batch *b = encode_and_decode(*state);
    assert_int_equal(b->span_count, 0);
    assert_int_equal(b->process_count, 0);
    assert_int_equal(b->string_count, 1);
    assert_int_equal(b->strings[0].length, 0);
}

static void processes_with_their_resources_survive(void **state)
{
    struct fixture *f = *state;
    struct batch_process_info info = {
        .uuid = {0xaa, [15] = 0xbb},
        .host = "box7",
        .pid = 4711,
        .start_unix_ns = 1763760000123456789u,
        .service = "cell",
        .version = "1.4",
        .instance = "c1-0",
        .state = PROCESS_DIED,
        .state_unix_ns = 1763760009000000000u,
        .watched = PROCESS_RUN,
        .ready_unix_ns = 1763760001000000000u,
        .ready = "listens on port 80",
        .ending = "exited with 3",
    };
    add_process(f, "web");
    batch_process_attribute(f->builder, text(f, "zone"), VALUE_STRING, text(f, "b"));
    assert_int_equal(batch_process(f->builder, &info), 1);
    batch_process_attribute(f->builder, text(f, "cores"), VALUE_INT, 4);
    batch_process_attribute(f->builder, text(f, "zone"), VALUE_STRING, text(f, "c"));
    struct batch *b = encode_and_decode(f);
    assert_int_equal(b->process_count, 2);
    const struct batch_process_view *p = &b->processes[1];
    assert_memory_equal(p->uuid, info.uuid, 16);
    assert_str(p->host, "box7");
    assert_str(p->service, "cell");
    assert_str(p->version, "1.4");
    assert_str(p->instance, "c1-0");
    assert_str(p->cell, "");
    assert_int_equal(p->pid, 4711);
    assert_int_equal(p->start_unix_ns, info.start_unix_ns);
    assert_int_equal(p->state, PROCESS_DIED);
    assert_int_equal(p->state_unix_ns, info.state_unix_ns);
    assert_int_equal(p->watched, PROCESS_RUN);
    assert_int_equal(p->ready_unix_ns, info.ready_unix_ns);
    assert_str(p->ready, "listens on port 80");
    assert_str(p->ending, "exited with 3");
    assert_int_equal(b->processes[0].watched, PROCESS_RECORDS);
    assert_int_equal(b->processes[0].attribute_count, 1);
    assert_int_equal(p->attribute_first, 1);
    assert_int_equal(p->attribute_count, 2);
    assert_text(b, b->resource.key[1], "cores");
    assert_int_equal(b->resource.value[1], 4);
    assert_text(b, (uint32_t)b->resource.value[2], "c");
}

static void losses_survive_with_and_without_a_process(void **state)
{
    struct fixture *f = *state;
    add_process(f, "web");
    batch_loss(f->builder, 0, 1, 17, 100, 200);
    batch_loss(f->builder, UINT32_MAX, 24, UINT64_MAX, 0, UINT64_MAX);
    struct batch *b = encode_and_decode(f);
    assert_int_equal(b->loss_count, 2);
    assert_int_equal(b->losses[0].process, 0);
    assert_int_equal(b->losses[0].reason, 1);
    assert_int_equal(b->losses[0].count, 17);
    assert_int_equal(b->losses[0].to_unix_ns, 200);
    assert_true(b->losses[1].process == UINT32_MAX);
    assert_true(b->losses[1].count == UINT64_MAX);
}

static void attributes_events_and_links_hang_where_they_were_added(void **state)
{
    struct fixture *f = *state;
    struct batch_builder *w = f->builder;
    struct batch_span span = {.process = add_process(f, "web"),
                              .name = text(f, "GET /"),
                              .trace_id = {1, 2},
                              .span_id = 3,
                              .start_unix_ns = 1000,
                              .duration_ns = 50,
                              .status = 2,
                              .dropped_attributes = 9,
                              .status_message = text(f, "refused"),
                              .tracestate = text(f, "a=b")};
    batch_span_add(w, &span);
    batch_attribute(w, text(f, "code"), VALUE_INT, (uint64_t)-5);
    batch_attribute(w, text(f, "host"), VALUE_STRING, text(f, "h"));
    batch_event(w, text(f, "retry"), 990);
    batch_attribute(w, text(f, "n"), VALUE_INT, 1);
    batch_event(w, text(f, "bare"), 1010);
    batch_link(w, (struct trace_id){0xfeed, 0xbeef}, 0xabc);
    batch_attribute(w, text(f, "why"), VALUE_BOOL, 1);
    span.span_id = 4;
    span.dropped_attributes = 0;
    span.status_message = span.tracestate = 0;
    batch_span_add(w, &span);
    batch_attribute(w, text(f, "ratio"), VALUE_DOUBLE, 0x3fe0000000000000u);
    batch_attribute(w, text(f, "blob"), VALUE_BYTES, batch_string(w, "\0\xff", 2));

    struct batch *b = encode_and_decode(f);
    assert_int_equal(b->span_count, 2);
    assert_int_equal(b->attribute_count[0], 2);
    assert_int_equal(b->dropped_attributes[0], 9);
    assert_text(b, b->status_message[0], "refused");
    assert_text(b, b->tracestate[0], "a=b");
    assert_int_equal((int64_t)b->attributes.value[0], -5);
    assert_text(b, (uint32_t)b->attributes.value[1], "h");
    assert_int_equal(b->events, 2);
    assert_int_equal(b->event_count[0], 2);
    assert_text(b, b->event_name[0], "retry");
    assert_int_equal(b->event_unix_ns[0], 990);
    assert_int_equal(b->event_attribute_count[0], 1);
    assert_int_equal(b->attributes.value[b->event_attribute_first[0]], 1);
    assert_int_equal(b->event_attribute_count[1], 0);
    assert_int_equal(b->link_count[0], 1);
    assert_int_equal(b->link_trace_hi[0], 0xfeed);
    assert_int_equal(b->link_trace_lo[0], 0xbeef);
    assert_int_equal(b->link_span_id[0], 0xabc);
    assert_text(b, b->attributes.key[b->link_attribute_first[0]], "why");

    assert_int_equal(b->attribute_count[1], 2);
    assert_int_equal(b->attribute_first[1], 4);
    assert_int_equal(b->attributes.type[4], VALUE_DOUBLE);
    assert_true(b->attributes.value[4] == 0x3fe0000000000000u);
    assert_int_equal(b->strings[b->attributes.value[5]].length, 2);
    assert_memory_equal(b->strings[b->attributes.value[5]].bytes, "\0\xff", 2);
    assert_int_equal(b->event_count[1] + b->link_count[1] + b->dropped_attributes[1], 0);
}

/* Spans of several threads whose ids count up, with parents on the same thread, on another,
 * and somewhere unknown; and all the extremes of the numbers. */
static void random_spans_come_back_the_same(void **state)
{
    enum { SPANS = 5000, THREADS = 6 };
    struct fixture *f = *state;
    static struct batch_span spans[SPANS];
    uint64_t counters[THREADS];
    uint32_t names[20], processes[4], key = text(f, "k");
    for (int i = 0; i < THREADS; i++)
        counters[i] = random64();
    for (uint32_t i = 0; i < 20; i++)
        names[i] = batch_string(f->builder, &i, sizeof i);
    for (int i = 0; i < 4; i++)
        processes[i] = add_process(f, "p");
    for (int i = 0; i < SPANS; i++) {
        uint64_t r = random64();
        int thread = (i / 50 + (int)(r >> 62)) % THREADS;
        spans[i] = (struct batch_span){
            .process = processes[i / 100 % 4],
            .name = names[r % 20],
            .trace_id = {r >> 8 & 7, i % 3 ? r % 50 : r},
            .span_id = i % 97 ? span_id_mix(++counters[thread]) : random64(),
            .start_unix_ns = i % 501 ? 1763760000000000000u + r % 1000000 : r,
            .duration_ns = i % 303 ? r % 100000 : r,
            .kind = (uint8_t)(r >> 16),
            .status = (uint8_t)(r >> 24),
            .flags = (uint8_t)(r >> 32),
        };
        if (i % 5)
            spans[i].parent_id = i % 7    ? span_id_mix(counters[thread] - r % 20)
                                 : i % 11 ? spans[random64() % (uint64_t)i].span_id
                                          : r;
        batch_span_add(f->builder, &spans[i]);
        batch_attribute(f->builder, key, VALUE_INT, r);
    }
    struct batch *b = encode_and_decode(f);
    assert_int_equal(b->span_count, SPANS);
    for (int i = 0; i < SPANS; i++) {
        assert_int_equal(b->process[i], spans[i].process);
        assert_int_equal(b->name[i], spans[i].name);
        assert_int_equal(b->trace_hi[i], spans[i].trace_id.hi);
        assert_int_equal(b->trace_lo[i], spans[i].trace_id.lo);
        assert_int_equal(b->span_id[i], spans[i].span_id);
        assert_int_equal(b->parent_id[i], spans[i].parent_id);
        assert_int_equal(b->start_unix_ns[i], spans[i].start_unix_ns);
        assert_int_equal(b->duration_ns[i], spans[i].duration_ns);
        assert_int_equal(b->kind[i], spans[i].kind);
        assert_int_equal(b->status[i], spans[i].status);
        assert_int_equal(b->flags[i], spans[i].flags);
        assert_int_equal(b->attribute_first[i], i);
        assert_int_equal(b->attribute_count[i], 1);
    }
}

static void strings_are_stored_once(void **state)
{
    struct fixture *f = *state;
    uint32_t first = text(f, "one");
    for (int i = 0; i < 10000; i++)
        batch_string(f->builder, &i, sizeof i);
    assert_int_equal(text(f, "one"), first);
    assert_int_equal(batch_string(f->builder, NULL, 0), 0);
    struct batch *b = encode_and_decode(f);
    assert_int_equal(b->string_count, 10002);
    assert_text(b, first, "one");
}

static void a_builder_goes_on_after_encoding_and_starts_afresh_after_reset(void **state)
{
    struct fixture *f = *state;
    struct batch_span span = {.process = add_process(f, "web"), .span_id = 1, .trace_id = {1, 1}};
    batch_span_add(f->builder, &span);
    assert_int_equal(encode_and_decode(f)->span_count, 1);
    span.span_id = 2;
    batch_span_add(f->builder, &span);
    struct batch *b = encode_and_decode(f);
    assert_int_equal(b->span_count, 2);
    assert_int_equal(b->span_id[1], 2);
    assert_int_equal(batch_builder_spans(f->builder), 2);

    batch_builder_reset(f->builder);
    assert_int_equal(batch_builder_spans(f->builder), 0);
    assert_int_equal(batch_builder_bytes(f->builder), 0);
    assert_int_equal(text(f, "fresh"), 1);
    span.process = add_process(f, "web");
    span.span_id = 9;
    batch_span_add(f->builder, &span);
    batch_attribute(f->builder, 1, VALUE_INT, 5);
    b = encode_and_decode(f);
    assert_int_equal(b->span_count, 1);
    assert_int_equal(b->span_id[0], 9);
    assert_int_equal(b->attributes.value[0], 5);
}

static void the_estimate_grows_with_what_is_added(void **state)
{
    struct fixture *f = *state;
    size_t before = batch_builder_bytes(f->builder);
    text(f, "a string of some length");
    assert_true(batch_builder_bytes(f->builder) >= before + 23);
}

/* ---- what is refused --------------------------------------------------------------------- */

static int decode_error(struct fixture *f, const void *bytes, size_t length, size_t max_bytes)
{
    int error = 1;
    assert_null(batch_decode(&f->arena, bytes, length, max_bytes, &error));
    assert_true(strlen(batch_error_text(error)) > 3);
    return error;
}

static void what_is_no_zstd_frame_or_too_large_is_refused(void **state)
{
    struct fixture *f = *state;
    text(f, "some text that makes the message longer than nothing");
    assert_int_equal(batch_encode(f->builder, &f->bytes), 0);
    assert_int_equal(decode_error(f, "", 0, MAX_BYTES), BATCH_ECOMPRESSION);
    assert_int_equal(decode_error(f, "garbage garbage", 15, MAX_BYTES), BATCH_ECOMPRESSION);
    assert_int_equal(decode_error(f, f->bytes.data, f->bytes.length - 1, MAX_BYTES),
                     BATCH_ECOMPRESSION);
    assert_int_equal(decode_error(f, f->bytes.data, f->bytes.length, 10), BATCH_ECOMPRESSION);
}

/* Packs and compresses a message that was made by hand. */
static int message_error(struct fixture *f, const Weft__Batch *message)
{
    uint8_t plain[4096], compressed[8192];
    assert_true(weft__batch__get_packed_size(message) <= sizeof plain);
    size_t length = weft__batch__pack(message, plain);
    length = ZSTD_compress(compressed, sizeof compressed, plain, length, 1);
    int error = 1;
    struct batch *batch = batch_decode(&f->arena, compressed, length, MAX_BYTES, &error);
    assert_true(!batch == !!error);
    return error;
}

#define BYTES(text)                                                                                \
    (ProtobufCBinaryData)                                                                          \
    {                                                                                              \
        sizeof(text) - 1, (uint8_t *)text                                                          \
    }

static void a_newer_format_and_no_message_are_told_apart(void **state)
{
    struct fixture *f = *state;
    Weft__Batch message = WEFT__BATCH__INIT;
    assert_int_equal(message_error(f, &message), BATCH_EMESSAGE);
    message.format = BATCH_FORMAT_VERSION + 1;
    assert_int_equal(message_error(f, &message), BATCH_EVERSION);
    uint8_t compressed[64];
    size_t length = ZSTD_compress(compressed, sizeof compressed, "\xff\xff\xff", 3, 1);
    assert_int_equal(decode_error(f, compressed, length, MAX_BYTES), BATCH_EMESSAGE);
}

/* One span in one process, all right. */
static Weft__Batch good_message(Weft__Process **processes, Weft__Process *process)
{
    static uint8_t uuid[16];
    Weft__Batch message = WEFT__BATCH__INIT;
    weft__process__init(process);
    process->uuid = (ProtobufCBinaryData){sizeof uuid, uuid};
    processes[0] = process;
    message.format = 1;
    message.n_processes = 1;
    message.processes = processes;
    message.span_count = 1;
    message.id_blocks = BYTES("\x01\x00\x00\x00\x00\x00");
    message.trace_hi = BYTES("\x02");
    message.trace_lo = BYTES("\x01\x00\x00\x00\x00\x00\x00\x00");
    message.shapes = BYTES("\x00\x00\x00\x00\x00\x00");
    message.process_runs = BYTES("\x00\x01");
    message.block_runs = BYTES("\x00\x01");
    message.span_low = BYTES("\x02");
    message.parent = BYTES("\x00");
    message.trace = BYTES("\x01");
    message.end = BYTES("\x02");
    message.duration = BYTES("\x01");
    message.shape = BYTES("\x00");
    return message;
}

static void columns_that_contradict_each_other_are_refused(void **state)
{
    struct fixture *f = *state;
    Weft__Process process, *processes[1];
    const Weft__Batch good = good_message(processes, &process);
    assert_int_equal(message_error(f, &good), BATCH_OK);
#define REFUSED(field, ...)                                                                        \
    do {                                                                                           \
        Weft__Batch bad = good;                                                                    \
        bad.field = __VA_ARGS__;                                                                   \
        assert_int_equal(message_error(f, &bad), BATCH_ECOLUMNS);                                  \
    } while (0)
    REFUSED(span_count, 2);
    REFUSED(span_count, 0);
    REFUSED(span_count, UINT32_MAX);
    REFUSED(process_runs, BYTES("\x01\x01"));         /* no such process */
    REFUSED(process_runs, BYTES("\x00\x02"));         /* more rows than there are */
    REFUSED(process_runs, BYTES("\x00\x00"));         /* an endless run of nothing */
    REFUSED(process_runs, BYTES("\x00\x01\x00\x01")); /* not used up */
    REFUSED(block_runs, BYTES("\x07\x01"));
    REFUSED(id_blocks, BYTES("\x01\x00\x00\x00\x00"));
    REFUSED(parent, BYTES("\x06")); /* no such block */
    REFUSED(parent, BYTES("\x02")); /* another block, but no lower bits */
    REFUSED(trace, BYTES("\x00"));  /* as the row before, and there is none */
    REFUSED(trace, BYTES("\x02"));
    REFUSED(trace_lo, BYTES("\x01\x00\x00"));
    REFUSED(shape, BYTES("\x01"));
    REFUSED(shapes, BYTES("\x09\x00\x00\x00\x00\x00"));     /* no such name */
    REFUSED(shapes, BYTES("\x00\x00\x00\x00\x02\x00"));     /* extra is 0 or 1 */
    REFUSED(shapes, BYTES("\x00\x00\x00\x00\x01\x00"));     /* extra without its numbers */
    REFUSED(shapes, BYTES("\x00\x00\x00\x00\x00\x01"));     /* a key is missing */
    REFUSED(shapes, BYTES("\x00\x00\x00\x00\x00\x01\x01")); /* an int without a value */
    REFUSED(shapes, BYTES("\x00\x00\x00\x00\x00\x01\x07")); /* no such type */
    REFUSED(duration, BYTES("\x80"));                       /* no varint */
    REFUSED(value_int, BYTES("\x01"));                      /* nobody's value */
    REFUSED(event_name, BYTES("\x00"));                     /* nobody's event */
    REFUSED(string_lengths, BYTES("\x01"));                 /* no bytes for it */
    REFUSED(string_bytes, BYTES("\x01"));
    process.service = 5;
    assert_int_equal(message_error(f, &good), BATCH_ECOLUMNS);
    process.service = 0;
    process.uuid.len = 15;
    assert_int_equal(message_error(f, &good), BATCH_ECOLUMNS);
#undef REFUSED
}

static void any_flipped_bit_costs_an_error_at_most(void **state)
{
    struct fixture *f = *state;
    struct batch_span span = {.process = add_process(f, "web"),
                              .name = text(f, "GET"),
                              .trace_id = {1, 2},
                              .status_message = text(f, "m")};
    for (uint64_t i = 1; i < 40; i++) {
        span.span_id = span_id_mix(i);
        span.parent_id = span_id_mix(i - 1);
        batch_span_add(f->builder, &span);
        batch_attribute(f->builder, text(f, "k"), VALUE_INT, i * 77);
        batch_event(f->builder, text(f, "e"), 5);
        batch_attribute(f->builder, text(f, "s"), VALUE_STRING, text(f, "v"));
    }
    assert_int_equal(batch_encode(f->builder, &f->bytes), 0);
    uint8_t plain[8192];
    size_t plain_length = ZSTD_decompress(plain, sizeof plain, f->bytes.data, f->bytes.length);
    assert_false(ZSTD_isError(plain_length));
    for (size_t bit = 0; bit < plain_length * 8; bit++) {
        uint8_t compressed[16384];
        struct arena arena;
        int error;
        plain[bit / 8] ^= (uint8_t)(1 << bit % 8);
        size_t length = ZSTD_compress(compressed, sizeof compressed, plain, plain_length, 1);
        arena_init(&arena, 4096);
        batch_decode(&arena, compressed, length, MAX_BYTES, &error);
        assert_true(arena.total_bytes < 64 * plain_length + (1 << 20));
        arena_fini(&arena);
        plain[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(an_empty_batch_is_valid),
        TEST(processes_with_their_resources_survive),
        TEST(losses_survive_with_and_without_a_process),
        TEST(attributes_events_and_links_hang_where_they_were_added),
        TEST(random_spans_come_back_the_same),
        TEST(strings_are_stored_once),
        TEST(a_builder_goes_on_after_encoding_and_starts_afresh_after_reset),
        TEST(the_estimate_grows_with_what_is_added),
        TEST(what_is_no_zstd_frame_or_too_large_is_refused),
        TEST(a_newer_format_and_no_message_are_told_apart),
        TEST(columns_that_contradict_each_other_are_refused),
        TEST(any_flipped_bit_costs_an_error_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
