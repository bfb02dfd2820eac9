// SPDX-License-Identifier: Apache-2.0
#include "agent/observe/answering.h"

#include <stdlib.h>
#include <string.h>

enum { MISSED_MOST = 64 }; /* between two exchanges that were seen */
#define MISSED UINT32_MAX

int answering_init(struct answering *a, const char *agent, const char *host)
{
    *a = (struct answering){.clocks = {.agent = agent}};
    a->rows = (struct observed_rows){batch_builder_create(), host, agent, .cache_count = 0};
    a->records = calloc(ANSWERING_EXCHANGES_MOST, sizeof *a->records);
    a->exchanges = calloc(ANSWERING_EXCHANGES_MOST, sizeof *a->exchanges);
    a->record_of = calloc(ANSWERING_EXCHANGES_MOST, sizeof *a->record_of);
    return a->rows.builder && a->records && a->exchanges && a->record_of ? 0 : -1;
}

void answering_fini(struct answering *a)
{
    batch_builder_destroy(&a->rows.builder);
    free(a->records);
    free(a->exchanges);
    free(a->record_of);
}

/* ---- exchanges --------------------------------------------------------------------------- */

/* The exchanges of a connection's spans, with places for those that the tap missed. */
struct found {
    uint32_t count;
    bool complete; /* none of that time was overwritten */
};

static void add_exchange(struct answering *a, struct found *f, struct match_exchange e,
                         uint32_t record)
{
    if (f->count == ANSWERING_EXCHANGES_MOST) {
        f->complete = false;
        return;
    }
    a->record_of[f->count] = record;
    a->exchanges[f->count++] = e;
}

/* Commands that were counted but not seen were asked and answered some time between the two. */
static void add_missed(struct answering *a, struct found *f, const struct exchange_record *before,
                       const struct exchange_record *after)
{
    uint32_t missed = after->order - before->order - 1;
    if (before->connection != after->connection || missed > MISSED_MOST)
        return;
    for (uint32_t i = 0; i < missed; i++)
        add_exchange(a, f, (struct match_exchange){after->asked_unix_ns, before->asked_unix_ns},
                     MISSED);
}

/* The time in which all exchanges of the connection's spans lie, on our clock. */
static struct found find_exchanges(struct answering *a, const struct pending_connection *c,
                                   const struct clock_offset *offset)
{
    struct found f = {0};
    uint64_t first = c->spans[0].when.begin_ns, last = 0;
    for (uint32_t i = 0; i < c->count; i++)
        last = c->spans[i].when.end_ns > last ? c->spans[i].when.end_ns : last;
    size_t count = exchange_reader_find(a->reader, &c->ends, first + (uint64_t)offset->least_ns,
                                        last + (uint64_t)offset->most_ns, a->records,
                                        ANSWERING_EXCHANGES_MOST, &f.complete);
    for (uint32_t i = 0; i < count; i++) {
        const struct exchange_record *e = &a->records[i];
        uint64_t answered = observed_is_whole(e) ? e->answered_unix_ns : e->asked_unix_ns;
        if (i > 0)
            add_missed(a, &f, &a->records[i - 1], e);
        add_exchange(a, &f, (struct match_exchange){e->asked_unix_ns, answered}, i);
    }
    return f;
}

/* ---- telling ----------------------------------------------------------------------------- */

/* Those of a match that can be told; out[] of PIPELINE_EACH_MOST. More are only counted. */
static uint32_t whole_of(const struct answering *a, const struct match *m,
                         const struct exchange_record **out)
{
    uint32_t count = 0;
    for (uint32_t i = m->first; i < m->first + m->count; i++) {
        uint32_t record = a->record_of[i];
        if (record == MISSED || !observed_is_whole(&a->records[record]))
            continue;
        if (count < PIPELINE_EACH_MOST)
            out[count] = &a->records[record];
        count++;
    }
    return count;
}

static void tell_each(struct answering *a, const struct pending_connection *c,
                      const struct pending_span *s, const struct exchange_record **whole,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct pipeline one = {.count = 0};
        pipeline_add(&one, whole[i]);
        observed_add(&a->rows, c, s, &one.groups[0], i);
    }
}

static void tell_groups(struct answering *a, const struct pending_connection *c,
                        const struct pending_span *s, const struct match *m)
{
    struct pipeline p = {.count = 0};
    for (uint32_t i = m->first; i < m->first + m->count; i++) {
        uint32_t record = a->record_of[i];
        if (record != MISSED && observed_is_whole(&a->records[record]))
            pipeline_add(&p, &a->records[record]);
    }
    for (uint32_t i = 0; i < p.count; i++)
        observed_add(&a->rows, c, s, &p.groups[i], i);
}

static enum inquiry_result tell(struct answering *a, const struct pending_connection *c,
                                const struct pending_span *s, const struct match *m, bool complete)
{
    const struct exchange_record *whole[PIPELINE_EACH_MOST];
    if (m->result == MATCH_AMBIGUOUS)
        return INQUIRY_AMBIGUOUS;
    uint32_t count = whole_of(a, m, whole);
    if (count == 0)
        return complete ? INQUIRY_NOT_SEEN : INQUIRY_FORGOTTEN;
    if (count <= PIPELINE_EACH_MOST)
        tell_each(a, c, s, whole, count);
    else
        tell_groups(a, c, s, m);
    a->added(a->context);
    return INQUIRY_OBSERVED;
}

/* The tap has read all that the span may have caused. */
static bool is_ripe(const struct answering *a, const struct pending_span *s,
                    const struct clock_offset *offset)
{
    int64_t age_ms = a->now_ms - s->heard_ms;
    bool was_read = (int64_t)(a->seen_unix_ns - s->when.end_ns) > offset->most_ns;
    return !s->told && age_ms >= PENDING_RIPE_MS && (was_read || age_ms >= PENDING_PATIENCE_MS);
}

static bool has_ripe(const struct answering *a, const struct pending_connection *c,
                     const struct clock_offset *offset)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (is_ripe(a, &c->spans[i], offset))
            return true;
    return false;
}

static bool found_any(const struct match *matches, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (matches[i].result == MATCH_FOUND)
            return true;
    return false;
}

static void answer(struct answering *a, struct pending_connection *c,
                   const struct match_span *spans, struct match *matches)
{
    struct known_clock *clock = clocks_of(&a->clocks, c->agent, c->clock_offset_ns, a->now_ms);
    struct clock_offset offset = clock->offset, narrowed = offset;
    struct found found = find_exchanges(a, c, &offset);
    if (match_find(spans, c->count, a->exchanges, found.count, &narrowed, matches) != 0)
        return;
    if (found.count || has_ripe(a, c, &offset))
        clocks_learn(&a->clocks, clock, narrowed, found_any(matches, c->count), c->clock_offset_ns);
    for (uint32_t i = 0; i < c->count; i++) {
        struct pending_span *s = &c->spans[i];
        if (!is_ripe(a, s, &offset))
            continue;
        s->told = true;
        counters_add(&a->counters->inquiries[tell(a, c, s, &matches[i], found.complete)], 1);
    }
}

void answering_visit(void *context, struct pending_connection *c)
{
    struct answering *a = context;
    if (a->full) /* the next round tells it */
        return;
    struct match_span *spans = calloc(c->count, sizeof *spans);
    struct match *matches = calloc(c->count, sizeof *matches);
    for (uint32_t i = 0; spans && i < c->count; i++)
        spans[i] = c->spans[i].when;
    if (spans && matches) /* else it is tried again */
        answer(a, c, spans, matches);
    free(spans);
    free(matches);
}
