// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "collector/query/open.h"
#include "collector/query/query.h"

/* Losses further from the trace than this are not its own: counters are read by sweeps. */
static const uint64_t SLACK_NS = 1000000000;
enum { LARGE_WAIT_MS = 20000 };

struct losses {
    struct trace_view *view;
    size_t capacity;
    bool failed;
};

static uint32_t find_process(const struct tree *t, const uint8_t uuid[16])
{
    for (uint32_t i = 0; i < t->process_count; i++) {
        if (memcmp(t->processes[i].view->uuid, uuid, 16) == 0)
            return i;
    }
    return TREE_NONE;
}

static bool is_agent_of(const struct tree *t, struct batch_str agent)
{
    for (uint32_t i = 0; i < t->process_count; i++) {
        if (batch_str_equal(t->processes[i].view->agent, agent))
            return true;
    }
    return false;
}

/* One entry for each process and reason. */
static struct trace_loss *same_loss(const struct trace_view *v, const struct trace_loss *loss)
{
    for (size_t i = 0; i < v->loss_count; i++) {
        struct trace_loss *known = &v->losses[i];
        if (known->process == loss->process && known->reason == loss->reason &&
            batch_str_equal(known->service, loss->service) &&
            batch_str_equal(known->agent, loss->agent))
            return known;
    }
    return NULL;
}

/* The batch that told of it may be in a generation that is given back. */
static bool keep_strings(struct trace_view *v, struct trace_loss *loss)
{
    loss->agent.bytes = arena_copy(&v->arena, loss->agent.bytes, loss->agent.length);
    loss->service.bytes = arena_copy(&v->arena, loss->service.bytes, loss->service.length);
    return loss->agent.bytes && loss->service.bytes;
}

static void add_loss(struct losses *l, const struct trace_loss *loss)
{
    struct trace_view *v = l->view;
    struct trace_loss *known = same_loss(v, loss);
    if (known) {
        known->count += loss->count;
        if (loss->from_unix_ns < known->from_unix_ns)
            known->from_unix_ns = loss->from_unix_ns;
        if (loss->to_unix_ns > known->to_unix_ns)
            known->to_unix_ns = loss->to_unix_ns;
        return;
    }
    if (v->loss_count == l->capacity) {
        size_t more = l->capacity ? l->capacity * 2 : 8;
        struct trace_loss *bigger = realloc(v->losses, more * sizeof *bigger);
        l->failed = l->failed || !bigger;
        if (!bigger)
            return;
        v->losses = bigger;
        l->capacity = more;
    }
    v->losses[v->loss_count] = *loss;
    l->failed = l->failed || !keep_strings(v, &v->losses[v->loss_count]);
    v->loss_count += !l->failed;
}

/* What was lost by the trace's own processes and agents concerns it. Where a parent is missing,
 * it may have been recorded by anybody: then every loss of that time does. */
static void consider_loss(void *context, const struct store_loss *found)
{
    struct losses *l = context;
    const struct tree *t = &l->view->tree;
    struct trace_loss loss = {
        .process = found->process ? find_process(t, found->process) : TREE_NONE,
        .agent = found->agent,
        .reason = found->reason,
        .count = found->count,
        .from_unix_ns = found->from_unix_ns,
        .to_unix_ns = found->to_unix_ns,
    };
    bool own = loss.process != TREE_NONE || (!found->process && is_agent_of(t, found->agent));
    if (!own && tree_complete(t))
        return;
    if (found->process && loss.process == TREE_NONE)
        loss.service = found->service;
    add_loss(l, &loss);
}

static int earlier(const void *left, const void *right)
{
    const struct trace_loss *a = left, *b = right;
    return (a->from_unix_ns > b->from_unix_ns) - (a->from_unix_ns < b->from_unix_ns);
}

static int find_losses(struct trace_view *v)
{
    struct losses l = {.view = v};
    uint64_t from = v->tree.start_unix_ns, to = v->tree.end_unix_ns;
    from = from > SLACK_NS ? from - SLACK_NS : 0;
    to = to < UINT64_MAX - SLACK_NS ? to + SLACK_NS : UINT64_MAX;
    if (store_losses(&v->hold, from, to, &v->arena, consider_loss, &l) != 0)
        return -1;
    if (v->loss_count > 1)
        qsort(v->losses, v->loss_count, sizeof *v->losses, earlier);
    return l.failed ? -1 : 0;
}

static int find_states(struct trace_view *v)
{
    v->states = malloc((v->tree.process_count + 1) * sizeof *v->states);
    if (!v->states)
        return -1;
    for (uint32_t i = 0; i < v->tree.process_count; i++) {
        const struct batch_process_view *known = v->tree.processes[i].view;
        const struct batch_process_view *last = store_process(&v->hold, known->uuid);
        if (last && last->state > known->state)
            known = last;
        v->states[i] = (struct trace_state){known->state, known->state_unix_ns};
    }
    return 0;
}

static int fill(const struct query *q, struct trace_view *v)
{
    struct open_index open;
    if (open_index_init(&open, &v->open) != 0)
        return -1;
    v->large = store_is_large(&v->hold, v->id);
    if (v->large && q->large_traces) {
        if (budget_take(q->large_traces, 1, LARGE_WAIT_MS) == 0) {
            open_index_fini(&open);
            return -2;
        }
        v->large_traces = q->large_traces;
    }
    int result =
        open_index_gather(&open, &v->hold, v->id, !v->large, &v->arena, &v->runs, &v->run_count);
    if (result == 0)
        result = tree_build(&v->tree, v->runs, v->run_count);
    open_index_fini(&open);
    if (result != 0 || v->tree.count == 0)
        return result;
    if (find_states(v) != 0 || find_losses(v) != 0)
        return -1;
    store_hold_narrow(&v->hold, v->id);
    return 1;
}

int query_trace(const struct query *q, struct trace_id id, uint64_t now_unix_ns,
                struct trace_view *view)
{
    *view = (struct trace_view){.id = id};
    arena_init(&view->arena, 1024);
    for (unsigned i = 0; i < TRACE_DETAILS; i++)
        arena_init(&view->details[i].arena, 64 << 10);
    if (inflight_hold(q->inflight, now_unix_ns, &view->open) != 0)
        return -1;
    store_hold(q->store, &view->hold);
    int result = fill(q, view);
    if (result != 1)
        trace_view_fini(view);
    return result;
}

/* ---- details of a large trace ------------------------------------------------------------ */

static const struct span_run *run_of(const struct trace_view *v, const struct batch *batch)
{
    for (size_t i = 0; i < v->run_count; i++) {
        if (v->runs[i].batch == batch)
            return &v->runs[i];
    }
    return NULL;
}

/* The one that has the batch, else the one that was not used for longest. */
static struct trace_details *choose(struct trace_view *v, const struct batch *of)
{
    struct trace_details *chosen = &v->details[0];
    for (unsigned i = 0; i < TRACE_DETAILS; i++) {
        if (v->details[i].of == of)
            return &v->details[i];
        if (v->details[i].used < chosen->used)
            chosen = &v->details[i];
    }
    return chosen;
}

const struct batch *trace_view_details(struct trace_view *v, uint32_t node)
{
    const struct batch *of = v->tree.nodes[node].batch;
    const struct span_run *run = v->large ? run_of(v, of) : NULL;
    if (!run || !run->segment)
        return of;
    struct trace_details *d = choose(v, of);
    d->used = ++v->details_used;
    if (d->of == of)
        return d->batch;
    struct span_run details;
    d->of = NULL;
    arena_reset(&d->arena);
    if (segment_find_details(run, &d->arena, &details) != SEGMENT_OK ||
        details.count != run->batch->span_count)
        return NULL;
    d->of = of;
    return d->batch = details.batch;
}

void trace_view_fini(struct trace_view *view)
{
    for (unsigned i = 0; i < TRACE_DETAILS; i++)
        arena_fini(&view->details[i].arena);
    if (view->large_traces)
        budget_give(view->large_traces, 1);
    view->large_traces = NULL;
    tree_fini(&view->tree);
    free(view->runs);
    view->runs = NULL;
    free(view->states);
    free(view->losses);
    view->states = NULL;
    view->losses = NULL;
    arena_fini(&view->arena);
    inflight_release(&view->open);
    if (view->hold.store)
        store_release(&view->hold);
    view->hold.store = NULL;
}
