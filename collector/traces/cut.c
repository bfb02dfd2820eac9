// SPDX-License-Identifier: Apache-2.0
/* A sealed generation becomes a segment: its traces are sorted by id, each is put in the order of
 * its tree, and the writer does the rest. Nothing in a sealed generation changes, so it is read
 * without the lock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/traces/order.h"
#include "collector/traces/store_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

struct cut {
    struct store *store;
    const struct generation *g;
    struct segment_writer *writer;
    const struct edition *older;
    struct order order;
    struct order_span *spans; /* of one trace, as they came */
    struct segment_row *arrived, *rows;
    uint32_t capacity;
    struct arena arena; /* for a look into older segments */
};

static int by_id(const void *left, const void *right)
{
    const struct head_trace *a = *(const struct head_trace *const *)left;
    const struct head_trace *b = *(const struct head_trace *const *)right;
    if (a->id.hi != b->id.hi)
        return a->id.hi < b->id.hi ? -1 : 1;
    return (a->id.lo > b->id.lo) - (a->id.lo < b->id.lo);
}

static const struct head_trace **sort_traces(const struct generation *g)
{
    const struct head_trace **sorted =
        malloc(((size_t)g->trace_count + 1) * sizeof(struct head_trace *));
    if (!sorted)
        return NULL;
    for (uint32_t i = 0; i < g->trace_count; i++)
        sorted[i] = &g->traces[i];
    qsort((void *)sorted, g->trace_count, sizeof(struct head_trace *), by_id);
    return sorted;
}

static int make_room(struct cut *c, uint32_t count)
{
    if (count <= c->capacity)
        return 0;
    free(c->spans);
    free(c->arrived);
    free(c->rows);
    c->capacity = count + count / 4;
    c->spans = malloc(c->capacity * sizeof *c->spans);
    c->arrived = malloc(c->capacity * sizeof *c->arrived);
    c->rows = malloc(c->capacity * sizeof *c->rows);
    return c->spans && c->arrived && c->rows ? 0 : -ENOMEM;
}

static void collect(struct cut *c, const struct head_trace *t, struct catalog_window *window)
{
    uint32_t count = 0;
    *window = (struct catalog_window){UINT64_MAX, 0};
    for (uint32_t i = t->first_run; i != HEAD_NONE; i = c->g->runs[i].next) {
        const struct head_run *run = &c->g->runs[i];
        const struct batch *b = c->g->batches[run->batch].batch;
        for (uint32_t row = run->row; row < run->row + run->count; row++, count++) {
            uint64_t start = b->start_unix_ns[row], end;
            c->arrived[count] = (struct segment_row){b, row, BLOCK_NONE};
            c->spans[count] = (struct order_span){
                .span_id = b->span_id[row],
                .parent_id = b->parent_id[row],
                .start_unix_ns = start,
                .process = order_process(b->processes[b->process[row]].uuid),
                .status = b->status[row],
            };
            if (__builtin_add_overflow(start, b->duration_ns[row], &end))
                end = UINT64_MAX;
            window->from_unix_ns = start < window->from_unix_ns ? start : window->from_unix_ns;
            window->to_unix_ns = end > window->to_unix_ns ? end : window->to_unix_ns;
        }
    }
}

/* The filters may be wrong; what is written is not. 1, 0 or -ENOMEM. */
static int is_continued(struct cut *c, struct trace_id id, struct catalog_window window)
{
    if (!edition_may_have(c->older, c->older->count, id, window))
        return 0;
    for (size_t i = c->older->count; i-- > 0;) {
        struct span_run *runs;
        size_t count = 0;
        if (!segment_may_have(c->older->entries[i]->segment, id))
            continue;
        int error =
            segment_find(c->older->entries[i]->segment, id, false, &c->arena, &runs, &count);
        arena_reset(&c->arena);
        if (error == SEGMENT_ENOMEM)
            return -ENOMEM;
        if (count > 0)
            return 1;
    }
    return 0;
}

static int add_trace(struct cut *c, const struct head_trace *t)
{
    struct catalog_window window;
    if (make_room(c, t->spans) != 0)
        return -ENOMEM;
    collect(c, t, &window);
    if (order_trace(&c->order, c->spans, t->spans) != 0)
        return -ENOMEM;
    for (uint32_t i = 0; i < c->order.count; i++) {
        c->rows[i] = c->arrived[c->order.span[i]];
        c->rows[i].parent = c->order.parent[i];
    }
    int continued = is_continued(c, t->id, window);
    if (continued < 0)
        return continued;
    return segment_writer_add(c->writer, t->id, continued, c->rows, c->order.count);
}

static int add_traces(struct cut *c)
{
    const struct head_trace **sorted = sort_traces(c->g);
    int error = sorted ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < c->g->trace_count && error == 0; i++) {
        error = add_trace(c, sorted[i]);
        if (error == 0 && (i & 1023) == 0 && wakeup_is_stopping(&c->store->wakeup))
            error = -ECANCELED;
    }
    free((void *)sorted);
    return error;
}

static int add_losses(struct cut *c)
{
    int error = 0;
    for (uint32_t i = 0; i < c->g->batch_count; i++) {
        const struct head_batch *b = &c->g->batches[i];
        for (uint32_t n = 0; n < b->losses && error == 0; n++) {
            const struct batch_loss_view *loss = &b->batch->losses[n];
            struct segment_loss l = {
                .agent = {b->agent, (uint32_t)strlen(b->agent)},
                .reason = loss->reason,
                .count = loss->count,
                .from_unix_ns = loss->from_unix_ns,
                .to_unix_ns = loss->to_unix_ns,
            };
            if (loss->process != UINT32_MAX) {
                const struct batch_process_view *process = &b->batch->processes[loss->process];
                l.service = process->service;
                memcpy(l.process, process->uuid, sizeof l.process);
            }
            error = segment_writer_loss(c->writer, &l);
        }
    }
    return error;
}

static int write_all(struct cut *c, int fd, struct segment_summary *summary)
{
    c->writer = segment_writer_create(fd);
    int error = c->writer ? add_traces(c) : -ENOMEM;
    if (error == 0)
        error = add_losses(c);
    if (error == 0)
        error = segment_writer_finish(c->writer, summary);
    segment_writer_destroy(&c->writer);
    order_fini(&c->order);
    arena_fini(&c->arena);
    free(c->spans);
    free(c->arrived);
    free(c->rows);
    return error;
}

/* ---- taking its place -------------------------------------------------------------------- */

struct exchange {
    struct store *store;
    struct generation *g;
};

/* Under the write lock: the oldest generation leaves the ring. */
static void retire(struct store *s, struct generation *g)
{
    memmove(s->ring, s->ring + 1, --s->count * sizeof(struct generation *));
    g->retired = true;
    s->retired_bytes += g->bytes;
    store_let_go(s, g);
}

static void exchange(void *context, struct edition *fresh)
{
    struct exchange *e = context;
    struct store *s = e->store;
    pthread_rwlock_wrlock(&s->lock);
    catalog_publish(s->catalog, fresh);
    s->stats.cuts++;
    retire(s, e->g);
    pthread_rwlock_unlock(&s->lock);
}

/* It was filled by batches that were discarded: as it knows no place in the ledger, a segment of
 * it would say that none of the ledger is in segments. */
static int drop_empty(struct store *s, struct generation *g)
{
    pthread_rwlock_wrlock(&s->lock);
    retire(s, g);
    pthread_rwlock_unlock(&s->lock);
    return 0;
}

int store_cut(struct store *s, struct generation *g)
{
    struct catalog_stats before;
    if (g->batch_count == 0)
        return drop_empty(s, g);
    catalog_stats(s->catalog, &before);
    uint64_t number = catalog_next_number(s->catalog);
    struct segment_summary summary = {
        .first = number,
        .last = number,
        .spans_before = before.total_spans,
        .accepted_spans = g->spans,
        .ledger_end = g->ledger_end,
        .ledger_begun_unix_ns = s->options.ledger_begun_unix_ns,
        .created_unix_ns = clock_unix_ns(),
    };
    int fd = catalog_create_file(s->catalog, number, number);
    if (fd < 0)
        return fd;
    struct edition *older = catalog_hold(s->catalog);
    struct cut c = {.store = s, .g = g, .older = older};
    arena_init(&c.arena, 64 << 10);
    int error = write_all(&c, fd, &summary);
    catalog_release(s->catalog, &older);
    if (error != 0) {
        close(fd);
        catalog_remove_file(s->catalog, number, number);
        return error;
    }
    error = catalog_install(s->catalog, fd, number, number, exchange, &(struct exchange){s, g});
    if (error == 0)
        LOG_DEBUG("segment %llu: %llu spans, %llu bytes", (unsigned long long)number,
                  (unsigned long long)summary.spans, (unsigned long long)summary.file_bytes);
    return error;
}
