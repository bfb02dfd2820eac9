// SPDX-License-Identifier: Apache-2.0
/* A process file by a hostile owner: a sound small file is laid out, then the input overwrites
 * pieces of it (and may shrink it), for statistics once more between two takes. The reader must
 * answer with errors alone, and what it visits must lie within what it copied. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/ring/guard.h"
#include "lib/ring/slab_reader.h"
#include "lib/ring/slab_stats.h"
#include "lib/ring/slab_stats_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SLOTS = 4, SLOT_BYTES = 576, RING_BYTES = 65536, THREADS = 2 };
enum {
    STATS = 20480,
    CHUNKS = 2,
    TAKEN = STATS + 4096,
    IMAGES = TAKEN + 4096,
    INSTRUMENTS = IMAGES + 2 * CHUNKS * 4096,
    CELLS = INSTRUMENTS + 4096,
    STATS_END = CELLS + CHUNKS * 4096
};

static char path[] = "/dev/shm/weft-fuzz-XXXXXX";
static int file = -1, directory = -1;
static struct slab_file header;
static volatile uint64_t sink;

static void lay_out(void)
{
    header = (struct slab_file){.magic = SLAB_MAGIC,
                                .version = SLAB_VERSION,
                                .header_bytes = sizeof header,
                                .thread_capacity = THREADS,
                                .slot_count = SLOTS,
                                .slot_bytes = SLOT_BYTES,
                                .ring_bytes = RING_BYTES,
                                .readers_offset = 8192,
                                .names_offset = 12288,
                                .names_bytes = 4096,
                                .resource_offset = 16384,
                                .resource_bytes = 64,
                                .stats_offset = STATS,
                                .stats_bytes = STATS_END - STATS,
                                .threads_offset = STATS_END,
                                .thread_bytes = slab_ring_offset(SLOTS, SLOT_BYTES) + RING_BYTES};
    atomic_store(&header.thread_count, THREADS);
    atomic_store(&header.names_used, 64);
}

/* Its texts are NUL-terminated and end with an empty one. */
static char *put_instrument(char *at, uint8_t type, const char *texts)
{
    struct slab_instrument_head *head = (struct slab_instrument_head *)(void *)at;
    *head = (struct slab_instrument_head){.type = type};
    for (at += sizeof *head; *texts; texts += strlen(texts) + 1, head->text_count++) {
        uint16_t length = (uint16_t)strlen(texts);
        memcpy(at, &length, sizeof length);
        memcpy(at + sizeof length, texts, length);
        at += sizeof length + length;
    }
    head->bytes = (uint32_t)((at - (char *)head + 7) & ~7);
    return (char *)head + head->bytes;
}

static char *put_cell(char *at, uint16_t kind, size_t bytes, uint32_t instrument)
{
    struct slab_cell *cell = (struct slab_cell *)(void *)at;
    *cell = (struct slab_cell){kind, (uint16_t)bytes, instrument};
    memset(cell + 1, 0, bytes - sizeof *cell);
    if (kind == SLAB_CELL_RUN)
        ((struct slab_run_cell *)(void *)at)->scale = 6;
    return at + bytes;
}

static void lay_out_stats(char *memory)
{
    struct slab_stats *stats = (struct slab_stats *)(void *)(memory + STATS);
    *stats = (struct slab_stats){.header_bytes = sizeof *stats,
                                 .chunk_capacity = CHUNKS,
                                 .taken_offset = TAKEN,
                                 .images_offset = IMAGES,
                                 .instruments_offset = INSTRUMENTS,
                                 .instruments_bytes = 4096,
                                 .chunks_offset = CELLS};
    char *at = put_instrument(memory + INSTRUMENTS, SLAB_COUNTER, "a_total\0k\0v\0");
    at = put_instrument(at, SLAB_DESCRIPTION, "h\0bytes\0help\0");
    at = put_instrument(at, SLAB_GAUGE, "g\0");
    at = put_instrument(at, SLAB_HISTOGRAM, "h\0a\0b\0c\0d\0");
    atomic_store(&stats->instruments_used, (uint64_t)(at - memory - INSTRUMENTS));
    struct slab_chunk *chunk = (struct slab_chunk *)(void *)(memory + CELLS);
    at = put_cell((char *)(chunk + 1), SLAB_CELL_COUNTER, sizeof(struct slab_counter_cell), 0);
    at[-8] = 1;
    at = put_cell(at, SLAB_CELL_GAUGE, sizeof(struct slab_gauge_cell), 1);
    at = put_cell(at, SLAB_CELL_GAUGE_ADD, sizeof(struct slab_gauge_add_cell), 1);
    at = put_cell(at, SLAB_CELL_HISTOGRAM, sizeof(struct slab_histogram_cell), 2);
    at = put_cell(at, SLAB_CELL_RUN, sizeof(struct slab_run_cell), 2);
    at = put_cell(at, SLAB_CELL_RUN, sizeof(struct slab_run_cell), 2);
    atomic_store(&chunk->used, (uint64_t)(at - (char *)chunk));
    atomic_store(&stats->chunk_count, 1);
}

/* Everything of a record is touched, as a conversion would. */
static void visit(void *context, const struct slab_record *record)
{
    struct slab_reader *r = context;
    struct slab_item_view item = {0};
    size_t length;
    slab_name(r, record->span.name, &length);
    for (struct slab_walk w = slab_walk(record->payload, record->used);
         slab_item_next(&w, &item);) {
        const char *name = slab_name(r, item.key, &length);
        for (size_t i = 0; name && i < length; i++)
            sink += (unsigned char)name[i];
        for (unsigned i = 0; i < item.length; i++)
            sink += (unsigned char)item.value[i];
    }
}

static void touch(struct slab_text text)
{
    for (uint32_t i = 0; i < text.length; i++)
        sink += (unsigned char)text.bytes[i];
}

static void visit_stat(void *context, const struct slab_stat *stat)
{
    (void)context;
    const struct slab_instrument *is = stat->instrument;
    touch(is->name);
    touch(is->unit);
    touch(is->help);
    for (uint32_t i = 0; i < is->label_count; i++) {
        touch(is->labels[i].key);
        touch(is->labels[i].value);
    }
    sink += stat->delta + (uint64_t)stat->changed;
    if (stat->histogram)
        sink += exphist_quantile(stat->histogram, 0.5) > 0;
}

static void take_stats(struct slab_reader *r)
{
    slab_stats_take(r, visit_stat, NULL);
    sink += slab_stats_generation(r) + slab_stats_held(r);
    slab_stats_commit(r);
}

static void read_all(struct slab_reader *r, int shrink)
{
    bool more;
    uint32_t used;
    slab_sweep(r, visit, r, 1 << 20, &more);
    take_stats(r);
    if (shrink && ftruncate(file, (off_t)shrink * 1024) != 0)
        abort();
    slab_sweep(r, visit, r, 1 << 20, &more);
    slab_look(r, false, visit, r);
    slab_look(r, true, visit, r);
    slab_resource(r, &used);
    slab_lost(r, 1);
    slab_release(r);
    slab_set_clock(r, 1, 2, 3);
    slab_mark_reaped(r);
    slab_stats_resume(r, 1);
    take_stats(r);
}

static size_t file_bytes(void)
{
    return header.threads_offset + THREADS * header.thread_bytes;
}

/* The sound file, mapped; NULL where there is no memory for it. */
static char *make_file(void)
{
    size_t bytes = file_bytes();
    if (ftruncate(file, 0) != 0 || ftruncate(file, (off_t)bytes) != 0)
        return NULL;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
        return NULL;
    memcpy(memory, &header, sizeof header);
    lay_out_stats(memory);
    return memory;
}

static void remove_file(void)
{
    unlink(path);
}

static void count_visit(void *context, const struct slab_stat *stat)
{
    size_t *visits = context;
    *visits += stat->instrument != NULL;
}

static void open_once(void)
{
    if (file >= 0)
        return;
    file = mkstemp(path);
    directory = open("/dev/shm", O_RDONLY | O_DIRECTORY);
    atexit(remove_file);
    guard_install();
    lay_out();
    /* A file without damage that is not read would make all of this a target of nothing. */
    char *memory = make_file();
    enum slab_error error;
    struct slab_reader *r = slab_reader_open(directory, strrchr(path, '/') + 1, &error);
    size_t visits = 0;
    if (!r || slab_stats_take(r, count_visit, &visits) != SLAB_OK || visits == 0)
        abort();
    slab_reader_close(&r);
    munmap(memory, file_bytes());
}

/* Pieces: where (3 bytes, of the file), how long (1), the bytes. */
static void damage(char *memory, size_t bytes, const uint8_t *data, size_t size)
{
    while (size > 4) {
        size_t at = (data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16) % bytes;
        size_t length = data[3] % 65;
        data += 4;
        size -= 4;
        length = length > size ? size : length;
        length = length > bytes - at ? bytes - at : length;
        memcpy(memory + at, data, length);
        data += length;
        size -= length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    open_once();
    char *memory = size < 2 ? NULL : make_file();
    if (!memory)
        return 0;
    damage(memory, file_bytes(), data + 1, size - 1);
    enum slab_error error;
    struct slab_reader *r = slab_reader_open(directory, strrchr(path, '/') + 1, &error);
    if (r) {
        take_stats(r);
        damage(memory + STATS, STATS_END - STATS, data + 1, size - 1);
        read_all(r, data[0] < 128 ? data[0] : 0);
    }
    slab_reader_close(&r);
    munmap(memory, file_bytes());
    return 0;
}
