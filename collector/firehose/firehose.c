// SPDX-License-Identifier: Apache-2.0
#include "collector/firehose/firehose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collector/firehose/internal.h"
#include "lib/base/clock.h"
#include "lib/base/condition.h"
#include "lib/base/log.h"

enum {
    KEEP_ALIVE_MS = 5000,
    CLIENTS_MOST = 64,
    DRAIN_MS = 2000,
    STUCK_MS = 60000,
    CHECKPOINT_MS = 100,
    IDLE_MS = 1000,
};

/* ---- the keeper ---------------------------------------------------------------------------- */

/* Others wait for partitions of this one, and it takes nothing. */
static bool is_stuck(const struct firehose_client *c, int64_t now_ms)
{
    return c->group && !c->detached && ((c->owned & ~c->wanted) | c->leaving) &&
           now_ms - c->progress_ms > c->firehose->options.stuck_ms;
}

static bool is_done(const struct firehose_client *c, int64_t now_ms)
{
    if (!c->detached)
        return false;
    return !c->group || trail_is_empty(&c->trail) || c->peer != PEER_THERE ||
           c->firehose->closing || now_ms - c->detached_ms >= c->firehose->options.drain_ms;
}

/* Those that are done, taken out of everything. */
static struct firehose_client *look_at_clients(struct firehose *f)
{
    int64_t now_ms = clock_monotonic_ms();
    struct firehose_client *done = NULL;
    for (struct firehose_client *c = f->clients, *next; c; c = next) {
        next = c->next;
        client_look(c, now_ms, false);
        if (is_stuck(c, now_ms) && !c->over) {
            LOG_WARN("firehose: a client of app %s takes nothing, and others wait: it is cut off",
                     c->group->app);
            c->over = true;
            c->peer = PEER_BROKE;
            c->transport.cut(c->transport.context);
        }
        if (is_done(c, now_ms)) {
            client_finish(c);
            c->next = done;
            done = c;
        }
    }
    return done;
}

/* Writes one group that is dirty, without the lock. False: none is, or it cannot be written now. */
static bool write_one(struct firehose *f)
{
    struct group *g = f->groups;
    while (g && !g->dirty)
        g = g->next;
    if (!g)
        return false;
    struct checkpoint copy = g->checkpoint;
    g->dirty = false;
    pthread_mutex_unlock(&f->lock); /* none but this thread frees groups */
    int result = checkpoints_write(f->checkpoints, g->app, &copy, clock_unix_ns());
    pthread_mutex_lock(&f->lock);
    if (g->forgotten) { /* while that was written */
        checkpoints_remove(f->checkpoints, g->app);
        return true;
    }
    if (result == CHECKPOINTS_OK)
        return true;
    g->dirty = true;
    f->counts.checkpoint_failures++;
    return false;
}

static void free_groups(struct firehose *f)
{
    for (struct group **at = &f->groups; *at;) {
        struct group *g = *at;
        if (g->dirty || !group_is_idle(g)) {
            at = &g->next;
            continue;
        }
        *at = g->next;
        free(g);
    }
}

static void keep(struct firehose *f)
{
    struct firehose_client *done = look_at_clients(f);
    while (write_one(f))
        ;
    free_groups(f);
    pthread_mutex_unlock(&f->lock);
    for (struct firehose_client *next; done; done = next) {
        next = done->next;
        client_destroy(done);
    }
    pthread_mutex_lock(&f->lock);
}

static void *keeper(void *context)
{
    struct firehose *f = context;
    pthread_mutex_lock(&f->lock);
    while (!f->closing || f->clients) {
        bool idle = !f->clients && !f->groups;
        unsigned pause_ms = idle ? IDLE_MS : f->options.checkpoint_ms;
        condition_wait(&f->look, &f->lock, clock_monotonic_ms() + pause_ms);
        keep(f);
    }
    keep(f);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* ---- opening and closing -------------------------------------------------------------------- */

static void set_defaults(struct firehose_options *o)
{
    o->keep_alive_ms = o->keep_alive_ms ? o->keep_alive_ms : KEEP_ALIVE_MS;
    o->clients_most = o->clients_most ? o->clients_most : CLIENTS_MOST;
    o->drain_ms = o->drain_ms ? o->drain_ms : DRAIN_MS;
    o->stuck_ms = o->stuck_ms ? o->stuck_ms : STUCK_MS;
    o->checkpoint_ms = o->checkpoint_ms ? o->checkpoint_ms : CHECKPOINT_MS;
}

struct firehose *firehose_open(const struct firehose_options *options, char *why, size_t why_size)
{
    struct firehose *f = calloc(1, sizeof *f);
    if (!f) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    f->options = *options;
    set_defaults(&f->options);
    pthread_mutex_init(&f->lock, NULL);
    condition_init(&f->wake);
    condition_init(&f->look);
    f->checkpoints = checkpoints_open(options->directory, why, why_size);
    if (f->checkpoints) {
        f->keeper_runs = pthread_create(&f->keeper, NULL, keeper, f) == 0;
        if (f->keeper_runs)
            return f;
        snprintf(why, why_size, "firehose: no thread can be started");
    }
    firehose_close(&f);
    return NULL;
}

void firehose_durable(struct firehose *f)
{
    pthread_mutex_lock(&f->lock);
    f->durable_count++;
    pthread_cond_broadcast(&f->wake);
    pthread_mutex_unlock(&f->lock);
}

static bool has_group_clients(const struct firehose *f)
{
    for (const struct firehose_client *c = f->clients; c; c = c->next) {
        if (c->group)
            return true;
    }
    return false;
}

void firehose_stop(struct firehose *f, unsigned timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    bool in_time = true;
    pthread_mutex_lock(&f->lock);
    f->stopping = true;
    pthread_cond_broadcast(&f->wake);
    pthread_cond_signal(&f->look);
    while (in_time && has_group_clients(f)) /* finishing one wakes all */
        in_time = condition_wait(&f->wake, &f->lock, until_ms);
    pthread_mutex_unlock(&f->lock);
}

void firehose_close(struct firehose **place)
{
    struct firehose *f = *place;
    if (!f)
        return;
    if (f->keeper_runs) {
        pthread_mutex_lock(&f->lock);
        f->stopping = true;
        f->closing = true;
        pthread_cond_signal(&f->look);
        pthread_mutex_unlock(&f->lock);
        pthread_join(f->keeper, NULL);
    }
    checkpoints_close(&f->checkpoints);
    for (struct group *g = f->groups, *next; g; g = next) { /* could not be written */
        next = g->next;
        free(g);
    }
    pthread_cond_destroy(&f->wake);
    pthread_cond_destroy(&f->look);
    pthread_mutex_destroy(&f->lock);
    free(f);
    *place = NULL;
}

/* ---- how it does ------------------------------------------------------------------------------
 */

void firehose_counts(struct firehose *f, struct firehose_counts *out)
{
    pthread_mutex_lock(&f->lock);
    *out = f->counts;
    pthread_mutex_unlock(&f->lock);
}

enum firehose_refusal firehose_forget(struct firehose *f, const char *app)
{
    pthread_mutex_lock(&f->lock);
    struct group *g = group_find(f, app);
    bool busy = g && !group_is_idle(g);
    int result = busy ? 0 : checkpoints_remove(f->checkpoints, app);
    if (g && !busy) { /* the keeper frees it; whoever comes before that begins anew */
        g->dirty = false;
        g->forgotten = true;
    }
    pthread_mutex_unlock(&f->lock);
    if (busy)
        return FIREHOSE_EBUSY;
    return result == CHECKPOINTS_OK ? FIREHOSE_OK : FIREHOSE_EIO;
}
