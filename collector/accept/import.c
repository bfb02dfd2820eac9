// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct import_waiter { /* on the stack of who waits */
    uint64_t number;
    bool settled;
    enum link_verdict verdict;
    struct import_waiter *next;
};

void import_init(struct import *i, struct queue *queue, uint64_t epoch)
{
    *i = (struct import){.queue = queue, .epoch = epoch};
    pthread_mutex_init(&i->lock, NULL);
    pthread_cond_init(&i->settled, NULL);
}

void import_fini(struct import *i)
{
    pthread_cond_destroy(&i->settled);
    pthread_mutex_destroy(&i->lock);
}

/* Under the lock. The number is the batch's own. */
static void add_waiter(struct import *i, struct import_waiter *w)
{
    struct import_waiter **end = &i->waiters;
    w->number = ++i->last_number;
    while (*end)
        end = &(*end)->next;
    *end = w;
}

static void remove_waiter(struct import *i, struct import_waiter *w)
{
    struct import_waiter **place = &i->waiters;
    while (*place != w)
        place = &(*place)->next;
    *place = w->next;
}

/* Whether it is on its way; else the memory is freed. */
static bool send(struct import *i, const char *name, const struct import_waiter *w, uint64_t oldest,
                 enum frame_kind kind, void *memory, size_t length)
{
    struct queued item = {.kind = kind,
                          .request = {.type = LINK_BATCH,
                                      .sequence = {i->epoch, w->number},
                                      .oldest = {i->epoch, oldest},
                                      .body = memory,
                                      .length = length,
                                      .memory = memory}};
    const struct link_request *r = &item.request;
    strcpy(item.request.agent, name);
    bool begun = dedupe_begin(i->dedupe, r->agent, r->sequence, r->oldest) == DEDUPE_NEW;
    if (begun && queue_put(i->queue, &item))
        return true;
    if (begun)
        dedupe_finish(i->dedupe, r->agent, r->sequence);
    free(memory);
    return false;
}

enum link_verdict import_body(struct import *i, const char *name, enum frame_kind kind,
                              void *memory, size_t length, char *why, size_t why_size)
{
    struct import_waiter w = {0};
    pthread_mutex_lock(&i->lock);
    add_waiter(i, &w);
    uint64_t oldest = i->waiters->number;
    pthread_mutex_unlock(&i->lock);
    bool sent = send(i, name, &w, oldest, kind, memory, length);
    pthread_mutex_lock(&i->lock);
    while (sent && !w.settled)
        pthread_cond_wait(&i->settled, &i->lock);
    remove_waiter(i, &w);
    pthread_mutex_unlock(&i->lock);
    if (w.settled && w.verdict == LINK_ACCEPTED)
        return LINK_ACCEPTED;
    enum link_verdict verdict = w.settled ? w.verdict : LINK_BUSY;
    snprintf(why, why_size, "%s",
             verdict == LINK_BUSY ? "the collector cannot accept it now: try again later"
                                  : "the collector refused it: see its log");
    return verdict;
}

void import_settle(struct import *i, const struct link_request *request, enum link_verdict verdict)
{
    pthread_mutex_lock(&i->lock);
    for (struct import_waiter *w = i->waiters; w; w = w->next) {
        if (w->number != request->sequence.number)
            continue;
        w->settled = true;
        w->verdict = verdict;
    }
    pthread_cond_broadcast(&i->settled);
    pthread_mutex_unlock(&i->lock);
}
