// SPDX-License-Identifier: Apache-2.0
/* Everything about cells that is not hot: a thread's table, chunks, new cells.
 *
 * A chunk takes its memory from the tmpfs, together with its two images for the agent, before it
 * is touched or published. What has no room is refused for a second to the thread that asked. */
#include "client/cells.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "client/identity.h"
#include "client/instruments.h"
#include "lib/ring/ticks.h"

/* One thread's, in private memory; after the thread, the next one's. */
struct thread_cells {
    struct process *process;
    struct thread_cells *next;
    bool claimed;
    struct slab_chunk *chunk; /* that it appends to; NULL: none yet */
    size_t bytes;             /* of this mapping */
    char *room;               /* for views, behind the table; there is enough */
    void *table[];            /* by the numbers of instruments; 0 is none's */
};

__thread struct weft_cells weft_cells;
static __thread struct thread_cells *mine __attribute__((tls_model("initial-exec")));
static __thread uint64_t refused_until_ns;

static struct thread_cells *all; /* of the current process file, and older ones in use still */
static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static bool exit_key_made;

uint64_t cells_lay_out(struct slab_stats *s, uint64_t offset)
{
    unsigned long room = identity_number("WEFT_STATS_BYTES", 16 << 20, 0, 256 << 20);
    uint64_t chunks = room / SLAB_CHUNK_BYTES;
    *s = (struct slab_stats){.header_bytes = sizeof *s, .chunk_capacity = (uint32_t)chunks};
    s->taken_offset = offset + SLAB_PAGE;
    s->images_offset = s->taken_offset + SLAB_PAGE;
    s->instruments_offset = s->images_offset + 2 * chunks * SLAB_CHUNK_BYTES;
    s->instruments_bytes =
        ((uint64_t)instruments_capacity() * 256 + SLAB_PAGE - 1) & ~(uint64_t)(SLAB_PAGE - 1);
    s->chunks_offset = s->instruments_offset + s->instruments_bytes;
    return chunks ? s->chunks_offset + chunks * SLAB_CHUNK_BYTES - offset : 0;
}

/* ---- a thread's table -------------------------------------------------------------------- */

static void leave_table(void)
{
    weft_cells = (struct weft_cells){NULL, NULL};
    mine = NULL;
}

static void thread_exits(void *value)
{
    if (mine != value)
        return;
    process_lock();
    mine->claimed = false;
    process_unlock();
    leave_table();
}

static void make_exit_key(void)
{
    exit_key_made = pthread_key_create(&exit_key, thread_exits) == 0;
}

void cells_forget(void)
{
    while (all) {
        struct thread_cells *t = all;
        all = t->next;
        munmap(t, t->bytes);
    }
    leave_table();
    refused_until_ns = 0;
    if (exit_key_made)
        pthread_setspecific(exit_key, NULL);
}

/* A table that an exited thread left in p's file. Those of older files go. */
static struct thread_cells *claim(const struct process *p)
{
    struct thread_cells *found = NULL;
    for (struct thread_cells **link = &all; *link && !found;) {
        struct thread_cells *t = *link;
        if (!t->claimed && t->process == p)
            found = t;
        if (t->claimed || found) {
            link = &t->next;
        } else {
            *link = t->next;
            munmap(t, t->bytes);
        }
    }
    return found;
}

static struct thread_cells *make(struct process *p)
{
    size_t numbers = (size_t)instruments_capacity() + 1;
    size_t table = sizeof(struct thread_cells) + numbers * sizeof(void *);
    size_t bytes = table + numbers * sizeof(struct histogram_view);
    struct thread_cells *t = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (t == MAP_FAILED)
        return NULL;
    t->process = p;
    t->bytes = bytes;
    t->room = (char *)t + table;
    t->next = all;
    all = t;
    return t;
}

/* This thread's table in p's file. Holding the process lock. */
static struct thread_cells *thread_table(struct process *p)
{
    if (mine && mine->process == p)
        return mine;
    if (mine)
        mine->claimed = false;
    leave_table();
    struct thread_cells *t = claim(p);
    if (!t && !(t = make(p)))
        return NULL;
    t->claimed = true;
    mine = t;
    weft_cells = (struct weft_cells){t->table, (const uint32_t *)&p->control->recording};
    pthread_once(&exit_once, make_exit_key);
    if (exit_key_made)
        pthread_setspecific(exit_key, t);
    return t;
}

static void *take_room(struct thread_cells *t, size_t bytes)
{
    void *view = t->room;
    t->room += bytes;
    return view;
}

/* ---- chunks and cells, holding the process lock ------------------------------------------ */

enum { REFUSED_FOR_NS = 1000000000 };

/* Whether this thread may ask for another chunk: nobody does at each update where there is none. */
static bool may_ask(void)
{
    return refused_until_ns == 0 || ticks_now(SLAB_CLOCK_MONOTONIC) >= refused_until_ns;
}

static void stop_asking(void)
{
    refused_until_ns = ticks_now(SLAB_CLOCK_MONOTONIC) + REFUSED_FOR_NS;
}

static struct slab_chunk *new_chunk(struct process *p)
{
    struct slab_stats *s = p->stats.header;
    uint64_t count = atomic_load_explicit(&s->chunk_count, memory_order_relaxed);
    uint64_t at = count * SLAB_CHUNK_BYTES, images = s->chunk_capacity * (uint64_t)SLAB_CHUNK_BYTES;
    if (count == s->chunk_capacity || !process_owns_file(p) ||
        !process_allocate(p->fd, s->images_offset + at, SLAB_CHUNK_BYTES) ||
        !process_allocate(p->fd, s->images_offset + images + at, SLAB_CHUNK_BYTES) ||
        !process_allocate(p->fd, s->chunks_offset + at, SLAB_CHUNK_BYTES))
        return NULL;
    struct slab_chunk *chunk = (struct slab_chunk *)(p->base + s->chunks_offset + at);
    atomic_store_explicit(&chunk->used, sizeof *chunk, memory_order_relaxed);
    /* pairs with the acquire in slab_stats_take() */
    atomic_store_explicit(&s->chunk_count, count + 1, memory_order_release);
    return chunk;
}

/* A cell of `head->bytes`, of which the first `head_bytes` are copied and the others are 0. */
static void *append(struct process *p, struct slab_chunk **chunk, const struct slab_cell *head,
                    size_t head_bytes)
{
    uint64_t used = *chunk ? atomic_load_explicit(&(*chunk)->used, memory_order_relaxed) : 0;
    if (!*chunk || used + head->bytes > SLAB_CHUNK_BYTES) {
        struct slab_chunk *fresh = may_ask() ? new_chunk(p) : NULL;
        if (!fresh) {
            stop_asking();
            return NULL;
        }
        *chunk = fresh;
        used = sizeof *fresh;
    }
    char *cell = (char *)*chunk + used;
    memcpy(cell, head, head_bytes);
    /* pairs with the acquire in copy_chunk() */
    atomic_store_explicit(&(*chunk)->used, used + head->bytes, memory_order_release);
    return cell;
}

static void *append_plain(struct process *p, struct slab_chunk **chunk, enum slab_cell_kind kind,
                          size_t bytes, uint32_t instrument)
{
    struct slab_cell head = {(uint16_t)kind, (uint16_t)bytes, instrument};
    return append(p, chunk, &head, sizeof head);
}

static void *make_counter(struct thread_cells *t, const struct registered *r)
{
    struct slab_counter_cell *cell =
        append_plain(t->process, &t->chunk, SLAB_CELL_COUNTER, sizeof *cell, r->file_number);
    return cell ? &cell->count : NULL;
}

static void *make_gauge(struct thread_cells *t, struct registered *r)
{
    struct process *p = t->process;
    if (!r->shared)
        r->shared =
            append_plain(p, &p->stats.shared, SLAB_CELL_GAUGE, sizeof *r->shared, r->file_number);
    if (!r->shared)
        return NULL;
    struct gauge_view *view = take_room(t, sizeof *view);
    view->shared = r->shared;
    return view;
}

static uint64_t word_of(double number)
{
    uint64_t word;
    memcpy(&word, &number, sizeof word);
    return word;
}

static void *make_histogram(struct thread_cells *t, const struct registered *r)
{
    struct slab_histogram_cell empty = {.head = {SLAB_CELL_HISTOGRAM, sizeof empty, r->file_number},
                                        .least = word_of(INFINITY),
                                        .most = word_of(-INFINITY)};
    struct slab_histogram_cell *cell = append(t->process, &t->chunk, &empty.head, sizeof empty);
    if (!cell)
        return NULL;
    struct histogram_view *view = take_room(t, sizeof *view);
    view->cell = cell;
    histogram_forget_slots(view);
    return view;
}

static void *make_entry(struct thread_cells *t, uint32_t number)
{
    struct registered *r = instruments_of(number);
    if (!t->process->stats.header || !instruments_publish(t->process, r)) {
        atomic_store_explicit(&r->refused_until_ns,
                              ticks_now(SLAB_CLOCK_MONOTONIC) + REFUSED_FOR_NS,
                              memory_order_relaxed);
        return NULL;
    }
    switch (r->record->type) {
    case SLAB_COUNTER:
        return make_counter(t, r);
    case SLAB_GAUGE:
        return make_gauge(t, r);
    default:
        return make_histogram(t, r);
    }
}

/* ---- the slow ways ----------------------------------------------------------------------- */

/* Whether there is no use in asking: for good, or within the second. */
static bool is_refused(const struct weft_instrument *instrument, uint32_t number)
{
    if (number == 0)
        return __atomic_load_n(&instrument->type, __ATOMIC_RELAXED) & INSTRUMENT_REFUSED;
    uint64_t until_ns =
        atomic_load_explicit(&instruments_of(number)->refused_until_ns, memory_order_relaxed);
    return until_ns && ticks_now(SLAB_CLOCK_MONOTONIC) < until_ns;
}

/* Whether a cell of this thread may find room: else nobody takes the lock to hear that none does.
 */
static bool may_append(size_t bytes)
{
    return may_ask() || (mine && mine->chunk &&
                         atomic_load_explicit(&mine->chunk->used, memory_order_relaxed) + bytes <=
                             SLAB_CHUNK_BYTES);
}

/* What this thread's table has for the instrument, made if there is room. NULL also where p is not
 * the current one any more. */
static void *look_up(struct process *p, struct weft_instrument *instrument)
{
    void *entry = NULL;
    process_lock();
    uint32_t number = instruments_number(instrument);
    if (number && p == atomic_load_explicit(&process_current, memory_order_relaxed)) {
        struct thread_cells *t = thread_table(p);
        if (t && !t->table[number])
            t->table[number] = make_entry(t, number);
        entry = t ? t->table[number] : NULL;
    }
    process_unlock();
    return entry;
}

static void *get(struct weft_instrument *instrument)
{
    struct process *p = process_in_use();
    if (!p) {
        if (!process_is_off())
            process_lost(NULL, LOSS_NO_FILE);
        return NULL;
    }
    if (p->stats.off)
        return NULL;
    uint32_t number = __atomic_load_n(&instrument->number, __ATOMIC_ACQUIRE);
    if (number && mine && mine->process == p && mine->table[number])
        return mine->table[number];
    if ((number == 0 || may_append(sizeof(struct slab_histogram_cell))) &&
        !is_refused(instrument, number)) {
        void *entry = look_up(p, instrument);
        if (entry)
            return entry;
        process_check(p);
        if (process_get() != p)
            return get(instrument); /* its file was replaced: at most once a second */
    }
    process_lost(p, LOSS_STATS_NO_ROOM);
    return NULL;
}

void *cells_get(struct weft_instrument *instrument)
{
    int saved = errno;
    void *entry = get(instrument);
    errno = saved;
    return entry;
}

/* A further cell for this thread, whose table has others of the same instrument. */
static void *append_more(const struct slab_cell *head, size_t head_bytes)
{
    int saved = errno;
    void *cell = NULL;
    if (may_append(head->bytes)) {
        process_lock();
        cell = append(mine->process, &mine->chunk, head, head_bytes);
        process_unlock();
        if (!cell)
            process_check(mine->process);
    }
    if (!cell)
        process_lost(mine->process, LOSS_STATS_NO_ROOM);
    errno = saved;
    return cell;
}

struct slab_gauge_add_cell *cells_add_gauge(struct gauge_view *view)
{
    struct slab_cell head = {SLAB_CELL_GAUGE_ADD, sizeof *view->own, view->shared->head.instrument};
    view->own = append_more(&head, sizeof head);
    return view->own;
}

_Atomic uint64_t *cells_add_run(struct histogram_view *view, int32_t number, unsigned sign)
{
    struct {
        struct slab_cell head;
        int32_t first;
        int8_t scale;
        uint8_t negative;
        uint16_t reserved;
    } run = {{SLAB_CELL_RUN, sizeof(struct slab_run_cell), view->cell->head.instrument},
             number * (int32_t)SLAB_RUN_BUCKETS,
             (int8_t)(6 - (int)view->shift),
             (uint8_t)sign,
             0};
    _Static_assert(sizeof run == offsetof(struct slab_run_cell, counts), "a run's head");
    struct slab_run_cell *cell = append_more(&run.head, sizeof run);
    return cell ? cell->counts : NULL;
}
