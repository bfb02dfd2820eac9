// SPDX-License-Identifier: Apache-2.0
#include "collector/observe/observer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/condition.h"
#include "lib/base/log.h"

enum { BATCH_BYTES_MOST = 16 << 20 };
enum { RETRY_FIRST_MS = 50, RETRY_MOST_MS = 5000, SAVE_MS = 5000, READ_AGAIN_MS = 200 };

static const struct journal_position nowhere = {UINT64_MAX, UINT64_MAX};

struct waiting {
    void *item;
    struct journal_position before; /* its batch */
};

struct observer {
    const struct observed *what;
    void *target;
    struct ledger *ledger;
    void *known; /* the committing thread's */
    pthread_t thread;
    bool runs;

    pthread_mutex_t lock; /* all below */
    pthread_cond_t changed;
    struct waiting *queue; /* queue_most, a ring */
    uint32_t first, count;
    bool stopping;
    bool behind; /* the queue was full: the thread reads the ledger from `behind_from` */
    struct journal_position behind_from;
    struct journal_position end;   /* of what was shown */
    struct journal_position saved; /* nowhere: the database does not tell */
    int64_t save_ms;               /* when to save again; the thread's */
    struct observer_stats stats;
};

static bool is_same(struct journal_position a, struct journal_position b)
{
    return a.segment == b.segment && a.offset == b.offset;
}

static bool know(const struct observed *what, void **known)
{
    *known = what->know ? what->know() : NULL;
    return *known || !what->know;
}

static void forget(const struct observed *what, void *known)
{
    if (known)
        what->forget(known);
}

/* ---- the thread: writing ----------------------------------------------------------------- */

/* Under the lock: all before is in the database. */
static struct journal_position reached(const struct observer *o)
{
    return o->count > 0 ? o->queue[o->first].before : o->behind ? o->behind_from : o->end;
}

/* Under the lock. All of that time, whatever comes; false: it is stopping. */
static bool pause_for(struct observer *o, unsigned ms)
{
    int64_t until_ms = clock_monotonic_ms() + ms;
    while (!o->stopping && condition_wait(&o->changed, &o->lock, until_ms))
        ;
    return !o->stopping;
}

/* Under the lock. Until something comes, or it is time to save. */
static void wait_for_work(struct observer *o)
{
    int64_t until_ms = clock_monotonic_ms() + SAVE_MS;
    while (!o->stopping && o->count == 0 && !o->behind &&
           condition_wait(&o->changed, &o->lock, until_ms))
        ;
}

static void note_failure(struct observer *o)
{
    o->stats.failed++;
    o->stats.is_failing = true;
    o->what->error(o->target, o->stats.error, sizeof o->stats.error);
}

/* Under the lock, which it leaves meanwhile. False: it is stopping, and that was not written. */
static bool write_down(struct observer *o, const void *item)
{
    unsigned pause_ms = RETRY_FIRST_MS;
    for (;;) {
        pthread_mutex_unlock(&o->lock);
        int result = o->what->write(o->target, item);
        pthread_mutex_lock(&o->lock);
        if (result != OBSERVED_EDISK) {
            *(result == 0 ? &o->stats.written : &o->stats.refused) += 1;
            o->stats.is_failing = false;
            return true;
        }
        note_failure(o);
        if (!pause_for(o, pause_ms))
            return false;
        pause_ms = 2 * pause_ms < RETRY_MOST_MS ? 2 * pause_ms : RETRY_MOST_MS;
    }
}

/* Under the lock. */
static void save(struct observer *o, bool now)
{
    struct journal_position at = reached(o);
    if (is_same(at, o->saved) || is_same(at, nowhere) ||
        (!now && clock_monotonic_ms() < o->save_ms))
        return;
    pthread_mutex_unlock(&o->lock);
    int result = o->what->set_reached(o->target, at);
    pthread_mutex_lock(&o->lock);
    o->save_ms = clock_monotonic_ms() + SAVE_MS;
    if (result == 0) {
        o->saved = at;
        o->stats.is_failing = false;
    } else {
        note_failure(o);
    }
}

/* ---- the thread: what the queue did not hold --------------------------------------------- */

struct reading {
    struct observer *observer;
    void *known;
    struct journal_cursor *cursor;
    struct arena arena;
    bool stopped;
};

static bool write_read(void *context, void *item)
{
    struct reading *r = context;
    if (!item)
        r->stopped = true; /* that batch is read again */
    if (!r->stopped) {
        pthread_mutex_lock(&r->observer->lock);
        r->stopped = !write_down(r->observer, item);
        pthread_mutex_unlock(&r->observer->lock);
    }
    free(item);
    return !r->stopped;
}

static void write_frame(struct reading *r, const void *body, uint32_t length)
{
    struct frame f;
    int error;
    if (frame_parse(body, length, &f) != 0 || f.kind != FRAME_BATCH)
        return;
    arena_reset(&r->arena);
    struct batch *b = batch_decode(&r->arena, f.body, f.length, BATCH_BYTES_MOST, &error);
    if (b)
        r->observer->what->look(r->known, b, write_read, r);
}

/* Everything from behind_from to `end`. False: it cannot be read now, or it is stopping. */
static bool read_until(struct reading *r, struct journal_position end)
{
    struct observer *o = r->observer;
    struct journal_position at;
    const void *body;
    uint32_t length;
    int result = 0;
    while ((result = journal_next(r->cursor, &body, &length, &at)) > 0 &&
           journal_is_before(at, end)) {
        pthread_mutex_lock(&o->lock);
        o->behind_from = at;
        save(o, false);
        r->stopped = o->stopping;
        pthread_mutex_unlock(&o->lock);
        if (!r->stopped)
            write_frame(r, body, length);
        if (r->stopped)
            return false;
    }
    return result >= 0;
}

static bool read_on(struct reading *r, struct journal_position from, struct journal_position end)
{
    int error = 0;
    bool is_there = from.segment == 0 || ledger_has_segment(r->observer->ledger, from.segment);
    bool knows = know(r->observer->what, &r->known);
    r->cursor = knows ? ledger_follow(r->observer->ledger, from, &error) : NULL;
    arena_init(&r->arena, 64 << 10);
    bool all = r->cursor && read_until(r, end);
    arena_fini(&r->arena);
    if (r->cursor)
        journal_cursor_close(&r->cursor);
    forget(r->observer->what, r->known);
    pthread_mutex_lock(&r->observer->lock);
    r->observer->stats.gaps += all && !is_there;
    pthread_mutex_unlock(&r->observer->lock);
    if (all && !is_there)
        LOG_ERROR("%s: the ledger had dropped batches before they were looked at: %s",
                  r->observer->what->name, r->observer->what->lost);
    return all;
}

/* Under the lock, which it leaves meanwhile. Afterwards the queue is used again, if nothing was
 * shown since that was not read. */
static void read_ledger(struct observer *o)
{
    struct reading r = {.observer = o};
    struct journal_position from = o->behind_from;
    pthread_mutex_unlock(&o->lock);
    struct journal_position durable = ledger_durable(o->ledger).end;
    bool all = journal_is_before(from, durable) && read_on(&r, from, durable);
    pthread_mutex_lock(&o->lock);
    if (!all) { /* it is not read back yet, or cannot be read */
        pause_for(o, READ_AGAIN_MS);
        return;
    }
    o->behind_from = durable;
    o->behind = journal_is_before(durable, o->end);
}

/* Under the lock. */
static void drop_first(struct observer *o)
{
    free(o->queue[o->first].item);
    o->first = (o->first + 1) % o->what->queue_most;
    o->count--;
}

static void *run(void *context)
{
    struct observer *o = context;
    bool good = true;
    pthread_mutex_lock(&o->lock);
    while (good && (!o->stopping || o->count > 0)) {
        if (o->count > 0) {
            void *next = o->queue[o->first].item;
            good = write_down(o, next);
            if (good)
                drop_first(o);
        } else if (o->behind) {
            read_ledger(o);
        } else {
            wait_for_work(o);
        }
        save(o, false);
    }
    save(o, true);
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

/* ---- its life ---------------------------------------------------------------------------- */

struct observer *observer_create(const struct observed *what, void *target, struct ledger *l)
{
    struct observer *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->what = what;
    o->target = target;
    o->ledger = l;
    o->saved = nowhere;
    what->reached(target, &o->saved);
    o->end = o->saved;
    pthread_mutex_init(&o->lock, NULL);
    condition_init(&o->changed);
    bool knows = know(what, &o->known);
    o->queue = calloc(what->queue_most, sizeof *o->queue);
    o->runs = knows && o->queue && pthread_create(&o->thread, NULL, run, o) == 0;
    if (!o->runs)
        observer_destroy(&o);
    return o;
}

void observer_destroy(struct observer **place)
{
    struct observer *o = *place;
    if (!o)
        return;
    pthread_mutex_lock(&o->lock);
    o->stopping = true;
    pthread_cond_signal(&o->changed);
    pthread_mutex_unlock(&o->lock);
    if (o->runs)
        pthread_join(o->thread, NULL);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->lock);
    forget(o->what, o->known);
    while (o->queue && o->count > 0)
        drop_first(o);
    free(o->queue);
    free(o);
    *place = NULL;
}

/* ---- the committing thread's side -------------------------------------------------------- */

/* False: the queue is full. */
static bool put(void *context, void *item)
{
    struct observer *o = context;
    pthread_mutex_lock(&o->lock);
    struct journal_position before =
        is_same(o->end, nowhere) ? (struct journal_position){0} : o->end;
    if (!o->behind && (!item || o->count == o->what->queue_most)) {
        o->behind = true;
        o->behind_from = before;
        LOG_WARN_EVERY("%s: more happens than can be written down: the rest is read from the "
                       "ledger later",
                       o->what->name);
    }
    bool room = !o->behind;
    if (room) {
        o->queue[(o->first + o->count++) % o->what->queue_most] = (struct waiting){item, before};
        pthread_cond_signal(&o->changed);
    }
    pthread_mutex_unlock(&o->lock);
    if (!room)
        free(item);
    return room;
}

void observer_see(struct observer *o, const struct batch *b, struct journal_position end)
{
    pthread_mutex_lock(&o->lock);
    bool look = b && !o->behind;
    if (!look)
        o->end = end; /* in one step with the look at `behind`: what is not read must be shown */
    pthread_mutex_unlock(&o->lock);
    if (!look)
        return;
    o->what->look(o->known, b, put, o);
    pthread_mutex_lock(&o->lock);
    o->end = end;
    pthread_mutex_unlock(&o->lock);
}

struct journal_position observer_ledger_needed(struct observer *o)
{
    pthread_mutex_lock(&o->lock);
    struct journal_position saved = o->saved;
    pthread_mutex_unlock(&o->lock);
    return saved;
}

void observer_stats(struct observer *o, struct observer_stats *out)
{
    pthread_mutex_lock(&o->lock);
    *out = o->stats;
    out->waiting = o->count;
    out->reads_ledger = o->behind;
    if (!out->is_failing)
        out->error[0] = '\0';
    pthread_mutex_unlock(&o->lock);
}
