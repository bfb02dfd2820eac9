// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/exchange/exchange_writer.h"

#define LOOK_EVERY_NS UINT64_C(5000000000)

_Static_assert((int)TAP_ANSWERED == (int)EXCHANGE_ANSWERED &&
                   (int)TAP_NOT_ASKED_FOR == (int)EXCHANGE_NOT_ASKED_FOR &&
                   (int)TAP_NOT_SEEN == (int)EXCHANGE_NOT_SEEN &&
                   (int)TAP_WITHDRAWN == (int)EXCHANGE_WITHDRAWN,
               "the same endings, by the same numbers");

/* ---- words ------------------------------------------------------------------------------- */

static uint16_t *words_of(const struct memory *m, const struct tap_protocol *protocol)
{
    for (int i = 0; i < MEMORY_PROTOCOLS_MOST && m->protocols[i].protocol; i++)
        if (m->protocols[i].protocol == protocol)
            return m->protocols[i].words;
    return NULL;
}

/* Of all commands at once, so that none has to be looked up later. What has no room, or no memory,
 * is remembered without its name. */
static void add_protocol(struct memory *m, const struct tap_protocol *protocol)
{
    int at = 0;
    while (at < MEMORY_PROTOCOLS_MOST && m->protocols[at].protocol)
        at++;
    uint16_t count = protocol->command_count(), *words = NULL;
    if (words_of(m, protocol) || at == MEMORY_PROTOCOLS_MOST ||
        !(words = calloc(count, sizeof *words)))
        return;
    for (uint16_t command = 0; command < count; command++)
        words[command] =
            exchange_writer_word(m->writer, protocol->name, protocol->command_name(command));
    m->protocols[at].protocol = protocol;
    m->protocols[at].words = words;
}

static uint16_t word_of_command(const struct memory *m, uint32_t cache, uint16_t command)
{
    uint32_t count;
    const struct tap_protocol *protocol =
        tap_connections_caches(m->options.connections, &count)[cache].protocol;
    const uint16_t *words = words_of(m, protocol);
    return words && command < protocol->command_count() ? words[command] : 0;
}

/* Errors are of a fixed set of texts, so that their addresses tell them apart. */
static uint16_t word_of_error(struct memory *m, const char *text)
{
    int i = 0;
    if (!text)
        return 0;
    for (; i < MEMORY_ERRORS_MOST && m->errors[i].text; i++)
        if (m->errors[i].text == text)
            return m->errors[i].word;
    uint16_t word = exchange_writer_word(m->writer, "", text);
    if (i < MEMORY_ERRORS_MOST) {
        m->errors[i].text = text;
        m->errors[i].word = word;
    }
    return word;
}

/* ---- exchanges --------------------------------------------------------------------------- */

static void count_outcomes(struct exchange *out, const struct tap_exchange *e)
{
    for (uint32_t i = 0; i < e->key_count; i++) {
        out->hits += e->keys[i].outcome == TAP_HIT;
        out->misses += e->keys[i].outcome == TAP_MISS;
    }
}

void memory_add(struct memory *m, uint32_t cache, const struct tap_client *client,
                const struct tap_exchange *e)
{
    if (!m->writer)
        return;
    uint32_t count;
    const struct tap_address *to =
        &tap_connections_caches(m->options.connections, &count)[cache].address;
    struct exchange_connection c = {.client_port = client->address.port, .cache_port = to->port};
    struct exchange out = {
        .connection = client->connection,
        .order = e->order,
        .asked_unix_ns = e->asked_ns,
        .answered_unix_ns = e->answered_ns,
        .done_unix_ns = e->done_ns,
        .request_bytes = e->request_bytes,
        .reply_bytes = e->reply_bytes,
        .keys = e->key_count + (uint64_t)e->keys_not_kept,
        .command = word_of_command(m, cache, e->command),
        .error = word_of_error(m, e->error),
        .ending = e->ending,
        .failed = e->failed,
    };
    memcpy(c.client_ip, client->address.ip, sizeof c.client_ip);
    memcpy(c.cache_ip, to->ip, sizeof c.cache_ip);
    count_outcomes(&out, e);
    if (m->options.tell_patterns && e->key_count > 0) {
        out.key = e->keys[0].bytes;
        out.key_length = e->keys[0].length;
    }
    exchange_writer_add(m->writer, &c, &out);
}

void memory_seen(struct memory *m, uint64_t unix_ns)
{
    if (m->writer)
        exchange_writer_seen(m->writer, unix_ns);
}

/* ---- the file ---------------------------------------------------------------------------- */

static void close_file(struct memory *m)
{
    exchange_writer_destroy(&m->writer);
    for (int i = 0; i < MEMORY_PROTOCOLS_MOST; i++)
        free(m->protocols[i].words);
    memset(m->protocols, 0, sizeof m->protocols);
    memset(m->errors, 0, sizeof m->errors);
}

static void open_file(struct memory *m)
{
    char why[640];
    m->writer = exchange_writer_create(m->path, m->options.bytes, why, sizeof why);
    if (!m->writer)
        LOG_WARN_EVERY("tap: exchanges are not remembered, so traces show no caches: %s", why);
    for (size_t i = 0; m->writer && i < m->options.port_count; i++)
        add_protocol(m, m->options.ports[i].protocol);
}

static void look_after(struct memory *m)
{
    if (m->writer && !exchange_writer_is_there(m->writer))
        close_file(m);
    if (!m->writer)
        open_file(m);
    if (own_addresses_read(&m->own) != 0)
        LOG_WARN_EVERY("tap: the host's addresses cannot be read: %s", strerror(errno));
}

struct told {
    struct exchange_address list[EXCHANGE_CACHES_MOST];
    size_t count;
};

static void tell(struct told *t, const uint8_t ip[16], uint16_t port)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->list[i].port == port && memcmp(t->list[i].ip, ip, sizeof t->list[i].ip) == 0)
            return;
    if (t->count == EXCHANGE_CACHES_MOST)
        return;
    memcpy(t->list[t->count].ip, ip, sizeof t->list[t->count].ip);
    t->list[t->count++].port = port;
}

/* Every address of the host with every port, so that the first command that comes is asked for,
 * too; and what else was met of the loopback network. */
static void tell_caches(struct memory *m)
{
    struct told t = {.count = 0};
    uint32_t count;
    const struct tap_cache *caches = tap_connections_caches(m->options.connections, &count);
    for (size_t i = 0; i < m->own.count; i++)
        for (size_t port = 0; port < m->options.port_count; port++)
            tell(&t, m->own.ips[i], m->options.ports[port].port);
    for (uint32_t i = 0; i < count; i++)
        if (own_addresses_has(&m->own, caches[i].address.ip))
            tell(&t, caches[i].address.ip, caches[i].address.port);
    exchange_writer_caches(m->writer, t.list, t.count);
}

void memory_renew(struct memory *m, uint64_t now_unix_ns)
{
    if (m->options.bytes == 0)
        return;
    if (now_unix_ns - m->looked_unix_ns >= LOOK_EVERY_NS) {
        m->looked_unix_ns = now_unix_ns;
        look_after(m);
    }
    if (m->writer)
        tell_caches(m);
}

void memory_init(struct memory *m, const struct memory_options *options)
{
    *m = (struct memory){.options = *options};
    snprintf(m->path, sizeof m->path, "%s/" EXCHANGE_FILE_NAME, options->directory);
    memory_renew(m, clock_unix_ns());
}

void memory_fini(struct memory *m)
{
    close_file(m);
    own_addresses_fini(&m->own);
    *m = (struct memory){0};
}
