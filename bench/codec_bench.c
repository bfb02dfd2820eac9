// SPDX-License-Identifier: Apache-2.0
/* The batch codec alone: nanoseconds a span to build, encode and decode, and bytes a span, as
 * medians of many batches. Two seeded workloads: "dashboard", trees of 5 to 40 spans over six
 * services with 2 to 4 attributes, as the agent sweeps them (thread by thread, in the order of
 * their ends); "eleven", spans of 11 attributes out of 97 keys and 1,000 values. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/codec/batch.h"
#include "lib/ring/span_id.h"

enum { BATCHES = 201, SPANS = 4000, SERVICES = 6, MAX_BYTES = 64 << 20 };

struct input_attribute {
    enum value_type type;
    uint32_t key;    /* into key names */
    uint64_t number; /* or a string's number */
};

struct input_span {
    struct batch_span span; /* process and name as numbers of the bench */
    int attributes;
    struct input_attribute attribute[11];
};

static struct input_span input[SPANS];
static uint64_t counters[SERVICES], rng = 88172645463325252u;
static char strings[4096][24];
static size_t lengths[4096];
static char keys[97][24];

static uint64_t random64(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    return rng ^= rng << 17;
}

static void fill_dashboard_attributes(struct input_span *s, uint64_t trace)
{
    s->attributes = 2 + (int)(random64() % 3);
    for (int i = 0; i < s->attributes; i++) {
        static const enum value_type types[] = {VALUE_INT, VALUE_STRING, VALUE_INT, VALUE_STRING};
        uint64_t number = random64() % 12;
        if (i == 0)
            number = 200;
        else if (i == 2)
            number = (trace << 22) + random64() % 4096; /* a post's id: ordered by time */
        s->attribute[i] =
            (struct input_attribute){types[i], s->span.process * 4 + (uint32_t)i, number};
    }
}

static void fill_eleven_attributes(struct input_span *s, uint64_t trace)
{
    (void)trace;
    s->attributes = 11;
    for (int i = 0; i < 11; i++)
        s->attribute[i] =
            (struct input_attribute){VALUE_STRING, (uint32_t)(random64() % 97), random64() % 1000};
}

/* One tree in the order of its spans' ends: each child before its parent. */
static int fill_tree(int at, int size, uint64_t trace, uint64_t start,
                     void (*attributes)(struct input_span *, uint64_t))
{
    struct trace_id id = {start / 65536, random64()};
    uint64_t ids[40], begin = start;
    uint32_t service[40];
    int n = size < SPANS - at ? size : SPANS - at;
    for (int i = 0; i < n; i++) {
        service[i] =
            i == 0 ? 0 : (uint32_t)(random64() % 4 ? service[i - 1] : random64() % SERVICES);
        ids[i] = span_id_mix(++counters[service[i]]);
    }
    for (int i = n - 1; i >= 0; i--, at++) {
        struct input_span *s = &input[at];
        uint64_t r = random64();
        begin += r % 30000;
        s->span = (struct batch_span){
            .process = service[i],
            .name = service[i] * 3 + (uint32_t)(r >> 32) % 3,
            .trace_id = id,
            .span_id = ids[i],
            .parent_id = i ? ids[(i - 1) / 2] : 0,
            .duration_ns = 3000 + (r >> 40) % 200000 * (i ? 1 : 10),
            .kind = service[i] % 3,
            .status = r % 100 == 0 ? SPAN_ERROR : SPAN_OK,
            .flags = 3,
        };
        s->span.start_unix_ns = begin - s->span.duration_ns;
        attributes(s, trace);
    }
    return at;
}

static void fill_input(int least, int most, void (*attributes)(struct input_span *, uint64_t))
{
    uint64_t trace = 1000, start = 1763760000000000000u;
    for (int i = 0; i < SERVICES; i++)
        counters[i] = random64();
    for (int at = 0; at < SPANS; trace++, start += random64() % 200000)
        at = fill_tree(at, least + (int)(random64() % (uint64_t)(most - least + 1)), trace, start,
                       attributes);
}

/* What the agent does: names come interned, keys too, string values by their bytes. */
static void build(struct batch_builder *b)
{
    uint32_t process[SERVICES], key[97], name[SERVICES * 3];
    batch_builder_reset(b);
    for (uint32_t i = 0; i < 97; i++)
        key[i] = batch_string(b, keys[i], strlen(keys[i]));
    for (uint32_t i = 0; i < SERVICES * 3; i++)
        name[i] = batch_string(b, strings[2000 + i], lengths[2000 + i]);
    for (uint32_t i = 0; i < SERVICES; i++) {
        struct batch_process_info info = {.uuid = {(uint8_t)i},
                                          .service = strings[3000 + i],
                                          .host = "box7",
                                          .version = "1.4.0",
                                          .pid = 4000 + i};
        process[i] = batch_process(b, &info);
    }
    for (int i = 0; i < SPANS; i++) {
        struct batch_span span = input[i].span;
        span.process = process[span.process];
        span.name = name[span.name];
        batch_span_add(b, &span);
        for (int k = 0; k < input[i].attributes; k++) {
            const struct input_attribute *a = &input[i].attribute[k];
            uint64_t value = a->type == VALUE_STRING
                                 ? batch_string(b, strings[a->number], lengths[a->number])
                                 : a->number;
            batch_attribute(b, key[a->key], a->type, value);
        }
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, BATCHES, sizeof *values, compare);
    return values[BATCHES / 2];
}

static void run(const char *name, struct batch_builder *b)
{
    static double build_ns[BATCHES], encode_ns[BATCHES], decode_ns[BATCHES];
    struct buffer bytes = {0};
    struct arena arena;
    size_t raw = 0, kept = 0;
    arena_init(&arena, 1 << 16);
    for (int i = 0; i < BATCHES; i++) {
        int error;
        uint64_t t0 = clock_monotonic_ns();
        build(b);
        uint64_t t1 = clock_monotonic_ns();
        buffer_clear(&bytes);
        if (batch_encode(b, &bytes) < 0)
            exit(1);
        uint64_t t2 = clock_monotonic_ns();
        arena_reset(&arena);
        if (!batch_decode(&arena, bytes.data, bytes.length, MAX_BYTES, &error))
            exit(1);
        kept = arena.total_bytes;
        uint64_t t3 = clock_monotonic_ns();
        build_ns[i] = (double)(t1 - t0) / SPANS;
        encode_ns[i] = (double)(t2 - t1) / SPANS;
        decode_ns[i] = (double)(t3 - t2) / SPANS;
    }
    raw = batch_builder_bytes(b);
    printf("%-10s %10.1f %10.1f %10.1f %12.1f %12.1f %12.1f\n", name, median(build_ns),
           median(encode_ns), median(decode_ns), (double)raw / SPANS, (double)bytes.length / SPANS,
           (double)kept / SPANS);
    arena_fini(&arena);
    buffer_fini(&bytes);
}

int main(void)
{
    struct batch_builder *b = batch_builder_create();
    if (!b)
        return 1;
    for (int i = 0; i < 4096; i++)
        lengths[i] = (size_t)snprintf(strings[i], sizeof strings[i], "value-%d-%x", i,
                                      (unsigned)i * 2654435761u);
    for (int i = 0; i < 97; i++)
        snprintf(keys[i], sizeof keys[i], "key.number.%d", i);
    printf("batch codec, %d spans a batch, median of %d batches, one thread\n\n", SPANS, BATCHES);
    printf("%-10s %10s %10s %10s %12s %12s %12s\n", "workload", "build ns", "encode ns",
           "decode ns", "raw bytes", "bytes/span", "in memory");
    fill_input(5, 40, fill_dashboard_attributes);
    run("dashboard", b);
    fill_input(10, 10, fill_eleven_attributes);
    run("eleven", b);
    batch_builder_destroy(&b);
    return 0;
}
