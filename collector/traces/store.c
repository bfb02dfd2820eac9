// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/traces/store_internal.h"
#include "lib/base/clock.h"

enum { GENERATIONS_DEFAULT = 4, GENERATIONS_LEAST = 3 };

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

static struct generation *begin_generation(struct store *s, size_t expected_traces)
{
    struct generation *g = generation_create(++s->next_generation, expected_traces);
    if (g)
        s->ring[s->count++] = g;
    return g;
}

struct store *store_open(const struct store_options *options, char *why, size_t why_size)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s || lock_init(&s->lock) != 0) {
        free(s);
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    pthread_mutex_init(&s->wait_lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    s->options = *options;
    unsigned generations = options->generations ? options->generations : GENERATIONS_DEFAULT;
    if (generations < GENERATIONS_LEAST)
        generations = GENERATIONS_LEAST;
    s->generation_bytes = options->head_bytes / generations;
    s->catalog = catalog_open(options->directory, why, why_size);
    if (s->catalog && begin_generation(s, 0) && store_start_threads(s) == 0)
        return s;
    if (s->catalog)
        snprintf(why, why_size, "traces %s: no memory", options->directory);
    store_close(&s);
    return NULL;
}

void store_close(struct store **place)
{
    struct store *s = *place;
    if (!s)
        return;
    store_stop_threads(s);
    for (unsigned i = 0; i < s->count; i++)
        generation_destroy(&s->ring[i]);
    catalog_close(&s->catalog);
    pthread_mutex_destroy(&s->wait_lock);
    pthread_cond_destroy(&s->wake);
    pthread_rwlock_destroy(&s->lock);
    free(s);
    *place = NULL;
}

struct journal_position store_ledger_end(struct store *s)
{
    struct catalog_stats stats;
    catalog_stats(s->catalog, &stats);
    if (stats.ledger_begun_unix_ns != s->options.ledger_begun_unix_ns)
        return (struct journal_position){0};
    return stats.ledger_end;
}

/* ---- generations ------------------------------------------------------------------------- */

void store_let_go(struct store *s, struct generation *g)
{
    if (--g->references > 0)
        return;
    if (g->retired)
        s->retired_bytes -= g->bytes;
    generation_destroy(&g);
    store_wake(s);
}

static uint64_t bytes_now(const struct store *s)
{
    uint64_t bytes = s->retired_bytes;
    for (unsigned i = 0; i < s->count; i++)
        bytes += s->ring[i]->bytes;
    return bytes;
}

/* Whether something else will make room: a sealed generation that nothing staged holds back, or
 * one that is still being read. */
static bool room_will_come(const struct store *s)
{
    return (s->count > 1 && s->ring[0]->sealed && s->ring[0]->staged == 0) || s->retired_bytes > 0;
}

/* Under the write lock: from now on the cutting thread leaves it alone. */
static struct generation *stage(struct generation *g)
{
    if (g) {
        g->references++;
        g->staged++;
    }
    return g;
}

/* A fresh generation in the place of the full one, staged. NULL with *wait: there must be room
 * first. */
static struct generation *next_generation(struct store *s, bool *wait)
{
    pthread_rwlock_wrlock(&s->lock);
    struct generation *full = s->count > 0 ? s->ring[s->count - 1] : NULL, *fresh = NULL;
    bool seal = full && !full->sealed;
    if (seal) {
        full->sealed = true;
        full->bytes = generation_bytes(full);
    }
    bool room = bytes_now(s) + s->generation_bytes <= s->options.head_bytes &&
                s->count < STORE_GENERATIONS_MAX;
    *wait = !room && room_will_come(s);
    if (!*wait && s->count < STORE_GENERATIONS_MAX)
        fresh = stage(begin_generation(s, full ? full->trace_count : 0));
    pthread_rwlock_unlock(&s->lock);
    if (seal)
        store_wake(s);
    return fresh;
}

static bool wait_for_room(struct store *s, unsigned seen)
{
    pthread_mutex_lock(&s->wait_lock);
    while (s->woken == seen && !s->stopping)
        pthread_cond_wait(&s->wake, &s->wait_lock);
    bool go_on = !s->stopping;
    pthread_mutex_unlock(&s->wait_lock);
    return go_on;
}

/* The generation to decode into, staged; NULL: no memory, or interrupted. */
static struct generation *current(struct store *s)
{
    for (;;) {
        /* Looked at and staged in one: else it could be old, and sealed, in between. */
        pthread_rwlock_wrlock(&s->lock);
        struct generation *g = s->count > 0 ? s->ring[s->count - 1] : NULL;
        bool has_room = g && !g->sealed && generation_bytes(g) < s->generation_bytes;
        if (has_room)
            stage(g);
        pthread_rwlock_unlock(&s->lock);
        if (has_room)
            return g;
        unsigned seen = store_woken(s);
        bool wait = false;
        struct generation *fresh = next_generation(s, &wait);
        if (!wait)
            return fresh;
        if (!wait_for_room(s, seen))
            return NULL;
    }
}

/* ---- inserting --------------------------------------------------------------------------- */

int store_decode(struct store *s, const void *bytes, size_t length, size_t max_bytes,
                 struct store_staged *staged)
{
    struct generation *g = current(s);
    if (!g)
        return BATCH_ENOMEM;
    /* The arena is the inserting thread's alone: readers look at batches, not at it. */
    int error = BATCH_ENOMEM;
    *staged = (struct store_staged){batch_decode(&g->arena, bytes, length, max_bytes, &error), g};
    if (staged->batch)
        return BATCH_OK;
    store_discard(s, staged);
    return error;
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
    if (!agent)
        return -1;
    for (uint32_t i = 0; i < batch->process_count; i++)
        batch->processes[i].agent = (struct batch_str){agent, (uint32_t)strlen(agent)};
    if (generation_reserve(g, batch) != 0)
        return -1;
    struct generation *newest_first[STORE_GENERATIONS_MAX];
    struct edition *segments = catalog_hold(s->catalog);
    struct generation_past past = {.generations = newest_first, .segments = segments};
    for (unsigned i = s->count; i-- > 0;) {
        if (s->ring[i]->number < g->number)
            newest_first[past.count++] = s->ring[i];
    }
    generation_index(g, batch, agent, &past);
    catalog_release(s->catalog, &segments);
    return 0;
}

int store_insert(struct store *s, struct store_staged *staged, const char *agent,
                 struct journal_position ledger_end)
{
    struct generation *g = staged->generation;
    pthread_rwlock_wrlock(&s->lock);
    int result = index_batch(s, g, staged->batch, agent);
    if (result != 0)
        s->stats.not_indexed += staged->batch->span_count;
    if (!g->begun_unix_ns)
        g->begun_unix_ns = clock_unix_ns();
    g->ledger_end = ledger_end;
    g->staged--;
    g->bytes = generation_bytes(g);
    bool wanted = g->sealed && g->staged == 0;
    store_let_go(s, g);
    pthread_rwlock_unlock(&s->lock);
    if (wanted)
        store_wake(s);
    *staged = (struct store_staged){0};
    return result;
}

void store_discard(struct store *s, struct store_staged *staged)
{
    struct generation *g = staged->generation;
    pthread_rwlock_wrlock(&s->lock);
    g->staged--;
    bool wanted = g->sealed && g->staged == 0;
    store_let_go(s, g);
    pthread_rwlock_unlock(&s->lock);
    if (wanted)
        store_wake(s);
    *staged = (struct store_staged){0};
}

/* ---- holding ----------------------------------------------------------------------------- */

void store_hold(struct store *s, struct store_hold *hold)
{
    pthread_rwlock_wrlock(&s->lock);
    hold->store = s;
    hold->count = s->count;
    for (unsigned i = 0; i < s->count; i++) {
        hold->generations[i] = s->ring[i];
        s->ring[i]->references++;
    }
    /* Under the lock: a generation becomes a segment in one moment. */
    hold->segments = catalog_hold(s->catalog);
    pthread_rwlock_unlock(&s->lock);
}

void store_release(struct store_hold *hold)
{
    if (!hold->store)
        return;
    pthread_rwlock_wrlock(&hold->store->lock);
    for (unsigned i = 0; i < hold->count; i++)
        store_let_go(hold->store, hold->generations[i]);
    pthread_rwlock_unlock(&hold->store->lock);
    catalog_release(hold->store->catalog, &hold->segments);
    *hold = (struct store_hold){0};
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
            store_let_go(hold->store, g);
    }
    pthread_rwlock_unlock(&hold->store->lock);
    hold->count = kept;
}

/* ---- a trace ----------------------------------------------------------------------------- */

struct finding {
    struct span_run *runs;
    size_t count, capacity;
};

static struct span_run *add_runs(struct finding *f, size_t count)
{
    if (f->count + count > f->capacity) {
        size_t more = (f->count + count) * 2;
        struct span_run *bigger = realloc(f->runs, more * sizeof *bigger);
        if (!bigger)
            return NULL;
        f->runs = bigger;
        f->capacity = more;
    }
    f->count += count;
    return f->runs + f->count - count;
}

static int find_in_segments(const struct store_hold *hold, struct trace_id id, bool details,
                            struct arena *arena, struct finding *f)
{
    for (size_t i = 0; i < hold->segments->count; i++) {
        struct segment *segment = hold->segments->entries[i]->segment;
        if (!segment_may_have(segment, id))
            continue;
        struct span_run *runs;
        size_t count;
        int error = segment_find(segment, id, details, arena, &runs, &count);
        if (error == SEGMENT_ENOMEM)
            return -1;
        if (error != SEGMENT_OK || count == 0)
            continue;
        struct span_run *place = add_runs(f, count);
        if (!place)
            return -1;
        memcpy(place, runs, count * sizeof *runs);
    }
    return 0;
}

static size_t copy_runs(const struct generation *g, const struct head_trace *t,
                        struct span_run *out)
{
    size_t count = 0;
    for (uint32_t i = t->first_run; i != HEAD_NONE; i = g->runs[i].next) {
        const struct head_run *run = &g->runs[i];
        if (out)
            out[count] = (struct span_run){
                .batch = g->batches[run->batch].batch, .row = run->row, .count = run->count};
        count++;
    }
    return count;
}

static int find_in_head(const struct store_hold *hold, struct trace_id id, struct finding *f)
{
    uint64_t hash = generation_hash(id);
    for (unsigned i = 0; i < hold->count; i++) {
        const struct head_trace *t = generation_find(hold->generations[i], id, hash);
        if (!t)
            continue;
        struct span_run *place = add_runs(f, copy_runs(hold->generations[i], t, NULL));
        if (!place)
            return -1;
        copy_runs(hold->generations[i], t, place);
    }
    return 0;
}

int store_find(const struct store_hold *hold, struct trace_id id, bool details, struct arena *arena,
               struct span_run **runs, size_t *count)
{
    struct finding f = {0};
    int result = find_in_segments(hold, id, details, arena, &f);
    if (result == 0) {
        pthread_rwlock_rdlock(&hold->store->lock);
        result = find_in_head(hold, id, &f);
        pthread_rwlock_unlock(&hold->store->lock);
    }
    if (result != 0) {
        free(f.runs);
        f = (struct finding){0};
    }
    *runs = f.runs;
    *count = f.count;
    return result;
}

bool store_is_large(const struct store_hold *hold, struct trace_id id)
{
    for (size_t i = 0; i < hold->segments->count; i++) {
        if (segment_cuts(hold->segments->entries[i]->segment, id))
            return true;
    }
    return false;
}

/* ---- the head, generation by generation -------------------------------------------------- */

uint32_t store_head_traces(const struct store_hold *hold, unsigned i)
{
    pthread_rwlock_rdlock(&hold->store->lock);
    uint32_t count = hold->generations[i]->trace_count;
    pthread_rwlock_unlock(&hold->store->lock);
    return count;
}

void store_head_bounds(const struct store_hold *hold, unsigned i, struct block_bounds *bounds)
{
    pthread_rwlock_rdlock(&hold->store->lock);
    *bounds = hold->generations[i]->bounds;
    bounds->bytes = hold->generations[i]->bytes;
    pthread_rwlock_unlock(&hold->store->lock);
}

int store_head_runs(const struct store_hold *hold, unsigned i, uint32_t first, uint32_t traces,
                    struct span_run **runs, uint32_t **firsts)
{
    const struct generation *g = hold->generations[i];
    size_t count = 0, at = 0;
    pthread_rwlock_rdlock(&hold->store->lock);
    for (uint32_t t = first; t < first + traces; t++)
        count += copy_runs(g, &g->traces[t], NULL);
    *runs = malloc((count + 1) * sizeof **runs);
    *firsts = malloc(((size_t)traces + 1) * sizeof **firsts);
    bool room = *runs && *firsts;
    for (uint32_t t = 0; room && t < traces; t++) {
        (*firsts)[t] = (uint32_t)at;
        at += copy_runs(g, &g->traces[first + t], *runs + at);
    }
    pthread_rwlock_unlock(&hold->store->lock);
    if (room) {
        (*firsts)[traces] = (uint32_t)at;
        return 0;
    }
    free(*runs);
    free(*firsts);
    return -1;
}

int store_head_continued(const struct store_hold *hold, unsigned i, struct trace_id **ids,
                         size_t *count)
{
    const struct generation *g = hold->generations[i];
    pthread_rwlock_rdlock(&hold->store->lock);
    *count = g->continued_count;
    *ids = malloc((*count + 1) * sizeof **ids);
    if (*ids && *count > 0)
        memcpy(*ids, g->continued, *count * sizeof **ids);
    pthread_rwlock_unlock(&hold->store->lock);
    return *ids ? 0 : -1;
}

/* ---- processes, losses, names ------------------------------------------------------------ */

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
        struct store_loss found = {
            .agent = {b->agent, (uint32_t)strlen(b->agent)},
            .reason = loss->reason,
            .count = loss->count,
            .from_unix_ns = loss->from_unix_ns,
            .to_unix_ns = loss->to_unix_ns,
        };
        if (loss->process != UINT32_MAX) {
            found.process = b->batch->processes[loss->process].uuid;
            found.service = b->batch->processes[loss->process].service;
        }
        each(context, &found);
    }
}

static int segment_losses_in(struct segment *segment, uint64_t from, uint64_t to,
                             struct arena *arena, void (*each)(void *, const struct store_loss *),
                             void *context)
{
    static const uint8_t none[16] = {0};
    struct segment_loss *losses;
    size_t count;
    int error = segment_losses(segment, arena, &losses, &count);
    for (size_t i = 0; error == SEGMENT_OK && i < count; i++) {
        const struct segment_loss *l = &losses[i];
        if (l->to_unix_ns < from || l->from_unix_ns > to)
            continue;
        bool process = memcmp(l->process, none, sizeof none) != 0;
        each(context, &(struct store_loss){l->agent, l->service, process ? l->process : NULL,
                                           l->reason, l->count, l->from_unix_ns, l->to_unix_ns});
    }
    return error == SEGMENT_ENOMEM ? -1 : 0;
}

int store_losses(const struct store_hold *hold, uint64_t from_unix_ns, uint64_t to_unix_ns,
                 struct arena *arena, void (*each)(void *context, const struct store_loss *loss),
                 void *context)
{
    for (size_t i = 0; i < hold->segments->count; i++) {
        const struct catalog_entry *entry = hold->segments->entries[i];
        /* A loss is told in the batches of its time or soon after. */
        if (entry->summary->start_min_unix_ns > to_unix_ns ||
            entry->summary->created_unix_ns < from_unix_ns)
            continue;
        if (segment_losses_in(entry->segment, from_unix_ns, to_unix_ns, arena, each, context) != 0)
            return -1;
    }
    pthread_rwlock_rdlock(&hold->store->lock);
    for (unsigned i = 0; i < hold->count; i++) {
        const struct generation *g = hold->generations[i];
        for (uint32_t b = 0; b < g->batch_count; b++)
            visit_losses(&g->batches[b], from_unix_ns, to_unix_ns, each, context);
    }
    pthread_rwlock_unlock(&hold->store->lock);
    return 0;
}

static int visit_segment(struct segment *segment, struct arena *arena,
                         const struct store_service_visit *visit)
{
    struct segment_service *services;
    struct segment_operation *operations;
    size_t service_count, operation_count;
    struct block_processes processes;
    int error =
        segment_names(segment, arena, &services, &service_count, &operations, &operation_count);
    if (error == SEGMENT_OK) {
        for (size_t i = 0; i < service_count; i++)
            visit->service(visit->context, services[i].name, services[i].spans, services[i].errors,
                           services[i].died);
        for (size_t i = 0; i < operation_count; i++)
            visit->operation(visit->context, services[operations[i].service].name,
                             operations[i].name);
        error = segment_processes(segment, arena, &processes);
    }
    for (uint32_t i = 0; error == SEGMENT_OK && i < processes.count; i++)
        visit->process(visit->context, &processes.list[i]);
    return error == SEGMENT_ENOMEM ? -1 : 0;
}

static void visit_generation(const struct names *n, const struct store_service_visit *visit)
{
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

int store_services(const struct store_hold *hold, struct arena *arena,
                   const struct store_service_visit *visit)
{
    size_t count = hold->segments->count;
    for (size_t i = count > STORE_NAMED_SEGMENTS ? count - STORE_NAMED_SEGMENTS : 0; i < count;
         i++) {
        if (visit_segment(hold->segments->entries[i]->segment, arena, visit) != 0)
            return -1;
    }
    pthread_rwlock_rdlock(&hold->store->lock);
    for (unsigned i = 0; i < hold->count; i++)
        visit_generation(&hold->generations[i]->names, visit);
    pthread_rwlock_unlock(&hold->store->lock);
    return 0;
}

/* ---- sums -------------------------------------------------------------------------------- */

void store_stats(struct store *s, struct store_stats *out)
{
    struct catalog_stats segments;
    pthread_rwlock_rdlock(&s->lock);
    catalog_stats(s->catalog, &segments);
    *out = s->stats;
    out->head_limit_bytes = s->options.head_bytes;
    out->segments_limit_bytes = s->options.limit_bytes;
    uint64_t oldest = segments.oldest_unix_ns ? segments.oldest_unix_ns : UINT64_MAX;
    for (unsigned i = 0; i < s->count; i++) {
        const struct generation *g = s->ring[i];
        out->head_traces += g->trace_count;
        out->head_spans += g->spans;
        if (g->spans > 0 && g->bounds.start_min_unix_ns < oldest)
            oldest = g->bounds.start_min_unix_ns;
    }
    out->head_bytes = bytes_now(s);
    out->generations = s->count;
    pthread_rwlock_unlock(&s->lock);
    out->oldest_unix_ns = oldest == UINT64_MAX ? 0 : oldest;
    out->segments = segments;
}

struct catalog_damage *store_damaged(struct store *s, size_t *count)
{
    return catalog_damaged(s->catalog, count);
}
