// SPDX-License-Identifier: Apache-2.0
#include "collector/store/keeper.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/log.h"

enum { RETRY_FIRST_MS = 100, RETRY_MOST_MS = 5000, NICENESS = 10 };

/* ---- cutting ----------------------------------------------------------------------------- */

static void set_health(struct keeper *k, int error)
{
    enum keeper_health health = KEEPER_OK;
    if (error == -ENOSPC || error == -EDQUOT)
        health = KEEPER_FULL;
    else if (error != 0)
        health = KEEPER_FAILED;
    pthread_mutex_lock(&k->lock);
    bool changed = k->state.health != health;
    k->state.health = health;
    k->state.error = -error;
    pthread_mutex_unlock(&k->lock);
    if (changed && health == KEEPER_OK)
        LOG_INFO("%s %s: %s can be written again", k->work->store, k->directory, k->work->files);
    else if (changed)
        LOG_ERROR("%s %s: a %s cannot be written: %s: when memory is full nothing more is "
                  "accepted; agents keep what they have",
                  k->work->store, k->directory, k->work->file, strerror(-error));
}

static void *cut(void *context)
{
    struct keeper *k = context;
    unsigned pause_ms = RETRY_FIRST_MS;
    while (!wakeup_is_stopping(k->wakeup)) {
        unsigned seen = wakeup_seen(k->wakeup);
        void *generation = k->work->next(k->store);
        if (!generation) {
            wakeup_wait(k->wakeup, seen, k->look_ms);
            continue;
        }
        int error = k->work->cut(k->store, generation);
        if (error == -ECANCELED)
            break;
        set_health(k, error);
        if (error == 0) {
            pause_ms = RETRY_FIRST_MS;
            wakeup_all(k->wakeup);
            continue;
        }
        wakeup_wait(k->wakeup, wakeup_seen(k->wakeup), pause_ms);
        pause_ms = pause_ms * 2 < RETRY_MOST_MS ? pause_ms * 2 : RETRY_MOST_MS;
    }
    return NULL;
}

/* ---- retention and merging --------------------------------------------------------------- */

static void remove_old(struct keeper *k)
{
    while (k->work->is_too_much(k->store)) {
        int error = k->work->remove_oldest(k->store);
        if (error == 0)
            continue;
        LOG_WARN_EVERY("%s %s: the oldest %s cannot be removed: %s", k->work->store, k->directory,
                       k->work->file, strerror(-error));
        return;
    }
}

static void *merge(void *context)
{
    struct keeper *k = context;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
    while (!wakeup_is_stopping(k->wakeup)) {
        unsigned seen = wakeup_seen(k->wakeup);
        remove_old(k);
        k->work->note_damage(k->store);
        int result = k->work->merge(k->store);
        if (result == 1) {
            pthread_mutex_lock(&k->lock);
            k->state.merges++;
            pthread_mutex_unlock(&k->lock);
            continue;
        }
        if (result < 0 && result != -ECANCELED)
            LOG_WARN_EVERY("%s %s: %s cannot be merged: %s", k->work->store, k->directory,
                           k->work->files, strerror(-result));
        wakeup_wait(k->wakeup, result < 0 ? wakeup_seen(k->wakeup) : seen,
                    result < 0 ? RETRY_MOST_MS : KEEPER_LOOK_MS);
    }
    return NULL;
}

/* ---- the threads ------------------------------------------------------------------------- */

int keeper_start(struct keeper *k)
{
    k->begun = true;
    pthread_mutex_init(&k->lock, NULL);
    k->cutting_runs = pthread_create(&k->cutting, NULL, cut, k) == 0;
    k->merging_runs = pthread_create(&k->merging, NULL, merge, k) == 0;
    return k->cutting_runs && k->merging_runs ? 0 : -1;
}

void keeper_stop(struct keeper *k)
{
    if (!k->begun)
        return;
    wakeup_stop(k->wakeup);
    if (k->cutting_runs)
        pthread_join(k->cutting, NULL);
    if (k->merging_runs)
        pthread_join(k->merging, NULL);
    pthread_mutex_destroy(&k->lock);
    k->begun = false;
}

struct keeper_state keeper_state(struct keeper *k)
{
    pthread_mutex_lock(&k->lock);
    struct keeper_state state = k->state;
    pthread_mutex_unlock(&k->lock);
    return state;
}
