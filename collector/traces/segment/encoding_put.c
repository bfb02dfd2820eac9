// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "collector/hash.h"
#include "collector/traces/segment/encoder.h"

/* ---- constant, packed, delta ------------------------------------------------------------- */

static void put_tag(struct column *out, enum encoding encoding)
{
    column_put_fixed(out, encoding, 1);
}

void encoder_put_constant(uint64_t value, struct column *out)
{
    put_tag(out, ENCODING_CONSTANT);
    column_put(out, value);
}

/* Appends `count` numbers of a chunk, less `base`. */
static void put_bits(const uint64_t *values, size_t count, uint64_t base, unsigned width,
                     struct column *out)
{
    if (!column_reserve(out, bits_bytes(count, width) + 8))
        return;
    bits_pack(out->bytes + out->length, values, count, base, width);
    out->length += bits_bytes(count, width);
}

static void put_packed_chunk(const uint64_t *values, size_t count, struct bounds bounds,
                             struct column *out)
{
    unsigned width = bits_width(bounds.max - bounds.min);
    column_put_fixed(out, width, 1);
    column_put(out, bounds.min);
    put_bits(values, count, bounds.min, width, out);
}

static void put_delta_chunk(const uint64_t *values, size_t count, struct column *out)
{
    uint64_t deltas[ENCODING_CHUNK];
    int64_t min = 0, max = 0;
    for (size_t i = 1; i < count; i++) {
        int64_t delta = (int64_t)(values[i] - values[i - 1]);
        min = i == 1 || delta < min ? delta : min;
        max = i == 1 || delta > max ? delta : max;
        deltas[i - 1] = (uint64_t)delta;
    }
    unsigned width = bits_width((uint64_t)max - (uint64_t)min);
    column_put_fixed(out, width, 1);
    column_put(out, values[0]);
    column_put_signed(out, min);
    put_bits(deltas, count - 1, (uint64_t)min, width, out);
}

void encoder_put_chunks(enum encoding encoding, const struct survey *s, const uint64_t *values,
                        struct column *out)
{
    size_t count = s->count;
    put_tag(out, encoding);
    for (size_t i = 0; i < count; i += ENCODING_CHUNK) {
        size_t n = count - i < ENCODING_CHUNK ? count - i : ENCODING_CHUNK;
        if (encoding == ENCODING_PACKED)
            put_packed_chunk(values + i, n, s->chunks[i / ENCODING_CHUNK], out);
        else
            put_delta_chunk(values + i, n, out);
    }
}

/* ---- bytes and rounded ------------------------------------------------------------------- */

static size_t piece_at(size_t at, size_t count)
{
    return count - at < ENCODING_PIECE ? count - at : ENCODING_PIECE;
}

bool encoder_put_bytes(struct encoder *e, const struct survey *s, const uint64_t *values,
                       struct column *out)
{
    uint8_t symbols[ENCODING_PIECE];
    if (s->max - s->min >= ENCODER_BYTE_VALUES)
        return false;
    put_tag(out, ENCODING_BYTES);
    column_put(out, s->min);
    for (size_t at = 0; at < s->count; at += ENCODING_PIECE) {
        size_t n = piece_at(at, s->count);
        for (size_t i = 0; i < n; i++)
            symbols[i] = (uint8_t)(values[at + i] - s->min);
        compressed_put(e->compressor, symbols, n, COMPRESS_ENTROPY | COMPRESS_MATCHES, out);
    }
    return true;
}

/* The bits that follow the symbols of a piece, with their length in bytes before them. */
static void put_rest(const uint64_t *values, size_t count, unsigned sub, struct column *out)
{
    size_t follow = 0;
    unsigned rest;
    for (size_t i = 0; i < count; i++) {
        encoding_unround(encoding_round(values[i], sub), sub, &rest);
        follow += rest;
    }
    column_put(out, (follow + 7) / 8);
    if (!column_reserve(out, follow / 8 + 9))
        return;
    struct bits_writer w = {.to = out->bytes + out->length};
    for (size_t i = 0; i < count; i++) {
        uint64_t least = encoding_unround(encoding_round(values[i], sub), sub, &rest);
        bits_write(&w, values[i] - least, rest);
    }
    out->length = (size_t)(bits_finish(&w) - out->bytes);
}

bool encoder_put_rounded(struct encoder *e, const struct survey *s, unsigned sub,
                         const uint64_t *values, struct column *out)
{
    uint8_t symbols[ENCODING_PIECE];
    unsigned first = encoding_round(s->min, sub);
    if (encoding_round(s->max, sub) - first >= ENCODER_BYTE_VALUES)
        return false;
    put_tag(out, ENCODING_ROUNDED);
    column_put_fixed(out, sub, 1);
    column_put(out, first);
    for (size_t at = 0; at < s->count; at += ENCODING_PIECE) {
        size_t n = piece_at(at, s->count);
        for (size_t i = 0; i < n; i++)
            symbols[i] = (uint8_t)(encoding_round(values[at + i], sub) - first);
        compressed_put(e->compressor, symbols, n, COMPRESS_ENTROPY, out);
        put_rest(values + at, n, sub, out);
    }
    return true;
}

/* ---- columns of columns ------------------------------------------------------------------ */

/* A column with its length before it. */
static void put_part(struct encoder *e, const uint64_t *values, size_t count, struct column *out)
{
    size_t begin = out->length;
    column_put_fixed(out, 0, sizeof(uint32_t));
    encoder_put_inner(e, values, count, out);
    if (out->failed)
        return;
    uint32_t length = htole32((uint32_t)(out->length - begin - sizeof length));
    memcpy(out->bytes + begin, &length, sizeof length);
}

void encoder_put_runs(struct encoder *e, const struct survey *s, const uint64_t *values,
                      struct column *out)
{
    uint64_t *run = e->levels[0].a, *more = e->levels[0].b;
    size_t runs = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (i == 0 || values[i] != values[i - 1]) {
            run[runs] = values[i];
            more[runs++] = 0;
        } else {
            more[runs - 1]++;
        }
    }
    put_tag(out, ENCODING_RUNS);
    column_put(out, runs);
    put_part(e, run, runs, out);
    encoder_put_inner(e, more, runs, out);
}

void encoder_put_sparse(struct encoder *e, const struct survey *s, const uint64_t *values,
                        struct column *out)
{
    uint64_t common = s->common;
    uint64_t *gap = e->levels[0].a, *other = e->levels[0].b;
    size_t count = 0, next = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (values[i] == common)
            continue;
        gap[count] = i - next;
        other[count++] = values[i];
        next = i + 1;
    }
    put_tag(out, ENCODING_SPARSE);
    column_put(out, common);
    column_put(out, count);
    put_part(e, gap, count, out);
    encoder_put_inner(e, other, count, out);
}

/* ---- dictionary -------------------------------------------------------------------------- */

static size_t slot_of(uint64_t value, size_t slots)
{
    return (size_t)hash_words(value, slots) & (slots - 1);
}

/* Counts distinct values; 0 if there are more than `most`. `code[i]` is then the place of value i
 * in e->distinct. */
size_t encoder_distinct(struct encoder *e, const uint64_t *values, size_t count, size_t most,
                        uint64_t *code)
{
    size_t slots = 16, distinct = 0;
    while (slots < most * 2)
        slots *= 2;
    memset(e->slots, 0, slots * sizeof *e->slots);
    for (size_t i = 0; i < count; i++) {
        size_t at = slot_of(values[i], slots);
        while (e->slots[at] && e->distinct[e->slots[at] - 1].value != values[i])
            at = (at + 1) & (slots - 1);
        if (e->slots[at] == 0) {
            if (distinct == most)
                return 0;
            e->distinct[distinct] = (struct distinct){values[i], 0, (uint32_t)distinct};
            e->slots[at] = (uint32_t)++distinct;
        }
        e->distinct[e->slots[at] - 1].count++;
        code[i] = e->slots[at] - 1;
    }
    return distinct;
}

static int by_falling_count(const void *a, const void *b)
{
    const struct distinct *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->value > y->value) - (x->value < y->value);
}

bool encoder_put_dictionary(struct encoder *e, const struct survey *s, const uint64_t *values,
                            struct column *out)
{
    uint64_t *code = e->levels[0].a, *list = e->levels[0].b;
    size_t most = s->count / 2 + 1;
    most = most < ENCODER_DISTINCT_MAX ? most : ENCODER_DISTINCT_MAX;
    size_t distinct = encoder_distinct(e, values, s->count, most, code);
    if (distinct == 0)
        return false;
    qsort(e->distinct, distinct, sizeof *e->distinct, by_falling_count);
    for (size_t i = 0; i < distinct; i++) {
        list[i] = e->distinct[i].value;
        e->slots[e->distinct[i].code] = (uint32_t)i;
    }
    for (size_t i = 0; i < s->count; i++)
        code[i] = e->slots[code[i]];
    put_tag(out, ENCODING_DICTIONARY);
    column_put(out, distinct);
    put_part(e, list, distinct, out);
    encoder_put_inner(e, code, s->count, out);
    return true;
}
