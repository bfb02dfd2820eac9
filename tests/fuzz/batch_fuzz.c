// SPDX-License-Identifier: Apache-2.0
/* The batch decoder. The first byte says what the rest is: a compressed batch as it is; a message
 * that is compressed first, so that the fuzzer gets behind zstd; or a script by which a good
 * batch is built, and then damaged. A batch that decodes is walked by every index it holds. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "lib/codec/batch.h"
#include "lib/ring/span_id.h"

enum { MAX_BYTES = 1 << 20 };

static volatile uint64_t sink;

static void read_string(const struct batch *b, uint32_t index)
{
    if (index >= b->string_count)
        abort();
    const struct batch_str *s = &b->strings[index];
    for (uint32_t i = 0; i < s->length; i++)
        sink += (unsigned char)s->bytes[i];
}

static void read_attributes(const struct batch *b, const struct batch_attributes *a, uint32_t first,
                            uint32_t count)
{
    if (first > a->count || count > a->count - first)
        abort();
    for (uint32_t i = first; i < first + count; i++) {
        read_string(b, a->key[i]);
        if (a->type[i] == VALUE_STRING || a->type[i] == VALUE_BYTES)
            read_string(b, (uint32_t)a->value[i]);
        if (a->type[i] >= VALUE_TYPES || (a->type[i] == VALUE_BOOL && a->value[i] > 1))
            abort();
        sink += a->value[i];
    }
}

static void read_hanging(const struct batch *b, uint32_t row)
{
    if (b->event_first[row] > b->events || b->event_count[row] > b->events - b->event_first[row] ||
        b->link_first[row] > b->links || b->link_count[row] > b->links - b->link_first[row])
        abort();
    for (uint32_t i = b->event_first[row]; i < b->event_first[row] + b->event_count[row]; i++) {
        read_string(b, b->event_name[i]);
        sink += b->event_unix_ns[i];
        read_attributes(b, &b->attributes, b->event_attribute_first[i],
                        b->event_attribute_count[i]);
    }
    for (uint32_t i = b->link_first[row]; i < b->link_first[row] + b->link_count[row]; i++) {
        sink += b->link_trace_hi[i] + b->link_trace_lo[i] + b->link_span_id[i];
        read_attributes(b, &b->attributes, b->link_attribute_first[i], b->link_attribute_count[i]);
    }
}

static void read_series(const struct batch *b, uint32_t series)
{
    struct label room[LABELS_MAX];
    struct labels labels;
    if (series >= b->samples.series_count)
        abort();
    if (!batch_series_labels(b, series, room, &labels))
        return;
    for (uint32_t i = 0; i < labels.count; i++) {
        if (labels.items[i].value.length == 0 ||
            (i > 0 && label_compare_names(&labels.items[i - 1], &labels.items[i]) >= 0))
            abort();
    }
}

static void read_histogram(const struct batch_samples *s, uint32_t index)
{
    if (index >= s->histogram_count)
        abort();
    const struct batch_histogram_view *h = &s->histograms[index];
    for (uint32_t i = h->first; i < h->first + h->positive + h->negative; i++)
        sink += (uint64_t)s->bucket[i] + s->bucket_count[i];
    sink += h->zeros + h->not_finite;
}

static void walk_samples(const struct batch *b)
{
    const struct batch_samples *s = &b->samples;
    for (uint32_t i = 0; i < s->count; i++) {
        bool histogram = s->kind[i] == SAMPLE_HISTOGRAM || s->kind[i] == SAMPLE_HISTOGRAM_DELTA;
        if (s->kind[i] >= SAMPLE_KINDS || histogram != (s->histogram[i] != BATCH_NONE))
            abort();
        read_series(b, s->series_of[i]);
        if (histogram)
            read_histogram(s, s->histogram[i]);
        sink += (uint64_t)s->unix_ms[i] + (s->value[i] > 0);
    }
    for (uint32_t i = 0; i < s->exemplar_count; i++) {
        read_series(b, s->exemplar_series[i]);
        sink += s->exemplar_trace_hi[i] + s->exemplar_trace_lo[i] + s->exemplar_span_id[i] +
                (uint64_t)s->exemplar_unix_ms[i] + (s->exemplar_value[i] > 0);
    }
}

static void read_text(struct batch_str text)
{
    for (uint32_t i = 0; i < text.length; i++)
        sink += (unsigned char)text.bytes[i];
}

static void walk_marks(const struct batch *b)
{
    for (uint32_t i = 0; i < b->mark_count; i++) {
        const struct batch_mark_view *m = &b->marks[i];
        read_text(m->title);
        read_text(m->text);
        read_text(m->host);
        read_text(m->service);
        sink += m->unix_ns + m->kind;
        if (m->severity >= BATCH_MARK_SEVERITIES)
            abort();
    }
}

static void walk_windows(const struct batch *b)
{
    for (uint32_t i = 0; i < b->window_count; i++) {
        const struct batch_window *w = &b->windows[i];
        read_text(w->host);
        read_text(w->cache);
        read_text(w->protocol);
        if (w->begin_unix_ms < 0 || w->begin_unix_ms >= WINDOW_TIME_LIMIT_MS || w->length_ms <= 0 ||
            w->length_ms >= WINDOW_TIME_LIMIT_MS)
            abort();
        for (int at = 0; at < DISTINCT_REGISTERS; at++)
            sink += w->registers[at];
        for (int kind = 0; kind < WINDOW_KINDS; kind++)
            for (uint32_t k = 0; k < w->lists[kind].count; k++) {
                const struct window_entry *e = &w->lists[kind].entries[k];
                read_text(e->key);
                if (e->key.length > WINDOW_KEY_MOST || e->full_length < e->key.length ||
                    e->full_length > WINDOW_FULL_LENGTH_MOST || e->hash == 0)
                    abort();
                sink += e->calls + e->bytes + e->misses + e->error;
            }
    }
}

static void walk(const struct batch *b)
{
    walk_samples(b);
    walk_marks(b);
    walk_windows(b);
    for (uint32_t i = 0; i < b->string_count; i++)
        read_string(b, i);
    for (uint32_t i = 0; i < b->process_count; i++)
        read_attributes(b, &b->resource, b->processes[i].attribute_first,
                        b->processes[i].attribute_count);
    for (uint32_t i = 0; i < b->loss_count; i++) {
        if (b->losses[i].process != UINT32_MAX && b->losses[i].process >= b->process_count)
            abort();
    }
    for (uint32_t i = 0; i < b->span_count; i++) {
        if (b->process[i] >= b->process_count)
            abort();
        read_string(b, b->name[i]);
        read_string(b, b->status_message[i]);
        read_string(b, b->tracestate[i]);
        sink += b->trace_hi[i] + b->trace_lo[i] + b->span_id[i] + b->parent_id[i] +
                b->start_unix_ns[i] + b->duration_ns[i] + b->kind[i] + b->status[i] + b->flags[i] +
                b->dropped_attributes[i];
        read_attributes(b, &b->attributes, b->attribute_first[i], b->attribute_count[i]);
        read_hanging(b, i);
    }
}

static bool decode_and_walk(const void *bytes, size_t length)
{
    struct arena arena;
    int error;
    arena_init(&arena, 4096);
    const struct batch *batch = batch_decode(&arena, bytes, length, MAX_BYTES, &error);
    if ((batch == NULL) != (error != BATCH_OK))
        abort();
    if (batch)
        walk(batch);
    arena_fini(&arena);
    return batch != NULL;
}

/* ---- a good batch, by script ------------------------------------------------------------- */

static void add_span(struct batch_builder *b, uint8_t operand, uint64_t *counter)
{
    struct batch_span span = {.name = operand % 4u,
                              .trace_id = {1, operand / 16u},
                              .span_id = span_id_mix(++*counter),
                              .parent_id = span_id_mix(*counter - operand % 8u),
                              .start_unix_ns = 1000u * operand,
                              .duration_ns = operand,
                              .status_message = operand % 16u == 7};
    if (operand == 255)
        *counter += 1u << 20; /* another block */
    batch_span_add(b, &span);
}

/* Of one of two series. */
static void add_sample(struct batch_builder *b, uint8_t operand)
{
    struct exphist h;
    exphist_init(&h, 8);
    if (operand & 1) {
        exphist_add(&h, operand - 100.5, operand);
        batch_histogram(b, operand / 2 % 2, operand * 1000, SAMPLE_HISTOGRAM_DELTA, &h);
    } else {
        batch_sample(b, operand / 2 % 2, operand * 1000, SAMPLE_DELTA, operand / 3.0);
    }
    if (operand % 8 == 7)
        batch_exemplar(b, 0, operand, operand, (struct trace_id){operand, 2}, operand);
    exphist_fini(&h);
}

static void add_two_series(struct batch_builder *b)
{
    const uint32_t pairs[] = {1, 2, 3, 1};
    uint32_t metric = batch_metric(b, 1, METRIC_HISTOGRAM, 0, 2);
    batch_series(b, metric, batch_label_set(b, pairs, 2), pairs, 1);
    batch_series(b, metric, BATCH_NONE, pairs, 2);
}

static void add_window(struct batch_builder *b, uint8_t operand)
{
    static const uint8_t registers[DISTINCT_REGISTERS] = {[7] = 3};
    struct window_entry entries[] = {
        {.key = {"ab", operand % 3}, .full_length = 2u + operand, .hash = 1u + operand, .calls = 4},
        {.key = {"user", 4}, .full_length = 4, .calls = operand, .error = 9}};
    struct batch_window w = {.host = {"h", 1},
                             .cache = {"c", 1},
                             .begin_unix_ms = operand,
                             .length_ms = 1 + operand,
                             .registers = registers};
    w.lists[operand % WINDOW_KINDS] = (struct window_list){entries, operand % 3, operand, 1};
    batch_window_add(b, &w);
}

/* Pairs of what to do and with what. */
static void build(struct batch_builder *b, const uint8_t *script, size_t size)
{
    uint64_t counter = 5;
    struct batch_process_info info = {.service = "fuzz", .host = "h"};
    for (int i = 0; i < 4; i++)
        batch_string(b, "abcd", (size_t)i);
    batch_process(b, &info);
    add_two_series(b);
    for (size_t i = 0; i + 2 <= size; i += 2) {
        uint8_t operand = script[i + 1];
        switch (script[i] % 10) {
        case 0:
        case 1:
            add_span(b, operand, &counter);
            break;
        case 2:
            batch_event(b, operand % 4u, 1000u * operand);
            break;
        case 3:
            batch_link(b, (struct trace_id){operand, 1}, operand);
            break;
        case 4:
            batch_loss(b, UINT32_MAX, operand, operand, 0, 1);
            break;
        case 5:
            batch_process_attribute(b, operand % 4u, VALUE_INT, operand);
            break;
        case 6:
            add_sample(b, operand);
            break;
        case 7:
            batch_mark_add(b, &(struct batch_mark){.kind = BATCH_MARK_NOTIFICATION,
                                                   .severity = operand % BATCH_MARK_SEVERITIES,
                                                   .title = operand % 4u,
                                                   .host = operand / 4 % 4u});
            break;
        case 8:
            add_window(b, operand);
            break;
        default:
            batch_attribute(b, operand % 4u, operand % VALUE_TYPES, operand & 1);
        }
    }
}

/* The message inside of an encoded batch, with bytes overwritten: triples of where and what. */
static void damage_and_decode(const struct buffer *encoded, const uint8_t *edits, size_t size)
{
    static uint8_t plain[MAX_BYTES];
    static char compressed[2 * MAX_BYTES];
    size_t length = ZSTD_decompress(plain, sizeof plain, encoded->data, encoded->length);
    if (ZSTD_isError(length))
        abort();
    for (size_t i = 0; i + 3 <= size; i += 3)
        plain[(size_t)(edits[i] | edits[i + 1] << 8) % length] = edits[i + 2];
    length = ZSTD_compress(compressed, sizeof compressed, plain, length, 1);
    decode_and_walk(compressed, length);
}

static void build_and_damage(const uint8_t *data, size_t size)
{
    struct batch_builder *b = batch_builder_create();
    struct buffer encoded = {0};
    size_t half = size / 2;
    if (!b)
        return;
    build(b, data, half);
    if (batch_encode(b, &encoded) < 0 || !decode_and_walk(encoded.data, encoded.length))
        abort();
    damage_and_decode(&encoded, data + half, size - half);
    buffer_fini(&encoded);
    batch_builder_destroy(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char compressed[2 * MAX_BYTES];
    if (size == 0 || size > MAX_BYTES)
        return 0;
    if (data[0] % 3 == 0) {
        decode_and_walk(data + 1, size - 1);
    } else if (data[0] % 3 == 1) {
        size_t length = ZSTD_compress(compressed, sizeof compressed, data + 1, size - 1, 1);
        decode_and_walk(compressed, length);
    } else {
        build_and_damage(data + 1, size - 1);
    }
    return 0;
}
