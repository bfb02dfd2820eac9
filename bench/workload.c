// SPDX-License-Identifier: Apache-2.0
#include "bench/workload.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ring/span_id.h"

enum {
    TRACES_AT_ONCE = 8,
    SPANS_MAX = 40,
    KEYS = 97,
    VALUES = 1000,
    ELEVEN_SPANS = 10,
    ELEVEN_OPERATIONS = 50,
    TEXT_MAX = 24,
};

struct workload {
    enum workload_kind kind;
    uint64_t random; /* splitmix64 */
    uint64_t trace, span, start_unix_ns;
    struct workload_span group[TRACES_AT_ONCE * SPANS_MAX], sorted[TRACES_AT_ONCE * SPANS_MAX];
    unsigned count, next;
    char keys[KEYS][TEXT_MAX], values[VALUES][TEXT_MAX], operations[ELEVEN_OPERATIONS][TEXT_MAX];
};

const char *workload_name(enum workload_kind kind)
{
    return kind == WORKLOAD_DASHBOARD ? "dashboard" : "eleven";
}

/* ---- chance ------------------------------------------------------------------------------ */

static uint64_t draw(struct workload *w)
{
    w->random += UINT64_C(0x9e3779b97f4a7c15);
    return span_id_mix(w->random);
}

static unsigned below(struct workload *w, unsigned limit)
{
    return (unsigned)(draw(w) % limit);
}

/* Mostly near `typical_ns`, now and then a hundred times as long. */
static uint64_t long_tailed(struct workload *w, double typical_ns)
{
    double u = ((double)(draw(w) >> 11) + 1) * 0x1p-53;
    return (uint64_t)(typical_ns * (0.5 + pow(u, -0.6) * 0.5));
}

/* ---- processes --------------------------------------------------------------------------- */

enum { WEB, FIREHOSE, CELL_1, CELL_2, DASHBOARD_PROCESSES };

static const struct batch_process_info dashboard_processes[DASHBOARD_PROCESSES] = {
    {{1},
     "box1",
     4711,
     1763750000000000000,
     "web",
     "1.4.0",
     "web-0",
     "",
     PROCESS_ALIVE,
     0,
     PROCESS_RECORDS,
     0,
     NULL,
     NULL},
    {{2},
     "box1",
     4712,
     1763750000000000000,
     "firehose",
     "1.4.0",
     "fh-0",
     "",
     PROCESS_ALIVE,
     0,
     PROCESS_RECORDS,
     0,
     NULL,
     NULL},
    {{3},
     "box2",
     4713,
     1763750000000000000,
     "cell",
     "1.4.1",
     "c1-0",
     "c1",
     PROCESS_ALIVE,
     0,
     PROCESS_RECORDS,
     0,
     NULL,
     NULL},
    {{4},
     "box2",
     4714,
     1763750000000000000,
     "cell",
     "1.4.1",
     "c2-0",
     "c2",
     PROCESS_ALIVE,
     0,
     PROCESS_RECORDS,
     0,
     NULL,
     NULL},
};

static const struct batch_process_info eleven_processes[] = {
    {{9},
     "box1",
     99,
     1763750000000000000,
     "api",
     "2.0.0",
     "api-0",
     "",
     PROCESS_ALIVE,
     0,
     PROCESS_RECORDS,
     0,
     NULL,
     NULL},
    {{10},
     "box1",
     100,
     1763750000000000000,
     "store",
     "2.0.0",
     "store-0",
     "",
     PROCESS_ALIVE,
     0,
     PROCESS_RECORDS,
     0,
     NULL,
     NULL},
};

unsigned workload_processes(enum workload_kind kind)
{
    return kind == WORKLOAD_DASHBOARD ? DASHBOARD_PROCESSES : 2;
}

const struct batch_process_info *workload_process(enum workload_kind kind, unsigned process)
{
    return kind == WORKLOAD_DASHBOARD ? &dashboard_processes[process] : &eleven_processes[process];
}

/* ---- traces ------------------------------------------------------------------------------ */

static struct workload_span *add_span(struct workload *w, unsigned process, const char *name,
                                      const struct workload_span *parent, uint64_t start_unix_ns,
                                      uint64_t duration_ns)
{
    struct workload_span *s = &w->group[w->count++];
    *s = (struct workload_span){
        .process = process,
        .name = name,
        .trace_id = {w->start_unix_ns + w->trace * 1000000, span_id_mix(w->trace + 1)},
        .span_id = span_id_mix(++w->span),
        .parent_id = parent ? parent->span_id : 0,
        .start_unix_ns = start_unix_ns,
        .duration_ns = duration_ns,
    };
    return s;
}

static void add_text(struct workload_span *s, const char *key, const char *text)
{
    s->attributes[s->attribute_count++] = (struct workload_attribute){key, VALUE_STRING, text, 0};
}

static void add_number(struct workload_span *s, const char *key, int64_t number)
{
    s->attributes[s->attribute_count++] = (struct workload_attribute){key, VALUE_INT, NULL, number};
}

/* A dashboard read, or the delivery of a post: the caller of one to some cells, each with its
 * calls to caches. */
static void make_dashboard(struct workload *w)
{
    static const char *const calls[] = {"redis LRANGE", "memcached GET", "memcached GETS",
                                        "redis LPUSH"};
    static const char *const pages[] = {"GET /dashboard", "GET /blog", "POST /post"};
    static const char *const methods[] = {"GET", "GET", "POST"};
    unsigned spans = 5 + below(w, 36), page = below(w, 3), entry = page == 2 ? FIREHOSE : WEB;
    uint64_t start = w->start_unix_ns + w->trace * 1000000;
    uint64_t duration = long_tailed(w, 8e6);
    bool failed = below(w, 100) == 0;
    struct workload_span *root = add_span(w, entry, pages[page], NULL, start, duration);
    root->kind = SPAN_SERVER;
    root->status = failed ? SPAN_ERROR : SPAN_UNSET;
    add_text(root, "http.method", methods[page]);
    add_number(root, "http.status_code", failed ? 502 : 200);
    add_number(root, "user", below(w, 100000));
    struct workload_span *cell = NULL;
    for (unsigned i = 1; i < spans; i++) {
        if (!cell || below(w, 8) == 0) {
            cell = add_span(w, CELL_1 + below(w, 2), page == 2 ? "deliver" : "read inbox", root,
                            start + below(w, 1000000), duration / 2);
            cell->kind = page == 2 ? SPAN_CONSUMER : SPAN_SERVER;
            add_number(cell, "user", below(w, 100000));
            add_number(cell, "posts", below(w, 50));
            continue;
        }
        struct workload_span *call =
            add_span(w, cell->process, calls[below(w, 4)], cell,
                     cell->start_unix_ns + below(w, 2000000), long_tailed(w, 120e3));
        call->kind = SPAN_CLIENT;
        add_text(call, "db.system", call->name[0] == 'r' ? "redis" : "memcached");
        add_number(call, "keys", 1 + below(w, 30));
        if (failed && i + 1 == spans)
            call->status = SPAN_ERROR;
    }
}

static void make_eleven(struct workload *w)
{
    uint64_t start = w->start_unix_ns + w->trace * 1000000;
    struct workload_span *first = NULL;
    for (unsigned i = 0; i < ELEVEN_SPANS; i++) {
        struct workload_span *s =
            add_span(w, i < 5 ? 0 : 1, w->operations[below(w, ELEVEN_OPERATIONS)],
                     i == 0   ? NULL
                     : i == 5 ? first
                              : &w->group[w->count - 1],
                     start + i * 10000, long_tailed(w, 1e6));
        s->kind = i == 0 || i == 5 ? SPAN_SERVER : SPAN_INTERNAL;
        s->status = below(w, 100) == 0 ? SPAN_ERROR : SPAN_OK;
        unsigned key = below(w, KEYS);
        for (unsigned a = 0; a < WORKLOAD_ATTRIBUTES_MAX; a++)
            add_text(s, w->keys[(key + a * 7) % KEYS], w->values[below(w, VALUES)]);
        first = first ? first : s;
    }
}

/* By process, then by trace; children before parents, as they end. */
static void sort_group(struct workload *w)
{
    unsigned at = 0, processes = workload_processes(w->kind);
    for (unsigned p = 0; p < processes; p++) {
        unsigned end = w->count;
        while (end > 0) {
            unsigned begin = end - 1;
            while (begin > 0 && w->group[begin - 1].trace_id.lo == w->group[end - 1].trace_id.lo)
                begin--;
            for (unsigned i = end; i-- > begin;) {
                if (w->group[i].process == p)
                    w->sorted[at++] = w->group[i];
            }
            end = begin;
        }
    }
}

static void make_group(struct workload *w)
{
    w->count = w->next = 0;
    for (unsigned i = 0; i < TRACES_AT_ONCE; i++, w->trace++) {
        if (w->kind == WORKLOAD_DASHBOARD)
            make_dashboard(w);
        else
            make_eleven(w);
    }
    sort_group(w);
}

/* ---- the whole --------------------------------------------------------------------------- */

struct workload *workload_create(enum workload_kind kind, uint64_t seed, uint64_t start_unix_ns)
{
    struct workload *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->kind = kind;
    w->random = seed;
    w->start_unix_ns = start_unix_ns;
    for (unsigned i = 0; i < KEYS; i++)
        snprintf(w->keys[i], TEXT_MAX, "app.key.%u", i);
    for (unsigned i = 0; i < VALUES; i++)
        snprintf(w->values[i], TEXT_MAX, "value-%08x", (unsigned)draw(w));
    for (unsigned i = 0; i < ELEVEN_OPERATIONS; i++)
        snprintf(w->operations[i], TEXT_MAX, "operation-%u", i);
    return w;
}

void workload_destroy(struct workload **w)
{
    free(*w);
    *w = NULL;
}

const struct workload_span *workload_next(struct workload *w)
{
    if (w->next == w->count)
        make_group(w);
    return &w->sorted[w->next++];
}

static void put_span(struct batch_builder *b, const struct workload_span *s)
{
    struct batch_span span = {
        .process = s->process,
        .name = batch_string(b, s->name, strlen(s->name)),
        .trace_id = s->trace_id,
        .span_id = s->span_id,
        .parent_id = s->parent_id,
        .start_unix_ns = s->start_unix_ns,
        .duration_ns = s->duration_ns,
        .kind = (uint8_t)s->kind,
        .status = (uint8_t)s->status,
        .flags = SPAN_FLAG_SAMPLED,
    };
    batch_span_add(b, &span);
    for (unsigned i = 0; i < s->attribute_count; i++) {
        const struct workload_attribute *a = &s->attributes[i];
        uint64_t value = a->type == VALUE_STRING ? batch_string(b, a->text, strlen(a->text))
                                                 : (uint64_t)a->number;
        batch_attribute(b, batch_string(b, a->key, strlen(a->key)), a->type, value);
    }
}

void workload_fill(struct workload *w, struct batch_builder *b, unsigned spans)
{
    for (unsigned p = 0; p < workload_processes(w->kind); p++)
        batch_process(b, workload_process(w->kind, p));
    for (unsigned i = 0; i < spans; i++)
        put_span(b, workload_next(w));
}
