// SPDX-License-Identifier: Apache-2.0
#include "collector/series/disk/block.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "collector/series/chunk/chunk.h"
#include "collector/series/disk/block_internal.h"
#include "lib/model/metric.h"

static int read_at(const struct block *b, uint64_t offset, void *to, size_t length)
{
    for (char *at = to; length > 0;) {
        ssize_t n = pread(b->fd, at, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return BLOCK_EIO;
        if (n == 0)
            return BLOCK_EDAMAGED;
        at += n;
        offset += (uint64_t)n;
        length -= (size_t)n;
    }
    return BLOCK_OK;
}

int block_note_damage(struct block *b, const char *what, uint64_t offset)
{
    pthread_mutex_lock(&b->lock);
    if (!atomic_load_explicit(&b->damaged, memory_order_relaxed)) {
        snprintf(b->damage, sizeof b->damage, "%s at byte %llu", what, (unsigned long long)offset);
        atomic_store_explicit(&b->damaged, true, memory_order_relaxed);
    }
    pthread_mutex_unlock(&b->lock);
    return BLOCK_EDAMAGED;
}

bool block_damage(const struct block *block, char *why, size_t why_size)
{
    struct block *b = (struct block *)block; /* the lock is what changes */
    if (!atomic_load_explicit(&b->damaged, memory_order_relaxed))
        return false;
    pthread_mutex_lock(&b->lock);
    if (why_size)
        snprintf(why, why_size, "%s", b->damage);
    pthread_mutex_unlock(&b->lock);
    return true;
}

int block_page_read(struct block *b, const struct block_page *p, const char *what,
                    struct arena *arena, struct column_reader *in)
{
    uint8_t *bytes = arena_alloc(arena, p->length + 1U);
    if (!bytes)
        return BLOCK_ENOMEM;
    int error = read_at(b, p->offset, bytes, p->length);
    if (error == BLOCK_OK && XXH3_64bits(bytes, p->length) != p->checksum)
        error = BLOCK_EDAMAGED;
    *in = (struct column_reader){bytes, bytes + p->length, false};
    return error == BLOCK_EDAMAGED ? block_note_damage(b, what, p->offset) : error;
}

/* ---- open -------------------------------------------------------------------------------- */

static int read_footer(struct block *b, uint64_t file_bytes, const char **why)
{
    uint8_t trailer[BLOCK_TRAILER_BYTES];
    uint64_t length, at = file_bytes - BLOCK_TRAILER_BYTES;
    int error = read_at(b, at, trailer, sizeof trailer);
    *why = "the trailer cannot be read";
    if (error == BLOCK_OK)
        error = block_trailer_get(trailer, file_bytes, &length, why);
    if (error != BLOCK_OK)
        return error;
    uint8_t *bytes = malloc(length + BLOCK_TRAILER_BYTES);
    if (!bytes)
        return BLOCK_ENOMEM;
    *why = "the footer cannot be read";
    error = read_at(b, at - length, bytes, length + BLOCK_TRAILER_BYTES);
    if (error == BLOCK_OK)
        error = block_footer_get(bytes, length + BLOCK_TRAILER_BYTES, file_bytes, &b->summary,
                                 &b->tables, why);
    free(bytes);
    return error;
}

static int read_ends(struct block *b, const char **why)
{
    uint8_t header[BLOCK_HEADER_BYTES];
    struct stat st;
    *why = "its size cannot be told";
    if (fstat(b->fd, &st) != 0)
        return BLOCK_EIO;
    *why = "it is too short";
    if (st.st_size < BLOCK_HEADER_BYTES + BLOCK_SUMMARY_BYTES + BLOCK_TRAILER_BYTES)
        return BLOCK_EDAMAGED;
    int error = read_at(b, 0, header, sizeof header);
    *why = "the header cannot be read";
    if (error == BLOCK_OK)
        error = block_header_check(header, why);
    return error == BLOCK_OK ? read_footer(b, (uint64_t)st.st_size, why) : error;
}

struct block *block_open(int fd, int *error, char *why, size_t why_size)
{
    const char *what = "no memory";
    struct block *b = calloc(1, sizeof *b);
    *error = BLOCK_ENOMEM;
    if (b) {
        pthread_mutex_init(&b->lock, NULL);
        b->fd = fd;
        *error = read_ends(b, &what);
    }
    if (*error == BLOCK_OK)
        return b;
    snprintf(why, why_size, "%s",
             *error == BLOCK_ENOMEM     ? "no memory"
             : *error == BLOCK_EVERSION ? "a format newer than this program knows"
                                        : what);
    if (b)
        b->fd = -1; /* stays the caller's */
    block_close(&b);
    return NULL;
}

void block_close(struct block **place)
{
    struct block *b = *place;
    if (!b)
        return;
    if (b->fd >= 0)
        close(b->fd);
    pthread_mutex_destroy(&b->lock);
    footer_tables_fini(&b->tables);
    free(b);
    *place = NULL;
}

const struct block_summary *block_summary(const struct block *b)
{
    return &b->summary;
}

uint64_t block_resident_bytes(const struct block *b)
{
    const struct footer_tables *t = &b->tables;
    return sizeof *b + ((uint64_t)t->series_pages + t->value_pages) * sizeof *t->series +
           (uint64_t)b->summary.names * (sizeof *t->names + 16);
}

/* ---- chunks and metadata ----------------------------------------------------------------- */

static int read_chunk(const struct block *b, const struct block_chunk *chunk,
                      struct column *scratch)
{
    scratch->length = 0;
    if (column_reserve(scratch, chunk->length))
        return read_at(b, chunk->offset, scratch->bytes, chunk->length);
    scratch->failed = false;
    return BLOCK_ENOMEM;
}

int block_chunk_bytes(struct block *b, const struct block_chunk *chunk, struct column *scratch)
{
    int error = read_chunk(b, chunk, scratch);
    if (error == BLOCK_OK && !chunk_is_whole(scratch->bytes, chunk->length))
        error = BLOCK_EDAMAGED;
    return error == BLOCK_EDAMAGED ? block_note_damage(b, "a chunk", chunk->offset) : error;
}

int block_read_chunk(struct block *b, const struct block_chunk *chunk, int64_t from_ms,
                     int64_t to_ms, struct column *scratch, struct points *out)
{
    int error = read_chunk(b, chunk, scratch);
    if (error == BLOCK_OK) {
        int got = chunk_get(scratch->bytes, chunk->length, from_ms, to_ms, out);
        error = got == CHUNK_OK ? BLOCK_OK : got == CHUNK_ENOMEM ? BLOCK_ENOMEM : BLOCK_EDAMAGED;
    }
    return error == BLOCK_EDAMAGED ? block_note_damage(b, "a chunk", chunk->offset) : error;
}

static struct batch_str get_text(struct column_reader *in)
{
    uint32_t length = column_get_below(in, column_left(in) + 1);
    struct batch_str text = {(const char *)in->next, length};
    if (in->bad || length > column_left(in)) {
        in->bad = true;
        return (struct batch_str){"", 0};
    }
    in->next += length;
    return text;
}

int block_metadata(struct block *b, struct arena *arena, struct series_metadata **list,
                   size_t *count)
{
    struct column_reader in;
    int error = block_page_read(b, &b->tables.metadata, "the metadata", arena, &in);
    *count = 0;
    if (error != BLOCK_OK)
        return error;
    size_t told = column_get_below(&in, column_left(&in) + 1);
    *list = arena_calloc(arena, told + 1, sizeof **list);
    if (!*list)
        return BLOCK_ENOMEM;
    for (size_t i = 0; i < told && !in.bad; i++)
        (*list)[i] = (struct series_metadata){
            .metric = get_text(&in),
            .help = get_text(&in),
            .unit = get_text(&in),
            .type = column_get_below(&in, METRIC_TYPES),
        };
    if (in.bad || in.next != in.end)
        return block_note_damage(b, "the metadata", b->tables.metadata.offset);
    *count = told;
    return BLOCK_OK;
}
