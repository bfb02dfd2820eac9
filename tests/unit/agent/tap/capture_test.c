// SPDX-License-Identifier: Apache-2.0
/* Captures from files, written by libpcap: the filter lets through what is of the ports, behind any
 * VLAN tags, and times are told in nanoseconds. */
#include "agent/tap/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include <pcap/pcap.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/agent/tap/wire.h"

enum { TCP = 20 };

struct written {
    char path[64];
    pcap_t *pcap;
    pcap_dumper_t *out;
    uint32_t count;
};

static void create(struct written *w, int link_type)
{
    strcpy(w->path, "/tmp/weft-capture-XXXXXX");
    close(mkstemp(w->path));
    w->pcap = pcap_open_dead_with_tstamp_precision(link_type, 65535, PCAP_TSTAMP_PRECISION_NANO);
    w->out = pcap_dump_open(w->pcap, w->path);
    assert_non_null(w->out);
    w->count = 0;
}

static void write_packet(struct written *w, const struct wire *packet)
{
    struct pcap_pkthdr head = {.ts = {1700000000 + w->count, 123456789},
                               .caplen = (uint32_t)packet->length,
                               .len = (uint32_t)packet->length};
    pcap_dump((u_char *)w->out, &head, packet->bytes);
    w->count++;
}

/* `protocol` of IP, between these ports, behind so many tags. */
static void write_tagged(struct written *w, size_t tags, bool ipv6, uint8_t protocol,
                         unsigned from_port, unsigned to_port)
{
    static const unsigned kinds[] = {0x8100, 0x8100, 0x88a8};
    struct wire p = {0};
    unsigned type = ipv6 ? 0x86dd : 0x0800;
    wire_ethernet(&p, tags ? kinds[tags] : type);
    for (size_t i = 1; i <= tags; i++) {
        wire_16(&p, 42);
        wire_16(&p, i < tags ? 0x8100 : type);
    }
    size_t ip = p.length;
    if (ipv6)
        wire_ipv6(&p, 1, 2, protocol, TCP + 4);
    else
        wire_ipv4(&p, 1, 2, 0, TCP + 4);
    if (!ipv6)
        p.bytes[ip + 9] = protocol;
    wire_tcp(&p, from_port, to_port, 1, 1, TAP_ACK, 0);
    wire_bytes(&p, "ping", 4);
    write_packet(w, &p);
}

struct taken {
    uint32_t count;
    uint64_t last_ns, seen_ns;
};

static void on_segment(void *context, const struct tap_segment *s, uint64_t unix_ns)
{
    struct taken *t = context;
    assert_true(s->from.port == 6379 || s->to.port == 6379 || s->to.port == 11211);
    assert_int_equal(s->length, 4);
    assert_memory_equal(s->bytes, "ping", 4);
    t->last_ns = unix_ns;
    t->count++;
}

static struct taken read_all(struct written *w)
{
    static const uint16_t ports[] = {6379, 11211};
    char why[256];
    struct taken t = {0};
    pcap_dump_close(w->out);
    pcap_close(w->pcap);
    struct tap_capture *c = tap_capture_open_file(w->path, ports, 2, why, sizeof why);
    if (!c)
        fail_msg("%s", why);
    while (tap_capture_read(c, 0, on_segment, &t, why, sizeof why) >= 0)
        ;
    struct tap_capture_stats stats;
    tap_capture_stats(c, &stats);
    assert_int_equal(stats.by_kind[TAP_PACKET_SEGMENT], t.count);
    t.seen_ns = tap_capture_seen_unix_ns(c);
    tap_capture_close(&c);
    assert_null(c);
    unlink(w->path);
    return t;
}

static void the_filter_lets_the_ports_through_behind_any_tags(void **state)
{
    struct written w;
    (void)state;
    create(&w, DLT_EN10MB);
    for (size_t tags = 0; tags <= 2; tags++)
        for (int ipv6 = 0; ipv6 < 2; ipv6++) {
            write_tagged(&w, tags, ipv6, 6, 40000, 6379);
            write_tagged(&w, tags, ipv6, 6, 6379, 40000);
            write_tagged(&w, tags, ipv6, 6, 40000, 11211);
            write_tagged(&w, tags, ipv6, 6, 40000, 80);
            write_tagged(&w, tags, ipv6, 17, 40000, 6379);
        }
    write_tagged(&w, 0, false, 6, 40000, 6379);
    struct taken t = read_all(&w);
    assert_int_equal(t.count, 3 * 2 * 3 + 1);
    assert_int_equal(t.last_ns, UINT64_C(1700000030123456789));
    /* Of the last moments more might come from an interface. */
    assert_int_equal(t.seen_ns, t.last_ns - 50000000);
}

static void what_cannot_be_opened_says_why(void **state)
{
    char why[256] = "";
    uint16_t port = 1;
    struct written w;
    (void)state;
    assert_null(tap_capture_open_file("/nonexistent", &port, 1, why, sizeof why));
    assert_non_null(strstr(why, "/nonexistent"));
    create(&w, DLT_IEEE802_11);
    pcap_dump_close(w.out);
    pcap_close(w.pcap);
    assert_null(tap_capture_open_file(w.path, &port, 1, why, sizeof why));
    assert_non_null(strstr(why, "IEEE802_11"));
    unlink(w.path);
    const char *none = "weft-none0";
    const struct tap_capture_options options = {.interfaces = &none,
                                                .interface_count = 1,
                                                .ports = &port,
                                                .port_count = 1,
                                                .buffer_bytes = 1 << 20};
    assert_null(tap_capture_open(&options, why, sizeof why));
    assert_non_null(strstr(why, "weft-none0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_filter_lets_the_ports_through_behind_any_tags),
        cmocka_unit_test(what_cannot_be_opened_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
