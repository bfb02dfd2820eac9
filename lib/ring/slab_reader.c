// SPDX-License-Identifier: Apache-2.0
#include "lib/ring/slab_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ring/guard.h"

#define NAMES_BYTES_MAX    (4u << 20)
#define RESOURCE_BYTES_MAX (64u << 10)
#define CHUNK_BYTES        (64u << 10) /* copied at once: stays in the second-level cache */

struct thread_view {
    const char *base;  /* mapped, thread_bytes; NULL: not yet */
    uint64_t position; /* read up to here */
    uint64_t released; /* the tail as published */
};

struct name_view {
    uint32_t offset, length; /* in names_copy */
};

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
};

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
        return "bytes in a ring or slot are no span";
    }
    return "unknown error";
}

/* ---- opening ------------------------------------------------------------------------------ */

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
           f->threads_offset >= f->resource_offset + f->resource_bytes &&
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

static void *map(struct slab_reader *r, uint64_t offset, uint64_t bytes, int protection)
{
    void *p = mmap(NULL, bytes, protection, MAP_SHARED, r->fd, (off_t)offset);
    return p == MAP_FAILED ? NULL : p;
}

static enum slab_error map_fixed_part(struct slab_reader *r)
{
    r->fixed = map(r, 0, r->file.threads_offset, PROT_READ);
    r->writable = map(r, SLAB_PAGE, r->file.names_offset - SLAB_PAGE, PROT_READ | PROT_WRITE);
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

/* ---- guarded access ------------------------------------------------------------------------ */

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

static bool copy_out(void *to, const void *from, size_t bytes)
{
    struct copy c = {to, from, bytes};
    return guard_run(from, bytes, copy_step, &c);
}

struct word {
    _Atomic uint64_t *at;
    uint64_t value;
};

static void load_step(void *context)
{
    struct word *w = context;
    w->value = atomic_load_explicit(w->at, memory_order_acquire);
}

static void store_step(void *context)
{
    struct word *w = context;
    atomic_store_explicit(w->at, w->value, memory_order_release);
}

static bool load64(const void *at, uint64_t *value)
{
    struct word w = {(_Atomic uint64_t *)(uintptr_t)at, 0};
    bool whole = guard_run(at, sizeof *value, load_step, &w);
    *value = w.value;
    return whole;
}

static bool store64(_Atomic uint64_t *at, uint64_t value)
{
    struct word w = {at, value};
    return guard_run((const void *)at, sizeof value, store_step, &w);
}

static struct slab_control *control(struct slab_reader *r)
{
    return (struct slab_control *)r->writable;
}

static struct slab_reader_word *reader_word(const struct slab_reader *r, uint32_t thread)
{
    return (struct slab_reader_word *)(r->writable + SLAB_PAGE) + thread;
}

static const struct slab_thread *thread_header(const struct thread_view *t)
{
    return (const struct slab_thread *)t->base;
}

/* ---- threads ------------------------------------------------------------------------------- */

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
    const char *base = map(r, offset, r->file.thread_bytes, PROT_READ);
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

/* ---- rings --------------------------------------------------------------------------------- */

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

/* ---- slots --------------------------------------------------------------------------------- */

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
                                    slab_visit *visit, void *context)
{
    uint64_t before, after;
    if (!load64(shared, &before))
        return SLAB_ESHRUNK;
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
    for (uint32_t i = 0; i < r->thread_count; i++) {
        const char *slots = r->threads[i].base + slab_slots_offset();
        for (uint32_t s = 0; s < r->file.slot_count; s++) {
            enum slab_error error =
                look_at_slot(r, slots + (size_t)s * r->file.slot_bytes, dead, visit, context);
            if (error != SLAB_OK)
                worst = error;
            if (error == SLAB_ESHRUNK)
                return worst;
        }
    }
    return worst;
}

/* ---- names, resource, losses --------------------------------------------------------------- */

static bool add_name(struct slab_reader *r, uint32_t offset, uint32_t length)
{
    if (r->name_count == r->name_capacity) {
        uint32_t capacity = r->name_capacity ? r->name_capacity * 2 : 64;
        struct name_view *names = realloc(r->names, capacity * sizeof *names);
        if (!names)
            return false;
        r->names = names;
        r->name_capacity = capacity;
    }
    r->names[r->name_count++] = (struct name_view){offset, length};
    return true;
}

/* Copies what was added to the name table since and cuts it into entries. */
static void refresh_names(struct slab_reader *r)
{
    const struct slab_file *shared = (const struct slab_file *)r->fixed;
    uint64_t used;
    /* pairs with the release in append() of client/names.c */
    if (!load64(&shared->names_used, &used) || used > r->file.names_bytes ||
        used <= r->names_copied)
        return;
    if (!r->names_copy && !(r->names_copy = malloc(r->file.names_bytes)))
        return;
    uint64_t at = r->names_copied;
    if (!copy_out(r->names_copy + at, r->fixed + r->file.names_offset + at, used - at))
        return;
    r->names_copied = used;
    while (used - at > sizeof(uint16_t) && r->name_count < SLAB_NAMES_MAX) {
        uint16_t length;
        memcpy(&length, r->names_copy + at, sizeof length);
        if (length > used - at - sizeof length ||
            !add_name(r, (uint32_t)(at + sizeof length), length))
            return;
        at += (sizeof length + length + 3) & ~3ul;
        if (at > used)
            return;
    }
}

const char *slab_name(struct slab_reader *r, uint32_t number, size_t *length)
{
    if (number > r->name_count)
        refresh_names(r);
    if (number == 0 || number > r->name_count) {
        *length = 0;
        return NULL;
    }
    *length = r->names[number - 1].length;
    return r->names_copy + r->names[number - 1].offset;
}

const char *slab_resource(struct slab_reader *r, uint32_t *used)
{
    *used = 0;
    if (!r->resource_copy) {
        char *copy = malloc(r->file.resource_bytes + 1);
        if (!copy || !copy_out(copy, r->fixed + r->file.resource_offset, r->file.resource_bytes)) {
            free(copy);
            return "";
        }
        r->resource_copy = copy;
    }
    *used = (uint32_t)r->file.resource_bytes;
    return r->resource_copy;
}

uint64_t slab_lost(struct slab_reader *r, unsigned reason)
{
    const struct slab_file *shared = (const struct slab_file *)r->fixed;
    uint64_t sum = 0, count;
    if (reason >= SLAB_LOSS_REASONS)
        return 0;
    if (load64(&shared->lost[reason], &count))
        sum = count;
    for (uint32_t i = 0; i < r->thread_count; i++)
        if (load64(&thread_header(&r->threads[i])->lost[reason], &count))
            sum += count;
    return sum;
}

/* ---- control ------------------------------------------------------------------------------- */

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
