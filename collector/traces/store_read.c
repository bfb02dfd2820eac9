// SPDX-License-Identifier: Apache-2.0
/* What whoever holds the store sees: the segments and generations of one moment. */
#include <stdlib.h>
#include <string.h>

#include "collector/traces/store_internal.h"

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
