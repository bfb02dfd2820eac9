// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/found.h"

#include <stdlib.h>

#include "lib/model/span.h"

struct making {
    struct traceql_found *found;
    struct scene *scene;
    const struct batch_str *names;
    uint32_t spans_per_set;
    bool failed;
};

static void *make(struct making *m, size_t count, size_t bytes)
{
    void *got = arena_calloc(&m->found->arena, count ? count : 1, bytes);
    if (!got)
        m->failed = true;
    return got;
}

static struct batch_str keep(struct making *m, struct batch_str text)
{
    char *copy = arena_copy(&m->found->arena, text.bytes, text.length);
    if (!copy) {
        m->failed = true;
        return (struct batch_str){"", 0};
    }
    return (struct batch_str){copy, text.length};
}

static struct traceql_value keep_value(struct making *m, struct traceql_value v)
{
    if (v.type == TRACEQL_STRING)
        v.text = keep(m, v.text);
    return v;
}

/* ---- the trace as a whole ---------------------------------------------------------------- */

/* Counts by process, then joins those of one name. */
static void count_services(struct making *m, const struct block_trace *t)
{
    struct view *v = &m->scene->frame->view;
    const uint32_t *process = view_u32(v, BLOCK_PROCESS);
    const struct block_processes *processes = view_processes(v);
    if (!process || !processes)
        return;
    struct trace_service *all = scene_alloc(m->scene, processes->count, sizeof *all);
    uint32_t *known = scene_alloc(m->scene, t->count, sizeof *known), distinct = 0;
    if (!all || !known)
        return;
    for (uint32_t row = t->row; row < t->row + t->count; row++) /* only what is used is cleared */
        all[process[row]].spans = 0;
    for (uint32_t row = t->row; row < t->row + t->count; row++) {
        if (all[process[row]].spans++ == 0)
            known[distinct++] = process[row];
    }
    struct trace_service *list = make(m, distinct, sizeof *list);
    if (!list)
        return;
    for (uint32_t i = 0; i < distinct; i++)
        list[i] = (struct trace_service){processes->list[known[i]].service, all[known[i]].spans};
    uint32_t count = trace_services_join(list, distinct);
    for (uint32_t i = 0; i < count; i++)
        list[i].name = keep(m, list[i].name);
    m->found->trace.services = list;
    m->found->trace.service_count = count;
}

static void count_spans(struct making *m, const struct block_trace *t)
{
    struct view *v = &m->scene->frame->view;
    struct trace_summary *s = &m->found->trace;
    const uint8_t *status = view_u8(v, BLOCK_STATUS);
    const uint32_t *parent = view_u32(v, BLOCK_PARENT);
    uint32_t tops = 0;
    if (!status || !parent)
        return;
    s->spans = t->count;
    for (uint32_t row = t->row; row < t->row + t->count; row++) {
        s->errors += status[row] == SPAN_ERROR;
        s->died += status[row] == SPAN_DIED;
        s->in_flight += status[row] == SPAN_IN_FLIGHT;
        tops += parent[row] == BLOCK_NONE;
    }
    s->complete = s->has_root && tops == 1;
}

static void tell_trace(struct making *m, uint32_t trace)
{
    struct view *v = &m->scene->frame->view;
    const struct block_trace *t = &v->block->traces[trace];
    const struct view_trace *facts = view_trace(v, trace);
    const struct block_processes *processes = view_processes(v);
    const struct block_strings *strings = view_strings(v);
    const uint32_t *name = view_u32(v, BLOCK_NAME), *process = view_u32(v, BLOCK_PROCESS);
    uint32_t root = view_root(v, trace);
    if (!facts || !processes || !strings || !name || !process)
        return;
    struct trace_summary *told = &m->found->trace;
    told->id = t->id;
    told->start_unix_ns = facts->start_unix_ns;
    told->duration_ns = facts->end_unix_ns - facts->start_unix_ns;
    told->has_root = root != BLOCK_NONE;
    if (told->has_root) {
        told->root_operation = keep(m, strings->list[name[root]]);
        told->root_service = keep(m, processes->list[process[root]].service);
    }
    count_spans(m, t);
    count_services(m, t);
}

/* ---- its spans --------------------------------------------------------------------------- */

static void tell_values(struct making *m, uint32_t row, struct traceql_span *span)
{
    const struct program *p = m->scene->frame->program;
    span->values = make(m, p->told_count, sizeof *span->values);
    for (uint32_t i = 0; span->values && i < p->told_count; i++) {
        struct traceql_value v = reader_first(&m->scene->frame->readers[p->told[i]], row);
        if (v.type != TRACEQL_NIL)
            span->values[span->value_count++] =
                (struct traceql_named){keep(m, m->names[i]), keep_value(m, v)};
    }
}

static void tell_span(struct making *m, uint32_t row, struct traceql_span *span)
{
    struct view *v = &m->scene->frame->view;
    const uint64_t *id = view_u64(v, BLOCK_SPAN_ID), *parent = view_u64(v, BLOCK_PARENT_ID);
    const uint64_t *start = view_u64(v, BLOCK_START), *duration = view_u64(v, BLOCK_DURATION);
    const uint32_t *name = view_u32(v, BLOCK_NAME), *process = view_u32(v, BLOCK_PROCESS);
    const uint8_t *kind = view_u8(v, BLOCK_KIND), *status = view_u8(v, BLOCK_STATUS);
    if (!id || !parent || !start || !duration || !name || !process || !kind || !status)
        return;
    *span = (struct traceql_span){
        .span_id = id[row],
        .parent_id = parent[row],
        .start_unix_ns = start[row],
        .duration_ns = duration[row],
        .name = keep(m, v->strings->list[name[row]]),
        .service = keep(m, v->processes->list[process[row]].service),
        .kind = kind[row],
        .status = status[row],
    };
    tell_values(m, row, span);
}

static void tell_notes(struct making *m, const struct set_note *notes, struct traceql_spanset *to)
{
    for (const struct set_note *n = notes; n; n = n->next)
        to->note_count++;
    uint32_t at = to->note_count;
    to->notes = make(m, at, sizeof *to->notes);
    for (const struct set_note *n = notes; n && to->notes; n = n->next)
        to->notes[--at] = (struct traceql_named){keep(m, n->name), keep_value(m, n->value)};
}

static void tell_set(struct making *m, const struct set *set, struct traceql_spanset *to)
{
    uint32_t most = set->count < m->spans_per_set ? set->count : m->spans_per_set;
    to->matched = set->count;
    tell_notes(m, set->notes, to);
    to->spans = make(m, most, sizeof *to->spans);
    for (uint32_t i = 0; to->spans && i < most; i++)
        tell_span(m, set->rows[i], &to->spans[to->span_count++]);
}

struct traceql_found *found_create(struct scene *s, uint32_t trace, const struct set *sets,
                                   uint32_t spans_per_set, const struct batch_str *names)
{
    struct traceql_found *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    arena_init(&f->arena, 1024);
    struct making m = {.found = f, .scene = s, .names = names, .spans_per_set = spans_per_set};
    tell_trace(&m, trace);
    for (const struct set *set = sets; set; set = set->next)
        f->set_count++;
    f->sets = make(&m, f->set_count, sizeof *f->sets);
    uint32_t at = 0;
    for (const struct set *set = sets; set && f->sets; set = set->next)
        tell_set(&m, set, &f->sets[at++]);
    if (m.failed || s->failed || s->frame->view.failed)
        found_destroy(&f);
    return f;
}

void found_destroy(struct traceql_found **place)
{
    if (!*place)
        return;
    arena_fini(&(*place)->arena);
    free(*place);
    *place = NULL;
}

size_t found_bytes(const struct traceql_found *f)
{
    return sizeof *f + f->arena.total_bytes;
}
