// SPDX-License-Identifier: Apache-2.0
#include "plugins/collectd/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/condition.h"

/* Somebody waits until those are gone that were there when it came: the first `taken` of what is
 * under way, and the first `queued` of the queue. */
struct flush {
    uint32_t queued, taken;
    uint64_t lost;
    struct flush *next;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* for the sender: more, or hurry */
    pthread_cond_t gone;    /* for who flushes */
    struct entry *first, *last;
    uint32_t limit, queued, taken;
    uint64_t dropped; /* since the beginning */
    struct flush *flushes;
    bool ended;
};

struct queue *queue_create(uint32_t limit)
{
    struct queue *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->limit = limit;
    pthread_mutex_init(&q->lock, NULL);
    condition_init(&q->changed);
    condition_init(&q->gone);
    return q;
}

/* Holding the lock. */
static struct entry *unlink_first(struct queue *q)
{
    struct entry *e = q->first;
    if (!e)
        return NULL;
    q->first = e->next;
    if (!q->first)
        q->last = NULL;
    q->queued--;
    return e;
}

void queue_destroy(struct queue **place)
{
    struct queue *q = *place;
    if (!q)
        return;
    for (struct entry *e; (e = unlink_first(q));)
        free(e);
    pthread_cond_destroy(&q->changed);
    pthread_cond_destroy(&q->gone);
    pthread_mutex_destroy(&q->lock);
    free(q);
    *place = NULL;
}

/* ---- putting ------------------------------------------------------------------------------- */

/* Holding the lock. What goes from a full queue, which may be the new one. */
static struct entry *push_out(struct queue *q, struct entry *e)
{
    struct entry *oldest = unlink_first(q);
    q->dropped++;
    if (!oldest)
        return e;
    for (struct flush *f = q->flushes; f; f = f->next) {
        f->lost += f->queued > 0;
        f->queued -= f->queued > 0;
    }
    pthread_cond_broadcast(&q->gone);
    return oldest;
}

static void link_last(struct queue *q, struct entry *e)
{
    e->next = NULL;
    if (q->last)
        q->last->next = e;
    else
        q->first = e;
    q->last = e;
    q->queued++;
}

void queue_put(struct queue *q, struct entry *e)
{
    struct entry *out = NULL;
    pthread_mutex_lock(&q->lock);
    if (!e || q->ended) {
        q->dropped++;
        out = e;
    } else {
        if (q->queued + q->taken >= q->limit)
            out = push_out(q, e);
        if (out != e)
            link_last(q, e);
        pthread_cond_signal(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    free(out);
}

/* ---- the sender ---------------------------------------------------------------------------- */

struct entry *queue_take(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct entry *e = unlink_first(q);
    if (e)
        q->taken++;
    for (struct flush *f = q->flushes; e && f; f = f->next) {
        f->taken += f->queued > 0;
        f->queued -= f->queued > 0;
    }
    pthread_mutex_unlock(&q->lock);
    return e;
}

void queue_settle(struct queue *q, uint32_t count, bool lost)
{
    pthread_mutex_lock(&q->lock);
    q->taken -= count;
    if (lost)
        q->dropped += count;
    for (struct flush *f = q->flushes; f; f = f->next) {
        uint32_t of_it = count < f->taken ? count : f->taken;
        f->taken -= of_it;
        f->lost += lost ? of_it : 0;
    }
    pthread_cond_broadcast(&q->gone);
    pthread_mutex_unlock(&q->lock);
}

uint32_t queue_wait(struct queue *q, uint32_t enough, int64_t deadline_ms)
{
    if (enough > q->limit / 2 + 1)
        enough = q->limit / 2 + 1;
    pthread_mutex_lock(&q->lock);
    while (q->queued < enough && !q->ended && !(q->flushes && q->queued) &&
           condition_wait(&q->changed, &q->lock, deadline_ms))
        ;
    uint32_t queued = q->queued;
    pthread_mutex_unlock(&q->lock);
    return queued;
}

void queue_sleep(struct queue *q, int64_t deadline_ms)
{
    pthread_mutex_lock(&q->lock);
    while (!q->ended && condition_wait(&q->changed, &q->lock, deadline_ms))
        ;
    pthread_mutex_unlock(&q->lock);
}

/* ---- ending -------------------------------------------------------------------------------- */

uint64_t queue_flush(struct queue *q, int64_t deadline_ms)
{
    pthread_mutex_lock(&q->lock);
    struct flush f = {q->queued, q->taken, 0, q->flushes}, **at = &q->flushes;
    q->flushes = &f;
    pthread_cond_signal(&q->changed);
    while (f.queued + f.taken > 0 && condition_wait(&q->gone, &q->lock, deadline_ms))
        ;
    while (*at != &f)
        at = &(*at)->next;
    *at = f.next;
    pthread_mutex_unlock(&q->lock);
    return f.queued + f.taken + f.lost;
}

void queue_end(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->ended = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

bool queue_has_ended(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool ended = q->ended;
    pthread_mutex_unlock(&q->lock);
    return ended;
}

void queue_counts(struct queue *q, struct queue_counts *out)
{
    pthread_mutex_lock(&q->lock);
    *out = (struct queue_counts){.waiting = (uint64_t)q->queued + q->taken, .dropped = q->dropped};
    pthread_mutex_unlock(&q->lock);
}
