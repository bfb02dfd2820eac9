// SPDX-License-Identifier: Apache-2.0
/* The choice of an encoding. What can be told from one pass over the column (constant, packed,
 * delta) is computed; the others are tried where a cheap look says that they may be smaller, and
 * kept where they are by a margin that pays for the slower decoding. */
#include <math.h>
#include <stdlib.h>

#include "collector/traces/segment/encoder.h"

enum {
    SAMPLE_MAX = 1024,
    SAMPLE_LEAST = 256,
    SYMBOLS_MAX = 976,
};

struct encoder *encoder_create(void)
{
    struct encoder *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->compressor = compressor_create();
    e->slots = malloc(ENCODER_DISTINCT_MAX * 2 * sizeof *e->slots);
    e->distinct = malloc(ENCODER_DISTINCT_MAX * sizeof *e->distinct);
    if (!e->compressor || !e->slots || !e->distinct)
        encoder_destroy(&e);
    return e;
}

void encoder_destroy(struct encoder **e)
{
    if (!*e)
        return;
    for (int i = 0; i < ENCODER_LEVELS; i++) {
        free((*e)->levels[i].chunks);
        free((*e)->levels[i].zigzag);
        free((*e)->levels[i].a);
        free((*e)->levels[i].b);
    }
    compressor_destroy(&(*e)->compressor);
    free((*e)->slots);
    free((*e)->distinct);
    free(*e);
    *e = NULL;
}

struct compressor *encoder_compressor(struct encoder *e)
{
    return e->compressor;
}

static bool grow_words(uint64_t **words, size_t count)
{
    uint64_t *grown = realloc(*words, count * sizeof *grown);
    if (grown)
        *words = grown;
    return grown != NULL;
}

static bool level_reserve(struct level *l, size_t count)
{
    if (count <= l->capacity)
        return true;
    count += count / 2;
    struct bounds *chunks = realloc(l->chunks, (count / ENCODING_CHUNK + 1) * sizeof *chunks);
    if (!chunks)
        return false;
    l->chunks = chunks;
    if (!grow_words(&l->zigzag, count) || !grow_words(&l->a, count) || !grow_words(&l->b, count))
        return false;
    l->capacity = count;
    return true;
}

/* ---- a look at the column ---------------------------------------------------------------- */

static size_t varint_bytes(uint64_t value)
{
    return (bits_width(value | 1) + 6) / 7;
}

static void survey_deltas(struct survey *s, const uint64_t *values, size_t count)
{
    int64_t min = 0, max = 0;
    if (count > 1)
        min = max = (int64_t)(values[1] - values[0]);
    for (size_t i = 2; i < count; i++) {
        int64_t delta = (int64_t)(values[i] - values[i - 1]);
        min = delta < min ? delta : min;
        max = delta > max ? delta : max;
    }
    s->delta_bytes += 1 + varint_bytes(values[0]) + varint_bytes(zigzag(min)) +
                      bits_bytes(count - 1, bits_width((uint64_t)max - (uint64_t)min));
}

static struct bounds survey_chunk(struct survey *s, const uint64_t *values, size_t count)
{
    uint64_t min = values[0], max = values[0];
    size_t changes = 0;
    for (size_t i = 1; i < count; i++) {
        uint64_t value = values[i];
        min = value < min ? value : min;
        max = value > max ? value : max;
        changes += value != values[i - 1];
    }
    s->runs += changes;
    s->min = min < s->min ? min : s->min;
    s->max = max > s->max ? max : s->max;
    s->packed_bytes += 1 + varint_bytes(min) + bits_bytes(count, bits_width(max - min));
    return (struct bounds){min, max};
}

/* `chunks` has room for a bound a chunk. */
static struct survey survey_column(struct bounds *chunks, const uint64_t *values, size_t count)
{
    struct survey s = {.count = count,
                       .chunks = chunks,
                       .min = UINT64_MAX,
                       .packed_bytes = 1,
                       .delta_bytes = 1,
                       .runs = 1};
    bool deltas = true; /* for as long as they are not larger */
    for (size_t i = 0; i < count; i += ENCODING_CHUNK) {
        size_t n = count - i < ENCODING_CHUNK ? count - i : ENCODING_CHUNK;
        chunks[i / ENCODING_CHUNK] = survey_chunk(&s, values + i, n);
        s.runs += i > 0 && values[i] != values[i - 1];
        if (deltas)
            survey_deltas(&s, values + i, n);
        deltas = deltas && s.delta_bytes < s.packed_bytes + s.packed_bytes / 4;
    }
    if (!deltas)
        s.delta_bytes = SIZE_MAX;
    return s;
}

/* Whether the numbers lie closer together when they are taken as signed ones. */
static bool is_signed(const uint64_t *values, size_t count)
{
    unsigned plain = 0, signed_ = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned width = bits_width(zigzag((int64_t)values[i]));
        plain = bits_width(values[i]) > plain ? bits_width(values[i]) : plain;
        signed_ = width > signed_ ? width : signed_;
    }
    /* A few large ones among small negative ones: what the most would need decides. */
    size_t narrower = 0;
    for (size_t i = 0; i < count; i++)
        narrower += bits_width(zigzag((int64_t)values[i])) + 4 < bits_width(values[i]);
    return signed_ + 1 < plain || narrower * 8 > count;
}

/* The value that more than half have, if there is one (Boyer and Moore's vote). */
static uint64_t vote(const uint64_t *values, size_t count)
{
    uint64_t candidate = values[0];
    size_t lead = 0;
    for (size_t i = 0; i < count; i++) {
        if (values[i] == candidate) {
            lead++;
        } else if (lead == 0) {
            candidate = values[i];
            lead = 1;
        } else {
            lead--;
        }
    }
    return candidate;
}

struct sample {
    uint64_t values[SAMPLE_MAX];
    size_t count;
};

/* Short stretches from all over the column. */
static void take_sample(struct sample *s, const uint64_t *values, size_t count)
{
    enum { STRETCH = 32, SHARE = 8 };
    size_t stretches = count / SHARE / STRETCH;
    s->count = 0;
    if (count <= SAMPLE_LEAST) {
        memcpy(s->values, values, count * sizeof *values);
        s->count = count;
        return;
    }
    if (stretches < SAMPLE_LEAST / STRETCH)
        stretches = SAMPLE_LEAST / STRETCH;
    if (stretches > SAMPLE_MAX / STRETCH)
        stretches = SAMPLE_MAX / STRETCH;
    for (size_t i = 0; i < stretches; i++) {
        size_t at = (count - STRETCH) * i / (stretches - 1);
        memcpy(s->values + s->count, values + at, STRETCH * sizeof *values);
        s->count += STRETCH;
    }
}

/* Bits a value by the frequencies in a sample of `n`; a sample shows too little variety. */
static double entropy_bits(const uint32_t *counts, size_t slots, size_t n)
{
    double sum = 0;
    size_t distinct = 0;
    for (size_t i = 0; i < slots; i++) {
        if (counts[i] == 0)
            continue;
        distinct++;
        sum += counts[i] * log2(counts[i]);
    }
    return log2((double)n) - sum / (double)n + (double)(distinct - 1) / (1.386 * (double)n);
}

/* How many bits below the leading one should be in the symbol, and what a value costs then.
 * 64 and more bits mean: not at all. */
static double estimate_rounded(const struct survey *s, const struct sample *sample, unsigned *best)
{
    uint32_t counts[SYMBOLS_MAX] = {0};
    double least = 65;
    for (size_t i = 0; i < sample->count; i++)
        counts[encoding_round(sample->values[i], ENCODING_ROUNDED_BITS_MAX)]++;
    for (unsigned sub = ENCODING_ROUNDED_BITS_MAX + 1; sub-- > 0;) {
        uint32_t folded[SYMBOLS_MAX] = {0};
        uint64_t follow = 0;
        for (unsigned i = 0; i < SYMBOLS_MAX; i++) {
            unsigned rest;
            if (counts[i] == 0)
                continue;
            uint64_t value = encoding_unround(i, ENCODING_ROUNDED_BITS_MAX, &rest);
            unsigned symbol = encoding_round(value, sub);
            encoding_unround(symbol, sub, &rest);
            folded[symbol] += counts[i];
            follow += (uint64_t)rest * counts[i];
        }
        if (encoding_round(s->max, sub) - encoding_round(s->min, sub) >= ENCODER_BYTE_VALUES)
            continue;
        double bits = entropy_bits(folded, encoding_symbols(sub), sample->count) +
                      (double)follow / (double)sample->count;
        if (bits < least) {
            least = bits;
            *best = sub;
        }
    }
    return least;
}

/* Bits a value with a dictionary, by a sample. */
static double estimate_dictionary(struct encoder *e, const struct survey *s,
                                  const struct sample *sample)
{
    uint64_t code[SAMPLE_MAX];
    uint32_t counts[SAMPLE_MAX];
    size_t distinct =
        encoder_distinct(e, sample->values, sample->count, sample->count / 2 + 1, code);
    if (distinct == 0)
        return 65;
    for (size_t i = 0; i < distinct; i++)
        counts[i] = e->distinct[i].count;
    double width = bits_width(s->max - s->min);
    return entropy_bits(counts, distinct, sample->count) +
           (double)distinct * width / (double)s->count;
}

/* ---- the choice -------------------------------------------------------------------------- */

/* [begin, middle) and [middle, the end) are the same column: keeps the second if it is smaller by
 * a thirty-second at least. */
static void keep_smaller(struct column *out, size_t begin, size_t middle)
{
    size_t first = middle - begin, second = out->length - middle;
    if (out->failed || second + second / 32 >= first) {
        out->length = middle;
        return;
    }
    memmove(out->bytes + begin, out->bytes + middle, second);
    out->length = begin + second;
}

static void try_columns(struct encoder *e, struct survey *s, const uint64_t *values, size_t begin,
                        struct column *out)
{
    size_t middle = out->length;
    if (s->runs * 4 < s->count) {
        encoder_put_runs(e, s, values, out);
        keep_smaller(out, begin, middle);
    }
    if (s->runs * 2 > s->count)
        return;
    s->common = vote(values, s->count);
    size_t same = 0;
    for (size_t i = 0; i < s->count; i++)
        same += values[i] == s->common;
    middle = out->length;
    if (same > s->count - s->count / 8) {
        encoder_put_sparse(e, s, values, out);
        keep_smaller(out, begin, middle);
    }
}

static void try_sampled(struct encoder *e, const struct survey *s, unsigned depth,
                        const uint64_t *values, size_t begin, struct column *out)
{
    enum { WORTH = 32 };
    struct sample sample;
    unsigned sub = 0;
    double now = (double)(out->length - begin) * 8 / (double)s->count;
    if (out->length - begin < WORTH || s->max - s->min < 16)
        return;
    take_sample(&sample, values, s->count);
    size_t middle = out->length;
    double rounded = estimate_rounded(s, &sample, &sub);
    if (rounded < now * 0.97 && encoder_put_rounded(e, s, sub, values, out))
        keep_smaller(out, begin, middle);
    if (depth > 0 || s->max - s->min < ENCODER_BYTE_VALUES)
        return;
    middle = out->length;
    now = (double)(out->length - begin) * 8 / (double)s->count;
    if (estimate_dictionary(e, s, &sample) < now * 0.95 &&
        encoder_put_dictionary(e, s, values, out))
        keep_smaller(out, begin, middle);
}

static void put_best(struct encoder *e, unsigned depth, struct survey *s, const uint64_t *values,
                     struct column *out)
{
    enum { BYTES_LEAST = 16 };
    size_t begin = out->length;
    if (s->min == s->max) {
        encoder_put_constant(s->min, out);
        return;
    }
    encoder_put_chunks(s->delta_bytes < s->packed_bytes ? ENCODING_DELTA : ENCODING_PACKED, s,
                       values, out);
    if (depth == 0)
        try_columns(e, s, values, begin, out);
    size_t middle = out->length;
    if (middle - begin > BYTES_LEAST && encoder_put_bytes(e, s, values, out))
        keep_smaller(out, begin, middle);
    try_sampled(e, s, depth, values, begin, out);
}

static void put_column(struct encoder *e, unsigned depth, const uint64_t *values, size_t count,
                       struct column *out)
{
    struct level *l = &e->levels[depth];
    size_t begin = out->length;
    if (count == 0 || out->failed)
        return;
    if (!level_reserve(l, count)) {
        out->failed = true;
        return;
    }
    struct survey s = survey_column(l->chunks, values, count);
    bool flip = s.max >> 63 && is_signed(values, count);
    if (flip) {
        for (size_t i = 0; i < count; i++)
            l->zigzag[i] = zigzag((int64_t)values[i]);
        values = l->zigzag;
        s = survey_column(l->chunks, values, count);
    }
    put_best(e, depth, &s, values, out);
    if (flip && !out->failed)
        out->bytes[begin] |= ENCODING_ZIGZAG;
}

void encoder_put_inner(struct encoder *e, const uint64_t *values, size_t count, struct column *out)
{
    put_column(e, 1, values, count, out);
}

void encoding_put(struct encoder *e, const uint64_t *values, size_t count, struct column *out)
{
    put_column(e, 0, values, count, out);
}

bool encoding_put_as(struct encoder *e, enum encoding encoding, const uint64_t *values,
                     size_t count, struct column *out)
{
    if (count == 0)
        return true;
    if (!level_reserve(&e->levels[0], count)) {
        out->failed = true;
        return false;
    }
    struct survey s = survey_column(e->levels[0].chunks, values, count);
    s.common = vote(values, count);
    switch (encoding) {
    case ENCODING_CONSTANT:
        if (s.min == s.max)
            encoder_put_constant(s.min, out);
        return s.min == s.max;
    case ENCODING_PACKED:
    case ENCODING_DELTA:
        encoder_put_chunks(encoding, &s, values, out);
        return true;
    case ENCODING_RUNS:
        encoder_put_runs(e, &s, values, out);
        return true;
    case ENCODING_BYTES:
        return encoder_put_bytes(e, &s, values, out);
    case ENCODING_ROUNDED:
        return encoder_put_rounded(e, &s, 0, values, out);
    case ENCODING_SPARSE:
        encoder_put_sparse(e, &s, values, out);
        return true;
    case ENCODING_DICTIONARY:
        return encoder_put_dictionary(e, &s, values, out);
    case ENCODINGS:
        break;
    }
    return false;
}
