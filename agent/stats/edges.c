// SPDX-License-Identifier: Apache-2.0
#include "agent/stats/edges.h"

#include <stdlib.h>
#include <string.h>

enum { EDGES_MAX = 256, PEER_BYTES_MAX = 256 };

static const struct stats_metric_info total = {
    .name = "traces_service_graph_request_total",
    .help = "Requests between two services.",
    .type = METRIC_COUNTER,
    .naming = STATS_HOST_ONLY,
};
static const struct stats_metric_info failed = {
    .name = "traces_service_graph_request_failed_total",
    .help = "Requests between two services that failed.",
    .type = METRIC_COUNTER,
    .naming = STATS_HOST_ONLY,
};
static const struct stats_metric_info server_seconds = {
    .name = "traces_service_graph_request_server_seconds",
    .unit = "seconds",
    .help = "How long requests between two services took, as the server saw it.",
    .type = METRIC_HISTOGRAM,
    .naming = STATS_HOST_ONLY,
};
static const struct stats_metric_info client_seconds = {
    .name = "traces_service_graph_request_client_seconds",
    .unit = "seconds",
    .help = "How long requests between two services took, as the client saw it.",
    .type = METRIC_HISTOGRAM,
    .naming = STATS_HOST_ONLY,
};

struct edge {
    struct edge *next;
    enum edge_kind kind;
    struct stats_series *total, *failed, *seconds; /* NULL: refused so far */
    uint32_t peer_length;
    char peer[];
};

void edges_reserve(struct stats_table *t)
{
    stats_own_metric(t, &total);
    stats_own_metric(t, &failed);
    stats_own_metric(t, &server_seconds);
    stats_own_metric(t, &client_seconds);
}

int edges_init(struct edges *e, struct stats_table *t, struct slab_reader *reader,
               const char *service)
{
    const struct batch_str none = {"", 0};
    char *own = strdup(service);
    *e = (struct edges){
        .table = t,
        .reader = reader,
        .service = {own, own ? (uint32_t)strlen(own) : 0},
        .total = stats_own_metric(t, &total),
        .failed = stats_own_metric(t, &failed),
        .seconds = {[EDGE_SERVER] = stats_own_metric(t, &server_seconds),
                    [EDGE_DATABASE] = stats_own_metric(t, &client_seconds)},
    };
    e->seconds[EDGE_QUEUE] = e->seconds[EDGE_DATABASE];
    if (own)
        e->identity = stats_identity_hold(t, e->service, none, none);
    return e->identity ? 0 : -1;
}

void edges_fini(struct edges *e)
{
    while (e->list) {
        struct edge *next = e->list->next;
        free(e->list);
        e->list = next;
    }
    stats_identity_release(e->table, e->identity);
    free((void *)(uintptr_t)e->service.bytes);
    free(e->roles);
}

/* ---- what attributes mean ---------------------------------------------------------------- */

enum role { ROLE_UNKNOWN, ROLE_NONE, ROLE_PEER, ROLE_DATABASE, ROLE_QUEUE };

static enum role role_of_name(const char *name, size_t length)
{
    static const struct {
        const char *name;
        enum role role;
    } known[] = {{"peer.service", ROLE_PEER},
                 {"db.system", ROLE_DATABASE},
                 {"db.system.name", ROLE_DATABASE},
                 {"messaging.system", ROLE_QUEUE}};
    for (size_t i = 0; name && i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0)
            return known[i].role;
    return ROLE_NONE;
}

static enum role role_of(struct edges *e, uint32_t number)
{
    if (number >= SLAB_NAMES_MAX)
        return ROLE_NONE;
    if (number >= e->role_count) {
        uint32_t count = e->role_count ? e->role_count : 256;
        while (count <= number)
            count *= 2;
        uint8_t *roles = realloc(e->roles, count);
        if (!roles)
            return ROLE_NONE;
        memset(roles + e->role_count, ROLE_UNKNOWN, count - e->role_count);
        e->roles = roles;
        e->role_count = count;
    }
    if (e->roles[number] == ROLE_UNKNOWN) {
        size_t length;
        const char *name = slab_name(e->reader, number, &length);
        e->roles[number] = (uint8_t)role_of_name(name, length);
    }
    return (enum role)e->roles[number];
}

/* ---- who is at the other end ------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* libweft writes what a tracestate cannot hold as %XX. */
static struct batch_str decoded(const char *at, const char *end, char out[PEER_BYTES_MAX])
{
    uint32_t n = 0;
    while (at < end && n < PEER_BYTES_MAX) {
        int high = *at == '%' && end - at > 2 ? hex_digit(at[1]) : -1;
        int low = high < 0 ? -1 : hex_digit(at[2]);
        out[n++] = low < 0 ? *at : (char)(high << 4 | low);
        at += low < 0 ? 1 : 3;
    }
    return (struct batch_str){out, n};
}

/* The caller's name in a tracestate, "…,weft=NAME,…". */
static struct batch_str caller_in(const char *tracestate, uint32_t length, char out[PEER_BYTES_MAX])
{
    const char *at = tracestate, *end = tracestate + length;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;
        while (at < stop && (*at == ' ' || *at == '\t'))
            at++;
        if (stop - at > 5 && memcmp(at, "weft=", 5) == 0)
            return decoded(at + 5, stop, out);
        at = stop + 1;
    }
    return (struct batch_str){"", 0};
}

static struct batch_str caller_of(const struct slab_record *record, char out[PEER_BYTES_MAX])
{
    struct slab_item_view item;
    for (struct slab_walk w = slab_walk(record->payload, record->used); slab_item_next(&w, &item);)
        if (item.type == SLAB_ITEM_TRACESTATE)
            return caller_in(item.value, item.length, out);
    return (struct batch_str){"", 0};
}

/* Of a client's span: who is called, by its name if it is said, else by what it is. False: one that
 * records itself, and counts the request. */
static bool callee_of(struct edges *e, const struct slab_record *record, struct batch_str *peer,
                      enum edge_kind *kind)
{
    struct slab_item_view item;
    struct batch_str name = {"", 0}, system = {"", 0};
    *kind = EDGE_SERVER;
    for (struct slab_walk w = slab_walk(record->payload, record->used);
         slab_item_next(&w, &item);) {
        if (item.type != SLAB_ITEM_STRING || item.flags & SLAB_ITEM_NESTED)
            continue;
        enum role role = role_of(e, item.key);
        struct batch_str text = {item.value, item.length};
        if (role == ROLE_PEER)
            name = text;
        else if (role == ROLE_DATABASE || role == ROLE_QUEUE) {
            system = text;
            *kind = role == ROLE_DATABASE ? EDGE_DATABASE : EDGE_QUEUE;
        }
    }
    *peer = name.length ? name : system;
    return *kind != EDGE_SERVER && peer->length > 0;
}

/* ---- edges ------------------------------------------------------------------------------- */

/* Those that are not there yet; each that is refused is counted. */
static void find_series(struct edges *e, struct edge *edge)
{
    static const struct batch_str types[EDGE_KINDS] = {[EDGE_SERVER] = {"", 0},
                                                       [EDGE_DATABASE] = {"database", 8},
                                                       [EDGE_QUEUE] = {"messaging_system", 16}};
    struct batch_str own = {edge->peer, edge->peer_length};
    bool server = edge->kind == EDGE_SERVER;
    struct stats_label labels[3] = {{{"client", 6}, server ? own : e->service},
                                    {{"connection_type", 15}, types[edge->kind]},
                                    {{"server", 6}, server ? e->service : own}};
    if (server)
        labels[1] = labels[2];
    uint32_t n = server ? 2 : 3;
    if (!edge->total)
        edge->total = stats_find(e->table, e->total, e->identity, labels, n);
    if (!edge->failed)
        edge->failed = stats_find(e->table, e->failed, e->identity, labels, n);
    if (!edge->seconds)
        edge->seconds = stats_find(e->table, e->seconds[edge->kind], e->identity, labels, n);
}

static struct edge *make_edge(struct edges *e, enum edge_kind kind, struct batch_str peer)
{
    struct edge *edge = NULL;
    enum stats_refusal reason = peer.length > PEER_BYTES_MAX ? STATS_BAD_LABELS
                                : e->edge_count == EDGES_MAX ? STATS_SERIES_LIMIT
                                                             : STATS_NO_MEMORY;
    if (reason == STATS_NO_MEMORY)
        edge = calloc(1, sizeof *edge + peer.length);
    if (!edge) {
        stats_refuse(e->table, e->total, reason);
        return NULL;
    }
    memcpy(edge->peer, peer.bytes, peer.length);
    edge->peer_length = peer.length;
    edge->kind = kind;
    edge->next = e->list;
    e->list = edge;
    e->edge_count++;
    return edge;
}

static struct edge *find_edge(struct edges *e, enum edge_kind kind, struct batch_str peer)
{
    for (struct edge *edge = e->list; edge; edge = edge->next)
        if (edge->kind == kind && edge->peer_length == peer.length &&
            memcmp(edge->peer, peer.bytes, peer.length) == 0)
            return edge;
    return make_edge(e, kind, peer);
}

void edges_add(struct edges *e, const struct slab_record *record, const struct batch_span *span,
               const struct stats_exemplar *behind)
{
    char caller[PEER_BYTES_MAX];
    struct batch_str peer = {"", 0};
    enum edge_kind kind = EDGE_SERVER;
    if (span->kind == SPAN_SERVER || span->kind == SPAN_CONSUMER) {
        if (record->span.flags & SLAB_SPAN_MORE)
            peer = caller_of(record, caller);
    } else if (!callee_of(e, record, &peer, &kind)) {
        return;
    }
    if (peer.length == 0)
        return;
    struct edge *edge = find_edge(e, kind, peer);
    if (!edge)
        return;
    if (!edge->total || !edge->failed || !edge->seconds)
        find_series(e, edge); /* there may be room by now */
    stats_count(edge->total, 1);
    stats_count(edge->failed, span->status == SPAN_ERROR || span->status == SPAN_DIED);
    stats_record(edge->seconds, behind->value, 1);
    stats_behind(edge->seconds, behind);
}
