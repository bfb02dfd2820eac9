// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/engine/evaluation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collector/query/promql/engine/annotations.h"
#include "collector/query/promql/engine/held.h"
#include "lib/base/clock.h"

/* ---- failing ----------------------------------------------------------------------------- */

void evaluation_fail(struct evaluation *ev, enum promql_status status, const char *format, ...)
{
    char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length >= 0)
        message = arena_alloc(ev->arena, (size_t)length + 1);
    va_start(arguments, format);
    if (message)
        vsnprintf(message, (size_t)length + 1, format, arguments);
    va_end(arguments);
    ev->result->status = status;
    ev->result->message = message ? message : "out of memory";
    longjmp(ev->exit, 1);
}

void *evaluation_need(struct evaluation *ev, void *p)
{
    if (!p)
        evaluation_fail(ev, PROMQL_NO_MEMORY, "out of memory");
    return p;
}

static uint64_t bytes_of_points(const struct points *p)
{
    size_t each = sizeof *p->unix_ms + sizeof *p->value;
    if (p->histogram)
        each += sizeof(struct histogram *);
    return p->capacity * each + p->histograms.total_bytes;
}

/* There are some for each node: few, and this is asked for each series and each larger piece. */
static uint64_t bytes_held(const struct evaluation *ev)
{
    uint64_t bytes = ev->arena->total_bytes;
    for (const struct held *h = ev->held; h; h = h->next) {
        if (h->kind == HELD_ARENA)
            bytes += h->arena.total_bytes;
        else if (h->kind == HELD_POINTS)
            bytes += bytes_of_points(&h->points);
    }
    return bytes;
}

static _Noreturn void fail_for_memory(struct evaluation *ev)
{
    evaluation_fail(ev, PROMQL_LIMIT, "the query needs more than %llu bytes of memory",
                    (unsigned long long)ev->options.memory_bytes_max);
}

static void check_memory(struct evaluation *ev)
{
    uint64_t most = ev->options.memory_bytes_max;
    if (most && bytes_held(ev) > most)
        fail_for_memory(ev);
}

void *evaluation_alloc(struct evaluation *ev, size_t bytes)
{
    check_memory(ev);
    return evaluation_need(ev, arena_alloc(ev->arena, bytes));
}

void *evaluation_calloc(struct evaluation *ev, size_t count, size_t bytes)
{
    check_memory(ev);
    return evaluation_need(ev, arena_calloc(ev->arena, count, bytes));
}

void evaluation_check(struct evaluation *ev)
{
    if (ev->options.stopped && atomic_load_explicit(ev->options.stopped, memory_order_relaxed))
        evaluation_fail(ev, PROMQL_STOPPED, "the query was stopped");
    if (ev->options.deadline_ns && (ev->checks++ & 15) == 0 &&
        clock_monotonic_ns() > ev->options.deadline_ns)
        evaluation_fail(ev, PROMQL_TIMEOUT, "the query took too long");
    check_memory(ev);
}

void evaluation_hold(struct evaluation *ev, size_t samples)
{
    ev->samples_held += samples;
    if (ev->samples_held > ev->result->stats.samples_peak)
        ev->result->stats.samples_peak = ev->samples_held;
    if (ev->options.samples_max && ev->samples_held > ev->options.samples_max)
        evaluation_fail(ev, PROMQL_LIMIT, "the query would hold more than %llu samples in memory",
                        (unsigned long long)ev->options.samples_max);
}

void evaluation_release(struct evaluation *ev, size_t samples)
{
    ev->samples_held -= samples;
}

/* ---- what is given back at the end ------------------------------------------------------- */

static struct held *hold(struct evaluation *ev, enum held_kind kind)
{
    struct held *h = evaluation_calloc(ev, 1, sizeof *h);
    h->kind = kind;
    h->next = ev->held;
    ev->held = h;
    return h;
}

void held_give_back(struct evaluation *ev)
{
    for (struct held *h = ev->held; h; h = h->next) {
        switch (h->kind) {
        case HELD_SELECTION:
            ev->source->close(ev->source->context, &h->selection);
            break;
        case HELD_POINTS:
            points_fini(&h->points);
            break;
        case HELD_ARENA:
            arena_fini(&h->arena);
            break;
        case HELD_REGEX:
            regex_destroy(&h->regex);
            break;
        case HELD_BUFFER:
            buffer_fini(&h->buffer);
            break;
        }
    }
    ev->held = NULL;
}

struct points *evaluation_points(struct evaluation *ev)
{
    struct held *h = hold(ev, HELD_POINTS);
    points_init(&h->points);
    return &h->points;
}

struct arena *evaluation_arena(struct evaluation *ev)
{
    struct held *h = hold(ev, HELD_ARENA);
    arena_init(&h->arena, 4096);
    return &h->arena;
}

struct buffer *evaluation_buffer(struct evaluation *ev)
{
    return &hold(ev, HELD_BUFFER)->buffer;
}

const struct regex *evaluation_regex(struct evaluation *ev, struct batch_str pattern)
{
    char why[200];
    for (const struct held *h = ev->held; h; h = h->next)
        if (h->kind == HELD_REGEX && batch_str_equal(h->pattern, pattern))
            return h->regex;
    struct regex *r = regex_create(pattern.bytes, pattern.length, why, sizeof why);
    if (!r)
        evaluation_fail(ev, PROMQL_FAILED, "this is no regular expression: %.*s (%s)",
                        (int)pattern.length, pattern.bytes, why);
    struct held *h = arena_calloc(ev->arena, 1, sizeof *h);
    if (!h) {
        regex_destroy(&r);
        evaluation_fail(ev, PROMQL_NO_MEMORY, "out of memory");
    }
    *h = (struct held){.next = ev->held, .kind = HELD_REGEX, .regex = r, .pattern = pattern};
    ev->held = h;
    return r;
}

/* ---- the source -------------------------------------------------------------------------- */

static void check_source(struct evaluation *ev, int error)
{
    switch (error) {
    case SERIES_OK:
        return;
    case SERIES_ENOMEM:
        evaluation_fail(ev, PROMQL_NO_MEMORY, "out of memory");
    case SERIES_ELIMIT:
        evaluation_fail(ev, PROMQL_LIMIT, "more series or samples than a query may read");
    case SERIES_ESTOPPED:
        evaluation_fail(ev, PROMQL_STOPPED, "the query was stopped");
    default:
        evaluation_fail(ev, PROMQL_UNREADABLE, "the series cannot be read");
    }
}

const struct series_selection *evaluation_select(struct evaluation *ev,
                                                 const struct matcher *matchers, size_t count,
                                                 int64_t from_ms, int64_t to_ms)
{
    struct series_selection s = {0};
    struct held *h = hold(ev, HELD_SELECTION);
    ev->held = h->next; /* not before there is one */
    check_source(ev, ev->source->select(ev->source->context, matchers, count, from_ms, to_ms, &s));
    h->selection = s;
    h->next = ev->held;
    ev->held = h;
    ev->result->stats.series += s.count;
    return &h->selection;
}

/* What was read is ours until the next read. */
static void make_coarse(const struct evaluation *ev, struct points *p)
{
    for (size_t i = 0; p->histogram && i < p->count; i++)
        if (p->histogram[i] && !histogram_is_custom(p->histogram[i]))
            histogram_downscale(&p->histograms, p->histogram[i], ev->options.histogram_schema_most);
}

bool evaluation_try_read(struct evaluation *ev, const struct series_selection *s, size_t i,
                         int64_t from_ms, int64_t to_ms, uint64_t histogram_bytes_most,
                         struct points *out)
{
    evaluation_check(ev);
    evaluation_release(ev, out->count);
    out->count = 0;
    out->start_unix_ms = NULL;
    out->histogram_bytes_most = histogram_bytes_most;
    int error = ev->source->read(ev->source->context, s, i, from_ms, to_ms, out);
    if (error != SERIES_OK && out->is_too_large) {
        points_clear(out);
        return false;
    }
    check_source(ev, error);
    if (ev->options.histograms_coarse)
        make_coarse(ev, out);
    ev->result->stats.samples += out->count;
    evaluation_hold(ev, out->count);
    check_memory(ev);
    return true;
}

void evaluation_read(struct evaluation *ev, const struct series_selection *s, size_t i,
                     int64_t from_ms, int64_t to_ms, struct points *out)
{
    if (!evaluation_try_read(ev, s, i, from_ms, to_ms, ev->options.memory_bytes_max, out))
        fail_for_memory(ev);
}

/* ---- columns ----------------------------------------------------------------------------- */

struct column *column_create(struct evaluation *ev, size_t steps, bool transient)
{
    struct column *c = evaluation_calloc(ev, 1, sizeof *c);
    c->count = steps;
    c->transient = transient;
    c->value = evaluation_alloc(ev, steps * sizeof *c->value);
    c->arena = transient ? evaluation_arena(ev) : ev->arena;
    evaluation_hold(ev, steps);
    return c;
}

void column_clear(struct column *c)
{
    for (size_t i = 0; i < c->count; i++)
        c->value[i] = absent();
    c->histogram = NULL;
}

void column_put_histogram(struct evaluation *ev, struct column *c, size_t i, struct histogram *h)
{
    if (!c->histogram)
        c->histogram =
            evaluation_need(ev, arena_calloc(c->arena, c->count, sizeof(struct histogram *)));
    c->histogram[i] = evaluation_need(ev, h);
    c->value[i] = 0;
}

bool column_is_empty(const struct column *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (is_present(c->value[i]))
            return false;
    return true;
}

/* ---- streams ----------------------------------------------------------------------------- */

bool stream_next(struct evaluation *ev, struct stream *s, struct column *out)
{
    evaluation_check(ev);
    if (out->transient && out->arena->blocks)
        arena_reset(out->arena);
    out->histogram = NULL;
    out->drop_name = false;
    return s->next(ev, s, out);
}

void column_list_add(struct evaluation *ev, struct column_list *l, struct column *c)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 16;
        struct column **list = evaluation_alloc(ev, capacity * sizeof(struct column *));
        if (l->count)
            memcpy((void *)list, (const void *)l->list, l->count * sizeof(struct column *));
        l->list = list;
        l->capacity = capacity;
    }
    l->list[l->count++] = c;
}

struct column_list stream_collect(struct evaluation *ev, struct stream *s)
{
    struct column_list l = {0};
    struct column *c = column_create(ev, s->grid.count, false);
    while (stream_next(ev, s, c)) {
        if (column_is_empty(c))
            continue; /* its memory is for the next one */
        column_list_add(ev, &l, c);
        c = column_create(ev, s->grid.count, false);
    }
    return l;
}

struct list_stream {
    struct stream stream;
    struct column_list list;
    size_t next;
};

static bool next_of_list(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct list_stream *l = (struct list_stream *)s;
    if (l->next == l->list.count)
        return false;
    const struct column *c = l->list.list[l->next++];
    memcpy(out->value, c->value, c->count * sizeof *c->value);
    if (c->histogram)
        out->histogram = evaluation_need(ev, arena_copy(out->arena, (const void *)c->histogram,
                                                        c->count * sizeof(struct histogram *)));
    out->labels = c->labels;
    out->drop_name = c->drop_name;
    return true;
}

struct stream *stream_of_list(struct evaluation *ev, const struct promql_expr *e,
                              const struct grid *grid, struct column_list list)
{
    struct list_stream *l = evaluation_calloc(ev, 1, sizeof *l);
    l->stream = (struct stream){next_of_list, e, *grid};
    l->list = list;
    return &l->stream;
}

static bool is_out_of_range(int64_t ms)
{
    return ms > GRID_TIME_MOST_MS || ms < -GRID_TIME_MOST_MS;
}

struct grid grid_between(struct evaluation *ev, int64_t start_ms, int64_t end_ms, int64_t step_ms)
{
    int64_t span_ms;
    if (is_out_of_range(start_ms) || is_out_of_range(end_ms) || is_out_of_range(step_ms) ||
        __builtin_sub_overflow(end_ms, start_ms, &span_ms))
        evaluation_fail(ev, PROMQL_FAILED, "a time is out of range");
    if (span_ms < 0)
        return (struct grid){start_ms, step_ms, 0};
    if (span_ms / step_ms >= GRID_STEPS_MOST)
        evaluation_fail(ev, PROMQL_LIMIT,
                        "more than %u steps: ask for a larger step or a shorter time",
                        GRID_STEPS_MOST);
    return (struct grid){start_ms, step_ms, (size_t)(span_ms / step_ms) + 1};
}
