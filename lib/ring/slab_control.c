// SPDX-License-Identifier: Apache-2.0
/* What the agent tells the owner, and notes for the agent that comes after it: the control page. */
#include "lib/ring/slab_reader_internal.h"

struct control_change {
    struct slab_control *control;
    uint32_t recording;
    uint64_t base_ticks, base_unix_ns, rate;
};

static void recording_step(void *context)
{
    struct control_change *c = context;
    atomic_store_explicit(&c->control->recording, c->recording, memory_order_release);
}

static void clock_step(void *context)
{
    struct control_change *c = context;
    struct slab_control *k = c->control;
    uint32_t sequence = atomic_load_explicit(&k->clock_sequence, memory_order_relaxed);
    atomic_store_explicit(&k->clock_sequence, sequence | 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&k->base_ticks, c->base_ticks, memory_order_relaxed);
    atomic_store_explicit(&k->base_unix_ns, c->base_unix_ns, memory_order_relaxed);
    atomic_store_explicit(&k->ns_per_tick_q32, c->rate, memory_order_relaxed);
    atomic_store_explicit(&k->swept_ticks, c->base_ticks, memory_order_relaxed);
    atomic_store_explicit(&k->clock_sequence, (sequence | 1) + 1, memory_order_release);
}

static enum slab_error change(struct slab_reader *r, void (*step)(void *), struct control_change c)
{
    c.control = control(r);
    return guard_run(r->writable, SLAB_PAGE, step, &c) ? SLAB_OK : SLAB_ESHRUNK;
}

enum slab_error slab_set_recording(struct slab_reader *r, enum slab_recording recording)
{
    return change(r, recording_step, (struct control_change){.recording = recording});
}

enum slab_error slab_set_clock(struct slab_reader *r, uint64_t base_ticks, uint64_t base_unix_ns,
                               uint64_t ns_per_tick_q32)
{
    return change(r, clock_step,
                  (struct control_change){.base_ticks = base_ticks,
                                          .base_unix_ns = base_unix_ns,
                                          .rate = ns_per_tick_q32});
}

uint64_t slab_lost_reported(struct slab_reader *r, unsigned reason)
{
    uint64_t count;
    return reason < SLAB_LOSS_REASONS && load64(&control(r)->lost_reported[reason], &count) ? count
                                                                                            : 0;
}

enum slab_error slab_set_lost_reported(struct slab_reader *r, unsigned reason, uint64_t count)
{
    if (reason >= SLAB_LOSS_REASONS)
        return SLAB_ELIMITS;
    return store64(&control(r)->lost_reported[reason], count) ? SLAB_OK : SLAB_ESHRUNK;
}

uint64_t slab_swept_ticks(struct slab_reader *r)
{
    uint64_t ticks;
    return load64(&control(r)->swept_ticks, &ticks) ? ticks : 0;
}

enum slab_error slab_mark_reaped(struct slab_reader *r)
{
    return store64(&control(r)->reaped, 1) ? SLAB_OK : SLAB_ESHRUNK;
}

bool slab_is_reaped(struct slab_reader *r)
{
    uint64_t reaped;
    return load64(&control(r)->reaped, &reaped) && reaped != 0;
}
