// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/measure.h"

#include <string.h>

#include "collector/hash.h"
#include "collector/query/traceql/print.h"

/* ---- making ready ------------------------------------------------------------------------ */

static bool name_keys(struct measure *m)
{
    const struct traceql_fields *by = &m->metrics->by;
    m->names = arena_calloc(&m->program.arena, by->count + 1, sizeof *m->names);
    for (uint32_t i = 0; m->names && i < by->count; i++) {
        struct buffer text = {0};
        traceql_print_field(&text, &by->list[i]);
        char *copy = text.failed ? NULL : arena_copy(&m->program.arena, text.data, text.length);
        m->names[i] = (struct batch_str){copy, (uint32_t)text.length};
        buffer_fini(&text);
        if (!copy)
            return false;
    }
    return m->names != NULL;
}

int measure_init(struct measure *m, const struct traceql_series *leaf)
{
    const struct traceql_metrics *metrics = leaf->metrics;
    *m = (struct measure){.metrics = metrics};
    if (program_init(&m->program, leaf->pipeline) != 0)
        return -1;
    for (uint32_t i = 0; i < metrics->by.count; i++)
        m->by[i] = program_slot(&m->program, &metrics->by.list[i]);
    if (traceql_function_has_field(metrics->function))
        m->of = program_slot(&m->program, &metrics->of);
    if (metrics->function == TRACEQL_COMPARE)
        m->selection = program_filter(&m->program, metrics->selection->filter);
    return m->program.failed || !name_keys(m) ? -1 : 0;
}

void measure_fini(struct measure *m)
{
    program_fini(&m->program);
}

/* ---- tallies ----------------------------------------------------------------------------- */

void tally_init(struct tally *t, const struct measure *m)
{
    table_init(&t->table, m->metrics->function, m->metrics->by.count, m->steps, m->exemplar_slots);
    contrast_init(&t->contrast, m->steps);
    t->spans = 0;
}

void tally_fini(struct tally *t)
{
    table_fini(&t->table);
    contrast_fini(&t->contrast);
}

void tally_merge(struct tally *to, const struct tally *from)
{
    to->spans += from->spans;
    if (to->table.function == TRACEQL_COMPARE)
        contrast_merge(&to->contrast, &from->contrast);
    else
        table_merge(&to->table, &from->table);
}

size_t tally_bytes(const struct tally *t)
{
    return t->table.arena.total_bytes + t->contrast.arena.total_bytes;
}

bool tally_failed(const struct tally *t)
{
    return t->table.failed || t->contrast.failed;
}

bool tally_over_limit(const struct tally *t)
{
    return t->table.over_limit || t->contrast.over_limit;
}

void tally_limit(struct tally *t, size_t bytes)
{
    t->table.limit_bytes = t->contrast.limit_bytes = bytes;
}

/* ---- series of rows ---------------------------------------------------------------------- */

/* Which series rows of the block went to, by what their keys are in the block. */
enum { MEMO_SLOTS = 1024 };
struct memo {
    struct {
        uint64_t words[TRACEQL_BY_MAX];
        uint32_t tags[TRACEQL_BY_MAX];
        uint32_t series; /* + 1; 0: free */
    } slots[MEMO_SLOTS];
};

struct counting {
    const struct measure *m;
    struct tally *tally;
    struct frame *frame;
    const uint64_t *start;
    const uint64_t *duration, *span_id; /* for exemplars */
    struct memo *memo;                  /* NULL: there is no key */
};

static uint32_t find_series(const struct counting *c, uint32_t row)
{
    struct traceql_value key[TRACEQL_BY_MAX];
    for (uint32_t i = 0; i < c->m->metrics->by.count; i++)
        key[i] = reader_first(&c->frame->readers[c->m->by[i]], row);
    return table_find(&c->tally->table, key);
}

static uint32_t series_of(const struct counting *c, uint32_t row)
{
    uint32_t keys = c->m->metrics->by.count;
    uint64_t words[TRACEQL_BY_MAX], hash = keys;
    uint32_t tags[TRACEQL_BY_MAX];
    for (uint32_t i = 0; i < keys; i++) {
        if (!c->memo || !reader_code(&c->frame->readers[c->m->by[i]], row, &tags[i], &words[i]))
            return find_series(c, row);
        hash = hash_words(hash ^ tags[i], words[i]);
    }
    if (keys == 0)
        return find_series(c, row);
    uint32_t at = (uint32_t)(hash >> 32) % MEMO_SLOTS;
    if (c->memo->slots[at].series != 0 &&
        memcmp(c->memo->slots[at].words, words, keys * sizeof *words) == 0 &&
        memcmp(c->memo->slots[at].tags, tags, keys * sizeof *tags) == 0)
        return c->memo->slots[at].series - 1;
    uint32_t series = find_series(c, row);
    memcpy(c->memo->slots[at].words, words, keys * sizeof *words);
    memcpy(c->memo->slots[at].tags, tags, keys * sizeof *tags);
    c->memo->slots[at].series = series + 1; /* NONE becomes "free" */
    return series;
}

/* ---- rows -------------------------------------------------------------------------------- */

/* Durations in seconds. False: no number is there. */
static bool measured(const struct counting *c, uint32_t row, double *number)
{
    if (!traceql_function_has_field(c->m->metrics->function)) {
        *number = c->duration ? (double)c->duration[row] / 1e9 : 0;
        return true;
    }
    struct traceql_value v = reader_first(&c->frame->readers[c->m->of], row);
    *number = value_is_number(&v) ? value_number(&v) : 0;
    if (v.type == TRACEQL_DURATION)
        *number /= 1e9;
    return value_is_number(&v);
}

static void count_row(const struct counting *c, uint32_t row)
{
    const struct measure *m = c->m;
    double value;
    if (c->start[row] < m->start_unix_ns || c->start[row] >= m->end_unix_ns ||
        !measured(c, row, &value))
        return;
    uint64_t step = (c->start[row] - m->start_unix_ns) / m->step_ns;
    uint32_t series = series_of(c, row);
    if (series == TABLE_NONE || step >= m->steps)
        return;
    c->tally->spans++;
    table_add(&c->tally->table, series, (uint32_t)step, value);
    if (m->exemplar_slots > 0) {
        struct view *v = &c->frame->view;
        struct trace_id id = v->block->traces[view_trace_of(v, row)].id;
        table_offer(&c->tally->table, series, (uint32_t)step,
                    &(struct traceql_exemplar){id, c->span_id[row], c->start[row], value});
    }
}

static bool count_rows(const struct measure *m, struct frame *f, struct tally *t,
                       const uint64_t *rows)
{
    struct view *v = &f->view;
    struct counting c = {.m = m, .tally = t, .frame = f};
    if (!bits_any(rows, v->words))
        return true;
    c.start = view_u64(v, BLOCK_START);
    if (m->exemplar_slots > 0) {
        c.duration = view_u64(v, BLOCK_DURATION);
        c.span_id = view_u64(v, BLOCK_SPAN_ID);
    }
    c.memo = m->metrics->by.count > 0 ? view_zeroed(v, 1, sizeof *c.memo) : NULL;
    if (v->failed)
        return false;
    BITS_EACH(row, rows, 0, v->rows)
    count_row(&c, row);
    return !v->failed && !t->table.failed;
}

/* ---- units ------------------------------------------------------------------------------- */

/* A pipeline of one filter: its rows need no trace to be looked at. */
static bool is_plain(const struct program *p)
{
    const struct program_stage *first = p->pipeline->first;
    return !first->next && first->form == TRACEQL_STAGE_SET && first->set->op == TRACEQL_SET_FILTER;
}

/* Replaces the rows of a trace by those that come out of the pipeline. */
static bool choose(const struct measure *m, struct worker *w, struct frame *f, uint32_t trace,
                   uint64_t *rows)
{
    const struct block_trace *t = &f->view.block->traces[trace];
    if (is_plain(&m->program))
        return true;
    arena_reset(&w->trace);
    struct scene scene = {.frame = f, .arena = &w->trace, .limit_bytes = run_limit(w, &w->trace)};
    const struct set *sets = sets_of_trace(&scene, trace);
    bits_clear_range(rows, t->row, t->row + t->count);
    for (const struct set *set = sets; set; set = set->next)
        for (uint32_t i = 0; i < set->count; i++)
            bits_set(rows, set->rows[i]);
    if (scene.over_limit)
        run_end(w->run, TRACEQL_END_MEMORY);
    return !scene.failed;
}

/* Takes away what is elsewhere and what the pipeline does not let through. */
static bool choose_all(const struct measure *m, struct worker *w, struct frame *f, size_t unit,
                       uint64_t *rows)
{
    const struct traceql_source *source = w->run->source;
    struct view *v = &f->view;
    for (uint32_t row = bits_next(rows, 0, v->rows); row != BITS_NONE;) {
        uint32_t trace = view_trace_of(v, row);
        const struct block_trace *t = &v->block->traces[trace];
        uint32_t end = t->row + t->count;
        if (!run_goes_on(w))
            return false;
        if (source->is_elsewhere(source->context, unit, t->id))
            bits_clear_range(rows, t->row, end);
        else if (!choose(m, w, f, trace, rows))
            return false;
        row = bits_next(rows, end, v->rows);
    }
    return true;
}

bool measure_unit(const struct measure *m, struct worker *w, struct tally *t, size_t unit,
                  struct block *block)
{
    struct frame f;
    uint64_t *rows = run_frame(w, &f, &m->program, block) ? frame_narrow(&f) : NULL;
    bool done = rows && choose_all(m, w, &f, unit, rows);
    if (done && m->metrics->function == TRACEQL_COMPARE)
        done = contrast_count(&t->contrast, m, &f, rows, &t->spans);
    else if (done)
        done = count_rows(m, &f, t, rows);
    if (f.view.over_limit)
        run_end(w->run, TRACEQL_END_MEMORY);
    return done;
}
