// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/inflight.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 4096, BATCH_BYTES_MAX = 4 << 20 };

struct inflight {
    pthread_mutex_t lock;
    struct inflight_snapshot **snapshots;
    size_t count, capacity;
    uint64_t bytes, limit_bytes;
};

struct inflight *inflight_create(uint64_t limit_bytes)
{
    struct inflight *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    pthread_mutex_init(&t->lock, NULL);
    t->limit_bytes = limit_bytes;
    return t;
}

static void snapshot_destroy(struct inflight_snapshot *s)
{
    arena_fini(&s->arena);
    free(s);
}

static void let_go(struct inflight *t, struct inflight_snapshot *s)
{
    if (--s->references > 0)
        return;
    t->bytes -= s->arena.total_bytes;
    snapshot_destroy(s);
}

void inflight_destroy(struct inflight **place)
{
    struct inflight *t = *place;
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        let_go(t, t->snapshots[i]);
    free(t->snapshots);
    pthread_mutex_destroy(&t->lock);
    free(t);
    *place = NULL;
}

struct inflight_snapshot *inflight_snapshot_create(const char *agent, uint64_t now_unix_ns)
{
    struct inflight_snapshot *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    arena_init(&s->arena, ARENA_BLOCK_BYTES);
    s->received_unix_ns = now_unix_ns;
    s->references = 1;
    strncpy(s->agent, agent, sizeof s->agent - 1);
    return s;
}

static void remove_at(struct inflight *t, size_t i)
{
    let_go(t, t->snapshots[i]);
    t->snapshots[i] = t->snapshots[--t->count];
}

static void expire(struct inflight *t, uint64_t now_unix_ns)
{
    for (size_t i = t->count; i-- > 0;) {
        if (now_unix_ns > t->snapshots[i]->received_unix_ns + INFLIGHT_LIFE_NS)
            remove_at(t, i);
    }
}

static int put_locked(struct inflight *t, struct inflight_snapshot *s)
{
    expire(t, s->received_unix_ns);
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->snapshots[i]->agent, s->agent) == 0) {
            remove_at(t, i);
            break;
        }
    }
    if (t->bytes + s->arena.total_bytes > t->limit_bytes)
        return -1;
    if (t->count == t->capacity) {
        size_t more = t->capacity ? t->capacity * 2 : 16;
        void *bigger = realloc(t->snapshots, more * sizeof(struct inflight_snapshot *));
        if (!bigger)
            return -1;
        t->snapshots = bigger;
        t->capacity = more;
    }
    for (uint32_t i = 0; i < s->batch->process_count; i++)
        s->batch->processes[i].agent = (struct batch_str){s->agent, (uint32_t)strlen(s->agent)};
    t->bytes += s->arena.total_bytes;
    t->snapshots[t->count++] = s;
    return 0;
}

int inflight_put_snapshot(struct inflight *t, struct inflight_snapshot *snapshot)
{
    pthread_mutex_lock(&t->lock);
    int result = put_locked(t, snapshot);
    pthread_mutex_unlock(&t->lock);
    if (result != 0)
        snapshot_destroy(snapshot);
    return result == 0 ? BATCH_OK : BATCH_ENOMEM;
}

int inflight_put(struct inflight *t, const char *agent, const void *bytes, size_t length,
                 uint64_t now_unix_ns)
{
    struct inflight_snapshot *s = inflight_snapshot_create(agent, now_unix_ns);
    if (!s)
        return BATCH_ENOMEM;
    int error = BATCH_OK;
    s->batch = batch_decode(&s->arena, bytes, length, BATCH_BYTES_MAX, &error);
    if (!s->batch) {
        snapshot_destroy(s);
        return error;
    }
    return inflight_put_snapshot(t, s);
}

int inflight_hold(struct inflight *t, uint64_t now_unix_ns, struct inflight_hold *hold)
{
    *hold = (struct inflight_hold){.table = t};
    pthread_mutex_lock(&t->lock);
    expire(t, now_unix_ns);
    hold->snapshots = malloc((t->count + 1) * sizeof(struct inflight_snapshot *));
    if (hold->snapshots) {
        hold->count = t->count;
        for (size_t i = 0; i < t->count; i++) {
            hold->snapshots[i] = t->snapshots[i];
            t->snapshots[i]->references++;
        }
    }
    pthread_mutex_unlock(&t->lock);
    return hold->snapshots ? 0 : -1;
}

void inflight_release(struct inflight_hold *hold)
{
    if (!hold->snapshots)
        return;
    pthread_mutex_lock(&hold->table->lock);
    for (size_t i = 0; i < hold->count; i++)
        let_go(hold->table, hold->snapshots[i]);
    pthread_mutex_unlock(&hold->table->lock);
    free(hold->snapshots);
    *hold = (struct inflight_hold){0};
}
