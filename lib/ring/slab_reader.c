// SPDX-License-Identifier: Apache-2.0
/* Spans out of rings and slots. Everything is copied, then judged, then visited. */
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/ring/slab_reader_internal.h"

#define LOOK_SLOTS_MAX (1u << 18) /* of a living process at once */

/* ---- threads ----------------------------------------------------------------------------- */

static enum slab_error map_thread(struct slab_reader *r, uint32_t i)
{
    uint64_t offset = r->file.threads_offset + i * r->file.thread_bytes;
    struct stat st;
    if (fstat(r->fd, &st) != 0)
        return SLAB_ESYSTEM;
    if ((uint64_t)st.st_size < offset + r->file.thread_bytes)
        return SLAB_ESHRUNK;
    uint64_t tail;
    if (!load64(&reader_word(r, i)->tail, &tail))
        return SLAB_ESHRUNK;
    const char *base = slab_map(r, offset, r->file.thread_bytes, PROT_READ);
    if (!base)
        return SLAB_ESYSTEM;
    struct thread_view *t = &r->threads[i];
    t->base = base;
    t->released = tail;
    if (t->position < tail)
        t->position = tail;
    return SLAB_OK;
}

/* Maps the slabs of threads that came since. */
static enum slab_error slab_refresh(struct slab_reader *r)
{
    const struct slab_file *shared = (const struct slab_file *)r->fixed;
    uint64_t word; /* thread_count and what stands beside it */
    /* pairs with the release in extend() */
    if (!load64((const char *)&shared->thread_count, &word))
        return SLAB_ESHRUNK;
    uint32_t count = (uint32_t)word;
    if (count > r->file.thread_capacity)
        return SLAB_ELIMITS;
    while (r->thread_count < count) {
        enum slab_error error = map_thread(r, r->thread_count);
        if (error != SLAB_OK)
            return error;
        r->thread_count++;
    }
    return SLAB_OK;
}

uint32_t slab_threads(const struct slab_reader *r)
{
    return r->thread_count;
}

uint64_t slab_position(const struct slab_reader *r, uint32_t thread)
{
    return r->threads[thread].position;
}

bool slab_advance(struct slab_reader *r, uint32_t thread, uint64_t position)
{
    if (slab_refresh(r) != SLAB_OK || thread >= r->thread_count)
        return false;
    struct thread_view *t = &r->threads[thread];
    uint64_t head;
    if (!load64(&thread_header(t)->head, &head) || position % 8 || position > head ||
        head - position > r->file.ring_bytes)
        return false;
    if (position > t->position)
        t->position = position;
    return true;
}

/* ---- rings ------------------------------------------------------------------------------- */

static bool span_is_sound(const struct slab_span *s)
{
    return s->span_id != 0 && (s->trace_hi | s->trace_lo) != 0 && s->kind <= 4 && s->status <= 2;
}

/* The record at `at` with `left` bytes behind it in the chunk. 1: visited or padding, *bytes
 * long. 0: cut off by the chunk's end. -1: no record. */
static int take_record(struct slab_reader *r, const char *at, size_t left, slab_visit *visit,
                       void *context, uint32_t *bytes)
{
    uint32_t word;
    if (left < sizeof word)
        return 0;
    memcpy(&word, at, sizeof word);
    *bytes = word & ~SLAB_RECORD_PAD;
    if (*bytes % 8 || *bytes == 0 || *bytes > r->file.slot_bytes)
        return -1;
    if (*bytes > left)
        return 0;
    if (word & SLAB_RECORD_PAD)
        return 1;
    if (*bytes < sizeof(struct slab_span))
        return -1;
    struct slab_record record = {.payload = at + sizeof record.span};
    memcpy(&record.span, at, sizeof record.span);
    record.used = atomic_load_explicit(&record.span.used, memory_order_relaxed);
    if (record.used % 8 || record.used > *bytes - sizeof record.span ||
        !span_is_sound(&record.span) || record.span.end_ticks < record.span.start_ticks)
        return -1;
    visit(context, &record);
    return 1;
}

/* Copies a run of the ring that does not wrap and visits its records. */
static enum slab_error sweep_run(struct slab_reader *r, struct thread_view *t, uint64_t head,
                                 slab_visit *visit, void *context)
{
    uint32_t at = (uint32_t)(t->position & (r->file.ring_bytes - 1));
    uint64_t run = head - t->position;
    if (run > r->file.ring_bytes - at)
        run = r->file.ring_bytes - at;
    bool cut = run > r->chunk_bytes;
    if (cut)
        run = r->chunk_bytes;
    const char *ring = t->base + slab_ring_offset(r->file.slot_count, r->file.slot_bytes);
    if (!copy_out(r->chunk, ring + at, run))
        return SLAB_ESHRUNK;
    uint64_t done = 0;
    while (done < run) {
        uint32_t bytes;
        int taken = take_record(r, r->chunk + done, run - done, visit, context, &bytes);
        if (taken < 0 || (taken == 0 && (!cut || done == 0)))
            return SLAB_ERECORD;
        if (taken == 0)
            break;
        done += bytes;
    }
    t->position += done;
    return SLAB_OK;
}

static enum slab_error sweep_thread(struct slab_reader *r, struct thread_view *t, slab_visit *visit,
                                    void *context, size_t *budget, bool *more)
{
    uint64_t head;
    /* pairs with the release in put_in_ring() */
    if (!load64(&thread_header(t)->head, &head))
        return SLAB_ESHRUNK;
    if (head == t->position)
        return SLAB_OK;
    enum slab_error error = SLAB_OK;
    if (head % 8 || head - t->position > r->file.ring_bytes)
        error = SLAB_ERECORD;
    while (error == SLAB_OK && t->position != head) {
        if (*budget == 0) {
            *more = true;
            return SLAB_OK;
        }
        uint64_t before = t->position;
        error = sweep_run(r, t, head, visit, context);
        uint64_t read = t->position - before;
        *budget -= read < *budget ? read : *budget;
    }
    if (error == SLAB_ERECORD)
        t->position = head & ~(uint64_t)7; /* what lies between is lost, and counted once */
    return error;
}

enum slab_error slab_sweep(struct slab_reader *r, slab_visit *visit, void *context,
                           size_t budget_bytes, bool *more)
{
    *more = false;
    enum slab_error worst = slab_refresh(r);
    for (uint32_t i = 0; i < r->thread_count; i++) {
        enum slab_error error =
            sweep_thread(r, &r->threads[i], visit, context, &budget_bytes, more);
        if (error != SLAB_OK)
            worst = error;
    }
    return worst;
}

unsigned slab_pressure(const struct slab_reader *r)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < r->thread_count; i++) {
        uint64_t held = r->threads[i].position - r->threads[i].released;
        if (held > most)
            most = held;
    }
    return (unsigned)(most * 100 / r->file.ring_bytes);
}

bool slab_is_held(const struct slab_reader *r)
{
    for (uint32_t i = 0; i < r->thread_count; i++)
        if (r->threads[i].released != r->threads[i].position)
            return true;
    return false;
}

enum slab_error slab_release(struct slab_reader *r)
{
    for (uint32_t i = 0; i < r->thread_count; i++) {
        struct thread_view *t = &r->threads[i];
        if (t->released == t->position)
            continue;
        /* pairs with the acquire in recorder_make_room() */
        if (!store64(&reader_word(r, i)->tail, t->position))
            return SLAB_ESHRUNK;
        t->released = t->position;
    }
    return SLAB_OK;
}

/* ---- slots ------------------------------------------------------------------------------- */

/* Whether a span in state ENDING came into the ring that it names. */
static bool reached_ring(struct slab_reader *r, const struct slab_slot *slot)
{
    uint32_t thread = atomic_load_explicit(&slot->ending_thread, memory_order_relaxed);
    uint64_t position = atomic_load_explicit(&slot->ending_position, memory_order_relaxed);
    uint64_t head;
    return thread < r->thread_count && load64(&thread_header(&r->threads[thread])->head, &head) &&
           head >= position;
}

/* The owner may be at work: the copy counts if the state word stood still meanwhile. */
static enum slab_error look_at_slot(struct slab_reader *r, const char *shared, bool dead,
                                    slab_visit *visit, void *context, bool *unused)
{
    uint64_t before, after;
    if (!load64(shared, &before))
        return SLAB_ESHRUNK;
    *unused = before == 0;
    uint32_t state = SLAB_SLOT_STATE((uint32_t)before);
    if (state != SLAB_SLOT_OPEN && !(dead && state == SLAB_SLOT_ENDING))
        return SLAB_OK;
    /* `used` is the other half of the word: what it commits is whole. */
    uint32_t used = (uint32_t)(before >> 32);
    if (used % 8 || used > r->file.slot_bytes - sizeof(struct slab_slot))
        return SLAB_ERECORD;
    if (!copy_out(r->chunk, shared, sizeof(struct slab_slot) + used))
        return SLAB_ESHRUNK;
    atomic_thread_fence(memory_order_acquire);
    if (!load64(shared, &after))
        return SLAB_ESHRUNK;
    if ((uint32_t)before != (uint32_t)after)
        return SLAB_OK; /* it ended meanwhile: the ring has it */

    struct slab_slot *slot = (struct slab_slot *)(void *)r->chunk;
    if (state == SLAB_SLOT_ENDING && reached_ring(r, slot))
        return SLAB_OK; /* its slot may be half cleared */
    if (!span_is_sound(&slot->span))
        return SLAB_ERECORD;
    struct slab_record record = {
        .payload = slot->payload, .used = used, .open = state == SLAB_SLOT_OPEN};
    memcpy(&record.span, &slot->span, sizeof record.span);
    visit(context, &record);
    return SLAB_OK;
}

enum slab_error slab_look(struct slab_reader *r, bool dead, slab_visit *visit, void *context)
{
    enum slab_error worst = slab_refresh(r);
    r->looked = 0;
    for (uint32_t i = 0; i < r->thread_count; i++) {
        const char *slots = r->threads[i].base + slab_slots_offset();
        bool unused = false; /* and so are all behind it */
        for (uint32_t s = 0; s < r->file.slot_count && (dead || !unused); s++) {
            if (!dead && r->looked == LOOK_SLOTS_MAX)
                return worst;
            r->looked++;
            enum slab_error error = look_at_slot(r, slots + (size_t)s * r->file.slot_bytes, dead,
                                                 visit, context, &unused);
            if (error != SLAB_OK)
                worst = error;
            if (error == SLAB_ESHRUNK)
                return worst;
        }
    }
    return worst;
}

uint32_t slab_looked(const struct slab_reader *r)
{
    return r->looked;
}
