// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/run.h"

#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"

enum { THREADS_MAX = 64, ARENA_BYTES = 256 << 10 };

const char *traceql_end_text(enum traceql_end end)
{
    static const char *const texts[] = {
        [TRACEQL_END_ALL] = "everything was looked at",
        [TRACEQL_END_LIMIT] = "the limit of traces was reached",
        [TRACEQL_END_CANCELLED] = "the query was cancelled",
        [TRACEQL_END_DEADLINE] = "the query's time was up",
        [TRACEQL_END_MEMORY] = "the query needs more memory than one may have",
        [TRACEQL_END_NO_MEMORY] = "out of memory",
    };
    return texts[end];
}

/* ---- what ends a query ------------------------------------------------------------------- */

void run_end(struct run *r, enum traceql_end why)
{
    int none = TRACEQL_END_ALL;
    atomic_compare_exchange_strong(&r->end, &none, (int)why);
}

bool run_charge(struct run *r, size_t bytes)
{
    size_t used = atomic_fetch_add(&r->used_bytes, bytes) + bytes;
    if (r->options->memory_bytes && used > r->options->memory_bytes)
        run_end(r, TRACEQL_END_MEMORY);
    return atomic_load_explicit(&r->end, memory_order_relaxed) != TRACEQL_END_MEMORY;
}

void run_refund(struct run *r, size_t bytes)
{
    atomic_fetch_sub(&r->used_bytes, bytes);
}

size_t run_limit(const struct worker *w, const struct arena *arena)
{
    size_t most = w->run->options->memory_bytes, used = atomic_load(&w->run->used_bytes);
    if (!most)
        return 0;
    return used < most ? most - used + arena->total_bytes : arena->total_bytes + 1;
}

static void charge_arenas(struct worker *w)
{
    size_t now = w->block.total_bytes + w->trace.total_bytes;
    if (now > w->charged_bytes)
        run_charge(w->run, now - w->charged_bytes);
    else
        run_refund(w->run, w->charged_bytes - now);
    w->charged_bytes = now;
}

bool run_goes_on(struct worker *w)
{
    struct run *r = w->run;
    const struct traceql_options *o = r->options;
    if (o->cancel && atomic_load_explicit(o->cancel, memory_order_relaxed))
        run_end(r, TRACEQL_END_CANCELLED);
    if (o->deadline_monotonic_ns && clock_monotonic_ns() >= o->deadline_monotonic_ns)
        run_end(r, TRACEQL_END_DEADLINE);
    if (w->block.total_bytes + w->trace.total_bytes != w->charged_bytes)
        charge_arenas(w);
    return atomic_load_explicit(&r->end, memory_order_relaxed) == TRACEQL_END_ALL;
}

bool run_frame(struct worker *w, struct frame *f, const struct program *p, struct block *block)
{
    arena_reset(&w->block);
    int result = frame_init(f, p, block, &w->block);
    f->view.limit_bytes = run_limit(w, &w->block);
    return result == 0;
}

/* ---- units ------------------------------------------------------------------------------- */

static void unit_done(struct run *r, const struct block_bounds *bounds, bool damaged)
{
    r->progress.units_done++;
    r->progress.bytes_done += bounds->bytes;
    r->progress.rows_done += bounds->rows;
    r->progress.damaged_units += damaged;
    if (r->options->on_progress)
        r->options->on_progress(r->options->context, &r->progress);
}

/* True: damaged. A unit that could not be worked off for want of memory ends the query. */
static bool work_on(struct worker *w, size_t unit)
{
    struct run *r = w->run;
    struct block *block = r->source->open(r->source->context, unit);
    if (!block) {
        run_end(r, TRACEQL_END_NO_MEMORY);
        return false;
    }
    bool whole = block->error == BLOCK_OK && r->work(w, unit, block);
    enum block_error error = block->error;
    r->source->close(&block);
    if (!whole && (error == BLOCK_OK || error == BLOCK_ENOMEM))
        run_end(r, TRACEQL_END_NO_MEMORY);
    return error == BLOCK_EDAMAGED || error == BLOCK_EIO;
}

static void *work_off(void *context)
{
    struct worker *w = context;
    struct run *r = w->run;
    while (run_goes_on(w)) {
        size_t unit = atomic_fetch_add(&r->next, 1);
        if (unit >= r->source->units)
            break;
        const struct block_bounds *bounds = r->source->bounds(r->source->context, unit);
        pthread_mutex_lock(&r->lock);
        bool wanted = r->wants(r, unit, bounds);
        r->progress.units_read += wanted;
        pthread_mutex_unlock(&r->lock);
        bool damaged = wanted && work_on(w, unit);
        pthread_mutex_lock(&r->lock);
        unit_done(r, bounds, damaged);
        pthread_mutex_unlock(&r->lock);
    }
    pthread_mutex_lock(&r->lock);
    if (r->worker_done)
        r->worker_done(w);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* ---- threads ----------------------------------------------------------------------------- */

static unsigned threads_for(const struct run *r)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = r->options->threads;
    if (threads == 0)
        threads = processors > 0 ? (unsigned)processors : 1;
    if (threads > r->source->units)
        threads = r->source->units > 0 ? (unsigned)r->source->units : 1;
    return threads < THREADS_MAX ? threads : THREADS_MAX;
}

static void count_units(struct run *r)
{
    r->progress.units = r->source->units;
    for (size_t i = 0; i < r->source->units; i++) {
        const struct block_bounds *b = r->source->bounds(r->source->context, i);
        r->progress.bytes += b->bytes;
        r->progress.rows += b->rows;
    }
}

enum traceql_end run_all(struct run *r)
{
    struct worker workers[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    bool started[THREADS_MAX] = {false};
    unsigned count = threads_for(r);
    count_units(r);
    for (unsigned i = 0; i < count; i++) {
        workers[i] = (struct worker){.run = r};
        arena_init(&workers[i].block, ARENA_BYTES);
        arena_init(&workers[i].trace, ARENA_BYTES);
    }
    /* A thread that cannot be had is done without. */
    for (unsigned i = 1; i < count; i++)
        started[i] = pthread_create(&threads[i], NULL, work_off, &workers[i]) == 0;
    work_off(&workers[0]);
    for (unsigned i = 0; i < count; i++) {
        if (started[i])
            pthread_join(threads[i], NULL);
        arena_fini(&workers[i].block);
        arena_fini(&workers[i].trace);
        run_refund(r, workers[i].charged_bytes);
    }
    return (enum traceql_end)atomic_load(&r->end);
}
