// SPDX-License-Identifier: Apache-2.0
/* What a tap remembers, as the agent would read it:
 *     exchanges DIRECTORY                               its state: seen, caches
 *     exchanges DIRECTORY CLIENT-PORT CACHE-PORT FROM   the exchanges of a connection between two
 *                                                       ports of 127.0.0.1, from a Unix time in ns
 * One JSON object a line. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/exchange/exchange_reader.h"
#include "lib/ring/guard.h"

enum { MOST = 100000 };

static void print_state(struct exchange_reader *r)
{
    static struct exchange_address list[EXCHANGE_CACHES_MOST];
    size_t count = exchange_reader_caches(r, list, EXCHANGE_CACHES_MOST);
    printf("{\"current\":%s,\"seen_unix_ns\":\"%" PRIu64 "\",\"ports\":[",
           exchange_reader_is_current(r) ? "true" : "false", exchange_reader_seen_unix_ns(r));
    for (size_t i = 0; i < count; i++)
        printf("%s%u", i ? "," : "", list[i].port);
    printf("]}\n");
}

static void print_one(const struct exchange_record *e)
{
    printf("{\"asked\":\"%" PRIu64 "\",\"answered\":\"%" PRIu64 "\",\"done\":\"%" PRIu64
           "\",\"order\":%u,\"protocol\":\"%s\",\"command\":\"%s\",\"error\":\"%s\","
           "\"pattern\":\"%s\",\"keys\":%u,\"hits\":%u,\"misses\":%u,\"ending\":%u,\"failed\":%s,"
           "\"request_bytes\":%u,\"reply_bytes\":%u}\n",
           e->asked_unix_ns, e->answered_unix_ns, e->done_unix_ns, e->order, e->protocol,
           e->command, e->error, e->pattern, e->keys, e->hits, e->misses, e->ending,
           e->failed ? "true" : "false", e->request_bytes, e->reply_bytes);
}

static void print_exchanges(struct exchange_reader *r, char **words)
{
    static struct exchange_record found[MOST];
    static const uint8_t local[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
    struct exchange_connection c = {.client_port = (uint16_t)atoi(words[0]),
                                    .cache_port = (uint16_t)atoi(words[1])};
    bool complete;
    memcpy(c.client_ip, local, sizeof local);
    memcpy(c.cache_ip, local, sizeof local);
    size_t count = exchange_reader_find(r, &c, strtoull(words[2], NULL, 10), UINT64_MAX, found,
                                        MOST, &complete);
    printf("{\"complete\":%s}\n", complete ? "true" : "false");
    for (size_t i = 0; i < count; i++)
        print_one(&found[i]);
}

int main(int argc, char **argv)
{
    char why[256] = "";
    guard_install();
    int directory = argc > 1 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
    struct exchange_reader *r = exchange_reader_open(directory, why, sizeof why);
    if (!r) {
        fprintf(stderr, "%s\n", *why ? why : "there is no file");
        return 1;
    }
    if (argc > 4)
        print_exchanges(r, argv + 2);
    else
        print_state(r);
    exchange_reader_close(&r);
    return 0;
}
