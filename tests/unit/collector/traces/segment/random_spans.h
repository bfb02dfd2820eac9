// SPDX-License-Identifier: Apache-2.0
/* Random spans for tests of segments: whatever a batch can hold, in batches that went through the
 * real bytes, with the traces' rows in order; and a span as text, in which nothing of it is
 * missing, from wherever it is read. */
#ifndef TESTS_UNIT_COLLECTOR_TRACES_SEGMENT_RANDOM_SPANS_H
#define TESTS_UNIT_COLLECTOR_TRACES_SEGMENT_RANDOM_SPANS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/traces/order.h"
#include "collector/traces/segment/segment.h"
#include "lib/base/buffer.h"
#include "lib/ring/span_id.h"

enum { RANDOM_PROCESSES = 5 };

struct random_trace {
    struct trace_id id;
    struct segment_row *rows;
    uint32_t count;
};

struct random_spans {
    uint64_t state; /* of the generator */
    struct arena arena;
    struct batch **batches;
    uint32_t batch_count;
    struct random_trace *traces; /* ascending ids */
    uint32_t trace_count;
    uint64_t counters[RANDOM_PROCESSES * 2];
};

struct random_options {
    uint32_t traces, spans_most;
    unsigned richness; /* 0: bare spans; 1: attributes; 2: everything */
    bool wild;         /* starts, durations and ids from anywhere */
    bool any_order;    /* parents first, but not in the order of the tree */
};

static inline uint64_t random_word(struct random_spans *r)
{
    r->state += UINT64_C(0x9e3779b97f4a7c15);
    return span_id_mix(r->state);
}

static inline uint32_t random_below(struct random_spans *r, uint32_t limit)
{
    return (uint32_t)(random_word(r) % limit);
}

/* Of all magnitudes. */
static inline uint64_t random_number(struct random_spans *r)
{
    uint64_t word = random_word(r);
    return word >> random_below(r, 64);
}

static inline uint32_t random_string(struct random_spans *r, struct batch_builder *b)
{
    char bytes[40];
    size_t length = random_below(r, 5) == 0 ? random_below(r, sizeof bytes) : 2;
    if (random_below(r, 8) == 0)
        return 0;
    for (size_t i = 0; i < length; i++)
        bytes[i] = length == 2 ? (char)('a' + random_below(r, 9)) : (char)random_word(r);
    return batch_string(b, bytes, length);
}

static inline void random_attributes(struct random_spans *r, struct batch_builder *b, uint32_t most,
                                     bool resource)
{
    uint32_t count = random_below(r, most + 1);
    for (uint32_t i = 0; i < count; i++) {
        char key[8];
        uint32_t key_number = random_below(r, 12);
        snprintf(key, sizeof key, "k%u", key_number);
        uint32_t k = random_below(r, 50) == 0 ? 0 : batch_string(b, key, strlen(key));
        /* some keys have values of one type only */
        enum value_type type =
            key_number < 8 ? key_number % VALUE_TYPES : random_below(r, VALUE_TYPES);
        uint64_t value = type == VALUE_STRING || type == VALUE_BYTES ? random_string(r, b)
                         : type == VALUE_BOOL                        ? random_below(r, 2)
                         : key_number % 2                            ? random_below(r, 100)
                                                                     : random_number(r);
        if (resource)
            batch_process_attribute(b, k, type, value);
        else
            batch_attribute(b, k, type, value);
    }
}

/* The same in every batch. */
static inline void random_processes(struct batch_builder *b, bool attributes)
{
    for (uint8_t i = 0; i < RANDOM_PROCESSES; i++) {
        struct random_spans own = {.state = i};
        char service[16];
        snprintf(service, sizeof service, "service-%d", i / 2);
        struct batch_process_info info = {
            .uuid = {i, 7},
            .host = i % 2 ? "box1" : "box2",
            .pid = 100u + i,
            .start_unix_ns = UINT64_C(1763760000000000000) + i,
            .service = service,
            .version = i == 3 ? NULL : "1.0",
            .instance = service,
            .cell = i ? "c1" : "",
            .state = i == 2 ? PROCESS_DIED : PROCESS_ALIVE,
            .state_unix_ns = i == 2 ? UINT64_C(1763760000500000000) : 0,
        };
        batch_process(b, &info);
        if (attributes)
            random_attributes(&own, b, 6, true);
    }
}

static inline uint64_t random_span_id(struct random_spans *r, uint32_t process, bool wild)
{
    if (wild && random_below(r, 3) == 0)
        return random_word(r);
    return span_id_mix(r->counters[process * 2 + random_below(r, 2)]++);
}

static inline void random_span(struct random_spans *r, struct batch_builder *b,
                               const struct random_options *o, const struct batch_span *span)
{
    batch_span_add(b, span);
    if (o->richness == 0)
        return;
    random_attributes(r, b, random_below(r, 3) ? 3 : 12, false);
    if (o->richness == 1)
        return;
    for (uint32_t i = random_below(r, 4) ? 0 : random_below(r, 4); i > 0; i--) {
        batch_event(b, random_string(r, b), o->wild ? random_number(r) : span->start_unix_ns + i);
        random_attributes(r, b, 3, false);
    }
    for (uint32_t i = random_below(r, 6) ? 0 : random_below(r, 4); i > 0; i--) {
        batch_link(b, (struct trace_id){random_word(r), random_word(r)}, random_word(r));
        random_attributes(r, b, 2, false);
    }
}

/* The spans of a trace, each in one of two builders. */
static inline void random_trace(struct random_spans *r, struct batch_builder *builders[2],
                                const struct random_options *o, struct trace_id id, uint32_t count)
{
    uint64_t *ids = malloc(count * sizeof *ids), start = id.hi + random_below(r, 1000);
    for (uint32_t i = 0; i < count; i++) {
        struct batch_builder *b = builders[random_below(r, 4) == 0];
        uint32_t process = random_below(r, RANDOM_PROCESSES);
        ids[i] = i > 0 && o->wild && random_below(r, 40) == 0 ? ids[i - 1]
                                                              : random_span_id(r, process, o->wild);
        uint32_t parent = random_below(r, i + 1);
        start += random_below(r, 100000);
        struct batch_span span = {
            .process = process,
            .name = random_string(r, b),
            .trace_id = id,
            .span_id = ids[i],
            .parent_id = i == 0 || (o->wild && random_below(r, 20) == 0) ? 0 : ids[parent % i],
            .start_unix_ns = o->wild && random_below(r, 10) == 0 ? random_number(r) : start,
            .duration_ns = o->wild ? random_number(r) : random_below(r, 1000000),
            .kind = (uint8_t)random_below(r, SPAN_KINDS),
            .status = random_below(r, 20) == 0 ? SPAN_ERROR : SPAN_UNSET,
            .flags = random_below(r, 2) ? SPAN_FLAG_SAMPLED : 0,
        };
        if (o->wild && random_below(r, 20) == 0)
            span.parent_id = random_word(r);
        if (o->richness > 1 && random_below(r, 10) == 0) {
            span.dropped_attributes = (uint8_t)random_below(r, 256);
            span.status_message = random_string(r, b);
            span.tracestate = random_string(r, b);
        }
        random_span(r, b, o, &span);
    }
    free(ids);
}

static inline struct batch *random_decode(struct random_spans *r, struct batch_builder *b)
{
    struct buffer bytes = {0};
    int error;
    assert_int_equal(batch_encode(b, &bytes), 0);
    struct batch *batch = batch_decode(&r->arena, bytes.data, bytes.length, 1 << 30, &error);
    assert_non_null(batch);
    buffer_fini(&bytes);
    for (uint32_t i = 0; i < batch->process_count; i++)
        batch->processes[i].agent = (struct batch_str){"agent-1", 7};
    return batch;
}

static inline void random_order(struct random_spans *r, struct random_trace *t, bool any_order,
                                const uint32_t *batch_of)
{
    struct order order = {0};
    struct order_span *spans = malloc(t->count * sizeof *spans);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct batch *b = t->rows[i].batch;
        uint32_t row = t->rows[i].row;
        spans[i] = (struct order_span){.span_id = b->span_id[row],
                                       .parent_id = b->parent_id[row],
                                       .start_unix_ns = b->start_unix_ns[row],
                                       .process = batch_of[i] * 1000000 + row, /* no copies */
                                       .status = b->status[row]};
    }
    assert_int_equal(order_trace(&order, spans, t->count), 0);
    assert_int_equal(order.count, t->count);
    struct segment_row *rows = malloc(t->count * sizeof *rows);
    for (uint32_t i = 0; i < t->count; i++) {
        rows[i] = t->rows[order.span[i]];
        rows[i].parent = order.parent[i] == ORDER_NONE ? BLOCK_NONE : order.parent[i];
    }
    /* A trace's last row has no children: elsewhere it is in no order of a tree. */
    if (any_order && t->count > 2 && rows[1].parent == 0 && rows[t->count - 1].parent == 0) {
        struct segment_row last = rows[t->count - 1];
        memmove(rows + 2, rows + 1, (t->count - 2) * sizeof *rows);
        rows[1] = last;
        for (uint32_t i = 2; i < t->count; i++)
            rows[i].parent += rows[i].parent != BLOCK_NONE && rows[i].parent > 0;
    }
    memcpy(t->rows, rows, t->count * sizeof *rows);
    free(rows);
    free(spans);
    order_fini(&order);
    (void)r;
}

static inline void random_collect(struct random_spans *r, struct random_trace *t, bool any_order)
{
    uint32_t capacity = 0, *batch_of;
    t->count = 0;
    for (uint32_t b = 0; b < r->batch_count; b++)
        capacity += r->batches[b]->span_count;
    t->rows = arena_alloc(&r->arena, (capacity + 1) * sizeof *t->rows);
    batch_of = malloc((capacity + 1) * sizeof *batch_of);
    for (uint32_t b = 0; b < r->batch_count; b++) {
        const struct batch *batch = r->batches[b];
        for (uint32_t row = 0; row < batch->span_count; row++) {
            if (batch->trace_hi[row] != t->id.hi || batch->trace_lo[row] != t->id.lo)
                continue;
            batch_of[t->count] = b;
            t->rows[t->count++] = (struct segment_row){batch, row, BLOCK_NONE};
        }
    }
    random_order(r, t, any_order, batch_of);
    free(batch_of);
}

static inline void random_spans_init(struct random_spans *r, uint64_t seed,
                                     const struct random_options *o)
{
    *r = (struct random_spans){.state = seed};
    arena_init(&r->arena, 1 << 16);
    for (size_t i = 0; i < sizeof r->counters / sizeof *r->counters; i++)
        r->counters[i] = random_word(r);
    struct batch_builder *builders[2] = {batch_builder_create(), batch_builder_create()};
    for (int i = 0; i < 2; i++)
        random_processes(builders[i], o->richness > 1);
    r->traces = arena_calloc(&r->arena, o->traces, sizeof *r->traces);
    r->trace_count = o->traces;
    uint64_t hi = UINT64_C(1763760000000000000);
    for (uint32_t i = 0; i < o->traces; i++) {
        hi += o->wild && i % 4 ? 0 : 1 + random_below(r, 2000000);
        r->traces[i].id = (struct trace_id){hi, o->wild ? (uint64_t)i << 40 | random_below(r, 1000)
                                                        : span_id_mix(77 + i)};
        random_trace(r, builders, o, r->traces[i].id, 1 + random_below(r, o->spans_most));
    }
    r->batch_count = 2;
    r->batches = arena_calloc(&r->arena, 2, sizeof(struct batch *));
    for (int i = 0; i < 2; i++) {
        r->batches[i] = random_decode(r, builders[i]);
        batch_builder_destroy(&builders[i]);
    }
    for (uint32_t i = 0; i < o->traces; i++)
        random_collect(r, &r->traces[i], o->any_order);
}

static inline void random_spans_fini(struct random_spans *r)
{
    arena_fini(&r->arena);
}

/* ---- a span as text ---------------------------------------------------------------------- */

static inline void text_of_string(struct buffer *out, const char *what, struct batch_str s)
{
    buffer_printf(out, " %s=%u:", what, s.length);
    for (uint32_t i = 0; i < s.length; i++)
        buffer_printf(out, "%02x", (uint8_t)s.bytes[i]);
}

static inline void text_of_attribute(struct buffer *out, const struct batch_str *strings,
                                     struct batch_str key, uint8_t type, uint64_t value)
{
    text_of_string(out, "key", key);
    if (type == VALUE_STRING || type == VALUE_BYTES)
        text_of_string(out, type == VALUE_STRING ? "string" : "bytes", strings[value]);
    else
        buffer_printf(out, " type%u=%llu", type, (unsigned long long)value);
}

static inline void text_of_process(struct buffer *out, const struct batch_process_view *p,
                                   const struct batch_attributes *resource,
                                   const struct batch_str *strings)
{
    const struct batch_str names[] = {p->host, p->service,  p->version,
                                      p->cell, p->instance, p->agent};
    buffer_printf(out, " process=%02x%02x%02x,%u,%llu,%llu,%u", p->uuid[0], p->uuid[1], p->uuid[15],
                  p->pid, (unsigned long long)p->start_unix_ns,
                  (unsigned long long)p->state_unix_ns, (unsigned)p->state);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        text_of_string(out, "", names[i]);
    for (uint32_t i = p->attribute_first; i < p->attribute_first + p->attribute_count; i++)
        text_of_attribute(out, strings, strings[resource->key[i]], resource->type[i],
                          resource->value[i]);
}

static inline void text_of_attributes(struct buffer *out, const struct batch *b, uint32_t first,
                                      uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++)
        text_of_attribute(out, b->strings, b->strings[b->attributes.key[i]], b->attributes.type[i],
                          b->attributes.value[i]);
}

static inline void text_of_hanging(struct buffer *out, const struct batch *b, uint32_t row)
{
    text_of_attributes(out, b, b->attribute_first[row], b->attribute_count[row]);
    for (uint32_t i = b->event_first[row]; i < b->event_first[row] + b->event_count[row]; i++) {
        text_of_string(out, "event", b->strings[b->event_name[i]]);
        buffer_printf(out, " at=%llu", (unsigned long long)b->event_unix_ns[i]);
        text_of_attributes(out, b, b->event_attribute_first[i], b->event_attribute_count[i]);
    }
    for (uint32_t i = b->link_first[row]; i < b->link_first[row] + b->link_count[row]; i++) {
        buffer_printf(out, " link=%llx,%llx,%llx", (unsigned long long)b->link_trace_hi[i],
                      (unsigned long long)b->link_trace_lo[i],
                      (unsigned long long)b->link_span_id[i]);
        text_of_attributes(out, b, b->link_attribute_first[i], b->link_attribute_count[i]);
    }
}

static inline void text_of_span(struct buffer *out, const struct batch *b, uint32_t row,
                                bool details)
{
    buffer_printf(out, "trace=%llx,%llx span=%llx parent=%llx start=%llu duration=%llu %u %u %u",
                  (unsigned long long)b->trace_hi[row], (unsigned long long)b->trace_lo[row],
                  (unsigned long long)b->span_id[row], (unsigned long long)b->parent_id[row],
                  (unsigned long long)b->start_unix_ns[row],
                  (unsigned long long)b->duration_ns[row], b->kind[row], b->status[row],
                  b->flags[row]);
    buffer_printf(out, " %u", b->dropped_attributes[row]);
    text_of_string(out, "name", b->strings[b->name[row]]);
    text_of_string(out, "message", b->strings[b->status_message[row]]);
    text_of_string(out, "state", b->strings[b->tracestate[row]]);
    text_of_process(out, &b->processes[b->process[row]], &b->resource, b->strings);
    if (details)
        text_of_hanging(out, b, row);
}

#endif
