// SPDX-License-Identifier: Apache-2.0
/* An index by addresses (linear probing, a secret seed: clients choose their ports) over a fixed
 * array of entries, which also form a list from the one heard last to the one silent for longest.
 */
#include "agent/tap/connections.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/log.h"

enum { FOREIGN_CONNECTIONS = 3 };
#define NONE UINT32_MAX
/* Segments of a connection may be captured again, or late, when it has ended. Its ports are not
 * used by another one so soon, unless that begins with a SYN. */
#define LATE_NS UINT64_C(1000000000)

struct ends {
    struct tap_address client, cache;
};
_Static_assert(sizeof(struct ends) == 36, "no padding: it is hashed and compared as bytes");

struct entry {
    struct ends ends;
    uint32_t cache;
    uint64_t number;                   /* of all that were met */
    uint32_t newer, older;             /* `older` also links what is free */
    struct tap_connection *connection; /* NULL: it has ended, */
    uint64_t until_ns;                 /* and what comes until then is left alone */
    struct tap_sink sink;              /* its context is the entry */
    struct tap_connections *all;
};

struct tap_connections {
    struct tap_connections_options options;
    struct tap_budget budget;
    struct tap_connections_stats stats;
    uint64_t seed;
    struct entry *entries;
    uint32_t *slots; /* entry + 1; 0: empty */
    uint32_t slot_mask;
    uint32_t newest, oldest, free;
    struct tap_cache caches[TAP_CACHES_MOST];
    uint32_t cache_count, foreign_connections[TAP_CACHES_MOST];
};

/* ---- the index ---------------------------------------------------------------------------- */

static uint32_t home_of(const struct tap_connections *t, const struct ends *ends)
{
    return (uint32_t)XXH3_64bits_withSeed(ends, sizeof *ends, t->seed) & t->slot_mask;
}

/* Where these ends are, or where they would come. */
static uint32_t slot_of(const struct tap_connections *t, const struct ends *ends)
{
    uint32_t at = home_of(t, ends);
    while (t->slots[at] && memcmp(&t->entries[t->slots[at] - 1].ends, ends, sizeof *ends) != 0)
        at = (at + 1) & t->slot_mask;
    return at;
}

/* What lies behind the hole moves up, where it would not be found any more. */
static void empty_slot(struct tap_connections *t, uint32_t hole)
{
    t->slots[hole] = 0;
    for (uint32_t at = (hole + 1) & t->slot_mask; t->slots[at]; at = (at + 1) & t->slot_mask) {
        uint32_t home = home_of(t, &t->entries[t->slots[at] - 1].ends);
        if (((at - home) & t->slot_mask) < ((at - hole) & t->slot_mask))
            continue;
        t->slots[hole] = t->slots[at];
        t->slots[at] = 0;
        hole = at;
    }
}

/* ---- the list ----------------------------------------------------------------------------- */

static void unlink_entry(struct tap_connections *t, uint32_t i)
{
    struct entry *e = &t->entries[i];
    *(e->newer == NONE ? &t->newest : &t->entries[e->newer].older) = e->older;
    *(e->older == NONE ? &t->oldest : &t->entries[e->older].newer) = e->newer;
}

static void put_in_front(struct tap_connections *t, uint32_t i)
{
    struct entry *e = &t->entries[i];
    e->newer = NONE;
    e->older = t->newest;
    *(t->newest == NONE ? &t->oldest : &t->entries[t->newest].newer) = i;
    t->newest = i;
}

static void put_at_back(struct tap_connections *t, uint32_t i)
{
    struct entry *e = &t->entries[i];
    e->older = NONE;
    e->newer = t->oldest;
    *(t->oldest == NONE ? &t->newest : &t->entries[t->oldest].older) = i;
    t->oldest = i;
}

/* ---- caches ------------------------------------------------------------------------------- */

static const struct tap_protocol *protocol_of(const struct tap_connections *t, uint16_t port)
{
    for (size_t i = 0; i < t->options.port_count; i++)
        if (t->options.ports[i].port == port)
            return t->options.ports[i].protocol;
    return NULL;
}

static bool same_address(const struct tap_address *a, const struct tap_address *b)
{
    return a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static uint32_t cache_at(struct tap_connections *t, const struct tap_address *address)
{
    for (uint32_t i = 0; i < t->cache_count; i++)
        if (same_address(&t->caches[i].address, address))
            return i;
    if (t->cache_count == TAP_CACHES_MOST)
        return NONE;
    t->caches[t->cache_count] =
        (struct tap_cache){.address = *address, .protocol = protocol_of(t, address->port)};
    return t->cache_count++;
}

static void note_foreign(struct tap_connections *t, uint32_t cache)
{
    struct tap_cache *c = &t->caches[cache];
    if (c->answered > 0 || c->foreign || ++t->foreign_connections[cache] < FOREIGN_CONNECTIONS)
        return;
    char ip[INET6_ADDRSTRLEN];
    c->foreign = true;
    LOG_WARN("tap: [%s]:%u does not speak %s: it is left alone",
             inet_ntop(AF_INET6, c->address.ip, ip, sizeof ip), c->address.port, c->protocol->name);
}

/* ---- connections -------------------------------------------------------------------------- */

static void take(void *context, const struct tap_exchange *exchange)
{
    const struct entry *e = context;
    struct tap_connections *t = e->all;
    const struct tap_client client = {e->ends.client, e->number};
    t->caches[e->cache].exchanges++;
    t->caches[e->cache].answered += exchange->ending == TAP_ANSWERED;
    t->options.observer.exchange(t->options.observer.context, e->cache, &client, exchange);
}

static void end(struct tap_connections *t, struct entry *e, uint64_t until_ns)
{
    uint32_t i = (uint32_t)(e - t->entries);
    tap_connection_destroy(&e->connection);
    e->until_ns = until_ns;
    t->stats.open--;
    unlink_entry(t, i);
    put_at_back(t, i);
}

static void forget(struct tap_connections *t, uint32_t i)
{
    struct entry *e = &t->entries[i];
    t->stats.open -= e->connection != NULL;
    tap_connection_destroy(&e->connection);
    empty_slot(t, slot_of(t, &e->ends));
    unlink_entry(t, i);
    e->older = t->free;
    t->free = i;
}

static bool evict_oldest(struct tap_connections *t)
{
    if (t->oldest == NONE)
        return false;
    t->stats.evicted += t->entries[t->oldest].connection != NULL;
    forget(t, t->oldest);
    return true;
}

static struct entry *meet(struct tap_connections *t, const struct ends *ends, uint32_t cache)
{
    if (t->free == NONE)
        evict_oldest(t);
    uint32_t i = t->free;
    struct entry *e = &t->entries[i];
    t->free = e->older;
    *e = (struct entry){
        .ends = *ends, .cache = cache, .number = t->stats.met + 1, .sink = {take, e}, .all = t};
    do
        e->connection = tap_connection_create(t->caches[cache].protocol, &e->sink, &t->budget,
                                              &t->stats.counts);
    while (!e->connection && evict_oldest(t));
    if (!e->connection) {
        e->older = t->free;
        t->free = i;
        return NULL;
    }
    put_in_front(t, i);
    t->slots[slot_of(t, ends)] = i + 1;
    t->stats.met++;
    t->stats.open++;
    t->caches[cache].connections++;
    return e;
}

/* NULL: there is none; one of the past is forgotten. */
static struct entry *find(struct tap_connections *t, const struct ends *ends,
                          const struct tap_segment *segment, uint64_t now_ns)
{
    uint32_t slot = t->slots[slot_of(t, ends)];
    if (!slot)
        return NULL;
    struct entry *e = &t->entries[slot - 1];
    bool is_past = e->connection
                       ? tap_connection_is_anothers(e->connection, segment)
                       : now_ns >= e->until_ns || (segment->flags & (TAP_SYN | TAP_ACK)) == TAP_SYN;
    if (!is_past)
        return e;
    forget(t, slot - 1);
    return NULL;
}

/* NULL: it is not followed, for want of memory or because its cache is foreign. */
static struct entry *follow(struct tap_connections *t, const struct ends *ends)
{
    uint32_t cache = cache_at(t, &ends->cache);
    struct entry *e = cache == NONE || t->caches[cache].foreign ? NULL : meet(t, ends, cache);
    if (!e)
        *(cache != NONE && t->caches[cache].foreign ? &t->stats.foreign_segments
                                                    : &t->stats.refused) += 1;
    return e;
}

/* Which end is the cache. Where both ports are configured, the one that was connected to. */
static bool is_from_client(const struct tap_connections *t, const struct tap_segment *segment)
{
    bool to_cache = protocol_of(t, segment->to.port) != NULL;
    if (!to_cache || !protocol_of(t, segment->from.port))
        return to_cache;
    if (segment->flags & TAP_SYN)
        return !(segment->flags & TAP_ACK);
    struct ends other = {segment->to, segment->from};
    return !t->slots[slot_of(t, &other)];
}

/* The silent make room for who speaks, if it is all together that they take too much. */
static void make_room(struct tap_connections *t, uint32_t speaker)
{
    uint64_t evicted = t->stats.evicted;
    if (t->budget.bytes < t->budget.limit_bytes / 2)
        return;
    while (t->oldest != speaker && t->stats.evicted == evicted && evict_oldest(t))
        ;
}

static void add(struct tap_connections *t, struct entry *e, bool from_client,
                const struct tap_segment *segment, uint64_t now_ns)
{
    uint64_t refused = t->budget.refused;
    uint32_t i = (uint32_t)(e - t->entries);
    if (t->newest != i) {
        unlink_entry(t, i);
        put_in_front(t, i);
    }
    tap_connection_add(e->connection, from_client, segment, now_ns);
    if (tap_connection_is_foreign(e->connection)) {
        note_foreign(t, e->cache);
        end(t, e, UINT64_MAX);
    } else if (tap_connection_has_ended(e->connection)) {
        end(t, e, now_ns + LATE_NS);
    }
    if (t->budget.refused != refused)
        make_room(t, i);
}

void tap_connections_add(struct tap_connections *t, const struct tap_segment *segment,
                         uint64_t now_ns)
{
    bool from_client = is_from_client(t, segment);
    struct ends ends = from_client ? (struct ends){segment->from, segment->to}
                                   : (struct ends){segment->to, segment->from};
    if (!protocol_of(t, ends.cache.port)) {
        t->stats.other_segments++;
        return;
    }
    t->stats.segments++;
    struct entry *e = find(t, &ends, segment, now_ns);
    /* A bare acknowledgement is no reason to follow a connection: it may be the last of one. */
    if (!e && segment->length == 0 && !(segment->flags & TAP_SYN))
        return;
    if (!e && !(e = follow(t, &ends)))
        return;
    if (e->connection)
        add(t, e, from_client, segment, now_ns);
}

/* ---- life --------------------------------------------------------------------------------- */

static uint32_t slots_for(uint32_t connections)
{
    uint32_t slots = 16;
    while (slots < 2 * connections)
        slots *= 2;
    return slots;
}

struct tap_connections *tap_connections_create(const struct tap_connections_options *options)
{
    struct tap_connections *t = calloc(1, sizeof *t);
    uint32_t slots = slots_for(options->connections);
    if (!t || !(t->entries = calloc(options->connections, sizeof *t->entries)) ||
        !(t->slots = calloc(slots, sizeof *t->slots))) {
        tap_connections_destroy(&t);
        return NULL;
    }
    t->options = *options;
    t->budget.limit_bytes = options->memory_bytes;
    t->slot_mask = slots - 1;
    t->newest = t->oldest = NONE;
    t->free = 0;
    for (uint32_t i = 0; i < options->connections; i++)
        t->entries[i].older = i + 1 < options->connections ? i + 1 : NONE;
    if (getrandom(&t->seed, sizeof t->seed, GRND_NONBLOCK) < 0)
        t->seed = (uintptr_t)t;
    return t;
}

void tap_connections_destroy(struct tap_connections **place)
{
    struct tap_connections *t = *place;
    if (!t)
        return;
    if (t->entries && t->slots)
        while (t->oldest != NONE)
            forget(t, t->oldest);
    free(t->entries);
    free(t->slots);
    free(t);
    *place = NULL;
}

const struct tap_cache *tap_connections_caches(const struct tap_connections *t, uint32_t *count)
{
    *count = t->cache_count;
    return t->caches;
}

void tap_connections_stats(const struct tap_connections *t, struct tap_connections_stats *out)
{
    *out = t->stats;
    out->memory_bytes = t->budget.bytes;
    out->memory_refused = t->budget.refused;
}
