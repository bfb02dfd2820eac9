// SPDX-License-Identifier: Apache-2.0
/* Taking, keeping and leaving a thread slab: everything about it that is not hot. */
#include "client/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/ring/bell.h"
#include "lib/ring/ticks.h"

__thread struct recorder_thread recorder_thread;

static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static bool exit_key_made;

/* ---- leaving ----------------------------------------------------------------------------- */

/* Open spans stay as they are: another thread may end them. */
static void leave(struct recorder *r)
{
    atomic_store_explicit(&r->slab->state, SLAB_THREAD_EXITED, memory_order_relaxed);
    /* pairs with the acquire in claim() */
    atomic_store_explicit(&r->claimed, false, memory_order_release);
}

static void thread_exits(void *value)
{
    if (recorder_thread.self != value)
        return; /* left already, when its file was replaced */
    recorder_thread.self = NULL;
    leave(value);
}

static void make_exit_key(void)
{
    exit_key_made = pthread_key_create(&exit_key, thread_exits) == 0;
}

void recorder_forget(void)
{
    recorder_thread.self = NULL;
    recorder_thread.current = (weft_span){0, 0};
    if (exit_key_made)
        pthread_setspecific(exit_key, NULL);
}

/* ---- taking ------------------------------------------------------------------------------ */

static uint64_t random64(void)
{
    uint64_t x = 0;
    if (getrandom(&x, sizeof x, GRND_NONBLOCK) != (ssize_t)sizeof x)
        x = ticks_now(SLAB_CLOCK_MONOTONIC) * 0x9e3779b97f4a7c15u ^ (uintptr_t)&x;
    return x;
}

/* A recorder that an exited thread left behind. */
static struct recorder *claim(struct process *p)
{
    uint32_t n = atomic_load_explicit(&p->recorder_count, memory_order_acquire);
    for (uint32_t i = 0; i < n; i++) {
        bool unclaimed = false;
        if (atomic_compare_exchange_strong_explicit(&p->recorders[i].claimed, &unclaimed, true,
                                                    memory_order_acquire, memory_order_relaxed))
            return &p->recorders[i];
    }
    return NULL;
}

static bool map_slab(struct process *p, uint64_t offset)
{
    /* MAP_POPULATE: a first touch later would cost a page fault in the middle of a span. */
    return process_owns_file(p) && process_allocate(p->fd, offset, p->thread_bytes) &&
           mmap(p->base + offset, p->thread_bytes, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_FIXED | MAP_POPULATE, p->fd, (off_t)offset) != MAP_FAILED;
}

static bool map_private_tables(struct recorder *r, uint32_t slots)
{
    size_t peer_bytes = PEER_PLACES * sizeof *r->peers;
    size_t bytes = peer_bytes + slots * (sizeof *r->previous + sizeof *r->free_slots);
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    r->peers = (struct peer_place *)memory;
    r->previous = (weft_span *)(memory + peer_bytes);
    r->free_slots = (uint32_t *)(memory + peer_bytes + slots * sizeof *r->previous);
    return true;
}

/* A new thread slab at the end of the file, or NULL. Holding the process lock. */
static struct recorder *extend(struct process *p)
{
    uint32_t index = atomic_load_explicit(&p->recorder_count, memory_order_relaxed);
    if (index == p->thread_capacity)
        return NULL;
    uint64_t offset = p->file->threads_offset + index * p->thread_bytes;
    struct recorder *r = &p->recorders[index];
    if (!map_slab(p, offset) || !map_private_tables(r, p->slot_count))
        return NULL;
    r->process = p;
    r->index = index;
    r->recording = &p->control->recording;
    r->slab = (struct slab_thread *)(p->base + offset);
    r->slots = (char *)r->slab + slab_slots_offset();
    r->slots_bytes = (uint64_t)p->slot_count * p->slot_bytes;
    r->slot_bytes = p->slot_bytes;
    r->payload_bytes = p->payload_bytes;
    r->ring_bytes = p->ring_bytes;
    r->clock = p->clock;
    for (uint32_t i = 0; i < p->slot_count; i++)
        recorder_slot(r, i)->index = i;
    r->ring = (char *)r->slab + slab_ring_offset(p->slot_count, p->slot_bytes);
    r->tail = &p->readers[index].tail;
    atomic_store_explicit(&r->claimed, true, memory_order_relaxed);
    atomic_store_explicit(&p->recorder_count, index + 1, memory_order_release);
    /* pairs with the acquire in slab_refresh() */
    atomic_store_explicit(&p->file->thread_count, index + 1, memory_order_release);
    return r;
}

/* A full tmpfs or table is asked again once a second, not at every span. NULL: process_current may
 * be another one now. */
static struct recorder *extend_sometimes(struct process *p)
{
    static __thread uint64_t refused_until_ns;
    uint64_t now = ticks_now(SLAB_CLOCK_MONOTONIC);
    if (now < refused_until_ns)
        return NULL;
    process_lock();
    struct recorder *r = extend(p);
    process_unlock();
    if (!r)
        process_check(p);
    refused_until_ns = r || process_get() != p ? 0 : now + 1000000000u;
    return r;
}

static void count_refusal(struct process *p)
{
    bool full =
        atomic_load_explicit(&p->recorder_count, memory_order_relaxed) == p->thread_capacity;
    process_lost(p, full ? LOSS_NO_THREAD_SLAB : LOSS_NO_MEMORY);
}

static void begin_with(struct recorder *r)
{
    r->span_counter = random64();
    r->trace_counter = random64();
    r->free_count = 0;
    r->limit = atomic_load_explicit(r->tail, memory_order_acquire);
    atomic_store_explicit(&r->slab->tid, (uint32_t)syscall(SYS_gettid), memory_order_relaxed);
    atomic_store_explicit(&r->slab->state, SLAB_THREAD_LIVE, memory_order_release);
    pthread_once(&exit_once, make_exit_key);
    if (exit_key_made)
        pthread_setspecific(exit_key, r);
    recorder_thread.self = r;
}

static struct recorder *acquire(void)
{
    struct process *p = process_in_use();
    if (!p) {
        process_lost(NULL, LOSS_NO_FILE);
        return NULL;
    }
    if (recorder_thread.self && recorder_thread.self->process == p)
        return recorder_thread.self;
    if (recorder_thread.self)
        leave(recorder_thread.self);
    recorder_thread.self = NULL;
    struct recorder *r = claim(p);
    if (!r && !(r = extend_sometimes(p))) {
        if (process_get() != p)
            return acquire(); /* its file was replaced just now: at most once a second */
        count_refusal(p);
        return NULL;
    }
    begin_with(r);
    return r;
}

struct recorder *recorder_acquire(void)
{
    int saved = errno;
    struct recorder *r = acquire();
    errno = saved;
    return r;
}

/* ---- slots and room ---------------------------------------------------------------------- */

bool recorder_refill(struct recorder *r)
{
    for (uint32_t i = r->process->slot_count; i-- > 0;) {
        uint32_t state =
            atomic_load_explicit(&recorder_slot(r, i)->span.state, memory_order_acquire);
        if (SLAB_SLOT_STATE(state) == SLAB_SLOT_FREE)
            r->free_slots[r->free_count++] = i;
    }
    return r->free_count > 0;
}

bool recorder_make_room(struct recorder *r, uint64_t head)
{
    uint32_t ring_bytes = r->ring_bytes;
    /* pairs with the release in slab_release() */
    uint64_t tail = atomic_load_explicit(r->tail, memory_order_acquire);
    if (head - tail <= ring_bytes / 2) {
        r->limit = tail + ring_bytes / 2;
        return true;
    }
    int saved = errno;
    if (r->limit != tail + ring_bytes) {
        r->limit = tail + ring_bytes;
        bell_ring(r->process->directory);
    }
    if (head > r->limit)
        process_check(r->process);
    errno = saved;
    return head <= r->limit;
}
