// SPDX-License-Identifier: Apache-2.0
#include "agent/observe/pending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SLOTS = 2 * PENDING_CONNECTIONS_MOST, SPANS_LEAST = 8 };

struct pending {
    struct pending_connection *slots[SLOTS]; /* open addressing */
    uint32_t connections, spans;
};

struct pending *pending_create(void)
{
    return calloc(1, sizeof(struct pending));
}

static void connection_free(struct pending_connection *c)
{
    free(c->spans);
    free(c);
}

void pending_destroy(struct pending **pending)
{
    struct pending *p = *pending;
    if (!p)
        return;
    for (uint32_t i = 0; i < SLOTS; i++)
        if (p->slots[i])
            connection_free(p->slots[i]);
    free(p);
    *pending = NULL;
}

uint32_t pending_spans(const struct pending *p)
{
    return p->spans;
}

/* ---- connections ------------------------------------------------------------------------- */

/* The slot that holds it, or where it belongs. */
static struct pending_connection **
slot_of(struct pending *p, const struct exchange_connection *ends, const char *agent)
{
    uint64_t at = XXH3_64bits_withSeed(ends, sizeof *ends, XXH3_64bits(agent, strlen(agent)));
    for (;; at++) {
        struct pending_connection **slot = &p->slots[at % SLOTS];
        if (!*slot ||
            (memcmp(&(*slot)->ends, ends, sizeof *ends) == 0 && strcmp((*slot)->agent, agent) == 0))
            return slot;
    }
}

/* NULL: no room, no memory. */
static struct pending_connection *connection_of(struct pending *p, const struct inquiry *i)
{
    struct exchange_connection ends = {.client_port = i->client.port, .cache_port = i->cache.port};
    memcpy(ends.client_ip, i->client.ip, sizeof ends.client_ip);
    memcpy(ends.cache_ip, i->cache.ip, sizeof ends.cache_ip);
    struct pending_connection **slot = slot_of(p, &ends, i->agent);
    if (*slot || p->connections == PENDING_CONNECTIONS_MOST)
        return *slot;
    struct pending_connection *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->ends = ends;
    snprintf(c->agent, sizeof c->agent, "%s", i->agent);
    p->connections++;
    *slot = c;
    return c;
}

/* ---- spans ------------------------------------------------------------------------------- */

static bool grow(struct pending_connection *c)
{
    if (c->count < c->capacity)
        return true;
    uint32_t capacity = c->capacity ? c->capacity * 2 : SPANS_LEAST;
    struct pending_span *spans = realloc(c->spans, capacity * sizeof *spans);
    if (!spans)
        return false;
    c->spans = spans;
    c->capacity = capacity;
    return true;
}

/* Most come behind all others. */
bool pending_add(struct pending *p, const struct inquiry *i, int64_t now_ms)
{
    struct pending_connection *c = p->spans < PENDING_SPANS_MOST ? connection_of(p, i) : NULL;
    if (!c || c->count == PENDING_ON_ONE_MOST || !grow(c))
        return false;
    uint32_t at = c->count;
    while (at > 0 && c->spans[at - 1].when.begin_ns > i->start_unix_ns)
        at--;
    for (uint32_t n = at; n > 0 && c->spans[n - 1].when.begin_ns == i->start_unix_ns; n--)
        if (c->spans[n - 1].span_id == i->span_id)
            return true;
    memmove(&c->spans[at + 1], &c->spans[at], (c->count++ - at) * sizeof *c->spans);
    c->spans[at] = (struct pending_span){
        .trace_id = i->trace_id,
        .span_id = i->span_id,
        .when = {i->start_unix_ns, i->start_unix_ns + i->duration_ns},
        .heard_ms = now_ms,
    };
    c->clock_offset_ns = i->clock_offset_ns;
    p->spans++;
    return true;
}

/* ---- rounds ------------------------------------------------------------------------------ */

static bool has_ripe(const struct pending_connection *c, int64_t now_ms)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (!c->spans[i].told && now_ms - c->spans[i].heard_ms >= PENDING_RIPE_MS)
            return true;
    return false;
}

static void forget_told(struct pending *p, struct pending_connection *c, int64_t now_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct pending_span *s = &c->spans[i];
        if (!s->told || now_ms - s->heard_ms < PENDING_KEPT_MS)
            c->spans[kept++] = *s;
    }
    p->spans -= c->count - kept;
    c->count = kept;
}

/* Connections without spans go; the others find their slots anew. */
static void forget_connections(struct pending *p)
{
    uint32_t count = 0;
    struct pending_connection **kept = calloc(p->connections + 1, sizeof *kept);
    if (!kept)
        return; /* they stay until the next round */
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct pending_connection *c = p->slots[i];
        p->slots[i] = NULL;
        if (c && c->count)
            kept[count++] = c;
        else if (c)
            connection_free(c);
    }
    p->connections = count;
    for (uint32_t i = 0; i < count; i++)
        *slot_of(p, &kept[i]->ends, kept[i]->agent) = kept[i];
    free(kept);
}

void pending_round(struct pending *p, int64_t now_ms,
                   void (*visit)(void *context, struct pending_connection *c), void *context)
{
    bool any_empty = false;
    if (p->connections == 0)
        return;
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct pending_connection *c = p->slots[i];
        if (!c)
            continue;
        if (has_ripe(c, now_ms))
            visit(context, c);
        forget_told(p, c, now_ms);
        any_empty |= c->count == 0;
    }
    if (any_empty)
        forget_connections(p);
}
