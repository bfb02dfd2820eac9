// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/dedupe.h"

#include <pthread.h>
#include <stdlib.h>

#include "collector/accept/ranges.h"
#include "collector/hash.h"

struct epoch {
    uint64_t epoch;
    struct ranges done;
};

struct agent {
    char name[LINK_AGENT_ID_MAX + 1];
    struct link_sequence oldest; /* all before it is closed */
    struct epoch *epochs;        /* ascending; below oldest.epoch the latest DEDUPE_CLOSED_EPOCHS */
    uint32_t epoch_count, epoch_capacity;
    struct link_sequence *pending;
    uint32_t pending_count, pending_capacity;
};

struct dedupe {
    pthread_mutex_t lock;
    struct agent **agents;
    uint32_t count, capacity;
    uint32_t *slots; /* hash of the name → index + 1 */
    size_t mask;
};

struct dedupe *dedupe_create(void)
{
    struct dedupe *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    pthread_mutex_init(&d->lock, NULL);
    return d;
}

static void agent_destroy(struct agent *a)
{
    for (uint32_t i = 0; i < a->epoch_count; i++)
        ranges_fini(&a->epochs[i].done);
    free(a->epochs);
    free(a->pending);
    free(a);
}

static void forget_all(struct dedupe *d)
{
    for (uint32_t i = 0; i < d->count; i++)
        agent_destroy(d->agents[i]);
    free(d->agents);
    free(d->slots);
    d->agents = NULL;
    d->slots = NULL;
    d->count = d->capacity = 0;
}

void dedupe_destroy(struct dedupe **place)
{
    struct dedupe *d = *place;
    if (!d)
        return;
    forget_all(d);
    pthread_mutex_destroy(&d->lock);
    free(d);
    *place = NULL;
}

static bool before(struct link_sequence a, struct link_sequence b)
{
    return a.epoch != b.epoch ? a.epoch < b.epoch : a.number < b.number;
}

/* ---- agents and their epochs ------------------------------------------------------------- */

static uint32_t *agent_slot(const struct dedupe *d, const char *name)
{
    for (uint64_t at = hash_bytes(name, strlen(name));; at++) {
        uint32_t *slot = &d->slots[at & d->mask];
        if (!*slot || strcmp(d->agents[*slot - 1]->name, name) == 0)
            return slot;
    }
}

static struct agent *find_agent(const struct dedupe *d, const char *name)
{
    if (d->count == 0)
        return NULL;
    uint32_t slot = *agent_slot(d, name);
    return slot ? d->agents[slot - 1] : NULL;
}

static int grow_agents(struct dedupe *d)
{
    if (d->count < d->capacity)
        return 0;
    if (d->count == DEDUPE_AGENTS_MAX)
        return -1;
    uint32_t capacity = d->capacity ? d->capacity * 2 : 16;
    size_t slots = hash_slots(capacity);
    struct agent **agents = realloc(d->agents, capacity * sizeof(struct agent *));
    if (!agents)
        return -1;
    d->agents = agents;
    uint32_t *table = calloc(slots, sizeof *table);
    if (!table)
        return -1;
    free(d->slots);
    d->slots = table;
    d->mask = slots - 1;
    d->capacity = capacity;
    for (uint32_t i = 0; i < d->count; i++)
        *agent_slot(d, d->agents[i]->name) = i + 1;
    return 0;
}

static struct agent *find_or_add_agent(struct dedupe *d, const char *name)
{
    struct agent *a = find_agent(d, name);
    if (a)
        return a;
    if (grow_agents(d) != 0)
        return NULL;
    a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    strncpy(a->name, name, LINK_AGENT_ID_MAX);
    d->agents[d->count] = a;
    *agent_slot(d, a->name) = ++d->count;
    return a;
}

/* Index of the epoch or of where it belongs. */
static uint32_t epoch_place(const struct agent *a, uint64_t epoch)
{
    uint32_t at = a->epoch_count;
    while (at > 0 && a->epochs[at - 1].epoch >= epoch)
        at--;
    return at;
}

static struct epoch *find_epoch(const struct agent *a, uint64_t epoch)
{
    uint32_t at = epoch_place(a, epoch);
    return at < a->epoch_count && a->epochs[at].epoch == epoch ? &a->epochs[at] : NULL;
}

static struct epoch *find_or_add_epoch(struct agent *a, uint64_t epoch)
{
    uint32_t at = epoch_place(a, epoch);
    if (at < a->epoch_count && a->epochs[at].epoch == epoch)
        return &a->epochs[at];
    if (a->epoch_count == DEDUPE_EPOCHS_MAX)
        return NULL;
    if (a->epoch_count == a->epoch_capacity) {
        uint32_t more = a->epoch_capacity ? a->epoch_capacity * 2 : 2;
        struct epoch *bigger = realloc(a->epochs, more * sizeof *bigger);
        if (!bigger)
            return NULL;
        a->epochs = bigger;
        a->epoch_capacity = more;
    }
    memmove(&a->epochs[at + 1], &a->epochs[at], (a->epoch_count - at) * sizeof *a->epochs);
    a->epochs[at] = (struct epoch){.epoch = epoch};
    a->epoch_count++;
    return &a->epochs[at];
}

/* ---- the set ----------------------------------------------------------------------------- */

static bool has(const struct agent *a, struct link_sequence batch)
{
    if (batch.epoch == a->oldest.epoch && batch.number < a->oldest.number)
        return true;
    const struct epoch *e = find_epoch(a, batch.epoch);
    return e && ranges_has(&e->done, batch.number);
}

static void close_before(struct agent *a, struct link_sequence oldest)
{
    if (!before(a->oldest, oldest))
        return;
    a->oldest = oldest;
    uint32_t closed = epoch_place(a, oldest.epoch);
    uint32_t gone = closed > DEDUPE_CLOSED_EPOCHS ? closed - DEDUPE_CLOSED_EPOCHS : 0;
    for (uint32_t i = 0; i < gone; i++)
        ranges_fini(&a->epochs[i].done);
    if (gone > 0) {
        a->epoch_count -= gone;
        memmove(a->epochs, a->epochs + gone, a->epoch_count * sizeof *a->epochs);
    }
    /* Ranges below the oldest are told by it; one in their stead keeps the set small. */
    struct epoch *e = find_epoch(a, oldest.epoch);
    if (e && e->done.count > 0 && e->done.ranges[0].first < oldest.number)
        ranges_add(&e->done, e->done.ranges[0].first, oldest.number - 1);
}

/* Of an epoch that may be one of those that were forgotten. */
static bool is_stale(const struct agent *a, struct link_sequence batch)
{
    return batch.epoch < a->oldest.epoch &&
           epoch_place(a, a->oldest.epoch) >= DEDUPE_CLOSED_EPOCHS &&
           epoch_place(a, batch.epoch) == 0 && !find_epoch(a, batch.epoch);
}

static uint32_t find_pending(const struct agent *a, struct link_sequence batch)
{
    uint32_t i = 0;
    while (i < a->pending_count &&
           (a->pending[i].number != batch.number || a->pending[i].epoch != batch.epoch))
        i++;
    return i;
}

static int add_pending(struct agent *a, struct link_sequence batch)
{
    if (a->pending_count == a->pending_capacity) {
        uint32_t more = a->pending_capacity ? a->pending_capacity * 2 : 16;
        struct link_sequence *bigger = realloc(a->pending, more * sizeof *bigger);
        if (!bigger)
            return -1;
        a->pending = bigger;
        a->pending_capacity = more;
    }
    a->pending[a->pending_count++] = batch;
    return 0;
}

static enum dedupe_verdict begin(struct dedupe *d, const char *name, struct link_sequence batch,
                                 struct link_sequence oldest)
{
    struct agent *a = find_or_add_agent(d, name);
    if (!a)
        return DEDUPE_FULL;
    if (find_pending(a, batch) < a->pending_count)
        return DEDUPE_PENDING;
    close_before(a, before(batch, oldest) ? batch : oldest);
    if (is_stale(a, batch))
        return DEDUPE_STALE;
    if (has(a, batch))
        return DEDUPE_SEEN;
    struct epoch *e = find_or_add_epoch(a, batch.epoch);
    if (!e || e->done.count + a->pending_count >= DEDUPE_RANGES_MAX ||
        ranges_reserve(&e->done, a->pending_count + 1) != 0 || add_pending(a, batch) != 0)
        return DEDUPE_FULL;
    return DEDUPE_NEW;
}

enum dedupe_verdict dedupe_begin(struct dedupe *d, const char *agent, struct link_sequence batch,
                                 struct link_sequence oldest)
{
    pthread_mutex_lock(&d->lock);
    enum dedupe_verdict verdict = begin(d, agent, batch, oldest);
    pthread_mutex_unlock(&d->lock);
    return verdict;
}

void dedupe_appended(struct dedupe *d, const char *agent, struct link_sequence batch)
{
    pthread_mutex_lock(&d->lock);
    struct agent *a = find_agent(d, agent);
    struct epoch *e = a ? find_epoch(a, batch.epoch) : NULL;
    if (e) /* else its epoch was closed meanwhile */
        ranges_add(&e->done, batch.number, batch.number);
    pthread_mutex_unlock(&d->lock);
}

void dedupe_finish(struct dedupe *d, const char *agent, struct link_sequence batch)
{
    pthread_mutex_lock(&d->lock);
    struct agent *a = find_agent(d, agent);
    uint32_t i = a ? find_pending(a, batch) : 0;
    if (a && i < a->pending_count)
        a->pending[i] = a->pending[--a->pending_count];
    pthread_mutex_unlock(&d->lock);
}

bool dedupe_has(struct dedupe *d, const char *agent, struct link_sequence batch)
{
    pthread_mutex_lock(&d->lock);
    const struct agent *a = find_agent(d, agent);
    bool result = a && has(a, batch);
    pthread_mutex_unlock(&d->lock);
    return result;
}

static int restore(struct dedupe *d, const char *name, struct range range, uint64_t epoch)
{
    struct agent *a = find_or_add_agent(d, name);
    struct epoch *e = a ? find_or_add_epoch(a, epoch) : NULL;
    if (!e || e->done.count >= DEDUPE_RANGES_MAX || ranges_reserve(&e->done, 1) != 0)
        return -1;
    ranges_add(&e->done, range.first, range.last);
    return 0;
}

int dedupe_restore(struct dedupe *d, const char *agent, struct link_sequence batch)
{
    pthread_mutex_lock(&d->lock);
    const struct agent *a = find_agent(d, agent);
    int result = 0;
    if (!a || !has(a, batch))
        result = restore(d, agent, (struct range){batch.number, batch.number}, batch.epoch);
    pthread_mutex_unlock(&d->lock);
    return result;
}

/* ---- in the ledger ----------------------------------------------------------------------- */

static void write_agent(const struct agent *a, struct buffer *out)
{
    size_t length = strlen(a->name);
    bytes_put_u16(out, (uint16_t)length);
    buffer_append(out, a->name, length);
    bytes_put_u64(out, a->oldest.epoch);
    bytes_put_u64(out, a->oldest.number);
    bytes_put_u32(out, a->epoch_count);
    for (uint32_t i = 0; i < a->epoch_count; i++) {
        const struct epoch *e = &a->epochs[i];
        bytes_put_u64(out, e->epoch);
        bytes_put_u32(out, e->done.count);
        for (uint32_t r = 0; r < e->done.count; r++) {
            bytes_put_u64(out, e->done.ranges[r].first);
            bytes_put_u64(out, e->done.ranges[r].last);
        }
    }
}

void dedupe_write(struct dedupe *d, struct buffer *out)
{
    pthread_mutex_lock(&d->lock);
    bytes_put_u32(out, d->count);
    for (uint32_t i = 0; i < d->count; i++)
        write_agent(d->agents[i], out);
    pthread_mutex_unlock(&d->lock);
}

static int read_epoch(struct dedupe *d, const char *name, struct bytes_reader *in)
{
    uint64_t epoch = bytes_get_u64(in);
    uint32_t ranges = bytes_get_u32(in);
    if (ranges > bytes_left(in) / 16)
        return -1;
    for (uint32_t r = 0; r < ranges; r++) {
        struct range range;
        range.first = bytes_get_u64(in);
        range.last = bytes_get_u64(in);
        if (in->failed || range.first > range.last || restore(d, name, range, epoch) != 0)
            return -1;
    }
    return 0;
}

static int read_agent(struct dedupe *d, struct bytes_reader *in)
{
    char name[LINK_AGENT_ID_MAX + 1] = "";
    uint16_t length = bytes_get_u16(in);
    const void *bytes = bytes_take(in, length);
    if (!bytes || length > LINK_AGENT_ID_MAX)
        return -1;
    memcpy(name, bytes, length);
    struct link_sequence oldest;
    oldest.epoch = bytes_get_u64(in);
    oldest.number = bytes_get_u64(in);
    uint32_t epochs = bytes_get_u32(in);
    for (uint32_t i = 0; i < epochs && !in->failed; i++) {
        if (read_epoch(d, name, in) != 0)
            return -1;
    }
    struct agent *a = in->failed ? NULL : find_or_add_agent(d, name);
    if (!a)
        return -1;
    close_before(a, oldest);
    return 0;
}

int dedupe_read(struct dedupe *d, struct bytes_reader *in)
{
    pthread_mutex_lock(&d->lock);
    forget_all(d);
    uint32_t agents = bytes_get_u32(in);
    int result = in->failed ? -1 : 0;
    for (uint32_t i = 0; i < agents && result == 0; i++)
        result = read_agent(d, in);
    if (result != 0)
        forget_all(d);
    pthread_mutex_unlock(&d->lock);
    return result;
}
