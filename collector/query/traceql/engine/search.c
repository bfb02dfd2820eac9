// SPDX-License-Identifier: Apache-2.0
/* Searches: the newest traces that a pipeline lets through. What is held is a heap with the oldest
 * on top, of at most `limit`; a unit, or a trace, that cannot be newer than that one is passed
 * over. Traces with the same start are told apart by their ids, so the answer does not depend on
 * which thread was faster. */
#include <stdlib.h>

#include "collector/query/traceql/engine/found.h"
#include "collector/query/traceql/engine/run.h"
#include "collector/query/traceql/print.h"

struct search {
    struct run run;
    struct program program;
    struct batch_str *names; /* of program.told */
    uint32_t limit, spans_per_set;
    struct traceql_search *answer;
};

struct candidate {
    uint64_t start_unix_ns;
    uint32_t trace;
};

/* ---- the newest -------------------------------------------------------------------------- */

static bool is_older(uint64_t a_start, struct trace_id a, uint64_t b_start, struct trace_id b)
{
    if (a_start != b_start)
        return a_start < b_start;
    return a.hi != b.hi ? a.hi > b.hi : a.lo > b.lo;
}

static bool found_is_older(const struct traceql_found *a, const struct traceql_found *b)
{
    return is_older(a->trace.start_unix_ns, a->trace.id, b->trace.start_unix_ns, b->trace.id);
}

static bool is_full(const struct search *s)
{
    return s->answer->count == s->limit;
}

/* Under the lock: whether a trace would be among those held. */
static bool has_place(const struct search *s, uint64_t start_unix_ns, struct trace_id id)
{
    const struct traceql_found *oldest = s->answer->traces[0];
    return !is_full(s) ||
           is_older(oldest->trace.start_unix_ns, oldest->trace.id, start_unix_ns, id);
}

static void sift_down(struct traceql_found **heap, uint32_t count, uint32_t at)
{
    struct traceql_found *moving = heap[at];
    for (;;) {
        uint32_t child = at * 2 + 1;
        if (child >= count)
            break;
        if (child + 1 < count && found_is_older(heap[child + 1], heap[child]))
            child++;
        if (!found_is_older(heap[child], moving))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

static void sift_up(struct traceql_found **heap, uint32_t at)
{
    struct traceql_found *moving = heap[at];
    while (at > 0 && found_is_older(moving, heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = moving;
}

/* Under the lock; takes `found` over. */
static void hold(struct search *s, struct traceql_found *found)
{
    struct traceql_search *a = s->answer;
    const struct traceql_options *o = s->run.options;
    if (!has_place(s, found->trace.start_unix_ns, found->trace.id)) {
        a->more = true;
        found_destroy(&found);
        return;
    }
    if (is_full(s)) {
        run_refund(&s->run, found_bytes(a->traces[0]));
        found_destroy(&a->traces[0]);
        a->traces[0] = found;
        a->more = true;
        sift_down(a->traces, a->count, 0);
    } else {
        a->traces[a->count] = found;
        sift_up(a->traces, a->count++);
    }
    run_charge(&s->run, found_bytes(found));
    s->run.progress.matched = a->count;
    if (o->on_trace)
        o->on_trace(o->context, found);
}

/* ---- a unit ------------------------------------------------------------------------------ */

static bool wants(struct run *r, size_t unit, const struct block_bounds *b)
{
    struct search *s = r->question;
    (void)unit;
    if (!program_may_match(&s->program, b))
        return false;
    if (!is_full(s) || b->start_max_unix_ns >= s->answer->traces[0]->trace.start_unix_ns)
        return true;
    s->answer->more = true;
    return false;
}

static int newest_first(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->start_unix_ns != b->start_unix_ns)
        return a->start_unix_ns < b->start_unix_ns ? 1 : -1;
    return (a->trace > b->trace) - (a->trace < b->trace);
}

/* The traces in time with a row in `rows`. NULL: the view failed. */
static struct candidate *list_candidates(struct search *s, struct view *v, const uint64_t *rows,
                                         uint32_t *count)
{
    const struct traceql_options *o = s->run.options;
    struct candidate *list = view_alloc(v, v->block->trace_count, sizeof *list);
    *count = 0;
    for (uint32_t row = list ? bits_next(rows, 0, v->rows) : BITS_NONE; row != BITS_NONE;) {
        uint32_t trace = view_trace_of(v, row);
        const struct block_trace *t = &v->block->traces[trace];
        const struct view_trace *facts = view_trace(v, trace);
        if (!facts)
            return NULL;
        if (facts->start_unix_ns < o->end_unix_ns && facts->end_unix_ns >= o->start_unix_ns)
            list[(*count)++] = (struct candidate){facts->start_unix_ns, trace};
        row = bits_next(rows, t->row + t->count, v->rows);
    }
    if (list && *count > 1)
        qsort(list, *count, sizeof *list, newest_first);
    return list;
}

static bool ask_for_place(struct search *s, uint64_t start_unix_ns, struct trace_id id)
{
    pthread_mutex_lock(&s->run.lock);
    bool place = has_place(s, start_unix_ns, id);
    pthread_mutex_unlock(&s->run.lock);
    return place;
}

/* False: it could not be told whether the trace passes. */
static bool look(struct search *s, struct worker *w, struct frame *f, uint32_t trace)
{
    arena_reset(&w->trace);
    struct scene scene = {.frame = f, .arena = &w->trace, .limit_bytes = run_limit(w, &w->trace)};
    const struct set *sets = sets_of_trace(&scene, trace);
    struct traceql_found *found =
        sets ? found_create(&scene, trace, sets, s->spans_per_set, s->names) : NULL;
    if (found) {
        pthread_mutex_lock(&s->run.lock);
        hold(s, found);
        pthread_mutex_unlock(&s->run.lock);
    }
    if (scene.over_limit || f->view.over_limit)
        run_end(&s->run, TRACEQL_END_MEMORY);
    return !scene.failed && !f->view.failed && (found || !sets);
}

static bool work(struct worker *w, size_t unit, struct block *block)
{
    struct search *s = w->run->question;
    struct frame f;
    uint32_t count = 0;
    uint64_t *rows = run_frame(w, &f, &s->program, block) ? frame_narrow(&f) : NULL;
    struct candidate *list = rows ? list_candidates(s, &f.view, rows, &count) : NULL;
    if (f.view.over_limit)
        run_end(&s->run, TRACEQL_END_MEMORY);
    if (!list)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct trace_id id = block->traces[list[i].trace].id;
        if (!run_goes_on(w))
            return true;
        if (!ask_for_place(s, list[i].start_unix_ns, id)) {
            /* The next one may have the same start and an id that comes first. */
            if (ask_for_place(s, list[i].start_unix_ns, (struct trace_id){0, 0}))
                continue;
            pthread_mutex_lock(&s->run.lock);
            s->answer->more = true;
            pthread_mutex_unlock(&s->run.lock);
            break;
        }
        if (s->run.source->is_elsewhere(s->run.source->context, unit, id))
            continue;
        if (!look(s, w, &f, list[i].trace))
            return false;
    }
    return true;
}

/* ---- the whole --------------------------------------------------------------------------- */

static bool name_fields(struct search *s)
{
    struct program *p = &s->program;
    s->names = arena_calloc(&p->arena, p->told_count + 1, sizeof *s->names);
    for (uint32_t i = 0; s->names && i < p->told_count; i++) {
        struct buffer text = {0};
        traceql_print_field(&text, &p->slots[p->told[i]]);
        char *copy = text.failed ? NULL : arena_copy(&p->arena, text.data, text.length);
        s->names[i] = (struct batch_str){copy, (uint32_t)text.length};
        buffer_fini(&text);
        if (!copy)
            return false;
    }
    return s->names != NULL;
}

static void sort(struct traceql_search *a)
{
    for (uint32_t left = a->count; left > 1;) {
        struct traceql_found *oldest = a->traces[0];
        a->traces[0] = a->traces[--left];
        a->traces[left] = oldest;
        sift_down(a->traces, left, 0);
    }
}

bool traceql_search(const struct traceql_query *query, const struct traceql_source *source,
                    const struct traceql_options *options, uint32_t limit,
                    uint32_t spans_per_spanset, struct traceql_search *answer)
{
    struct search s = {.limit = limit, .spans_per_set = spans_per_spanset, .answer = answer};
    s.run = (struct run){.source = source,
                         .options = options,
                         .wants = wants,
                         .work = work,
                         .question = &s,
                         .lock = PTHREAD_MUTEX_INITIALIZER};
    *answer = (struct traceql_search){.end = TRACEQL_END_NO_MEMORY};
    bool begun = program_init(&s.program, query->pipeline) == 0 && name_fields(&s);
    answer->traces = calloc((size_t)limit + 1, sizeof(struct traceql_found *));
    begun = begun && answer->traces;
    if (begun && limit > 0)
        answer->end = run_all(&s.run);
    else if (begun)
        answer->end = TRACEQL_END_ALL;
    answer->progress = s.run.progress;
    if (answer->end == TRACEQL_END_ALL && answer->more)
        answer->end = TRACEQL_END_LIMIT;
    if (answer->end > TRACEQL_END_LIMIT)
        answer->more = true;
    if (begun)
        sort(answer);
    program_fini(&s.program);
    return begun;
}

void traceql_search_fini(struct traceql_search *answer)
{
    for (uint32_t i = 0; i < answer->count; i++)
        found_destroy(&answer->traces[i]);
    free(answer->traces);
    *answer = (struct traceql_search){0};
}
