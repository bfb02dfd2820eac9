// SPDX-License-Identifier: Apache-2.0
/* A process file by a hostile owner: a sound small file is laid out, then the input overwrites
 * pieces of it (and may shrink it). The reader must answer with errors alone, and what it visits
 * must lie within what it copied. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/ring/guard.h"
#include "lib/ring/slab_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SLOTS = 4, SLOT_BYTES = 576, RING_BYTES = 65536, THREADS = 2 };

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
                                .stats_offset = 20480,
                                .threads_offset = 20480,
                                .thread_bytes = slab_ring_offset(SLOTS, SLOT_BYTES) + RING_BYTES};
    atomic_store(&header.thread_count, THREADS);
    atomic_store(&header.names_used, 64);
}

static void open_once(void)
{
    if (file >= 0)
        return;
    file = mkstemp(path);
    directory = open("/dev/shm", O_RDONLY | O_DIRECTORY);
    unlink(path);
    guard_install();
    lay_out();
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

static void read_all(struct slab_reader *r, int shrink)
{
    bool more;
    uint32_t used;
    slab_sweep(r, visit, r, 1 << 20, &more);
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
    size_t bytes = header.threads_offset + THREADS * header.thread_bytes;
    if (size < 2 || ftruncate(file, 0) != 0 || ftruncate(file, (off_t)bytes) != 0)
        return 0;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    memcpy(memory, &header, sizeof header);
    damage(memory, bytes, data + 1, size - 1);
    munmap(memory, bytes);

    char name[64];
    enum slab_error error;
    snprintf(name, sizeof name, "weft-fuzz-%d", (int)getpid());
    unlinkat(directory, name, 0);
    char proc[64];
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", file);
    if (linkat(AT_FDCWD, proc, directory, name, AT_SYMLINK_FOLLOW) != 0)
        return 0;
    struct slab_reader *r = slab_reader_open(directory, name, &error);
    unlinkat(directory, name, 0);
    if (r)
        read_all(r, data[0] < 128 ? data[0] : 0);
    slab_reader_close(&r);
    return 0;
}
