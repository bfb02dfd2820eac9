// SPDX-License-Identifier: Apache-2.0
#include "agent/observe/observed.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

bool observed_is_whole(const struct exchange_record *e)
{
    return e->ending == EXCHANGE_ANSWERED && e->answered_unix_ns >= e->asked_unix_ns;
}

void observed_begin(struct observed_rows *rows)
{
    batch_builder_reset(rows->builder);
    rows->cache_count = 0;
}

/* ---- the cache as a process -------------------------------------------------------------- */

static void address_text(const struct exchange_address *a, char *out, size_t size)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char ip[INET6_ADDRSTRLEN] = "";
    bool four = memcmp(a->ip, mapped, sizeof mapped) == 0;
    inet_ntop(four ? AF_INET : AF_INET6, four ? a->ip + 12 : a->ip, ip, sizeof ip);
    snprintf(out, size, four ? "%s:%u" : "[%s]:%u", ip, a->port);
}

static uint32_t describe(struct observed_rows *rows, const struct exchange_address *address,
                         const char *protocol)
{
    char instance[INET6_ADDRSTRLEN + 16];
    address_text(address, instance, sizeof instance);
    struct batch_process_info info = {
        .host = rows->host, .service = protocol, .instance = instance, .state = PROCESS_ALIVE};
    XXH128_hash_t hash = XXH3_128bits_withSeed(instance, strlen(instance),
                                               XXH3_64bits(rows->agent, strlen(rows->agent)));
    memcpy(info.uuid, &hash, sizeof info.uuid);
    return batch_process(rows->builder, &info);
}

static uint32_t process_of(struct observed_rows *rows, const struct exchange_connection *c,
                           const char *protocol)
{
    struct exchange_address address = {.port = c->cache_port};
    memcpy(address.ip, c->cache_ip, sizeof address.ip);
    for (uint32_t i = 0; i < rows->cache_count; i++)
        if (rows->caches[i].address.port == address.port &&
            memcmp(rows->caches[i].address.ip, address.ip, sizeof address.ip) == 0)
            return rows->caches[i].process;
    uint32_t process = describe(rows, &address, protocol);
    if (rows->cache_count < EXCHANGE_CACHES_MOST)
        rows->caches[rows->cache_count++] = (struct observed_cache){address, process};
    return process;
}

/* ---- rows -------------------------------------------------------------------------------- */

static uint32_t text(struct observed_rows *rows, const char *s)
{
    return batch_string(rows->builder, s, strlen(s));
}

static void add_text(struct observed_rows *rows, const char *key, const char *value)
{
    if (value[0])
        batch_attribute(rows->builder, text(rows, key), VALUE_STRING, text(rows, value));
}

static void add_count(struct observed_rows *rows, const char *key, uint64_t value)
{
    batch_attribute(rows->builder, text(rows, key), VALUE_INT, value);
}

static const char *outcome_of(const struct pipeline_group *g)
{
    if (g->hits && g->misses)
        return "hit and miss";
    if (g->hits)
        return "hit";
    return g->misses ? "miss" : "";
}

/* Of several commands the group has no name, and no pattern. */
static const char *name_of(const struct pipeline_group *g)
{
    return g->mixed ? "other commands" : g->first->command;
}

static void add_attributes(struct observed_rows *rows, const struct pipeline_group *g)
{
    batch_attribute(rows->builder, text(rows, "weft.observed"), VALUE_BOOL, 1);
    add_text(rows, "db.system.name", g->first->protocol);
    add_text(rows, "db.operation.name", g->mixed ? "" : g->first->command);
    add_text(rows, "weft.cache.key_pattern", g->mixed ? "" : g->first->pattern);
    add_text(rows, "weft.cache.outcome", outcome_of(g));
    if (g->commands > 1) {
        add_count(rows, "weft.cache.commands", g->commands);
        add_count(rows, "weft.cache.errors", g->failed);
    }
    if (g->keys > 1) {
        add_count(rows, "weft.cache.keys", g->keys);
        add_count(rows, "weft.cache.hits", g->hits);
        add_count(rows, "weft.cache.misses", g->misses);
    }
    add_count(rows, "weft.cache.request_bytes", g->request_bytes);
    add_count(rows, "weft.cache.reply_bytes", g->reply_bytes);
}

static uint64_t span_id_of(const struct pending_span *client, uint32_t number)
{
    const uint64_t words[] = {client->trace_id.hi, client->trace_id.lo, client->span_id, number};
    uint64_t id = XXH3_64bits(words, sizeof words);
    return id ? id : 1;
}

void observed_add(struct observed_rows *rows, const struct pending_connection *c,
                  const struct pending_span *client, const struct pipeline_group *g,
                  uint32_t number)
{
    bool failed = g->failed > 0;
    struct batch_span span = {
        .process = process_of(rows, &c->ends, g->first->protocol),
        .name = text(rows, name_of(g)),
        .trace_id = client->trace_id,
        .span_id = span_id_of(client, number),
        .parent_id = client->span_id,
        .start_unix_ns = g->asked_unix_ns,
        .duration_ns = g->answered_unix_ns - g->asked_unix_ns,
        .kind = SPAN_SERVER,
        .status = failed ? SPAN_ERROR : SPAN_UNSET,
        .flags = SPAN_FLAG_SAMPLED | SPAN_FLAG_REMOTE_PARENT | SPAN_FLAG_OBSERVED,
        .status_message = failed ? text(rows, g->error) : 0,
    };
    batch_span_add(rows->builder, &span);
    add_attributes(rows, g);
}
