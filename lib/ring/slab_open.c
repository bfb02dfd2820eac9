// SPDX-License-Identifier: Apache-2.0
/* Opening a process file: nothing in it is believed before all of its header was. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ring/slab_reader_internal.h"

#define NAMES_BYTES_MAX    (4u << 20)
#define RESOURCE_BYTES_MAX (64u << 10)
#define CHUNK_BYTES        (64u << 10) /* copied at once: stays in the second-level cache */

const char *slab_error_text(enum slab_error error)
{
    switch (error) {
    case SLAB_OK:
        return "no error";
    case SLAB_ESYSTEM:
        return "a system call failed";
    case SLAB_EFORMAT:
        return "not a weft process file";
    case SLAB_EVERSION:
        return "written by a libweft newer than this agent: update the agent";
    case SLAB_ELIMITS:
        return "its sizes contradict each other or are beyond the limits";
    case SLAB_ESHRUNK:
        return "it was shrunk under the agent";
    case SLAB_ERECORD:
        return "bytes in a ring, a slot or the statistics are none";
    }
    return "unknown error";
}

static bool is_power_of_two(uint64_t n)
{
    return n && (n & (n - 1)) == 0;
}

static bool sizes_are_sound(const struct slab_file *f)
{
    return f->thread_capacity >= 1 && f->thread_capacity <= SLAB_THREADS_MAX &&
           f->slot_count >= 1 && f->slot_count <= SLAB_SLOTS_MAX && f->slot_bytes % 8 == 0 &&
           f->slot_bytes >= sizeof(struct slab_slot) && f->slot_bytes <= SLAB_SLOT_BYTES_MAX &&
           is_power_of_two(f->ring_bytes) && f->ring_bytes >= SLAB_RING_BYTES_MIN &&
           f->ring_bytes <= SLAB_RING_BYTES_MAX && f->names_bytes <= NAMES_BYTES_MAX &&
           f->resource_bytes <= RESOURCE_BYTES_MAX;
}

static bool stats_lie_between(const struct slab_file *f)
{
    return f->stats_bytes == 0 ||
           (f->stats_offset % SLAB_PAGE == 0 && f->stats_offset < f->threads_offset &&
            f->stats_offset >= f->resource_offset + f->resource_bytes &&
            f->stats_bytes <= f->threads_offset - f->stats_offset);
}

/* The parts lie behind each other as the format says; all sums are of small, checked numbers. */
static bool layout_is_sound(const struct slab_file *f)
{
    const uint64_t far = 1u << 30;
    return f->readers_offset == 2 * SLAB_PAGE && f->names_offset < far &&
           f->names_offset % SLAB_PAGE == 0 &&
           f->names_offset >=
               f->readers_offset + f->thread_capacity * sizeof(struct slab_reader_word) &&
           f->resource_offset < far && f->resource_offset >= f->names_offset + f->names_bytes &&
           f->threads_offset < far && f->threads_offset % SLAB_PAGE == 0 &&
           f->threads_offset >= f->resource_offset + f->resource_bytes && stats_lie_between(f) &&
           f->thread_bytes ==
               slab_ring_offset(f->slot_count, f->slot_bytes) + (uint64_t)f->ring_bytes;
}

static enum slab_error check_header(const struct slab_file *f)
{
    if (f->magic != SLAB_MAGIC)
        return SLAB_EFORMAT;
    if (f->version != SLAB_VERSION)
        return SLAB_EVERSION;
    return sizes_are_sound(f) && layout_is_sound(f) ? SLAB_OK : SLAB_ELIMITS;
}

static enum slab_error read_header(struct slab_reader *r)
{
    struct stat st;
    if (fstat(r->fd, &st) != 0)
        return SLAB_ESYSTEM;
    if (!S_ISREG(st.st_mode) || st.st_size < (off_t)SLAB_PAGE ||
        pread(r->fd, &r->file, sizeof r->file, 0) != (ssize_t)sizeof r->file)
        return SLAB_EFORMAT;
    r->uid = st.st_uid;
    enum slab_error error = check_header(&r->file);
    if (error == SLAB_OK && (uint64_t)st.st_size < r->file.threads_offset)
        error = SLAB_ESHRUNK;
    return error;
}

void *slab_map(const struct slab_reader *r, uint64_t offset, uint64_t bytes, int protection)
{
    void *p = mmap(NULL, bytes, protection, MAP_SHARED, r->fd, (off_t)offset);
    return p == MAP_FAILED ? NULL : p;
}

static enum slab_error map_fixed_part(struct slab_reader *r)
{
    r->fixed = slab_map(r, 0, r->file.threads_offset, PROT_READ);
    r->writable = slab_map(r, SLAB_PAGE, r->file.names_offset - SLAB_PAGE, PROT_READ | PROT_WRITE);
    r->threads = calloc(r->file.thread_capacity, sizeof *r->threads);
    uint32_t record = r->file.slot_bytes;
    r->chunk_bytes = record > CHUNK_BYTES ? record : CHUNK_BYTES;
    r->chunk = malloc(r->chunk_bytes);
    return r->fixed && r->writable && r->threads && r->chunk ? SLAB_OK : SLAB_ESYSTEM;
}

struct slab_reader *slab_reader_open(int directory, const char *name, enum slab_error *error)
{
    struct slab_reader *r = calloc(1, sizeof *r);
    if (!r) {
        *error = SLAB_ESYSTEM;
        return NULL;
    }
    r->fd = openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    *error = r->fd < 0 ? SLAB_ESYSTEM : read_header(r);
    if (*error == SLAB_OK)
        *error = map_fixed_part(r);
    if (*error == SLAB_OK)
        *error = slab_stats_open(r);
    if (*error != SLAB_OK) {
        int saved = errno;
        slab_reader_close(&r);
        errno = saved;
    }
    return r;
}

void slab_reader_close(struct slab_reader **reader)
{
    struct slab_reader *r = *reader;
    if (!r)
        return;
    for (uint32_t i = 0; i < r->thread_count; i++)
        if (r->threads[i].base)
            munmap((void *)(uintptr_t)r->threads[i].base, r->file.thread_bytes);
    slab_stats_close(r);
    if (r->fixed)
        munmap(r->fixed, r->file.threads_offset);
    if (r->writable)
        munmap(r->writable, r->file.names_offset - SLAB_PAGE);
    if (r->fd >= 0)
        close(r->fd);
    free(r->threads);
    free(r->names_copy);
    free(r->names);
    free(r->resource_copy);
    free(r->chunk);
    free(r);
    *reader = NULL;
}

const struct slab_file *slab_reader_file(const struct slab_reader *r)
{
    return &r->file;
}

uint32_t slab_reader_uid(const struct slab_reader *r)
{
    return r->uid;
}

int slab_reader_fd(const struct slab_reader *r)
{
    return r->fd;
}
