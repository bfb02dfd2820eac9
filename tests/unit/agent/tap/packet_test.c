// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include <pcap/dlt.h>

#include "tests/unit/agent/tap/wire.h"

static const char payload[] = "get hello\r\n";
enum { PAYLOAD = sizeof payload - 1, TCP = 20 };

static struct wire wire;

static void end_with_tcp(unsigned options)
{
    wire_tcp(&wire, 40000, 6379, 0xfffffff0, 7, TAP_ACK, options);
    wire_bytes(&wire, payload, PAYLOAD);
}

/* Each packet lies in memory of its own, so that reading behind it is seen. */
static enum tap_packet read_cut(int link_type, size_t captured, size_t on_wire,
                                struct tap_segment *out)
{
    uint8_t *copy = malloc(captured ? captured : 1);
    memcpy(copy, wire.bytes, captured);
    enum tap_packet kind = tap_packet_read(link_type, copy, captured, on_wire, out);
    if (kind == TAP_PACKET_SEGMENT && out->captured > 0)
        assert_memory_equal(out->bytes, payload, out->captured);
    free(copy);
    return kind;
}

static void assert_address(const struct tap_address *address, bool ipv6, uint8_t last,
                           uint16_t port)
{
    uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = last};
    uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = last};
    assert_memory_equal(address->ip, ipv6 ? v6 : v4, 16);
    assert_int_equal(address->port, port);
}

/* The packet is read as it was made; cut anywhere it is malformed, or a segment of which less was
 * captured. */
static void assert_read(int link_type, bool ipv6)
{
    struct tap_segment s;
    size_t head = wire.length - PAYLOAD;
    assert_true(tap_packet_knows(link_type));
    assert_int_equal(read_cut(link_type, wire.length, wire.length, &s), TAP_PACKET_SEGMENT);
    assert_address(&s.from, ipv6, 1, 40000);
    assert_address(&s.to, ipv6, 2, 6379);
    assert_int_equal(s.sequence, 0xfffffff0);
    assert_int_equal(s.acknowledged, 7);
    assert_int_equal(s.flags, TAP_ACK);
    for (size_t captured = 0; captured < wire.length; captured++) {
        enum tap_packet kind = read_cut(link_type, captured, wire.length, &s);
        if (captured < head) {
            assert_int_equal(kind, TAP_PACKET_MALFORMED);
            continue;
        }
        assert_int_equal(kind, TAP_PACKET_SEGMENT);
        assert_int_equal(s.length, PAYLOAD);
        assert_int_equal(s.captured, captured - head);
    }
    for (size_t on_wire = 0; on_wire < wire.length; on_wire++) /* and never more than there was */
        assert_int_equal(read_cut(link_type, wire.length, on_wire, &s), TAP_PACKET_MALFORMED);
}

static void begin_link(int link_type, unsigned type)
{
    wire.length = 0;
    switch (link_type) {
    case DLT_EN10MB:
        wire_ethernet(&wire, type);
        break;
    case DLT_LINUX_SLL:
        wire_zeros(&wire, 14);
        wire_16(&wire, type);
        break;
    case DLT_LINUX_SLL2:
        wire_16(&wire, type);
        wire_zeros(&wire, 18);
        break;
    case DLT_NULL:
    case DLT_LOOP:
        wire_zeros(&wire, 4);
    }
}

static const int links[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW,
                            DLT_NULL,   DLT_LOOP,      DLT_IPV4};

static void ipv4_is_read_over_every_link_with_all_options(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        for (unsigned ip = 0; ip <= 40; ip += 4)
            for (unsigned tcp = 0; tcp <= 40; tcp += 4) {
                begin_link(links[i], 0x0800);
                wire_ipv4(&wire, 1, 2, ip, TCP + tcp + PAYLOAD);
                end_with_tcp(tcp);
                assert_read(links[i], false);
            }
}

/* `count` extension headers; each kind has another way to say its length. */
static void begin_ipv6(int link_type, const uint8_t *extensions, size_t count, size_t length)
{
    begin_link(link_type, 0x86dd);
    for (size_t i = 0; i < count; i++)
        length += 8 + 8 * (i % 3);
    wire_ipv6(&wire, 1, 2, count ? extensions[0] : 6, length);
    for (size_t i = 0; i < count; i++) {
        size_t rest = 8 * (i % 3);
        wire_8(&wire, i + 1 < count ? extensions[i + 1] : 6);
        wire_8(&wire, (unsigned)(extensions[i] == 51 ? rest / 4 : rest / 8));
        wire_zeros(&wire, 6 + rest);
    }
}

static void ipv6_is_read_with_extension_headers(void **state)
{
    static const uint8_t extensions[] = {0, 43, 60, 51, 60};
    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        for (size_t count = 0; count <= sizeof extensions; count++) {
            begin_ipv6(links[i], extensions, count, TCP + 12 + PAYLOAD);
            end_with_tcp(12);
            assert_read(links[i], true);
        }
}

static void vlan_tags_are_passed_over(void **state)
{
    static const unsigned tags[] = {0x8100, 0x88a8, 0x9100};
    (void)state;
    for (size_t count = 1; count <= 4; count++)
        for (size_t first = 0; first < 3; first++) {
            begin_link(DLT_EN10MB, tags[first]);
            for (size_t i = 1; i <= count; i++) {
                wire_16(&wire, 42);
                wire_16(&wire, i < count ? tags[(first + i) % 3] : 0x0800);
            }
            wire_ipv4(&wire, 1, 2, 0, TCP + PAYLOAD);
            end_with_tcp(0);
            assert_read(DLT_EN10MB, false);
        }
}

static void padding_behind_the_packet_is_no_payload(void **state)
{
    struct tap_segment s;
    (void)state;
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        begin_link(DLT_EN10MB, ipv6 ? 0x86dd : 0x0800);
        if (ipv6)
            wire_ipv6(&wire, 1, 2, 6, TCP + PAYLOAD);
        else
            wire_ipv4(&wire, 1, 2, 0, TCP + PAYLOAD);
        end_with_tcp(0);
        size_t length = wire.length;
        wire_zeros(&wire, 18);
        for (size_t captured = length; captured <= wire.length; captured++) {
            assert_int_equal(read_cut(DLT_EN10MB, captured, wire.length, &s), TAP_PACKET_SEGMENT);
            assert_int_equal(s.length, PAYLOAD);
            assert_int_equal(s.captured, PAYLOAD);
        }
    }
}

static void a_length_of_0_is_all_that_there_is(void **state)
{
    (void)state;
    begin_link(DLT_EN10MB, 0x0800);
    wire_ipv4(&wire, 1, 2, 0, 0);
    wire.bytes[14 + 2] = wire.bytes[14 + 3] = 0;
    end_with_tcp(0);
    struct tap_segment s;
    assert_int_equal(read_cut(DLT_EN10MB, wire.length, wire.length, &s), TAP_PACKET_SEGMENT);
    assert_int_equal(s.length, PAYLOAD);
    begin_link(DLT_EN10MB, 0x86dd);
    wire_ipv6(&wire, 1, 2, 6, 0);
    end_with_tcp(0);
    assert_int_equal(read_cut(DLT_EN10MB, wire.length, wire.length, &s), TAP_PACKET_SEGMENT);
    assert_int_equal(s.length, PAYLOAD);
}

static enum tap_packet kind_with(size_t at, uint8_t byte)
{
    struct tap_segment s;
    begin_link(DLT_RAW, 0);
    wire_ipv4(&wire, 1, 2, 0, TCP + PAYLOAD);
    end_with_tcp(0);
    wire.bytes[at] = byte;
    return read_cut(DLT_RAW, wire.length, wire.length, &s);
}

static void fragments_and_other_protocols_are_told_apart(void **state)
{
    static const uint8_t fragment[] = {44};
    struct tap_segment s;
    (void)state;
    assert_int_equal(kind_with(6, 0x40), TAP_PACKET_SEGMENT); /* "don't" */
    assert_int_equal(kind_with(6, 0x20), TAP_PACKET_FRAGMENT);
    assert_int_equal(kind_with(7, 1), TAP_PACKET_FRAGMENT);
    assert_int_equal(kind_with(9, 17), TAP_PACKET_OTHER);
    begin_ipv6(DLT_RAW, fragment, 1, TCP + PAYLOAD);
    end_with_tcp(0);
    assert_int_equal(read_cut(DLT_RAW, wire.length, wire.length, &s), TAP_PACKET_FRAGMENT);
    begin_link(DLT_EN10MB, 0x0806);
    wire_zeros(&wire, 28);
    assert_int_equal(read_cut(DLT_EN10MB, wire.length, wire.length, &s), TAP_PACKET_OTHER);
    assert_false(tap_packet_knows(DLT_IEEE802_11));
    assert_int_equal(read_cut(DLT_IEEE802_11, wire.length, wire.length, &s), TAP_PACKET_OTHER);
}

static void lengths_that_contradict_each_other_are_malformed(void **state)
{
    (void)state;
    assert_int_equal(kind_with(0, 0x55), TAP_PACKET_MALFORMED);  /* the version */
    assert_int_equal(kind_with(0, 0x44), TAP_PACKET_MALFORMED);  /* a header of 16 bytes */
    assert_int_equal(kind_with(3, 19), TAP_PACKET_MALFORMED);    /* a packet of 19 */
    assert_int_equal(kind_with(3, 39), TAP_PACKET_MALFORMED);    /* without all of TCP's header */
    assert_int_equal(kind_with(2, 1), TAP_PACKET_MALFORMED);     /* of more than there is */
    assert_int_equal(kind_with(32, 0x40), TAP_PACKET_MALFORMED); /* TCP's of 16 */
    assert_int_equal(kind_with(32, 0xf0), TAP_PACKET_MALFORMED); /* of 60 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_is_read_over_every_link_with_all_options),
        cmocka_unit_test(ipv6_is_read_with_extension_headers),
        cmocka_unit_test(vlan_tags_are_passed_over),
        cmocka_unit_test(padding_behind_the_packet_is_no_payload),
        cmocka_unit_test(a_length_of_0_is_all_that_there_is),
        cmocka_unit_test(fragments_and_other_protocols_are_told_apart),
        cmocka_unit_test(lengths_that_contradict_each_other_are_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
