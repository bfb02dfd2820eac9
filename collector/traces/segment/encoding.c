// SPDX-License-Identifier: Apache-2.0
/* The choice of an encoding. What can be told from one pass over the column (constant, packed,
 * delta) is computed; the others are tried where a cheap look says that they may be smaller, and
 * kept where they are by a margin that pays for the slower decoding. */
#include "collector/traces/segment/encoding.h"

#include <math.h>
#include <stdlib.h>

#include "collector/hash.h"

enum {
    LEVELS = 2, /* columns, and columns that are part of one */
    SAMPLE_MAX = 1024,
    SAMPLE_LEAST = 256,
    SAMPLE_SLOTS = 2048,
    DISTINCT_MAX = 16384,
    SYMBOLS_MAX = 976,
    BYTE_VALUES = 256,
};

/* Of a chunk. */
struct bounds {
    uint64_t min, max;
};

/* What one level needs besides the column that it was given. */
struct level {
    struct bounds *chunks;
    uint64_t *zigzag, *a, *b;
    size_t capacity;
};

struct encoder {
    struct compressor *compressor;
    struct level levels[LEVELS];
    uint8_t *symbols;
    size_t symbol_capacity;
    uint32_t *slots; /* of the dictionary's hash table */
    struct distinct *distinct;
};

struct distinct {
    uint64_t value;
    uint32_t count, code;
};

/* What one pass over a column tells. */
struct survey {
    size_t count;
    struct bounds *chunks;
    uint64_t min, max;
    size_t packed_bytes, delta_bytes; /* the whole column so encoded */
    size_t runs;
    uint64_t common; /* the most frequent, if one has more than half */
};

struct encoder *encoder_create(void)
{
    struct encoder *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->compressor = compressor_create();
    e->slots = malloc(DISTINCT_MAX * 2 * sizeof *e->slots);
    e->distinct = malloc(DISTINCT_MAX * sizeof *e->distinct);
    if (!e->compressor || !e->slots || !e->distinct)
        encoder_destroy(&e);
    return e;
}

void encoder_destroy(struct encoder **e)
{
    if (!*e)
        return;
    for (int i = 0; i < LEVELS; i++) {
        free((*e)->levels[i].chunks);
        free((*e)->levels[i].zigzag);
        free((*e)->levels[i].a);
        free((*e)->levels[i].b);
    }
    compressor_destroy(&(*e)->compressor);
    free((*e)->symbols);
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

static bool symbols_reserve(struct encoder *e, size_t count)
{
    if (count <= e->symbol_capacity)
        return true;
    count += count / 2;
    uint8_t *grown = realloc(e->symbols, count);
    if (!grown)
        return false;
    e->symbols = grown;
    e->symbol_capacity = count;
    return true;
}

/* ---- a look at the column ---------------------------------------------------------------- */

static size_t varint_bytes(uint64_t value)
{
    return (bits_width(value | 1) + 6) / 7;
}

static struct bounds survey_chunk(struct survey *s, const uint64_t *values, size_t count)
{
    uint64_t min = values[0], max = values[0];
    int64_t delta_min = 0, delta_max = 0;
    size_t changes = 0;
    if (count > 1)
        delta_min = delta_max = (int64_t)(values[1] - values[0]);
    for (size_t i = 1; i < count; i++) {
        uint64_t value = values[i];
        int64_t delta = (int64_t)(value - values[i - 1]);
        min = value < min ? value : min;
        max = value > max ? value : max;
        delta_min = delta < delta_min ? delta : delta_min;
        delta_max = delta > delta_max ? delta : delta_max;
        changes += delta != 0;
    }
    s->runs += changes;
    s->min = min < s->min ? min : s->min;
    s->max = max > s->max ? max : s->max;
    s->packed_bytes += 1 + varint_bytes(min) + bits_bytes(count, bits_width(max - min));
    s->delta_bytes += 1 + varint_bytes(values[0]) + varint_bytes(zigzag(delta_min)) +
                      bits_bytes(count - 1, bits_width((uint64_t)delta_max - (uint64_t)delta_min));
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
    for (size_t i = 0; i < count; i += ENCODING_CHUNK) {
        size_t n = count - i < ENCODING_CHUNK ? count - i : ENCODING_CHUNK;
        chunks[i / ENCODING_CHUNK] = survey_chunk(&s, values + i, n);
        s.runs += i > 0 && values[i] != values[i - 1];
    }
    return s;
}

/* Whether the numbers lie closer together when they are taken as signed ones. */
static bool is_signed(const uint64_t *values, size_t count)
{
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++)
        all |= values[i];
    if (all >> 63 == 0)
        return false;
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

/* ---- constant, packed, delta ------------------------------------------------------------- */

static void put_tag(struct column *out, enum encoding encoding)
{
    column_put_fixed(out, encoding, 1);
}

static void put_constant(uint64_t value, struct column *out)
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

static void put_chunks(enum encoding encoding, const struct survey *s, const uint64_t *values,
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

static bool put_bytes(struct encoder *e, const struct survey *s, const uint64_t *values,
                      struct column *out)
{
    if (s->max - s->min >= BYTE_VALUES)
        return false;
    if (!symbols_reserve(e, s->count)) {
        out->failed = true;
        return false;
    }
    for (size_t i = 0; i < s->count; i++)
        e->symbols[i] = (uint8_t)(values[i] - s->min);
    put_tag(out, ENCODING_BYTES);
    column_put(out, s->min);
    compressed_put(e->compressor, e->symbols, s->count, COMPRESS_ENTROPY | COMPRESS_MATCHES, out);
    return true;
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
        if (encoding_round(s->max, sub) - encoding_round(s->min, sub) >= BYTE_VALUES)
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

static bool put_rounded(struct encoder *e, const struct survey *s, unsigned sub,
                        const uint64_t *values, struct column *out)
{
    unsigned first = encoding_round(s->min, sub), rest;
    size_t follow = 0;
    if (encoding_round(s->max, sub) - first >= BYTE_VALUES)
        return false;
    if (!symbols_reserve(e, s->count)) {
        out->failed = true;
        return false;
    }
    for (size_t i = 0; i < s->count; i++) {
        unsigned symbol = encoding_round(values[i], sub);
        e->symbols[i] = (uint8_t)(symbol - first);
        follow += symbol >> sub ? (symbol >> sub) - 1 : 0;
    }
    put_tag(out, ENCODING_ROUNDED);
    column_put_fixed(out, sub, 1);
    column_put(out, first);
    compressed_put(e->compressor, e->symbols, s->count, COMPRESS_ENTROPY, out);
    if (!column_reserve(out, follow / 8 + 9))
        return true;
    struct bits_writer w = {.to = out->bytes + out->length};
    for (size_t i = 0; i < s->count; i++) {
        uint64_t least = encoding_unround(e->symbols[i] + first, sub, &rest);
        bits_write(&w, values[i] - least, rest);
    }
    out->length = (size_t)(bits_finish(&w) - out->bytes);
    return true;
}

/* ---- columns of columns ------------------------------------------------------------------ */

static void put_column(struct encoder *e, unsigned depth, const uint64_t *values, size_t count,
                       struct column *out);

/* A column with its length before it. */
static void put_part(struct encoder *e, const uint64_t *values, size_t count, struct column *out)
{
    size_t begin = out->length;
    column_put_fixed(out, 0, sizeof(uint32_t));
    put_column(e, 1, values, count, out);
    if (out->failed)
        return;
    uint32_t length = htole32((uint32_t)(out->length - begin - sizeof length));
    memcpy(out->bytes + begin, &length, sizeof length);
}

static bool level_is_ready(struct encoder *e, size_t count, struct column *out)
{
    if (!level_reserve(&e->levels[0], count))
        out->failed = true;
    return !out->failed;
}

static bool put_runs(struct encoder *e, const struct survey *s, const uint64_t *values,
                     struct column *out)
{
    if (!level_is_ready(e, s->count, out))
        return false;
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
    put_column(e, 1, more, runs, out);
    return true;
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

static bool put_sparse(struct encoder *e, const struct survey *s, const uint64_t *values,
                       struct column *out)
{
    uint64_t common = s->common;
    if (!level_is_ready(e, s->count, out))
        return false;
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
    put_column(e, 1, other, count, out);
    return true;
}

/* ---- dictionary -------------------------------------------------------------------------- */

static size_t slot_of(uint64_t value, size_t slots)
{
    return (size_t)hash_words(value, slots) & (slots - 1);
}

/* Counts distinct values; 0 if there are more than `most`. `code[i]` is then the place of value i
 * in e->distinct. */
static size_t find_distinct(struct encoder *e, const uint64_t *values, size_t count, size_t most,
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

static bool put_dictionary(struct encoder *e, const struct survey *s, const uint64_t *values,
                           struct column *out)
{
    if (!level_is_ready(e, s->count, out))
        return false;
    uint64_t *code = e->levels[0].a, *list = e->levels[0].b;
    size_t most = s->count / 2 + 1;
    most = most < DISTINCT_MAX ? most : DISTINCT_MAX;
    size_t distinct = find_distinct(e, values, s->count, most, code);
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
    put_column(e, 1, code, s->count, out);
    return true;
}

/* Bits a value with a dictionary, by a sample. */
static double estimate_dictionary(struct encoder *e, const struct survey *s,
                                  const struct sample *sample)
{
    uint64_t code[SAMPLE_MAX];
    uint32_t counts[SAMPLE_MAX];
    size_t distinct = find_distinct(e, sample->values, sample->count, sample->count / 2 + 1, code);
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
    if (s->runs * 4 < s->count && put_runs(e, s, values, out))
        keep_smaller(out, begin, middle);
    if (s->runs * 2 > s->count)
        return;
    s->common = vote(values, s->count);
    size_t same = 0;
    for (size_t i = 0; i < s->count; i++)
        same += values[i] == s->common;
    middle = out->length;
    if (same > s->count - s->count / 8 && put_sparse(e, s, values, out))
        keep_smaller(out, begin, middle);
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
    if (rounded < now * 0.97 && put_rounded(e, s, sub, values, out))
        keep_smaller(out, begin, middle);
    if (depth > 0 || s->max - s->min < BYTE_VALUES)
        return;
    middle = out->length;
    now = (double)(out->length - begin) * 8 / (double)s->count;
    if (estimate_dictionary(e, s, &sample) < now * 0.95 && put_dictionary(e, s, values, out))
        keep_smaller(out, begin, middle);
}

static void put_best(struct encoder *e, unsigned depth, const uint64_t *values, size_t count,
                     struct column *out)
{
    enum { BYTES_LEAST = 16 };
    struct survey s = survey_column(e->levels[depth].chunks, values, count);
    size_t begin = out->length;
    if (s.min == s.max) {
        put_constant(s.min, out);
        return;
    }
    put_chunks(s.delta_bytes < s.packed_bytes ? ENCODING_DELTA : ENCODING_PACKED, &s, values, out);
    if (depth == 0)
        try_columns(e, &s, values, begin, out);
    size_t middle = out->length;
    if (middle - begin > BYTES_LEAST && put_bytes(e, &s, values, out))
        keep_smaller(out, begin, middle);
    try_sampled(e, &s, depth, values, begin, out);
}

static void put_column(struct encoder *e, unsigned depth, const uint64_t *values, size_t count,
                       struct column *out)
{
    size_t begin = out->length;
    if (count == 0 || out->failed)
        return;
    struct level *l = &e->levels[depth];
    if (!level_reserve(l, count)) {
        out->failed = true;
        return;
    }
    bool flip = is_signed(values, count);
    if (flip) {
        for (size_t i = 0; i < count; i++)
            l->zigzag[i] = zigzag((int64_t)values[i]);
        values = l->zigzag;
    }
    put_best(e, depth, values, count, out);
    if (flip && !out->failed)
        out->bytes[begin] |= ENCODING_ZIGZAG;
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
            put_constant(s.min, out);
        return s.min == s.max;
    case ENCODING_PACKED:
    case ENCODING_DELTA:
        put_chunks(encoding, &s, values, out);
        return true;
    case ENCODING_RUNS:
        return put_runs(e, &s, values, out);
    case ENCODING_BYTES:
        return put_bytes(e, &s, values, out);
    case ENCODING_ROUNDED:
        return put_rounded(e, &s, 0, values, out);
    case ENCODING_SPARSE:
        return put_sparse(e, &s, values, out);
    case ENCODING_DICTIONARY:
        return put_dictionary(e, &s, values, out);
    case ENCODINGS:
        break;
    }
    return false;
}
