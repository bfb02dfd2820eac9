// SPDX-License-Identifier: Apache-2.0
/* What the parts of the reader share: its state, and guarded access to the owner's memory.
 *
 *   slab_open.c     the header judged, the fixed part mapped
 *   slab_reader.c   rings and slots: spans
 *   slab_facts.c    names, resource, losses
 *   slab_control.c  what the agent writes
 *   slab_stats_reader.c, slab_instruments.c  statistics
 */
#ifndef WEFT_RING_SLAB_READER_INTERNAL_H
#define WEFT_RING_SLAB_READER_INTERNAL_H

#include <string.h>

#include "lib/ring/guard.h"
#include "lib/ring/slab_reader.h"

struct thread_view {
    const char *base;  /* mapped, thread_bytes; NULL: not yet */
    uint64_t position; /* read up to here */
    uint64_t released; /* the tail as published */
};

struct name_view {
    uint32_t offset, length; /* in names_copy */
};

struct slab_stats_view;

struct slab_reader {
    int fd;
    uint32_t uid;
    struct slab_file file; /* the checked copy */
    char *fixed;           /* [0, threads_offset), read-only */
    char *writable;        /* [4096, names_offset): control page and reader words */
    struct thread_view *threads;
    uint32_t thread_count;
    char *names_copy;
    uint64_t names_copied;
    struct name_view *names;
    uint32_t name_count, name_capacity;
    char *resource_copy;
    uint32_t resource_bytes;
    char *chunk; /* CHUNK_BYTES, or a record, whichever is larger */
    uint32_t chunk_bytes;
    uint32_t looked;               /* slots, by the last slab_look */
    struct slab_stats_view *stats; /* NULL: the file has none */
};

struct copy {
    void *to;
    const void *from;
    size_t bytes;
};

/* Another process may be writing there: what comes out of a race is checked like the rest. */
__attribute__((no_sanitize("thread"))) static void copy_step(void *context)
{
    struct copy *c = context;
    memcpy(c->to, c->from, c->bytes);
}

static inline bool copy_out(void *to, const void *from, size_t bytes)
{
    struct copy c = {to, from, bytes};
    return guard_run(from, bytes, copy_step, &c);
}

struct word {
    _Atomic uint64_t *at;
    uint64_t value;
};

static inline void load_step(void *context)
{
    struct word *w = context;
    w->value = atomic_load_explicit(w->at, memory_order_acquire);
}

static inline void store_step(void *context)
{
    struct word *w = context;
    atomic_store_explicit(w->at, w->value, memory_order_release);
}

static inline bool load64(const void *at, uint64_t *value)
{
    struct word w = {(_Atomic uint64_t *)(uintptr_t)at, 0};
    bool whole = guard_run(at, sizeof *value, load_step, &w);
    *value = w.value;
    return whole;
}

static inline bool store64(_Atomic uint64_t *at, uint64_t value)
{
    struct word w = {at, value};
    return guard_run((const void *)at, sizeof value, store_step, &w);
}

static inline struct slab_control *control(struct slab_reader *r)
{
    return (struct slab_control *)r->writable;
}

static inline struct slab_reader_word *reader_word(const struct slab_reader *r, uint32_t thread)
{
    return (struct slab_reader_word *)(r->writable + SLAB_PAGE) + thread;
}

static inline const struct slab_thread *thread_header(const struct thread_view *t)
{
    return (const struct slab_thread *)t->base;
}

/* Judges the part for statistics and maps it; slab_stats_close may follow whatever it answered. */
enum slab_error slab_stats_open(struct slab_reader *r);
void slab_stats_close(struct slab_reader *r);

/* Maps memory of the file, shared. NULL with errno. */
void *slab_map(const struct slab_reader *r, uint64_t offset, uint64_t bytes, int protection);

#endif
