// SPDX-License-Identifier: Apache-2.0
/* Random traces as plain structs (reference.h), small enough that everything in them meets: few
 * names, few keys, several types under a key, keys twice, orphans, duplicate ids, copies of spans
 * that died, circles; and the batches that hold the same spans. */
#ifndef TESTS_UNIT_COLLECTOR_QUERY_TRACEQL_REFERENCE_DATA_H
#define TESTS_UNIT_COLLECTOR_QUERY_TRACEQL_REFERENCE_DATA_H

#include "lib/ring/span_id.h"
#include "tests/unit/collector/query/traceql/blocks.h"
#include "tests/unit/collector/query/traceql/reference.h"

enum { DATA_TRACES = 9, DATA_PROCESSES = 4, DATA_BATCHES = 10 };

struct data {
    uint64_t state; /* of the generator */
    struct reference_process processes[DATA_PROCESSES];
    uint32_t trace_count;
    struct reference_trace traces[DATA_TRACES];
    uint8_t batch[DATA_TRACES][REFERENCE_ROWS]; /* in which each span arrives */
};

static inline uint64_t any_word(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return span_id_mix(*state);
}

static inline uint32_t any_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(any_word(state) % limit);
}

static inline const char *any_of(uint64_t *state, const char *const *list, uint32_t count)
{
    return list[any_below(state, count)];
}
#define ANY_OF(state, list) any_of(state, list, sizeof(list) / sizeof *(list))

static inline struct traceql_value any_value(uint64_t *state)
{
    static const char *const texts[] = {"", "x", "y", "xy", "Y", "error", "3"};
    struct traceql_value v = {.type = TRACEQL_STRING};
    switch (any_below(state, 5)) {
    case 0:
        return (struct traceql_value){.type = TRACEQL_INT,
                                      .integer = (int64_t)any_below(state, 6) - 1};
    case 1:
        return (struct traceql_value){.type = TRACEQL_FLOAT,
                                      .number = any_below(state, 8) / 2.0 - 0.5};
    case 2:
        return (struct traceql_value){.type = TRACEQL_BOOL, .boolean = any_below(state, 2)};
    default:
        v.text.bytes = ANY_OF(state, texts);
        v.text.length = (uint32_t)strlen(v.text.bytes);
        return v;
    }
}

static inline void any_attributes(uint64_t *state, uint32_t most, struct reference_attributes *a)
{
    static const char *const keys[] = {"a",           "b", "n", "flag", "s", "otel.scope.name",
                                       "otel.scope.a"};
    a->count = any_below(state, most + 1);
    for (uint32_t i = 0; i < a->count; i++) {
        struct reference_attribute *at = &a->list[i];
        *at = (struct reference_attribute){.key = ANY_OF(state, keys), .value = any_value(state)};
        if (*at->key == 'n')
            at->value =
                (struct traceql_value){.type = TRACEQL_INT, .integer = any_below(state, 10)};
        if (*at->key == 'f')
            at->value =
                (struct traceql_value){.type = TRACEQL_BOOL, .boolean = any_below(state, 2)};
        at->bytes = at->value.type == TRACEQL_STRING && any_below(state, 8) == 0;
    }
}

static inline void any_hanging(uint64_t *state, struct reference_span *s)
{
    static const char *const names[] = {"start", "retry", "x"};
    s->event_count = any_below(state, 3) ? 0 : any_below(state, REFERENCE_HANGING + 1);
    for (uint32_t i = 0; i < s->event_count; i++) {
        s->events[i] = (struct reference_event){
            .name = ANY_OF(state, names),
            .unix_ns = s->start_unix_ns + any_below(state, 5) * MS,
        };
        any_attributes(state, 2, &s->events[i].attributes);
    }
    s->link_count = any_below(state, 4) ? 0 : any_below(state, REFERENCE_HANGING + 1);
    for (uint32_t i = 0; i < s->link_count; i++) {
        s->links[i] = (struct reference_link){.trace_id = {any_below(state, 2), 0xabc},
                                              .span_id = any_below(state, 12)};
        any_attributes(state, 2, &s->links[i].attributes);
    }
}

/* Starts within a trace differ, so that the order of its spans is one. */
static inline void any_span(struct data *d, struct reference_trace *t, uint32_t i)
{
    static const char *const names[] = {"web", "db", "auth", "x"};
    static const char *const messages[] = {"", "", "boom", "x"};
    uint64_t *state = &d->state;
    struct reference_span *s = &t->spans[i];
    *s = (struct reference_span){
        .process = &d->processes[any_below(state, DATA_PROCESSES)],
        .name = ANY_OF(state, names),
        .message = ANY_OF(state, messages),
        .id = t->id.lo * 1000 + i + 1,
        .start_unix_ns = EPOCH + t->id.lo * 500 * MS + i * MS + any_below(state, 1000),
        .duration_ns = any_below(state, 12) * MS,
        .kind = (uint8_t)any_below(state, SPAN_KINDS),
        .status = (uint8_t)any_below(state, any_below(state, 3) ? SPAN_ERROR + 1 : SPAN_IN_FLIGHT),
    };
    if (i > 0 && any_below(state, 9))
        s->parent_id = t->spans[any_below(state, i)].id;
    if (i > 0 && any_below(state, 12) == 0)
        s->parent_id = 77 + any_below(state, 2); /* not there */
    if (i > 0 && any_below(state, 15) == 0)
        s->id = t->spans[any_below(state, i)].id;
    if (i + 1 < t->arrived && any_below(state, 25) == 0)
        s->parent_id = t->id.lo * 1000 + i + 2; /* what comes later: perhaps round in a circle */
    any_attributes(state, REFERENCE_ATTRIBUTES, &s->attributes);
    any_hanging(state, s);
}

/* The same span again, as its process left it when it died. */
static inline void copy_span(struct data *d, struct reference_trace *t, uint32_t i)
{
    struct reference_span *s = &t->spans[i];
    *s = t->spans[any_below(&d->state, i)];
    if (s->status != SPAN_DIED && s->status != SPAN_IN_FLIGHT)
        s->status = SPAN_DIED;
}

static inline void any_trace(struct data *d, uint32_t number)
{
    struct reference_trace *t = &d->traces[number];
    *t = (struct reference_trace){.id = trace_by_hand(number)};
    t->arrived = 1 + any_below(&d->state, any_below(&d->state, 4) ? 8 : 24);
    for (uint32_t i = 0; i < t->arrived; i++) {
        if (i > 0 && any_below(&d->state, 20) == 0)
            copy_span(d, t, i);
        else
            any_span(d, t, i);
        d->batch[number][i] = (uint8_t)any_below(&d->state, DATA_BATCHES);
    }
    reference_tree(t);
}

static inline void data_init(struct data *d, uint64_t seed)
{
    static const char *const services[DATA_PROCESSES] = {"web", "db", "db", "x"};
    d->state = seed;
    for (uint32_t i = 0; i < DATA_PROCESSES; i++) {
        d->processes[i] = (struct reference_process){.number = i + 1, .service = services[i]};
        any_attributes(&d->state, 3, &d->processes[i].attributes);
    }
    d->trace_count = 1 + any_below(&d->state, DATA_TRACES);
    for (uint32_t i = 0; i < d->trace_count; i++)
        any_trace(d, i);
}

/* ---- as batches -------------------------------------------------------------------------- */

static inline void put_attributes(struct spans *s, const struct reference_attributes *a,
                                  bool resource)
{
    for (uint32_t i = 0; i < a->count; i++) {
        struct traceql_value v = a->list[i].value;
        enum value_type type = VALUE_INT;
        uint64_t word = (uint64_t)v.integer;
        if (v.type == TRACEQL_FLOAT) {
            type = VALUE_DOUBLE;
            memcpy(&word, &v.number, sizeof word);
        } else if (v.type == TRACEQL_BOOL) {
            type = VALUE_BOOL;
            word = v.boolean;
        } else if (v.type == TRACEQL_STRING) {
            type = a->list[i].bytes ? VALUE_BYTES : VALUE_STRING;
            word = batch_string(s->builder, v.text.bytes, v.text.length);
        }
        if (resource)
            batch_process_attribute(s->builder, text_in(s, a->list[i].key), type, word);
        else
            batch_attribute(s->builder, text_in(s, a->list[i].key), type, word);
    }
}

static inline void put_span(struct spans *s, const struct reference_trace *t,
                            const struct reference_span *span)
{
    batch_span_add(s->builder, &(struct batch_span){
                                   .process = span->process->number - 1,
                                   .name = text_in(s, span->name),
                                   .status_message = text_in(s, span->message),
                                   .trace_id = t->id,
                                   .span_id = span->id,
                                   .parent_id = span->parent_id,
                                   .start_unix_ns = span->start_unix_ns,
                                   .duration_ns = span->duration_ns,
                                   .kind = span->kind,
                                   .status = span->status,
                               });
    put_attributes(s, &span->attributes, false);
    for (uint32_t i = 0; i < span->event_count; i++) {
        batch_event(s->builder, text_in(s, span->events[i].name), span->events[i].unix_ns);
        put_attributes(s, &span->events[i].attributes, false);
    }
    for (uint32_t i = 0; i < span->link_count; i++) {
        batch_link(s->builder, span->links[i].trace_id, span->links[i].span_id);
        put_attributes(s, &span->links[i].attributes, false);
    }
}

/* The spans that arrive in batches [first, end). False: there is none, and no builder either. */
static inline bool data_batch(const struct data *d, uint32_t first, uint32_t end, struct spans *s)
{
    spans_begin(s);
    for (uint32_t i = 0; i < DATA_PROCESSES; i++) {
        spans_process(s, d->processes[i].number, d->processes[i].service);
        put_attributes(s, &d->processes[i].attributes, true);
    }
    for (uint32_t n = 0; n < d->trace_count; n++)
        for (uint32_t i = 0; i < d->traces[n].arrived; i++)
            if (d->batch[n][i] >= first && d->batch[n][i] < end)
                put_span(s, &d->traces[n], &d->traces[n].spans[i]);
    if (batch_builder_spans(s->builder) > 0)
        return true;
    batch_builder_destroy(&s->builder);
    return false;
}

#endif
