// SPDX-License-Identifier: Apache-2.0
/* Begin and end: the hot path. No lock, no allocation, no system call, no wait.
 *
 * Order of writes, on which the agent relies (docs/format/slab.md, "Commit orders"):
 *   begin   the head's fields, then state OPEN
 *   end     end_ticks, ending_*, then state ENDING; the record's bytes, then the ring's head;
 *           then state FREE
 * So at every instruction each span is in a slot or in a ring or in both, and where it is in
 * both the slot's ending_position tells.
 */
#include <errno.h>
#include <string.h>

#include "client/names.h"
#include "client/recorder.h"
#include "client/span.h"
#include "lib/ring/span_id.h"
#include "lib/ring/ticks.h"

/* ---- begin ------------------------------------------------------------------------------- */

/* The counter runs over all 64-bit numbers; 0 maps to 0, which means "none". */
static inline uint64_t next_id(uint64_t *counter)
{
    if (__builtin_expect(++*counter == 0, 0))
        ++*counter;
    return span_id_mix(*counter);
}

/* The left half sorts by time: unix nanoseconds as far as the calibration in the control page,
 * or else the one moment in the file's header, allows. The right half is random. */
static struct trace_ids new_trace(struct recorder *r, uint64_t ticks)
{
    const struct slab_control *c = r->process->control;
    const struct slab_file *f = r->process->file;
    uint64_t rate = atomic_load_explicit(&c->ns_per_tick_q32, memory_order_relaxed);
    uint64_t elapsed = ticks - f->open_ticks;
    uint64_t ns = rate ? (uint64_t)(((unsigned __int128)elapsed * rate) >> 32) : elapsed;
    return (struct trace_ids){f->open_unix_ns + ns, next_id(&r->trace_counter)};
}

static inline struct slab_slot *take_slot(struct recorder *r)
{
    if (__builtin_expect(r->free_count == 0, 0) && !recorder_refill(r)) {
        recorder_lost(r, LOSS_NO_SLOT);
        return NULL;
    }
    return recorder_slot(r, r->free_slots[--r->free_count]);
}

static inline weft_span open_slot(struct recorder *r, struct slab_slot *slot,
                                  const struct parentage *parent, struct weft_name *name,
                                  enum weft_kind kind, uint64_t ticks)
{
    struct slab_span *s = &slot->span;
    uint64_t id = next_id(&r->span_counter);
    atomic_store_explicit(&s->used, 0, memory_order_relaxed);
    s->span_id = id;
    s->trace_hi = parent->trace.hi;
    s->trace_lo = parent->trace.lo;
    s->parent_id = parent->span_id;
    s->start_ticks = ticks;
    s->name = names_number(r->process, name);
    s->kind = (uint8_t)kind;
    s->status = WEFT_UNSET;
    s->flags = parent->flags;
    s->dropped = 0;
    uint32_t state = atomic_load_explicit(&s->state, memory_order_relaxed);
    /* pairs with the acquire in slab_look() */
    atomic_store_explicit(&s->state, (SLAB_SLOT_GENERATION(state) + 1) << 2 | SLAB_SLOT_OPEN,
                          memory_order_release);
    return (weft_span){slot, id};
}

static inline void activate(struct recorder *r, weft_span span)
{
    r->previous[((struct slab_slot *)span.slot)->index] = recorder_thread.current;
    recorder_thread.current = span;
}

/* A detached one may be made current later; the slot's last span left something here. */
static inline void stay_detached(struct recorder *r, weft_span span)
{
    r->previous[((struct slab_slot *)span.slot)->index] = recorder_thread.current;
}

weft_span weft_begin_recorded(struct weft_name *name, enum weft_kind kind)
{
    struct recorder *r = recorder_get();
    struct slab_slot *slot;
    if (!r || !(slot = take_slot(r)))
        return (weft_span){0, 0};
    uint64_t ticks = ticks_now(r->clock);
    struct parentage parent;
    const struct slab_span *current = span_of(recorder_thread.current);
    if (current)
        parent = (struct parentage){{current->trace_hi, current->trace_lo},
                                    current->span_id,
                                    current->flags &
                                        (uint8_t) ~(SPAN_FLAG_REMOTE_PARENT | SLAB_SPAN_MORE)};
    else
        parent = (struct parentage){new_trace(r, ticks), 0, SPAN_FLAG_SAMPLED | SPAN_FLAG_RANDOM};
    weft_span span = open_slot(r, slot, &parent, name, kind, ticks);
    if (__builtin_expect(parent.flags & SPAN_FLAG_TRACESTATE, 0))
        span_copy_tracestate(recorder_thread.current, span);
    activate(r, span);
    return span;
}

weft_span weft_begin_from_recorded(struct weft_name *name, enum weft_kind kind,
                                   const struct weft_context *context, int make_current)
{
    struct recorder *r = recorder_get();
    struct slab_slot *slot;
    if (!r || !(slot = take_slot(r)))
        return (weft_span){0, 0};
    uint64_t ticks = ticks_now(r->clock);
    struct parentage parent;
    if (context && (context->trace_hi | context->trace_lo))
        parent = (struct parentage){
            {context->trace_hi, context->trace_lo},
            context->span_id,
            (uint8_t)((context->flags & 3) | (context->remote ? SPAN_FLAG_REMOTE_PARENT : 0))};
    else
        parent = (struct parentage){new_trace(r, ticks), 0, SPAN_FLAG_SAMPLED | SPAN_FLAG_RANDOM};
    weft_span span = open_slot(r, slot, &parent, name, kind, ticks);
    if (context && context->tracestate_length)
        span_set_tracestate(span, context->tracestate, context->tracestate_length);
    if (make_current)
        activate(r, span);
    else
        stay_detached(r, span);
    return span;
}

/* ---- end --------------------------------------------------------------------------------- */

/* Writes the record and publishes it. False: the ring is full. */
static inline __attribute__((always_inline)) bool
put_in_ring(struct recorder *r, struct slab_slot *slot, uint64_t end_ticks)
{
    struct slab_span *s = &slot->span;
    uint32_t ring_bytes = r->ring_bytes;
    uint32_t used = atomic_load_explicit(&s->used, memory_order_relaxed);
    uint32_t bytes = (uint32_t)sizeof *s + used;
    uint32_t at = (uint32_t)r->head & (ring_bytes - 1);
    uint32_t pad = at + bytes > ring_bytes ? ring_bytes - at : 0;
    uint64_t head = r->head + pad + bytes;
    if (__builtin_expect((int64_t)(head - r->limit) > 0, 0) && !recorder_make_room(r, head))
        return false;

    s->end_ticks = end_ticks > s->start_ticks ? end_ticks : s->start_ticks;
    atomic_store_explicit(&slot->ending_thread, r->index, memory_order_relaxed);
    atomic_store_explicit(&slot->ending_position, head, memory_order_relaxed);
    uint32_t state = atomic_load_explicit(&s->state, memory_order_relaxed);
    /* pairs with the acquire in slab_look() */
    atomic_store_explicit(&s->state, SLAB_SLOT_GENERATION(state) << 2 | SLAB_SLOT_ENDING,
                          memory_order_release);
    /* What is written to the slot from here on is seen behind ENDING: pairs with the fence in
     * look_at_slot(). */
    atomic_thread_fence(memory_order_release);
    if (__builtin_expect(pad != 0, 0)) {
        uint32_t mark = SLAB_RECORD_PAD | pad;
        memcpy(r->ring + at, &mark, sizeof mark);
        at = 0;
    }
    char *record = r->ring + at;
    memcpy(record, s, sizeof *s);
    memcpy(record, &bytes, sizeof bytes); /* where the slot has its state */
    memcpy(record + sizeof *s, slot->payload, used);
    r->head = head;
    /* pairs with the acquire in slab_sweep() */
    atomic_store_explicit(&r->slab->head, head, memory_order_release);
    return true;
}

/* For a span that comes into no ring: as if it had come into one long ago. An open slot whose
 * span_id free_slot() has cleared already would be no span to a reader. */
static void abandon(struct slab_slot *slot)
{
    struct slab_span *s = &slot->span;
    uint32_t state = atomic_load_explicit(&s->state, memory_order_relaxed);
    atomic_store_explicit(&slot->ending_thread, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->ending_position, 0, memory_order_relaxed);
    /* pairs with the acquire in slab_look() */
    atomic_store_explicit(&s->state, SLAB_SLOT_GENERATION(state) << 2 | SLAB_SLOT_ENDING,
                          memory_order_release);
}

/* No handle is valid on it any more; then it is free for its owner, on this thread or another. */
static inline void free_slot(struct slab_slot *slot)
{
    struct slab_span *s = &slot->span;
    uint32_t state = atomic_load_explicit(&s->state, memory_order_relaxed);
    s->span_id = 0;
    /* pairs with the acquires in slab_look() and recorder_refill() */
    atomic_store_explicit(&s->state, SLAB_SLOT_GENERATION(state) << 2 | SLAB_SLOT_FREE,
                          memory_order_release);
}

static bool is_in_file_of(const struct recorder *r, const struct slab_slot *slot)
{
    return (uint64_t)((const char *)slot - r->process->base) < r->process->mapping_bytes;
}

/* A slot of another thread, whose owner will find it by a scan. Where the process file was
 * replaced meanwhile this thread may not have moved to the new one yet; a span that began in an
 * older one cannot be recorded in it, as its names are numbered otherwise. r may be NULL: this
 * thread cannot record, which was counted, yet the slot must not stay taken. */
static void end_foreign(struct recorder *r, weft_span span)
{
    struct slab_slot *slot = span.slot;
    if (r && !is_in_file_of(r, slot))
        r = recorder_acquire();
    bool ours = r && is_in_file_of(r, slot);
    if (!ours || !put_in_ring(r, slot, ticks_now(r->clock))) {
        abandon(slot);
        if (r)
            recorder_lost(r, ours ? LOSS_RING_FULL : LOSS_STALE_HANDLE);
    }
    free_slot(slot);
    if (recorder_thread.current.id == span.id)
        recorder_thread.current = (weft_span){0, 0};
}

void weft_end_recorded(weft_span span)
{
    struct recorder *r = recorder_thread.self;
    struct slab_slot *slot = span.slot;
    if (__builtin_expect(slot->span.span_id != span.id, 0)) {
        if (r)
            recorder_lost(r, LOSS_STALE_HANDLE);
        return;
    }
    if (__builtin_expect(!r, 0) && !(r = recorder_acquire())) {
        end_foreign(NULL, span);
        return;
    }
    uint64_t offset = (uint64_t)((char *)slot - r->slots);
    if (__builtin_expect(offset >= r->slots_bytes, 0)) {
        end_foreign(r, span);
        return;
    }
    if (__builtin_expect(!put_in_ring(r, slot, ticks_now(r->clock)), 0)) {
        abandon(slot);
        recorder_lost(r, LOSS_RING_FULL);
    }
    free_slot(slot);
    uint32_t i = slot->index;
    r->free_slots[r->free_count++] = i;
    if (recorder_thread.current.id == span.id)
        recorder_thread.current = r->previous[i];
}

/* ---- current ----------------------------------------------------------------------------- */

weft_span weft_activate(weft_span span)
{
    weft_span before = recorder_thread.current;
    recorder_thread.current = span;
    return before;
}

weft_span weft_current(void)
{
    return span_of(recorder_thread.current) ? recorder_thread.current : (weft_span){0, 0};
}
