// SPDX-License-Identifier: Apache-2.0
#include "collector/series/disk/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include "collector/series/chunk/chunk.h"
#include "collector/series/disk/dictionary.h"
#include "collector/series/disk/layout.h"

enum { WRITE_BYTES = 1 << 20 };

/* A series' entry waits in `entries` until values have their numbers: how many pairs, these, flags,
 * how many chunks, and of each its first and last time, samples and length. */
struct block_writer {
    int fd, error;
    uint64_t offset; /* what was written, with what waits in `out` */
    struct column out, entries, chunks, metadata, footer;
    struct dictionary *dictionary;
    struct block_summary sums;
    uint32_t metrics;
    uint32_t series_chunks; /* of the series that is being written */
};

struct block_writer *block_writer_create(int fd)
{
    struct block_writer *w = calloc(1, sizeof *w);
    if (!w || !(w->dictionary = dictionary_create())) {
        free(w);
        return NULL;
    }
    uint8_t header[BLOCK_HEADER_BYTES];
    block_header_put(header);
    w->fd = fd;
    column_put_bytes(&w->out, header, sizeof header);
    w->sums.min_ms = INT64_MAX;
    w->sums.max_ms = INT64_MIN;
    return w;
}

void block_writer_destroy(struct block_writer **place)
{
    struct block_writer *w = *place;
    if (!w)
        return;
    column_fini(&w->out);
    column_fini(&w->entries);
    column_fini(&w->chunks);
    column_fini(&w->metadata);
    column_fini(&w->footer);
    dictionary_destroy(&w->dictionary);
    free(w);
    *place = NULL;
}

uint64_t block_writer_bytes(const struct block_writer *w)
{
    return w->offset + w->out.length;
}

static int fail(struct block_writer *w, int error)
{
    if (w->error == 0)
        w->error = error;
    return w->error;
}

static int flush(struct block_writer *w)
{
    if (w->out.failed)
        return fail(w, -ENOMEM);
    for (size_t done = 0; done < w->out.length;) {
        ssize_t n = write(w->fd, w->out.bytes + done, w->out.length - done);
        if (n < 0 && errno != EINTR)
            return fail(w, -errno);
        done += n > 0 ? (size_t)n : 0;
    }
    w->offset += w->out.length;
    w->out.length = 0;
    return w->error;
}

/* ---- series ------------------------------------------------------------------------------ */

static int put_labels(struct block_writer *w, const struct labels *labels)
{
    column_put(&w->entries, labels->count);
    for (uint32_t i = 0; i < labels->count; i++) {
        uint32_t pair = dictionary_add(w->dictionary, labels->items[i].name, labels->items[i].value,
                                       w->sums.series);
        if (pair == DICTIONARY_NONE)
            return fail(w, -ENOMEM);
        column_put(&w->entries, pair);
    }
    return 0;
}

/* A chunk of the series that is being written stands at the end of `out`. */
static void note_chunk(struct block_writer *w, int64_t min_ms, int64_t max_ms, uint64_t samples,
                       uint64_t length)
{
    column_put(&w->chunks, (uint64_t)min_ms);
    column_put(&w->chunks, (uint64_t)max_ms);
    column_put(&w->chunks, samples);
    column_put(&w->chunks, length);
    w->series_chunks++;
    w->sums.samples += samples;
    if (min_ms < w->sums.min_ms)
        w->sums.min_ms = min_ms;
    if (max_ms > w->sums.max_ms)
        w->sums.max_ms = max_ms;
}

int block_writer_points(struct block_writer *w, const struct points *p)
{
    for (size_t first = 0; first < p->count && !w->error;) {
        size_t begin = w->out.length, taken = chunk_put(p, first, &w->out);
        note_chunk(w, p->unix_ms[first], p->unix_ms[first + taken - 1], taken,
                   w->out.length - begin);
        first += taken;
        if (w->out.failed)
            fail(w, -ENOMEM);
    }
    return w->error;
}

int block_writer_chunk(struct block_writer *w, const struct block_chunk *chunk,
                       const uint8_t *bytes)
{
    column_put_bytes(&w->out, bytes, chunk->length);
    note_chunk(w, chunk->min_ms, chunk->max_ms, chunk->samples, chunk->length);
    return w->out.failed ? fail(w, -ENOMEM) : w->error;
}

int block_writer_series(struct block_writer *w, const struct labels *labels, bool counts)
{
    if (w->error || w->series_chunks == 0)
        return w->error;
    if (put_labels(w, labels) != 0)
        return w->error;
    column_put(&w->entries, counts ? BLOCK_SERIES_COUNTS : 0);
    column_put(&w->entries, w->series_chunks);
    column_put_bytes(&w->entries, w->chunks.bytes, w->chunks.length);
    w->sums.chunks += w->series_chunks;
    w->sums.series++;
    w->series_chunks = 0;
    w->chunks.length = 0;
    if (w->entries.failed || w->chunks.failed)
        return fail(w, -ENOMEM);
    return w->out.length >= WRITE_BYTES || w->out.failed ? flush(w) : 0;
}

int block_writer_metadata(struct block_writer *w, const struct series_metadata *m)
{
    const struct batch_str texts[] = {m->metric, m->help, m->unit};
    for (int i = 0; i < 3; i++) {
        column_put(&w->metadata, texts[i].length);
        column_put_bytes(&w->metadata, texts[i].bytes, texts[i].length);
    }
    column_put(&w->metadata, m->type);
    w->metrics++;
    return w->metadata.failed ? fail(w, -ENOMEM) : w->error;
}

/* ---- the index --------------------------------------------------------------------------- */

static void end_page(struct block_writer *w, size_t begin)
{
    column_put(&w->footer, w->out.length - begin);
    column_put_fixed(&w->footer, XXH3_64bits(w->out.bytes + begin, w->out.length - begin), 8);
}

struct last_series { /* what the one before it in the page has */
    uint32_t pairs[LABELS_MAX][2];
    uint32_t count;
};

static void put_pairs(struct block_writer *w, struct column_reader *in, struct last_series *last)
{
    struct last_series now;
    uint32_t shared = 0;
    now.count = (uint32_t)column_get(in);
    for (uint32_t i = 0; i < now.count; i++)
        dictionary_numbers(w->dictionary, (uint32_t)column_get(in), now.pairs[i]);
    while (shared < now.count && shared < last->count &&
           memcmp(now.pairs[shared], last->pairs[shared], sizeof now.pairs[0]) == 0)
        shared++;
    column_put(&w->out, shared);
    column_put(&w->out, now.count - shared);
    for (uint32_t i = shared; i < now.count; i++) {
        column_put(&w->out, now.pairs[i][0]);
        column_put(&w->out, now.pairs[i][1]);
    }
    memcpy(last->pairs, now.pairs, now.count * sizeof now.pairs[0]);
    last->count = now.count;
}

static void put_chunks(struct block_writer *w, struct column_reader *in, uint32_t chunks,
                       uint64_t *offset)
{
    int64_t last = w->sums.min_ms;
    column_put(&w->out, chunks);
    for (uint32_t i = 0; i < chunks; i++) {
        int64_t min_ms = (int64_t)column_get(in), max_ms = (int64_t)column_get(in);
        column_put(&w->out, (uint64_t)min_ms - (uint64_t)last);
        column_put(&w->out, (uint64_t)max_ms - (uint64_t)min_ms);
        column_put(&w->out, column_get(in));
        uint64_t length = column_get(in);
        column_put(&w->out, length);
        *offset += length;
        last = max_ms;
    }
}

static int put_series_pages(struct block_writer *w)
{
    struct column_reader in = {w->entries.bytes, w->entries.bytes + w->entries.length, false};
    struct last_series last = {.count = 0};
    uint64_t offset = BLOCK_HEADER_BYTES;
    size_t begin = 0;
    for (uint32_t i = 0; i < w->sums.series; i++) {
        if (i % BLOCK_PAGE_SERIES == 0) {
            begin = w->out.length;
            last.count = 0;
            column_put(&w->out, offset);
        }
        put_pairs(w, &in, &last);
        column_put(&w->out, column_get(&in));
        put_chunks(w, &in, (uint32_t)column_get(&in), &offset);
        if ((i + 1) % BLOCK_PAGE_SERIES != 0 && i + 1 < w->sums.series)
            continue;
        end_page(w, begin);
        if (w->out.length >= WRITE_BYTES && flush(w) != 0)
            return w->error;
    }
    return w->error;
}

static void put_names(struct block_writer *w)
{
    uint32_t names = dictionary_names(w->dictionary);
    size_t length = 0;
    for (uint32_t i = 0; i < names; i++)
        length += dictionary_name(w->dictionary, i).length;
    column_put(&w->footer, length);
    for (uint32_t i = 0; i < names; i++) {
        struct batch_str name = dictionary_name(w->dictionary, i);
        column_put_bytes(&w->footer, name.bytes, name.length);
    }
    for (uint32_t i = 0; i < names; i++)
        column_put(&w->footer, dictionary_name(w->dictionary, i).length);
    w->sums.names = names;
}

static uint32_t shared_prefix(struct batch_str a, struct batch_str b)
{
    uint32_t n = 0;
    while (n < a.length && n < b.length && a.bytes[n] == b.bytes[n])
        n++;
    return n;
}

/* Writes the page that begins with this value; answers the next one. */
static uint32_t put_value_page(struct block_writer *w, uint32_t name, uint32_t value)
{
    struct batch_str last = {"", 0};
    size_t begin = w->out.length;
    uint32_t first = value, values = dictionary_values(w->dictionary, name);
    while (value < values && value - first < BLOCK_PAGE_VALUES &&
           w->out.length - begin < BLOCK_PAGE_BYTES) {
        struct batch_str text = dictionary_value(w->dictionary, name, value);
        struct column_reader runs = dictionary_series(w->dictionary, name, value++);
        uint32_t shared = shared_prefix(last, text);
        column_put(&w->out, shared);
        column_put(&w->out, text.length - shared);
        column_put_bytes(&w->out, text.bytes + shared, text.length - shared);
        column_put(&w->out, column_left(&runs));
        column_put_bytes(&w->out, runs.next, column_left(&runs));
        last = text;
    }
    column_put(&w->footer, value - first);
    end_page(w, begin);
    return value;
}

static int put_values(struct block_writer *w)
{
    uint32_t total = 0;
    struct column before = w->footer;
    w->footer = (struct column){0};
    for (uint32_t name = 0; name < w->sums.names && !w->error; name++) {
        struct column all = w->footer;
        uint32_t pages = 0;
        w->footer = (struct column){0};
        for (uint32_t value = 0; value < dictionary_values(w->dictionary, name); pages++) {
            value = put_value_page(w, name, value);
            if (w->out.length >= WRITE_BYTES && flush(w) != 0)
                break;
        }
        column_put(&all, pages);
        column_put_bytes(&all, w->footer.bytes, w->footer.length);
        all.failed |= w->footer.failed;
        column_fini(&w->footer);
        w->footer = all;
        total += pages;
    }
    column_put(&before, total);
    column_put_bytes(&before, w->footer.bytes, w->footer.length);
    before.failed |= w->footer.failed;
    column_fini(&w->footer);
    w->footer = before;
    return w->error;
}

static void put_metadata(struct block_writer *w)
{
    size_t begin = w->out.length;
    column_put(&w->out, w->metrics);
    column_put_bytes(&w->out, w->metadata.bytes, w->metadata.length);
    end_page(w, begin);
}

static void sum_up(const struct block_writer *w, struct block_summary *s)
{
    s->samples = w->sums.samples;
    s->chunks = w->sums.chunks;
    s->chunk_bytes = w->sums.chunk_bytes;
    s->series = w->sums.series;
    s->names = w->sums.names;
    s->min_ms = w->sums.min_ms;
    s->max_ms = w->sums.max_ms;
}

int block_writer_finish(struct block_writer *w, struct block_summary *summary)
{
    w->sums.chunk_bytes = block_writer_bytes(w) - BLOCK_HEADER_BYTES;
    if (flush(w) != 0)
        return w->error;
    if (dictionary_finish(w->dictionary) != 0)
        return fail(w, -ENOMEM);
    if (put_series_pages(w) != 0)
        return w->error;
    put_names(w);
    if (put_values(w) != 0)
        return w->error;
    put_metadata(w);
    uint8_t bytes[BLOCK_SUMMARY_BYTES];
    struct column footer = {0};
    sum_up(w, summary);
    block_summary_put(bytes, summary);
    column_put_bytes(&footer, bytes, sizeof bytes);
    column_put_bytes(&footer, w->footer.bytes, w->footer.length);
    footer.failed |= w->footer.failed;
    block_trailer_put(&footer);
    column_put_bytes(&w->out, footer.bytes, footer.length);
    if (footer.failed)
        fail(w, -ENOMEM);
    column_fini(&footer);
    flush(w);
    summary->file_bytes = w->offset;
    return w->error;
}
