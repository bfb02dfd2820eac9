// SPDX-License-Identifier: Apache-2.0
#include "agent/observe/match.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    PASSES_MOST = 5,
    STEPS_MOST = 1 << 22 /* of laying a row: it is a matter of milliseconds */
};

/* The exchanges [first, end) are possible for a span. */
struct range {
    uint32_t first, end;
};

struct matching {
    const struct match_span *spans;
    const struct match_exchange *exchanges;
    uint32_t span_count, exchange_count;
    struct clock_offset known; /* when the pass began */
    struct range *ranges;      /* of each span */
    uint32_t *claims;          /* of each exchange: for how many spans it is possible */
    struct match *out;
};

static int64_t difference(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b);
}

/* What a pair says of the offset. */
static struct clock_offset bounds_of(const struct match_span *s, const struct match_exchange *e)
{
    return (struct clock_offset){difference(e->answered_ns, s->end_ns),
                                 difference(e->asked_ns, s->begin_ns)};
}

/* False: they have nothing in common. */
static bool intersect(struct clock_offset *a, struct clock_offset b)
{
    a->least_ns = b.least_ns > a->least_ns ? b.least_ns : a->least_ns;
    a->most_ns = b.most_ns < a->most_ns ? b.most_ns : a->most_ns;
    return a->least_ns <= a->most_ns;
}

/* ---- possible and certain ---------------------------------------------------------------- */

/* The first exchange from `from` on that was asked at least `offset_ns` after `moment_ns`. */
static uint32_t first_asked(const struct matching *m, uint32_t from, uint64_t moment_ns,
                            int64_t offset_ns)
{
    uint32_t end = m->exchange_count;
    while (from < end) {
        uint32_t middle = from + (end - from) / 2;
        if (difference(m->exchanges[middle].asked_ns, moment_ns) < offset_ns)
            from = middle + 1;
        else
            end = middle;
    }
    return from;
}

static struct range possible_for(const struct matching *m, const struct match_span *s,
                                 uint32_t from)
{
    struct range r = {first_asked(m, from, s->begin_ns, m->known.least_ns), 0};
    r.end = first_asked(m, r.first, s->end_ns, m->known.most_ns + 1);
    while (r.end > r.first &&
           difference(m->exchanges[r.end - 1].answered_ns, s->end_ns) > m->known.most_ns)
        r.end--;
    return r;
}

/* Begins rise, so that ranges do. */
static void find_possible(struct matching *m)
{
    uint32_t from = 0;
    for (uint32_t i = 0; i < m->span_count; i++) {
        m->ranges[i] = possible_for(m, &m->spans[i], from);
        from = m->ranges[i].first;
        /* Differences: summed up below. */
        m->claims[m->ranges[i].first]++;
        m->claims[m->ranges[i].end]--;
    }
    for (uint32_t i = 1; i < m->exchange_count; i++)
        m->claims[i] += m->claims[i - 1];
}

static bool is_certain(const struct matching *m, uint32_t span, uint32_t exchange)
{
    struct clock_offset bounds = bounds_of(&m->spans[span], &m->exchanges[exchange]);
    return bounds.least_ns <= m->known.least_ns && bounds.most_ns >= m->known.most_ns &&
           m->claims[exchange] == 1;
}

/* 2: all that is possible is certain. */
static struct match match_certain(const struct matching *m, uint32_t span)
{
    struct range r = m->ranges[span];
    if (r.first == r.end)
        return (struct match){MATCH_NONE, 0, 0};
    for (uint32_t i = r.first; i < r.end; i++)
        if (!is_certain(m, span, i))
            return (struct match){MATCH_AMBIGUOUS, 0, 0};
    return (struct match){MATCH_FOUND, r.first, r.end - r.first};
}

/* ---- in order ---------------------------------------------------------------------------- */

/* Spans [first, end) whose possible exchanges hang together: [exchanges.first, exchanges.end). */
struct row {
    uint32_t first, end;
    struct range exchanges;
    uint32_t spans; /* of them, those for which any is possible */
};

static bool is_in(const struct matching *m, uint32_t span)
{
    return m->ranges[span].first < m->ranges[span].end;
}

/* Lays the spans along the exchanges from `at` on. False: no offset allows that. */
static bool lay(const struct matching *m, const struct row *row, uint32_t at,
                struct clock_offset *offset, uint32_t *steps)
{
    for (uint32_t i = row->first; i < row->end; i++) {
        ++*steps;
        if (is_in(m, i) && !intersect(offset, bounds_of(&m->spans[i], &m->exchanges[at++])))
            return false;
    }
    return true;
}

/* 3: if there is just one way. */
static bool match_by_laying(struct matching *m, const struct row *row, struct clock_offset *offset)
{
    uint32_t ways = 0, at = 0, spans = row->spans, steps = 0;
    struct clock_offset found = *offset;
    for (uint32_t first = row->exchanges.first; ways < 2 && first + spans <= row->exchanges.end;
         first++) {
        struct clock_offset allowed = *offset;
        if (steps > STEPS_MOST)
            return false;
        if (!lay(m, row, first, &allowed, &steps))
            continue;
        ways++;
        at = first;
        found = allowed;
    }
    if (ways != 1)
        return false;
    *offset = found;
    for (uint32_t i = row->first; i < row->end; i++)
        if (is_in(m, i))
            m->out[i] = (struct match){MATCH_FOUND, at++, 1};
    return true;
}

/* The earliest exchange that each span can have, if all before have one, in out[].first. False:
 * there are not enough. */
static bool give_earliest(struct matching *m, const struct row *row)
{
    uint32_t next = row->exchanges.first;
    for (uint32_t i = row->first; i < row->end; i++) {
        if (!is_in(m, i))
            continue;
        next = m->ranges[i].first > next ? m->ranges[i].first : next;
        if (next >= m->ranges[i].end)
            return false;
        m->out[i].first = next++;
    }
    return true;
}

/* 4: the latest is the same. */
static void match_in_all_ways(struct matching *m, const struct row *row,
                              struct clock_offset *offset)
{
    uint32_t end = row->exchanges.end;
    if (!give_earliest(m, row))
        return;
    for (uint32_t i = row->end; i-- > row->first;) {
        struct match *out = &m->out[i];
        if (!is_in(m, i))
            continue;
        end = (m->ranges[i].end < end ? m->ranges[i].end : end) - 1;
        struct clock_offset narrower = *offset;
        if (end != out->first || !intersect(&narrower, bounds_of(&m->spans[i], &m->exchanges[end])))
            continue;
        *offset = narrower;
        *out = (struct match){MATCH_FOUND, end, 1};
    }
}

static struct row row_from(const struct matching *m, uint32_t first)
{
    struct row row = {.first = first, .end = first, .exchanges = m->ranges[first]};
    for (; row.end < m->span_count; row.end++) {
        struct range r = m->ranges[row.end];
        bool any = r.first < r.end;
        if (any && row.spans && r.first >= row.exchanges.end)
            break;
        if (any && !row.spans)
            row.exchanges = r;
        if (any && r.end > row.exchanges.end)
            row.exchanges.end = r.end;
        row.spans += any;
    }
    return row;
}

/* 1: nobody else comes into question. */
static void match_alone(struct matching *m, const struct row *row, struct clock_offset *offset)
{
    struct clock_offset allowed = *offset;
    uint32_t span = row->first;
    while (!is_in(m, span))
        span++;
    struct range r = m->ranges[span];
    for (uint32_t i = r.first; i < r.end; i++)
        if (!intersect(&allowed, bounds_of(&m->spans[span], &m->exchanges[i])))
            return;
    *offset = allowed;
    m->out[span] = (struct match){MATCH_FOUND, r.first, r.end - r.first};
}

static void match_row(struct matching *m, const struct row *row, struct clock_offset *offset)
{
    bool all = true;
    for (uint32_t i = row->first; i < row->end; i++) {
        m->out[i] = match_certain(m, i);
        all = all && m->out[i].result != MATCH_AMBIGUOUS;
    }
    if (!all && row->spans == 1)
        match_alone(m, row, offset);
    else if (!all && !match_by_laying(m, row, offset))
        match_in_all_ways(m, row, offset);
}

/* One pass over all rows, by what is known of the offset. False: nothing is ambiguous. */
static bool match_rows(struct matching *m, struct clock_offset *offset)
{
    bool any = false;
    m->known = *offset;
    memset(m->claims, 0, ((size_t)m->exchange_count + 1) * sizeof *m->claims);
    find_possible(m);
    for (uint32_t i = 0; i < m->span_count;) {
        struct row row = row_from(m, i);
        match_row(m, &row, offset);
        i = row.end;
    }
    for (uint32_t i = 0; i < m->span_count; i++)
        any = any || m->out[i].result == MATCH_AMBIGUOUS;
    return any;
}

int match_find(const struct match_span *spans, uint32_t span_count,
               const struct match_exchange *exchanges, uint32_t exchange_count,
               struct clock_offset *offset, struct match *out)
{
    struct matching m = {.spans = spans,
                         .exchanges = exchanges,
                         .span_count = span_count,
                         .exchange_count = exchange_count,
                         .out = out};
    m.ranges = calloc((size_t)span_count + 1, sizeof *m.ranges);
    m.claims = calloc((size_t)exchange_count + 1, sizeof *m.claims);
    bool memory = m.ranges && m.claims;
    /* What is found narrows the offset, and by a narrower one more can be found. */
    for (int pass = 0; memory && pass < PASSES_MOST; pass++) {
        struct clock_offset before = *offset;
        bool narrowed = match_rows(&m, offset) && memcmp(&before, offset, sizeof before) != 0;
        if (!narrowed)
            break;
    }
    free(m.ranges);
    free(m.claims);
    return memory ? 0 : -1;
}
