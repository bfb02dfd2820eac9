// SPDX-License-Identifier: Apache-2.0
/* A recorder: the owner's side of one thread slab. Internal to libweft.
 *
 * Taken by a thread at its first span, given back when the thread exits, and taken over by the
 * next new thread, open spans and all. Only the thread that holds it touches it, but for
 * `claimed`. It lives in private memory; what the agent sees is in the slab. */
#ifndef WEFT_CLIENT_RECORDER_H
#define WEFT_CLIENT_RECORDER_H

#include "client/peer.h"
#include "client/process.h"

struct recorder {
    /* What begin and end read, in two cache lines; the sizes are the process'. */
    _Alignas(64) struct process *process;
    char *slots;
    uint64_t slots_bytes;
    uint32_t slot_bytes, payload_bytes, ring_bytes;
    uint32_t free_count;
    uint32_t *free_slots; /* a stack: the slot freed last is the warmest */
    weft_span *previous;  /* [slot]: what was current when the span in it began */
    uint64_t span_counter;
    const _Atomic uint32_t *recording; /* the process' word */

    char *ring;
    uint64_t head;  /* ours: what is published */
    uint64_t limit; /* up to here the head may go before the tail is looked at again */
    struct slab_thread *slab;
    uint32_t index;
    enum slab_clock clock;
    uint64_t trace_counter;
    struct peer_place *peers;
    _Atomic uint64_t *tail; /* the agent's reader word */
    _Atomic bool claimed;
};

/* Initial-exec: a plain load from the thread pointer, where the default model in a shared object
 * calls a function. */
struct recorder_thread {
    struct recorder *self;
    weft_span current;
};
extern __thread struct recorder_thread recorder_thread
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* A recorder for this thread in the current process file, or NULL (counted). Slow. */
struct recorder *recorder_acquire(void);

/* This thread's recorder, whatever it takes. */
static inline struct recorder *recorder_get(void)
{
    struct recorder *r = recorder_thread.self;
    if (__builtin_expect(
            r && r->process == atomic_load_explicit(&process_current, memory_order_relaxed) &&
                atomic_load_explicit(r->recording, memory_order_relaxed) == SLAB_RECORDING_ON,
            1))
        return r;
    return recorder_acquire();
}

/* Fills the empty stack of free slots from those that other threads have freed. False: none. */
bool recorder_refill(struct recorder *r);

static inline struct slab_slot *recorder_slot(const struct recorder *r, uint32_t i)
{
    return (struct slab_slot *)(r->slots + (size_t)i * r->slot_bytes);
}

/* For a head beyond `limit`: looks at the agent's tail and sets the limit anew, to half a ring
 * from there, or to the whole ring, ringing the agent's bell, where half is full. False: full. */
bool recorder_make_room(struct recorder *r, uint64_t head);

/* Single writer: a load and a store, no read-modify-write. */
static inline void recorder_lost(struct recorder *r, enum loss_reason reason)
{
    _Atomic uint64_t *count = &r->slab->lost[reason];
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* In a forked child, for process.c: this thread has no recorder any more. */
void recorder_forget(void);

#endif
