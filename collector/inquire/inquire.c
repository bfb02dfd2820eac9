// SPDX-License-Identifier: Apache-2.0
#include "collector/inquire/inquire.h"

#include <arpa/inet.h>
#include <string.h>

/* The attributes' names, as OpenTelemetry has them. */
enum { LOCAL_ADDRESS, LOCAL_PORT, PEER_ADDRESS, PEER_PORT, ENDS };
static const char *const names[ENDS] = {
    [LOCAL_ADDRESS] = "network.local.address",
    [LOCAL_PORT] = "network.local.port",
    [PEER_ADDRESS] = "network.peer.address",
    [PEER_PORT] = "network.peer.port",
};

/* What the batch's dictionary calls them; 0: it does not have it. */
struct keys {
    uint32_t of[ENDS];
};

static bool is_name(struct batch_str s, const char *name)
{
    size_t length = strlen(name);
    return s.length == length && memcmp(s.bytes, name, length) == 0;
}

/* The same from the row's own attributes, for who has one row to ask about. */
static void find_keys_of(struct keys *k, const struct batch *b, uint32_t row)
{
    uint32_t first = b->attribute_first[row], end = first + b->attribute_count[row];
    *k = (struct keys){{0}};
    for (uint32_t i = first; i < end; i++)
        for (int n = 0; n < ENDS; n++)
            if (is_name(b->strings[b->attributes.key[i]], names[n]))
                k->of[n] = b->attributes.key[i];
}

/* False: no span of the batch can tell a connection. */
static bool find_keys(struct keys *k, const struct batch *b)
{
    int missing = ENDS;
    *k = (struct keys){{0}};
    for (uint32_t i = 1; i < b->string_count && missing; i++)
        for (int n = 0; n < ENDS; n++)
            if (!k->of[n] && is_name(b->strings[i], names[n])) {
                k->of[n] = i;
                missing--;
            }
    return missing == 0;
}

static bool read_ip(struct batch_str text, uint8_t ip[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char terminated[INET6_ADDRSTRLEN];
    if (text.length == 0 || text.length >= sizeof terminated)
        return false;
    memcpy(terminated, text.bytes, text.length);
    terminated[text.length] = '\0';
    memcpy(ip, mapped, sizeof mapped);
    return inet_pton(AF_INET, terminated, ip + 12) == 1 || inet_pton(AF_INET6, terminated, ip) == 1;
}

static bool read_end(const struct batch *b, uint64_t address, uint64_t port,
                     struct inquiry_end *end)
{
    end->port = (uint16_t)port;
    return port > 0 && port <= UINT16_MAX && read_ip(b->strings[address], end->ip);
}

static bool connection_of(const struct batch *b, uint32_t row, const struct keys *k,
                          struct inquiry_end *client, struct inquiry_end *cache)
{
    static const uint8_t types[ENDS] = {VALUE_STRING, VALUE_INT, VALUE_STRING, VALUE_INT};
    uint64_t values[ENDS];
    unsigned found = 0;
    uint32_t first = b->attribute_first[row], end = first + b->attribute_count[row];
    if (b->kind[row] != SPAN_CLIENT)
        return false;
    for (uint32_t i = first; i < end; i++)
        for (int n = 0; n < ENDS; n++)
            if (b->attributes.key[i] == k->of[n] && b->attributes.type[i] == types[n]) {
                values[n] = b->attributes.value[i];
                found |= 1u << n;
            }
    return found == (1u << ENDS) - 1 &&
           read_end(b, values[LOCAL_ADDRESS], values[LOCAL_PORT], client) &&
           read_end(b, values[PEER_ADDRESS], values[PEER_PORT], cache);
}

bool inquire_connection(const struct batch *b, uint32_t row, struct inquiry_end *client,
                        struct inquiry_end *cache)
{
    struct keys k;
    if (b->kind[row] != SPAN_CLIENT)
        return false;
    find_keys_of(&k, b, row);
    return connection_of(b, row, &k, client, cache);
}

void inquire_about(struct watchers *w, const struct batch *b, const char *agent, int64_t skew_ns)
{
    struct keys k;
    if (b->span_count == 0 || !watchers_any(w) || !find_keys(&k, b))
        return;
    struct inquiry i = {.clock_offset_ns = skew_ns};
    memccpy(i.agent, agent, '\0', sizeof i.agent - 1);
    for (uint32_t row = 0; row < b->span_count; row++) {
        if (!connection_of(b, row, &k, &i.client, &i.cache))
            continue;
        i.trace_id = (struct trace_id){b->trace_hi[row], b->trace_lo[row]};
        i.span_id = b->span_id[row];
        i.start_unix_ns = b->start_unix_ns[row];
        i.duration_ns = b->duration_ns[row];
        watchers_ask(w, &i);
    }
}
