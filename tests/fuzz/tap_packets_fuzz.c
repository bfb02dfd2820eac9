// SPDX-License-Identifier: Apache-2.0
/* Packets of any link type, as a capture would hand them over, to caches of both protocols.
 * Whatever comes: memory stays within its limit and goes back to nothing, and exchanges make sense.
 *
 * The input: packets, each behind a byte that chooses the link type, one that says how long time
 * goes by (in units of 4 ms), and two with its length. */
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tap/connections.h"
#include "lib/base/log.h"

enum { MEMORY = 1 << 20, HEAD = 4 };

static volatile uint8_t sum;

static void on_exchange(void *context, uint32_t cache, const struct tap_client *client,
                        const struct tap_exchange *e)
{
    (void)context;
    (void)cache;
    (void)client;
    if (e->ending > TAP_WITHDRAWN || (e->failed && !e->error) || (e->key_count && !e->keys))
        abort();
    for (uint32_t i = 0; i < e->key_count; i++) {
        if (e->keys[i].length > TAP_KEY_KEPT || e->keys[i].length > e->keys[i].full_length)
            abort();
        for (uint32_t k = 0; k < e->keys[i].length; k++)
            sum ^= e->keys[i].bytes[k];
    }
}

static void one_packet(struct tap_connections *tap, const uint8_t *data, size_t size,
                       size_t on_wire, uint64_t now_ns)
{
    static const int links[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW,
                                DLT_NULL,   DLT_LOOP,      DLT_IPV6,       DLT_IEEE802_11};
    struct tap_connections_stats stats;
    struct tap_segment segment;
    if (tap_packet_read(links[data[0] % 8], data + HEAD, size, on_wire, &segment) !=
        TAP_PACKET_SEGMENT)
        return;
    if (segment.captured > segment.length)
        abort();
    segment.from.port %= 8; /* so that segments meet */
    segment.to.port %= 8;
    tap_connections_add(tap, &segment, now_ns);
    tap_connections_stats(tap, &stats);
    if (stats.memory_bytes > MEMORY || stats.open > 16)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    log_set_level(LOG_LEVEL_ERROR); /* many a port is foreign here */
    const struct tap_port ports[] = {{1, &tap_redis}, {2, &tap_memcached}};
    struct tap_connections *tap =
        tap_connections_create(&(struct tap_connections_options){.ports = ports,
                                                                 .port_count = 2,
                                                                 .connections = 16,
                                                                 .memory_bytes = MEMORY,
                                                                 .observer = {on_exchange, NULL}});
    uint64_t now_ns = 0;
    while (size > HEAD) {
        size_t on_wire = (size_t)data[2] << 8 | data[3];
        size_t length = on_wire < size - HEAD ? on_wire : size - HEAD;
        now_ns += data[1] * UINT64_C(4000000);
        one_packet(tap, data, length, on_wire, now_ns);
        data += HEAD + length;
        size -= HEAD + length;
    }
    tap_connections_destroy(&tap);
    return 0;
}
