// SPDX-License-Identifier: Apache-2.0
/* A recorder: the owner's side of one thread slab. Internal to libweft.
 *
 * Taken by a thread at its first span, given back when the thread exits, and taken over by the
 * next new thread, open spans and all. Only the thread that holds it touches it, but for
 * `claimed`. It lives in private memory; what the agent sees is in the slab. */
#ifndef WEFT_CLIENT_RECORDER_H
#define WEFT_CLIENT_RECORDER_H

#include "client/process.h"

struct recorder {
    _Alignas(64) struct process *process;
    struct slab_thread *slab;
    char *slots; /* slot i at slots + i * process->slot_bytes */
    char *ring;
    _Atomic uint64_t *tail; /* the agent's reader word */
    uint64_t head;          /* ours: what is published */
    uint64_t tail_seen;     /* the tail when last looked at: never beyond the true one */
    uint64_t span_counter, trace_counter;
    uint32_t *free_slots; /* a stack: the slot freed last is the warmest */
    uint32_t free_count;
    uint32_t index;
    weft_span *previous; /* [slot]: what was current when the span in it began */
    _Atomic bool claimed;
    bool belled; /* the agent was told of a half full ring since it last swept */
};

/* Initial-exec: a plain load from the thread pointer, where the default model in a shared object
 * calls a function (measured: 6 to 14 ns a span). */
extern __thread struct recorder *recorder_self
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
extern __thread weft_span recorder_current_span
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* A recorder for this thread in the current process file, or NULL (counted). Slow. */
struct recorder *recorder_acquire(void);

/* This thread's recorder, whatever it takes. */
static inline struct recorder *recorder_get(void)
{
    struct recorder *r = recorder_self;
    if (__builtin_expect(
            r && r->process == atomic_load_explicit(&process_current, memory_order_relaxed) &&
                __atomic_load_n(weft_recording_word, __ATOMIC_RELAXED) == SLAB_RECORDING_ON,
            1))
        return r;
    return recorder_acquire();
}

/* Fills the empty stack of free slots from those that other threads have freed. False: none. */
bool recorder_refill(struct recorder *r);

static inline struct slab_slot *recorder_slot(const struct recorder *r, uint32_t i)
{
    return (struct slab_slot *)(r->slots + (size_t)i * r->process->slot_bytes);
}

/* Makes room for `bytes` at the ring's head, seeing the agent's tail anew and ringing its bell
 * where the ring is more than half full. False: full. */
bool recorder_make_room(struct recorder *r, uint64_t bytes);

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
