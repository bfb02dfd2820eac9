// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "collector/traces/generation.h"

enum { GENERATIONS_DEFAULT = 8, GENERATIONS_LEAST = 3 };

struct store {
    struct store_options options;
    uint64_t generation_bytes;                      /* a generation is full beyond this */
    pthread_rwlock_t lock;                          /* everything below */
    struct generation *ring[STORE_GENERATIONS_MAX]; /* oldest first */
    unsigned count;
    uint64_t held_bytes; /* of evicted generations that somebody still reads */
    uint64_t evicted_spans;
};

static int lock_init(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    /* Questions come in crowds; the inserting thread must not wait for a gap between them. */
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    int result = pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    return result ? -1 : 0;
}

struct store *store_create(const struct store_options *options)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s || lock_init(&s->lock) != 0) {
        free(s);
        return NULL;
    }
    s->options = *options;
    unsigned generations = options->generations ? options->generations : GENERATIONS_DEFAULT;
    if (generations < GENERATIONS_LEAST)
        generations = GENERATIONS_LEAST;
    if (generations > STORE_GENERATIONS_MAX)
        generations = STORE_GENERATIONS_MAX;
    s->options.generations = generations;
    s->generation_bytes = options->limit_bytes / generations;
    s->ring[0] = generation_create(1, 0);
    if (!s->ring[0])
        store_destroy(&s);
    else
        s->count = 1;
    return s;
}

void store_destroy(struct store **place)
{
    struct store *s = *place;
    if (!s)
        return;
    for (unsigned i = 0; i < s->count; i++)
        generation_destroy(&s->ring[i]);
    pthread_rwlock_destroy(&s->lock);
    free(s);
    *place = NULL;
}

/* ---- generations: under the write lock --------------------------------------------------- */

static uint64_t bytes_now(const struct store *s)
{
    uint64_t bytes = s->held_bytes;
    for (unsigned i = 0; i < s->count; i++)
        bytes += s->ring[i]->bytes;
    return bytes;
}

static void let_go(struct store *s, struct generation *g)
{
    if (--g->references > 0)
        return;
    if (g->evicted)
        s->held_bytes -= g->bytes;
    generation_destroy(&g);
}

static void evict_oldest(struct store *s)
{
    struct generation *g = s->ring[0];
    memmove(s->ring, s->ring + 1, --s->count * sizeof(struct generation *));
    s->evicted_spans += g->spans;
    if (s->options.evicted && g->spans > 0)
        s->options.evicted(s->options.context, g->spans, g->oldest_unix_ns, g->newest_unix_ns);
    g->evicted = true;
    s->held_bytes += g->bytes;
    let_go(s, g);
}

/* Room for one whole generation more: what is held by readers counts, but two generations stay
 * in any case, or a slow reader could empty the head. */
static void make_room(struct store *s)
{
    uint64_t most = s->options.limit_bytes - s->generation_bytes;
    while (s->count > 2 && (bytes_now(s) > most || s->count == STORE_GENERATIONS_MAX))
        evict_oldest(s);
}

/* The generation to decode into; a new one when the newest is full. */
static struct generation *current(struct store *s)
{
    struct generation *g = s->ring[s->count - 1];
    if (generation_bytes(g) < s->generation_bytes)
        return g;
    pthread_rwlock_wrlock(&s->lock);
    make_room(s);
    struct generation *fresh = generation_create(g->number + 1, g->trace_count);
    if (fresh)
        s->ring[s->count++] = fresh;
    pthread_rwlock_unlock(&s->lock);
    return fresh;
}

static void stage(struct store *s, struct store_staged *staged, struct generation *g,
                  const struct batch *batch)
{
    pthread_rwlock_wrlock(&s->lock);
    g->references++;
    g->bytes = generation_bytes(g);
    pthread_rwlock_unlock(&s->lock);
    *staged = (struct store_staged){batch, g};
}

/* ---- inserting --------------------------------------------------------------------------- */

int store_decode(struct store *s, const void *bytes, size_t length, size_t max_bytes,
                 struct store_staged *staged)
{
    /* The arena is the inserting thread's alone: readers look at batches, not at it. */
    struct generation *g = current(s);
    int error = BATCH_ENOMEM;
    const struct batch *batch =
        g ? batch_decode(&g->arena, bytes, length, max_bytes, &error) : NULL;
    if (!batch)
        return error;
    stage(s, staged, g, batch);
    return BATCH_OK;
}

int store_stage(struct store *s, struct store_staged *staged, struct arena **arena)
{
    struct generation *g = current(s);
    if (!g)
        return -1;
    *arena = &g->arena;
    stage(s, staged, g, NULL);
    return 0;
}

static const char *keep_agent(struct generation *g, const char *agent)
{
    /* Batches of one agent come in groups; one copy does for them. */
    if (g->batch_count > 0) {
        const char *last = g->batches[g->batch_count - 1].agent;
        if (strcmp(last, agent) == 0)
            return last;
    }
    return arena_copy(&g->arena, agent, strlen(agent) + 1);
}

static int index_batch(struct store *s, struct generation *g, const struct batch *batch,
                       const char *agent)
{
    agent = keep_agent(g, agent);
    if (!agent || generation_reserve(g, batch) != 0)
        return -1;
    for (uint32_t i = 0; i < batch->process_count; i++)
        batch->processes[i].agent = (struct batch_str){agent, (uint32_t)strlen(agent)};
    struct generation *newest_first[STORE_GENERATIONS_MAX];
    struct generation_past past = {.generations = newest_first};
    for (unsigned i = s->count; i-- > 0;) {
        if (s->ring[i]->number < g->number)
            newest_first[past.count++] = s->ring[i];
    }
    generation_index(g, batch, agent, &past);
    return 0;
}

int store_insert(struct store *s, struct store_staged *staged, const char *agent)
{
    struct generation *g = staged->generation;
    pthread_rwlock_wrlock(&s->lock);
    int result = 0;
    if (g->evicted)
        s->evicted_spans += staged->batch->span_count;
    else
        result = index_batch(s, g, staged->batch, agent);
    if (!g->evicted)
        g->bytes = generation_bytes(g);
    let_go(s, g);
    pthread_rwlock_unlock(&s->lock);
    *staged = (struct store_staged){0};
    return result;
}

void store_discard(struct store *s, struct store_staged *staged)
{
    pthread_rwlock_wrlock(&s->lock);
    let_go(s, staged->generation);
    pthread_rwlock_unlock(&s->lock);
    *staged = (struct store_staged){0};
}

/* ---- asking ------------------------------------------------------------------------------ */

void store_hold(struct store *s, struct store_hold *hold)
{
    pthread_rwlock_wrlock(&s->lock);
    hold->store = s;
    hold->count = s->count;
    for (unsigned i = 0; i < s->count; i++) {
        hold->generations[i] = s->ring[i];
        s->ring[i]->references++;
    }
    pthread_rwlock_unlock(&s->lock);
}

void store_release(struct store_hold *hold)
{
    pthread_rwlock_wrlock(&hold->store->lock);
    for (unsigned i = 0; i < hold->count; i++)
        let_go(hold->store, hold->generations[i]);
    pthread_rwlock_unlock(&hold->store->lock);
    hold->count = 0;
}

void store_hold_narrow(struct store_hold *hold, struct trace_id id)
{
    uint64_t hash = generation_hash(id);
    unsigned kept = 0;
    pthread_rwlock_wrlock(&hold->store->lock);
    for (unsigned i = 0; i < hold->count; i++) {
        struct generation *g = hold->generations[i];
        if (generation_find(g, id, hash))
            hold->generations[kept++] = g;
        else
            let_go(hold->store, g);
    }
    pthread_rwlock_unlock(&hold->store->lock);
    hold->count = kept;
}

static size_t copy_runs(const struct generation *g, const struct head_trace *t,
                        struct span_run *out)
{
    size_t count = 0;
    for (uint32_t i = t->first_run; i != HEAD_NONE; i = g->runs[i].next) {
        const struct head_run *run = &g->runs[i];
        const struct head_batch *b = &g->batches[run->batch];
        if (out)
            out[count] = (struct span_run){b->batch, run->row, run->count};
        count++;
    }
    return count;
}

/* Under the lock: between counting and copying no run may be added. */
static int find_locked(const struct store_hold *hold, struct trace_id id, struct span_run **runs,
                       size_t *count)
{
    uint64_t hash = generation_hash(id);
    size_t total = 0;
    for (unsigned i = 0; i < hold->count; i++) {
        const struct head_trace *t = generation_find(hold->generations[i], id, hash);
        if (t)
            total += copy_runs(hold->generations[i], t, NULL);
    }
    if (total == 0)
        return 0;
    *runs = malloc(total * sizeof **runs);
    if (!*runs)
        return -1;
    for (unsigned i = 0; i < hold->count; i++) {
        const struct head_trace *t = generation_find(hold->generations[i], id, hash);
        if (t)
            *count += copy_runs(hold->generations[i], t, *runs + *count);
    }
    return 0;
}

int store_find(const struct store_hold *hold, struct trace_id id, struct span_run **runs,
               size_t *count)
{
    *runs = NULL;
    *count = 0;
    pthread_rwlock_rdlock(&hold->store->lock);
    int result = find_locked(hold, id, runs, count);
    pthread_rwlock_unlock(&hold->store->lock);
    return result;
}

struct search {
    const struct store_hold *hold;
    const struct store_filter *filter;
    uint64_t services, operations; /* bits that must be there */
    struct store_candidate *candidates;
    size_t count, capacity;
};

static const struct head_trace *older_entry(const struct search *search, const struct head_trace *t)
{
    if (!t->older_generation)
        return NULL;
    for (unsigned i = 0; i < search->hold->count; i++) {
        const struct generation *g = search->hold->generations[i];
        if (g->number == t->older_generation)
            return &g->traces[t->older_index];
    }
    return NULL; /* evicted */
}

static bool passes(const struct search *search, const struct head_trace *t, uint64_t *start)
{
    const struct store_filter *f = search->filter;
    uint64_t first = t->start_unix_ns, last = t->end_unix_ns;
    uint64_t services = t->services, operations = t->operations;
    uint32_t errors = t->errors, died = t->died;
    while ((t = older_entry(search, t)) != NULL) {
        first = t->start_unix_ns < first ? t->start_unix_ns : first;
        last = t->end_unix_ns > last ? t->end_unix_ns : last;
        services |= t->services;
        operations |= t->operations;
        errors |= t->errors;
        died |= t->died;
    }
    *start = first;
    return first >= f->start_unix_ns && first < f->end_unix_ns &&
           last - first >= f->min_duration_ns && last - first <= f->max_duration_ns &&
           (services & search->services) == search->services &&
           (operations & search->operations) == search->operations && (!f->failed || errors) &&
           (!f->died || died);
}

static int add_candidate(struct search *search, struct trace_id id, uint64_t start_unix_ns)
{
    if (search->count == search->capacity) {
        size_t more = search->capacity ? search->capacity * 2 : 256;
        struct store_candidate *bigger =
            realloc(search->candidates, more * sizeof *search->candidates);
        if (!bigger)
            return -1;
        search->candidates = bigger;
        search->capacity = more;
    }
    search->candidates[search->count++] = (struct store_candidate){start_unix_ns, id};
    return 0;
}

static int search_generation(struct search *search, const struct generation *g, uint64_t *scanned)
{
    /* A generation that began after the hold was taken is not searched: what is also there
     * must be found here. */
    uint64_t newest = search->hold->generations[search->hold->count - 1]->number;
    for (uint32_t i = 0; i < g->trace_count; i++) {
        const struct head_trace *t = &g->traces[i];
        uint64_t start;
        if (t->newer_generation && t->newer_generation <= newest)
            continue;
        ++*scanned;
        if (passes(search, t, &start) && add_candidate(search, t->id, start) != 0)
            return -1;
    }
    return 0;
}

int store_search(const struct store_hold *hold, const struct store_filter *filter,
                 struct store_candidate **candidates, size_t *count, uint64_t *scanned)
{
    struct search search = {.hold = hold, .filter = filter};
    if (filter->service)
        search.services = names_bit(filter->service, strlen(filter->service));
    if (filter->operation)
        search.operations = names_bit(filter->operation, strlen(filter->operation));
    *scanned = 0;
    int result = 0;
    pthread_rwlock_rdlock(&hold->store->lock);
    for (unsigned i = hold->count; i-- > 0 && result == 0;)
        result = search_generation(&search, hold->generations[i], scanned);
    pthread_rwlock_unlock(&hold->store->lock);
    if (result != 0) {
        free(search.candidates);
        search.candidates = NULL;
        search.count = 0;
    }
    *candidates = search.candidates;
    *count = search.count;
    return result;
}

const struct batch_process_view *store_process(const struct store_hold *hold,
                                               const uint8_t uuid[16])
{
    const struct batch_process_view *last = NULL;
    pthread_rwlock_rdlock(&hold->store->lock);
    for (unsigned i = hold->count; i-- > 0;) {
        const struct batch_process_view *view = names_process(&hold->generations[i]->names, uuid);
        if (view && (!last || view->state > last->state))
            last = view;
    }
    pthread_rwlock_unlock(&hold->store->lock);
    return last;
}

static void visit_losses(const struct head_batch *b, uint64_t from, uint64_t to,
                         void (*each)(void *, const struct store_loss *), void *context)
{
    for (uint32_t i = 0; i < b->losses; i++) {
        const struct batch_loss_view *loss = &b->batch->losses[i];
        if (loss->to_unix_ns < from || loss->from_unix_ns > to)
            continue;
        struct store_loss found = {.agent = b->agent, .loss = loss};
        if (loss->process != UINT32_MAX)
            found.process = &b->batch->processes[loss->process];
        each(context, &found);
    }
}

void store_losses(const struct store_hold *hold, uint64_t from_unix_ns, uint64_t to_unix_ns,
                  void (*each)(void *context, const struct store_loss *loss), void *context)
{
    pthread_rwlock_rdlock(&hold->store->lock);
    for (unsigned i = 0; i < hold->count; i++) {
        const struct generation *g = hold->generations[i];
        for (uint32_t b = 0; b < g->batch_count; b++)
            visit_losses(&g->batches[b], from_unix_ns, to_unix_ns, each, context);
    }
    pthread_rwlock_unlock(&hold->store->lock);
}

void store_services(const struct store_hold *hold, const struct store_service_visit *visit)
{
    pthread_rwlock_rdlock(&hold->store->lock);
    for (unsigned i = 0; i < hold->count; i++) {
        const struct names *n = &hold->generations[i]->names;
        for (uint32_t s = 0; s < n->service_count; s++) {
            const struct name_service *service = &n->services[s];
            visit->service(visit->context, service->name, service->spans, service->errors,
                           service->died);
        }
        for (uint32_t o = 0; o < n->operation_count; o++)
            visit->operation(visit->context, n->services[n->operations[o].service].name,
                             n->operations[o].name);
        for (uint32_t p = 0; p < n->process_count; p++)
            visit->process(visit->context, n->processes[p]);
    }
    pthread_rwlock_unlock(&hold->store->lock);
}

void store_stats(struct store *s, struct store_stats *out)
{
    *out = (struct store_stats){.limit_bytes = s->options.limit_bytes};
    uint64_t oldest = UINT64_MAX;
    pthread_rwlock_rdlock(&s->lock);
    for (unsigned i = 0; i < s->count; i++) {
        const struct generation *g = s->ring[i];
        out->traces += g->trace_count - g->superseded;
        out->spans += g->spans;
        oldest = g->oldest_unix_ns < oldest ? g->oldest_unix_ns : oldest;
    }
    out->bytes = bytes_now(s);
    out->evicted_spans = s->evicted_spans;
    out->generations = s->count;
    pthread_rwlock_unlock(&s->lock);
    out->oldest_unix_ns = oldest == UINT64_MAX ? 0 : oldest;
}
