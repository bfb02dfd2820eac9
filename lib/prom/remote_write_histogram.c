// SPDX-License-Identifier: Apache-2.0
/* prometheus.Histogram: spans of bucket indices, and counts that are whole (as differences) or
 * floating. */
#include <math.h>

#include "lib/prom/remote_write_internal.h"

/* Field numbers of prometheus.Histogram. Those of negative buckets are 3 less. */
enum {
    HISTOGRAM_COUNT_INT = 1,
    HISTOGRAM_COUNT_FLOAT = 2,
    HISTOGRAM_SUM = 3,
    HISTOGRAM_SCHEMA = 4,
    HISTOGRAM_ZERO_THRESHOLD = 5,
    HISTOGRAM_ZERO_COUNT_INT = 6,
    HISTOGRAM_ZERO_COUNT_FLOAT = 7,
    HISTOGRAM_NEGATIVE_SPANS = 8,
    HISTOGRAM_POSITIVE_SPANS = 11,
    HISTOGRAM_RESET_HINT = 14,
    HISTOGRAM_TIMESTAMP = 15,
    HISTOGRAM_CUSTOM_VALUES = 16,
};
enum { BUCKETS_MAX = 1 << 16 };

/* A packed field, or one of the single values that mean the same. Growing as they come: packed ones
 * come whole. */
struct numbers {
    uint64_t *items;
    uint32_t count, capacity;
};

static void add_number(struct remote_decoder *d, struct numbers *n, uint64_t value)
{
    if (n->count == n->capacity) {
        uint32_t capacity = n->capacity ? 2 * n->capacity : 16;
        uint64_t *items = arena_alloc(d->arena, capacity * sizeof *items);
        if (!items || capacity > 2 * BUCKETS_MAX) {
            remote_write_fail(d, items ? REMOTE_WRITE_EHISTOGRAM : REMOTE_WRITE_ENOMEM);
            return;
        }
        if (n->count)
            memcpy(items, n->items, n->count * sizeof *items);
        n->items = items;
        n->capacity = capacity;
    }
    n->items[n->count++] = value;
}

static void add_numbers(struct remote_decoder *d, struct numbers *n, const struct wire_field *f,
                        bool fixed)
{
    if (f->type != WIRE_BYTES) {
        add_number(d, n, f->value);
        return;
    }
    struct wire w = f->bytes;
    while (w.next < w.end && !d->error)
        add_number(d, n, fixed ? wire_fixed64(&w) : wire_varint(&w));
    remote_write_finish(d, &w);
}

/* ---- buckets ----------------------------------------------------------------------------- */

/* The buckets of one sign, as they come. */
struct given {
    struct numbers offsets, lengths; /* of spans */
    struct numbers deltas;           /* of whole counts */
    struct numbers counts;           /* floating ones */
};

static void add_span(struct remote_decoder *d, struct given *g, struct wire w)
{
    struct wire_field f;
    uint64_t offset = 0, length = 0;
    while (wire_next(&w, &f)) {
        if (f.number == 1 && f.type == WIRE_VARINT)
            offset = f.value;
        else if (f.number == 2 && f.type == WIRE_VARINT)
            length = f.value;
    }
    remote_write_finish(d, &w);
    add_number(d, &g->offsets, offset);
    add_number(d, &g->lengths, length);
}

/* Indices, from spans: each begins so many buckets behind the end of the one before. */
static uint32_t put_indices(struct remote_decoder *d, const struct given *g, uint32_t buckets,
                            int32_t *index)
{
    int64_t at = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->offsets.count; i++) {
        int64_t offset = wire_zigzag(g->offsets.items[i]);
        uint64_t length = g->lengths.items[i];
        if ((i > 0 && offset < 0) || offset < INT32_MIN || offset > INT32_MAX ||
            length > buckets - n || at + offset + (int64_t)length > INT32_MAX ||
            at + offset < INT32_MIN) {
            remote_write_fail(d, REMOTE_WRITE_EHISTOGRAM);
            return 0;
        }
        at += offset;
        for (uint64_t k = 0; k < length; k++)
            index[n++] = (int32_t)at++;
    }
    return n;
}

static struct histogram_buckets put_buckets(struct remote_decoder *d, const struct given *g)
{
    bool whole = g->deltas.count > 0;
    uint32_t buckets = whole ? g->deltas.count : g->counts.count;
    int32_t *index = arena_alloc(d->arena, buckets * sizeof *index);
    double *value = arena_alloc(d->arena, buckets * sizeof *value);
    if (!index || !value) {
        remote_write_fail(d, REMOTE_WRITE_ENOMEM);
        return (struct histogram_buckets){0};
    }
    if (put_indices(d, g, buckets, index) != buckets)
        remote_write_fail(d, REMOTE_WRITE_EHISTOGRAM);
    uint64_t count = 0;
    for (uint32_t i = 0; i < buckets; i++) {
        if (whole)
            count += (uint64_t)wire_zigzag(g->deltas.items[i]);
        value[i] = whole ? (double)(int64_t)count : number_of_bits(g->counts.items[i]);
    }
    return (struct histogram_buckets){buckets, index, value};
}

static void take_buckets(struct remote_decoder *d, struct given *g, uint32_t place,
                         const struct wire_field *f)
{
    if (place == 0 && f->type == WIRE_BYTES)
        add_span(d, g, f->bytes);
    else if (place == 1)
        add_numbers(d, &g->deltas, f, false);
    else if (place == 2)
        add_numbers(d, &g->counts, f, true);
}

/* ---- the message ------------------------------------------------------------------------- */

static void take_scalar(struct histogram *h, const struct wire_field *f, int64_t *unix_ms)
{
    switch (f->number) {
    case HISTOGRAM_COUNT_INT:
        h->count = (double)f->value;
        break;
    case HISTOGRAM_COUNT_FLOAT:
        h->count = number_of_bits(f->value);
        break;
    case HISTOGRAM_SUM:
        h->sum = number_of_bits(f->value);
        break;
    case HISTOGRAM_SCHEMA: {
        int64_t schema = wire_zigzag(f->value);
        h->schema = (int8_t)(schema >= INT8_MIN && schema <= INT8_MAX ? schema : INT8_MIN);
        break;
    }
    case HISTOGRAM_ZERO_THRESHOLD:
        h->zero_threshold = number_of_bits(f->value);
        break;
    case HISTOGRAM_ZERO_COUNT_INT:
        h->zero_count = (double)f->value;
        break;
    case HISTOGRAM_ZERO_COUNT_FLOAT:
        h->zero_count = number_of_bits(f->value);
        break;
    case HISTOGRAM_RESET_HINT:
        h->reset = (uint8_t)(f->value <= HISTOGRAM_GAUGE ? f->value : HISTOGRAM_RESET_UNKNOWN);
        break;
    case HISTOGRAM_TIMESTAMP:
        *unix_ms = (int64_t)f->value;
        break;
    default:
        break;
    }
}

static void put_custom(struct remote_decoder *d, struct histogram *h, const struct numbers *bounds)
{
    double *custom = arena_alloc(d->arena, bounds->count * sizeof *custom);
    if (!custom) {
        remote_write_fail(d, REMOTE_WRITE_ENOMEM);
        return;
    }
    for (uint32_t i = 0; i < bounds->count; i++) {
        custom[i] = number_of_bits(bounds->items[i]);
        if (!isfinite(custom[i]) || (i > 0 && custom[i] <= custom[i - 1]))
            remote_write_fail(d, REMOTE_WRITE_EHISTOGRAM);
    }
    h->custom = custom;
    h->custom_count = bounds->count;
}

static bool is_histogram(const struct histogram *h)
{
    if (histogram_is_custom(h)) {
        const struct histogram_buckets *b = &h->positive;
        return h->negative.count == 0 && h->zero_count == 0 &&
               (b->count == 0 ||
                (b->index[0] >= 0 && (uint32_t)b->index[b->count - 1] <= h->custom_count));
    }
    return h->custom_count == 0 && h->schema >= HISTOGRAM_SCHEMA_LEAST &&
           h->schema <= HISTOGRAM_SCHEMA_MOST;
}

void remote_write_histogram(struct remote_decoder *d, struct wire w)
{
    struct wire_field f;
    struct given positive = {0}, negative = {0};
    struct numbers bounds = {0};
    uint32_t at = d->out->histogram_count++;
    struct histogram *h = &d->out->histograms[at];
    int64_t unix_ms = 0;
    while (wire_next(&w, &f) && !d->error) {
        if (f.number - HISTOGRAM_POSITIVE_SPANS < 3)
            take_buckets(d, &positive, f.number - HISTOGRAM_POSITIVE_SPANS, &f);
        else if (f.number - HISTOGRAM_NEGATIVE_SPANS < 3)
            take_buckets(d, &negative, f.number - HISTOGRAM_NEGATIVE_SPANS, &f);
        else if (f.number == HISTOGRAM_CUSTOM_VALUES)
            add_numbers(d, &bounds, &f, true);
        else
            take_scalar(h, &f, &unix_ms);
    }
    remote_write_finish(d, &w);
    if (d->error)
        return;
    h->positive = put_buckets(d, &positive);
    h->negative = put_buckets(d, &negative);
    put_custom(d, h, &bounds);
    d->out->histogram_unix_ms[at] = unix_ms;
    if (!d->error && !is_histogram(h))
        remote_write_fail(d, REMOTE_WRITE_EHISTOGRAM);
}
