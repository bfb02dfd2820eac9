// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/queue.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/condition.h"

void queue_init(struct queue *q)
{
    memset(q, 0, sizeof *q);
    pthread_mutex_init(&q->lock, NULL);
    condition_init(&q->changed);
}

void queue_fini(struct queue *q)
{
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
}

static bool is_full(const struct queue *q, size_t more_bytes)
{
    return q->count == QUEUE_REQUESTS_MAX ||
           (q->count > 0 && q->bytes + more_bytes > QUEUE_BYTES_MAX);
}

bool queue_put(struct queue *q, const struct queued *item)
{
    pthread_mutex_lock(&q->lock);
    while (!q->closed && is_full(q, item->request.length))
        pthread_cond_wait(&q->changed, &q->lock);
    bool taken = !q->closed;
    if (taken) {
        q->ring[(q->first + q->count++) % QUEUE_REQUESTS_MAX] = *item;
        q->bytes += item->request.length;
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return taken;
}

size_t queue_take(struct queue *q, struct queued *items, size_t most, size_t most_bytes,
                  int timeout_ms)
{
    size_t count = 0, bytes = 0;
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    pthread_mutex_lock(&q->lock);
    bool in_time = true;
    while (q->count == 0 && !q->closed && in_time)
        in_time = condition_wait(&q->changed, &q->lock, until_ms);
    while (count < most && q->count > 0 && (count == 0 || bytes < most_bytes)) {
        items[count] = q->ring[q->first];
        bytes += items[count++].request.length;
        q->first = (q->first + 1) % QUEUE_REQUESTS_MAX;
        q->count--;
    }
    q->bytes -= bytes;
    if (count > 0)
        pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    return count;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

bool queue_is_done(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool done = q->closed && q->count == 0;
    pthread_mutex_unlock(&q->lock);
    return done;
}

void queue_size(struct queue *q, uint64_t *requests, uint64_t *bytes)
{
    pthread_mutex_lock(&q->lock);
    *requests = q->count;
    *bytes = q->bytes;
    pthread_mutex_unlock(&q->lock);
}
