// SPDX-License-Identifier: Apache-2.0
/* A block of series from a hostile hand. A good one is changed as the input says; then its
 * checksums are made to hold again, so that what stands behind them is reached; then everything in
 * it is read in every way. With an odd first byte the input is a chunk instead. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "collector/series/chunk/chunk.h"
#include "collector/series/disk/layout.h"
#include "collector/series/disk/writer.h"
#include "lib/base/little_endian.h"
#include "tests/fuzz/hostile_file.h"

enum { SERIES = 150, CHUNKS_MAX = 1000, PAGES_MAX = 64 };

static size_t footer_at;
static struct block_chunk chunks[CHUNKS_MAX]; /* of the good one */
static size_t chunk_count;
static struct {
    uint64_t offset;
    uint32_t length;
    size_t checksum_at;
} pages[PAGES_MAX];
static size_t page_count;

/* ---- a good block ------------------------------------------------------------------------ */

static void add_histogram(struct points *p, int64_t unix_ms, int k)
{
    static int32_t index[] = {-3, 0, 4, 9};
    double *value = arena_alloc(&p->histograms, sizeof(double) * 4);
    struct histogram *h = arena_calloc(&p->histograms, 1, sizeof *h);
    for (int i = 0; i < 4; i++)
        value[i] = k * i + 1;
    *h = (struct histogram){.schema = 3, .count = 10 * k, .sum = k / 3.0};
    h->positive = (struct histogram_buckets){4, index, value};
    h->negative = (struct histogram_buckets){2, index, value};
    points_add(p, unix_ms, h->sum, h);
}

static void add_series(struct block_writer *w, struct points *p, int i)
{
    char id[16], job[16];
    int n = snprintf(id, sizeof id, "i%03d", i), k = snprintf(job, sizeof job, "job%d", i % 3);
    struct label items[] = {{{"__name__", 8}, {"m", 1}},
                            {{"id", 2}, {id, (uint32_t)n}},
                            {{"job", 3}, {job, (uint32_t)k}}};
    struct labels labels = {items, 3};
    points_clear(p);
    for (int s = 0; s < 3 + i % 5; s++) {
        if (i % 40 == 0)
            add_histogram(p, 1000 + s * 15, s);
        else
            points_add(p, 1000 + s * 15, i % 3 ? i * s : i / 7.0 + s, NULL);
    }
    check(block_writer_points(w, p) == 0 && block_writer_series(w, &labels, i % 2) == 0);
}

static void note_page(const struct block_page *p)
{
    uint8_t bytes[8];
    put_u64(bytes, p->checksum);
    const uint8_t *at = memmem(good + footer_at, image_length - footer_at, bytes, sizeof bytes);
    check(at && page_count < PAGES_MAX);
    pages[page_count].offset = p->offset;
    pages[page_count].length = p->length;
    pages[page_count++].checksum_at = (size_t)(at - good);
}

static void note_pages(void)
{
    struct footer_tables t = {0};
    struct block_summary s;
    const char *why;
    check(block_footer_get(good + footer_at, image_length - footer_at, image_length, &s, &t,
                           &why) == BLOCK_OK);
    for (uint32_t i = 0; i < t.series_pages; i++)
        note_page(&t.series[i]);
    for (uint32_t i = 0; i < t.value_pages; i++)
        note_page(&t.values[i]);
    note_page(&t.metadata);
    footer_tables_fini(&t);
}

static void note_chunks(int fd)
{
    struct arena arena;
    struct block_reader r;
    char why[200];
    int error;
    arena_init(&arena, 4096);
    struct block *b = block_open(fd, &error, why, sizeof why);
    check(b && block_reader_init(&r, b, &arena) == BLOCK_OK);
    for (uint32_t i = 0; i < block_summary(b)->series; i++) {
        const struct block_series *s;
        check(block_series(&r, i, &s) == BLOCK_OK);
        for (uint32_t c = 0; c < s->chunk_count && chunk_count < CHUNKS_MAX; c++)
            chunks[chunk_count++] = s->chunks[c];
    }
    block_reader_fini(&r);
    block_close(&b);
    arena_fini(&arena);
}

static void make_good(void)
{
    struct points p;
    struct block_summary summary = {.first = 1, .last = 1};
    struct series_metadata m = {{"m", 1}, {"help", 4}, {"s", 1}, 1};
    int fd = hostile_new_file();
    struct block_writer *w = block_writer_create(fd);
    points_init(&p);
    for (int i = 0; i < SERIES; i++)
        add_series(w, &p, i);
    check(block_writer_metadata(w, &m) == 0 && block_writer_finish(w, &summary) == 0);
    block_writer_destroy(&w);
    points_fini(&p);
    hostile_keep(fd, summary.file_bytes);
    footer_at = image_length - BLOCK_TRAILER_BYTES - get_u64(good + image_length - 32);
    note_pages();
    note_chunks(fd);
}

/* ---- a changed one ----------------------------------------------------------------------- */

static void fix_checksums(void)
{
    for (size_t i = 0; i < chunk_count; i++) {
        uint8_t *at = image + chunks[i].offset;
        size_t length = chunks[i].length - 4;
        put_u32(at + length, (uint32_t)XXH3_64bits(at, length));
    }
    for (size_t i = 0; i < page_count; i++)
        put_u64(image + pages[i].checksum_at,
                XXH3_64bits(image + pages[i].offset, pages[i].length));
    put_u64(image + image_length - 8, XXH3_64bits(image + footer_at, image_length - footer_at - 8));
}

/* ---- reading ----------------------------------------------------------------------------- */

static void check_points(const struct points *p, size_t first)
{
    double sum = 0;
    for (size_t i = first; i < p->count; i++) {
        check(i == first || p->unix_ms[i] > p->unix_ms[i - 1]);
        const struct histogram *h = p->histogram ? p->histogram[i] : NULL;
        for (uint32_t b = 0; h && b < h->positive.count; b++) {
            check(b == 0 || h->positive.index[b] > h->positive.index[b - 1]);
            sum += h->positive.value[b];
        }
        for (uint32_t b = 0; h && b < h->custom_count; b++)
            sum += h->custom[b];
    }
    (void)(volatile double){sum};
}

static void read_series(struct block *b, struct block_reader *r, uint32_t number)
{
    const struct block_series *s;
    struct column scratch = {0};
    struct points p;
    points_init(&p);
    if (block_series(r, number, &s) == BLOCK_OK) {
        for (uint32_t i = 0; i < s->pair_count; i++) {
            struct batch_str value;
            if (block_value(r, s->pairs[2 * i], s->pairs[2 * i + 1], &value) == BLOCK_OK)
                check(value.length <= LABEL_VALUE_BYTES_MAX);
        }
        for (uint32_t c = 0; c < s->chunk_count; c++) {
            size_t before = p.count;
            if (s->chunks[c].length < 1 << 20)
                block_read_chunk(b, &s->chunks[c], INT64_MIN, INT64_MAX, &scratch, &p);
            check_points(&p, before);
        }
    }
    column_fini(&scratch);
    points_fini(&p);
}

static bool wants_all(void *context, struct batch_str value)
{
    *(size_t *)context += value.length;
    return true;
}

static void read_names(struct block *b, struct block_reader *r)
{
    roaring_bitmap_t *found = roaring_bitmap_create();
    size_t length = 0;
    for (uint32_t i = 0; i < block_summary(b)->names; i++) {
        block_values(r, i, (struct batch_str){"", 0}, wants_all, &length, found);
        block_values(r, i, (struct batch_str){"i0", 2}, wants_all, &length, found);
        block_value_series(r, i, (struct batch_str){"i070", 4}, found);
    }
    check(roaring_bitmap_is_empty(found) ||
          roaring_bitmap_maximum(found) < block_summary(b)->series);
    roaring_bitmap_free(found);
}

static void read_block(void)
{
    struct arena arena;
    struct block_reader r;
    struct series_metadata *list;
    size_t count;
    char why[200];
    int error, fd = hostile_file();
    struct block *b = block_open(fd, &error, why, sizeof why);
    if (!b) {
        close(fd);
        return;
    }
    arena_init(&arena, 4096);
    check(block_reader_init(&r, b, &arena) == BLOCK_OK);
    for (uint32_t i = 0; i < block_summary(b)->series; i++)
        read_series(b, &r, i);
    read_names(b, &r);
    block_metadata(b, &arena, &list, &count);
    block_reader_fini(&r);
    arena_fini(&arena);
    block_close(&b);
}

static void read_chunk(const uint8_t *data, size_t size)
{
    struct points p;
    uint8_t *bytes = malloc(size + 4);
    check(bytes != NULL);
    memcpy(bytes, data, size);
    put_u32(bytes + size, (uint32_t)XXH3_64bits(bytes, size));
    points_init(&p);
    if (chunk_get(bytes, size + 4, INT64_MIN, INT64_MAX, &p) == CHUNK_OK)
        check_points(&p, 0);
    points_fini(&p);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (image_length == 0)
        make_good();
    if (size == 0)
        return 0;
    if (data[0] % 2) {
        read_chunk(data + 1, size - 1);
    } else {
        hostile_change(data + 1, size - 1);
        fix_checksums();
        read_block();
    }
    return 0;
}
