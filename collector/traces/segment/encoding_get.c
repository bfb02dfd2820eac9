// SPDX-License-Identifier: Apache-2.0
/* Reading columns back. Every count and width is checked against the bytes that are there before
 * anything is unpacked or memory is taken; the unpacking itself then needs no checks. */
#include <stdlib.h>

#include "collector/traces/segment/encoding.h"

enum { DEPTH_MAX = 1 }; /* a column may consist of columns, but these of none */

struct range {
    size_t total, first, count;
};

static int get_column(const uint8_t *bytes, size_t length, unsigned depth, struct range range,
                      uint64_t *values);

/* ---- packed, delta ----------------------------------------------------------------------- */

struct chunk {
    unsigned width;
    uint64_t base;      /* packed: the least; delta: the first */
    int64_t delta_base; /* delta */
    size_t packed;      /* numbers in the stream of bits */
    const uint8_t *stream;
};

static bool get_chunk(struct column_reader *in, enum encoding encoding, size_t count,
                      struct chunk *chunk)
{
    chunk->width = (unsigned)column_get_fixed(in, 1);
    chunk->base = column_get(in);
    chunk->delta_base = encoding == ENCODING_DELTA ? column_get_signed(in) : 0;
    chunk->packed = encoding == ENCODING_DELTA ? count - 1 : count;
    if (in->bad || chunk->width > 64 || bits_bytes(chunk->packed, chunk->width) > column_left(in))
        return false;
    chunk->stream = in->next;
    in->next += bits_bytes(chunk->packed, chunk->width);
    return true;
}

/* Values [first, first + count) of a chunk of differences. */
static void undelta(const struct chunk *chunk, size_t first, size_t count, uint64_t *values)
{
    uint64_t deltas[ENCODING_CHUNK], value = chunk->base;
    size_t end = first + count;
    bits_unpack(chunk->stream, 0, end - 1, (uint64_t)chunk->delta_base, chunk->width, deltas);
    for (size_t i = 0; i < end; i++) {
        if (i > 0)
            value += deltas[i - 1];
        if (i >= first)
            *values++ = value;
    }
}

static int get_chunks(struct column_reader *in, enum encoding encoding, struct range range,
                      uint64_t *values)
{
    size_t end = range.first + range.count;
    for (size_t at = 0; at < range.total; at += ENCODING_CHUNK) {
        struct chunk chunk;
        size_t n = range.total - at < ENCODING_CHUNK ? range.total - at : ENCODING_CHUNK;
        if (!get_chunk(in, encoding, n, &chunk))
            return ENCODING_EDAMAGED;
        size_t first = range.first > at ? range.first - at : 0;
        size_t last = end - at < n ? end - at : n;
        if (at >= end)
            return ENCODING_OK; /* what follows is not asked for */
        if (first >= last)
            continue;
        if (encoding == ENCODING_PACKED)
            bits_unpack(chunk.stream, first, last - first, chunk.base, chunk.width, values);
        else
            undelta(&chunk, first, last - first, values);
        values += last - first;
    }
    return column_left(in) ? ENCODING_EDAMAGED : ENCODING_OK;
}

/* ---- bytes, rounded ---------------------------------------------------------------------- */

/* The part of a range that lies in the piece that begins at value `at`. */
struct piece {
    size_t count, first, end; /* values in it, and which of them are asked for */
};

static struct piece piece_at(size_t at, struct range range)
{
    struct piece p = {.count =
                          range.total - at < ENCODING_PIECE ? range.total - at : ENCODING_PIECE};
    size_t end = range.first + range.count;
    p.first = range.first > at ? range.first - at : 0;
    p.end = end < at ? 0 : end - at < p.count ? end - at : p.count;
    return p;
}

static int get_symbols(struct column_reader *in, size_t count, uint8_t *symbols)
{
    int error = compressed_get(in, symbols, count);
    return error == COMPRESS_OK       ? ENCODING_OK
           : error == COMPRESS_ENOMEM ? ENCODING_ENOMEM
                                      : ENCODING_EDAMAGED;
}

static int get_bytes(struct column_reader *in, struct range range, uint64_t *values)
{
    uint8_t symbols[ENCODING_PIECE];
    uint64_t base = column_get(in);
    if (in->bad)
        return ENCODING_EDAMAGED;
    for (size_t at = 0; at < range.total; at += ENCODING_PIECE) {
        struct piece p = piece_at(at, range);
        if (at >= range.first + range.count)
            return ENCODING_OK; /* what follows is not asked for */
        bool skip = p.first >= p.end;
        int error = skip ? compressed_skip(in) : get_symbols(in, p.count, symbols);
        if (error)
            return skip ? ENCODING_EDAMAGED : error;
        for (size_t i = p.first; i < p.end; i++)
            *values++ = base + symbols[i];
    }
    return column_left(in) ? ENCODING_EDAMAGED : ENCODING_OK;
}

struct rounded {
    uint64_t least[256];
    uint8_t rest[256];
    bool valid[256];
};

static void rounded_init(struct rounded *r, unsigned first, unsigned sub)
{
    for (unsigned i = 0; i < 256; i++) {
        unsigned rest;
        r->valid[i] = first + i < encoding_symbols(sub);
        r->least[i] = encoding_unround(r->valid[i] ? first + i : 0, sub, &rest);
        r->rest[i] = (uint8_t)rest;
    }
}

/* Adds up the bits that follow so many symbols; false if one of them is none. */
static bool sum_bits(const struct rounded *r, const uint8_t *symbols, size_t count, size_t *bits)
{
    bool valid = true;
    for (size_t i = 0; i < count; i++) {
        *bits += r->rest[symbols[i]];
        valid = valid && r->valid[symbols[i]];
    }
    return valid;
}

static int get_rounded_piece(struct column_reader *in, const struct rounded *r, struct piece p,
                             uint64_t *values)
{
    uint8_t symbols[ENCODING_PIECE];
    size_t at = 0, all;
    int error = get_symbols(in, p.count, symbols);
    if (error)
        return error;
    uint64_t length = column_get(in);
    if (in->bad || length > column_left(in) || !sum_bits(r, symbols, p.first, &at))
        return ENCODING_EDAMAGED;
    all = at;
    if (!sum_bits(r, symbols + p.first, p.count - p.first, &all) || (all + 7) / 8 != length)
        return ENCODING_EDAMAGED;
    for (size_t i = p.first; i < p.end; i++) {
        uint8_t symbol = symbols[i];
        *values++ = r->least[symbol] + bits_read(in->next, at, r->rest[symbol]);
        at += r->rest[symbol];
    }
    in->next += length;
    return ENCODING_OK;
}

static bool skip_rounded_piece(struct column_reader *in)
{
    if (compressed_skip(in) != COMPRESS_OK)
        return false;
    uint64_t length = column_get(in);
    if (in->bad || length > column_left(in))
        return false;
    in->next += length;
    return true;
}

static int get_rounded(struct column_reader *in, struct range range, uint64_t *values)
{
    struct rounded r;
    unsigned sub = (unsigned)column_get_fixed(in, 1);
    uint64_t first = column_get(in);
    if (in->bad || sub > ENCODING_ROUNDED_BITS_MAX || first >= encoding_symbols(sub))
        return ENCODING_EDAMAGED;
    rounded_init(&r, (unsigned)first, sub);
    for (size_t at = 0; at < range.total; at += ENCODING_PIECE) {
        struct piece p = piece_at(at, range);
        if (at >= range.first + range.count)
            return ENCODING_OK; /* what follows is not asked for */
        if (p.first >= p.end) {
            if (!skip_rounded_piece(in))
                return ENCODING_EDAMAGED;
            continue;
        }
        int error = get_rounded_piece(in, &r, p, values);
        if (error)
            return error;
        values += p.end - p.first;
    }
    return column_left(in) ? ENCODING_EDAMAGED : ENCODING_OK;
}

/* ---- columns of columns ------------------------------------------------------------------ */

/* The part that comes next, with its length before it. */
static bool get_part(struct column_reader *in, const uint8_t **bytes, size_t *length)
{
    *length = column_get_fixed(in, sizeof(uint32_t));
    if (in->bad || *length > column_left(in))
        return false;
    *bytes = in->next;
    in->next += *length;
    return true;
}

/* Two columns of `count` values; *values is malloc'ed and holds one behind the other. */
static int get_two(struct column_reader *in, unsigned depth, size_t count, uint64_t **values)
{
    const uint8_t *bytes;
    size_t length;
    if (!get_part(in, &bytes, &length))
        return ENCODING_EDAMAGED;
    *values = malloc((count ? count : 1) * 2 * sizeof **values);
    if (!*values)
        return ENCODING_ENOMEM;
    struct range all = {count, 0, count};
    int error = get_column(bytes, length, depth + 1, all, *values);
    if (!error)
        error = get_column(in->next, column_left(in), depth + 1, all, *values + count);
    if (error)
        free(*values);
    return error;
}

static int get_runs(struct column_reader *in, unsigned depth, struct range range, uint64_t *values)
{
    uint64_t *run, runs = column_get(in);
    if (in->bad || runs > range.total)
        return ENCODING_EDAMAGED;
    int error = get_two(in, depth, runs, &run);
    if (error)
        return error;
    const uint64_t *more = run + runs;
    size_t at = 0, end = range.first + range.count;
    for (size_t i = 0; i < runs && !error; i++) {
        if (more[i] >= range.total - at) {
            error = ENCODING_EDAMAGED;
            break;
        }
        size_t next = at + 1 + more[i];
        size_t from = at > range.first ? at : range.first, to = next < end ? next : end;
        for (; from < to; from++)
            values[from - range.first] = run[i];
        at = next;
    }
    free(run);
    return error || at == range.total ? error : ENCODING_EDAMAGED;
}

static int get_sparse(struct column_reader *in, unsigned depth, struct range range,
                      uint64_t *values)
{
    uint64_t *gap, common = column_get(in), count = column_get(in);
    if (in->bad || count > range.total)
        return ENCODING_EDAMAGED;
    int error = get_two(in, depth, count, &gap);
    if (error)
        return error;
    for (size_t i = 0; i < range.count; i++)
        values[i] = common;
    size_t at = 0;
    for (size_t i = 0; i < count; i++, at++) {
        if (at >= range.total || gap[i] >= range.total - at) {
            error = ENCODING_EDAMAGED;
            break;
        }
        at += gap[i];
        if (at >= range.first && at - range.first < range.count)
            values[at - range.first] = gap[count + i];
    }
    free(gap);
    return error;
}

static int get_dictionary(struct column_reader *in, unsigned depth, struct range range,
                          uint64_t *values)
{
    const uint8_t *bytes;
    size_t length;
    uint64_t distinct = column_get(in);
    if (in->bad || distinct == 0 || distinct > range.total || !get_part(in, &bytes, &length))
        return ENCODING_EDAMAGED;
    uint64_t *list = malloc(distinct * sizeof *list);
    if (!list)
        return ENCODING_ENOMEM;
    int error = get_column(bytes, length, depth + 1, (struct range){distinct, 0, distinct}, list);
    if (!error)
        error = get_column(in->next, column_left(in), depth + 1, range, values);
    for (size_t i = 0; i < range.count && !error; i++) {
        if (values[i] < distinct)
            values[i] = list[values[i]];
        else
            error = ENCODING_EDAMAGED;
    }
    free(list);
    return error;
}

/* ---- any --------------------------------------------------------------------------------- */

static int get_constant(struct column_reader *in, struct range range, uint64_t *values)
{
    uint64_t value = column_get(in);
    if (in->bad || column_left(in))
        return ENCODING_EDAMAGED;
    for (size_t i = 0; i < range.count; i++)
        values[i] = value;
    return ENCODING_OK;
}

static int get_encoded(struct column_reader *in, unsigned encoding, unsigned depth,
                       struct range range, uint64_t *values)
{
    switch (encoding) {
    case ENCODING_CONSTANT:
        return get_constant(in, range, values);
    case ENCODING_PACKED:
    case ENCODING_DELTA:
        return get_chunks(in, encoding, range, values);
    case ENCODING_BYTES:
        return get_bytes(in, range, values);
    case ENCODING_ROUNDED:
        return get_rounded(in, range, values);
    }
    if (depth >= DEPTH_MAX)
        return ENCODING_EDAMAGED;
    switch (encoding) {
    case ENCODING_RUNS:
        return get_runs(in, depth, range, values);
    case ENCODING_SPARSE:
        return get_sparse(in, depth, range, values);
    case ENCODING_DICTIONARY:
        return get_dictionary(in, depth, range, values);
    }
    return ENCODING_EDAMAGED;
}

static int get_column(const uint8_t *bytes, size_t length, unsigned depth, struct range range,
                      uint64_t *values)
{
    if (range.total == 0)
        return length ? ENCODING_EDAMAGED : ENCODING_OK;
    struct column_reader in = {bytes, bytes + length, false};
    unsigned tag = (unsigned)column_get_fixed(&in, 1);
    if (in.bad)
        return ENCODING_EDAMAGED;
    int error = get_encoded(&in, tag & ~(unsigned)ENCODING_ZIGZAG, depth, range, values);
    if (!error && tag & ENCODING_ZIGZAG) {
        for (size_t i = 0; i < range.count; i++)
            values[i] = (uint64_t)unzigzag(values[i]);
    }
    return error;
}

int encoding_get(const uint8_t *bytes, size_t length, size_t total, size_t first, size_t count,
                 uint64_t *values)
{
    return get_column(bytes, length, 0, (struct range){total, first, count}, values);
}
