// SPDX-License-Identifier: Apache-2.0
/* Formats: IEEE 802.3 and 802.1Q/ad, the tcpdump group's LINKTYPE_LINUX_SLL and _SLL2, RFC 791
 * (IPv4), RFC 8200 (IPv6), RFC 9293 (TCP). */
#include "agent/tap/packet.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <pcap/dlt.h>
#include <string.h>

struct view {
    const uint8_t *bytes;
    size_t left;    /* captured */
    size_t on_wire; /* and what there was */
};

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* NULL: so many are not there. */
static const uint8_t *take(struct view *v, size_t length)
{
    const uint8_t *p = v->bytes;
    if (length > v->left || length > v->on_wire)
        return NULL;
    v->bytes += length;
    v->left -= length;
    v->on_wire -= length;
    return p;
}

/* What is behind the end of the packet (Ethernet's padding) goes. */
static bool cut(struct view *v, size_t length)
{
    if (length > v->on_wire)
        return false;
    v->on_wire = length;
    if (v->left > length)
        v->left = length;
    return true;
}

/* ---- TCP --------------------------------------------------------------------------------- */

static enum tap_packet read_tcp(struct view v, struct tap_segment *out)
{
    enum { HEADER = 20 };
    const uint8_t *h = take(&v, HEADER);
    if (!h)
        return TAP_PACKET_MALFORMED;
    size_t header = (size_t)(h[12] >> 4) * 4;
    if (header < HEADER || !take(&v, header - HEADER))
        return TAP_PACKET_MALFORMED;
    out->from.port = get16(h);
    out->to.port = get16(h + 2);
    out->sequence = get32(h + 4);
    out->acknowledged = get32(h + 8);
    out->flags = h[13];
    out->length = (uint32_t)v.on_wire;
    out->captured = (uint32_t)v.left;
    out->bytes = v.bytes;
    return TAP_PACKET_SEGMENT;
}

/* ---- IP ---------------------------------------------------------------------------------- */

static void map_ipv4(uint8_t ip[16], const uint8_t *address)
{
    memset(ip, 0, 10);
    memset(ip + 10, 0xff, 2);
    memcpy(ip + 12, address, 4);
}

static enum tap_packet read_ipv4(struct view v, struct tap_segment *out)
{
    enum { HEADER = 20, MORE_FRAGMENTS = 0x2000, FRAGMENT_OFFSET = 0x1fff };
    if (v.left < HEADER)
        return TAP_PACKET_MALFORMED;
    const uint8_t *h = v.bytes;
    size_t header = (size_t)(h[0] & 15) * 4, total = get16(h + 2);
    if (total == 0) /* offloaded segmentation of more than 64 KiB leaves it empty */
        total = v.on_wire;
    if (h[0] >> 4 != 4 || header < HEADER || total < header || !cut(&v, total) || !take(&v, header))
        return TAP_PACKET_MALFORMED;
    if (get16(h + 6) & (MORE_FRAGMENTS | FRAGMENT_OFFSET))
        return TAP_PACKET_FRAGMENT;
    if (h[9] != IPPROTO_TCP)
        return TAP_PACKET_OTHER;
    map_ipv4(out->from.ip, h + 12);
    map_ipv4(out->to.ip, h + 16);
    return read_tcp(v, out);
}

/* Behind the headers that may stand before TCP's. */
static enum tap_packet pass_extensions(struct view *v, uint8_t next)
{
    enum { EXTENSIONS_MOST = 16 };
    for (int i = 0; i < EXTENSIONS_MOST; i++) {
        if (next == IPPROTO_TCP)
            return TAP_PACKET_SEGMENT;
        if (next == IPPROTO_FRAGMENT)
            return TAP_PACKET_FRAGMENT;
        bool authentication = next == IPPROTO_AH;
        if (!authentication && next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING &&
            next != IPPROTO_DSTOPTS)
            return TAP_PACKET_OTHER;
        const uint8_t *h = take(v, 8);
        if (!h || !take(v, authentication ? ((size_t)h[1] + 2) * 4 - 8 : (size_t)h[1] * 8))
            return TAP_PACKET_MALFORMED;
        next = h[0];
    }
    return TAP_PACKET_OTHER;
}

static enum tap_packet read_ipv6(struct view v, struct tap_segment *out)
{
    enum { HEADER = 40 };
    const uint8_t *h = take(&v, HEADER);
    if (!h || h[0] >> 4 != 6)
        return TAP_PACKET_MALFORMED;
    size_t payload = get16(h + 4);
    if (payload == 0) /* a jumbogram, or offloaded segmentation */
        payload = v.on_wire;
    if (!cut(&v, payload))
        return TAP_PACKET_MALFORMED;
    enum tap_packet kind = pass_extensions(&v, h[6]);
    if (kind != TAP_PACKET_SEGMENT)
        return kind;
    memcpy(out->from.ip, h + 8, 16);
    memcpy(out->to.ip, h + 24, 16);
    return read_tcp(v, out);
}

static enum tap_packet read_ip(struct view v, struct tap_segment *out)
{
    if (v.left == 0)
        return TAP_PACKET_MALFORMED;
    return v.bytes[0] >> 4 == 6 ? read_ipv6(v, out) : read_ipv4(v, out);
}

/* ---- links ------------------------------------------------------------------------------- */

static enum tap_packet read_ethertype(struct view v, uint16_t type, struct tap_segment *out)
{
    enum { QINQ_OLD = 0x9100, PROVIDER_BRIDGE = 0x88a8, TAGS_MOST = 8 };
    for (int i = 0;
         i < TAGS_MOST && (type == ETHERTYPE_VLAN || type == PROVIDER_BRIDGE || type == QINQ_OLD);
         i++) {
        const uint8_t *tag = take(&v, 4);
        if (!tag)
            return TAP_PACKET_MALFORMED;
        type = get16(tag + 2);
    }
    if (type == ETHERTYPE_IP)
        return read_ipv4(v, out);
    if (type == ETHERTYPE_IPV6)
        return read_ipv6(v, out);
    return TAP_PACKET_OTHER;
}

enum { SLL_BYTES = 16, SLL2_BYTES = 20 };

bool tap_packet_knows(int link_type)
{
    return link_type == DLT_EN10MB || link_type == DLT_LINUX_SLL || link_type == DLT_LINUX_SLL2 ||
           link_type == DLT_RAW || link_type == DLT_IPV4 || link_type == DLT_IPV6 ||
           link_type == DLT_NULL || link_type == DLT_LOOP;
}

enum tap_packet tap_packet_read(int link_type, const uint8_t *bytes, size_t captured,
                                size_t on_wire, struct tap_segment *out)
{
    struct view v = {bytes, captured < on_wire ? captured : on_wire, on_wire};
    const uint8_t *h;
    switch (link_type) {
    case DLT_EN10MB:
        h = take(&v, sizeof(struct ether_header));
        return h ? read_ethertype(v, get16(h + 12), out) : TAP_PACKET_MALFORMED;
    case DLT_LINUX_SLL:
        h = take(&v, SLL_BYTES);
        return h ? read_ethertype(v, get16(h + 14), out) : TAP_PACKET_MALFORMED;
    case DLT_LINUX_SLL2:
        h = take(&v, SLL2_BYTES);
        return h ? read_ethertype(v, get16(h), out) : TAP_PACKET_MALFORMED;
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        return read_ip(v, out);
    case DLT_NULL:
    case DLT_LOOP: /* a family, whose numbers differ by system: IP's own version tells more */
        return take(&v, 4) ? read_ip(v, out) : TAP_PACKET_MALFORMED;
    default:
        return TAP_PACKET_OTHER;
    }
}
