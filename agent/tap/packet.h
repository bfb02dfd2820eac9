// SPDX-License-Identifier: Apache-2.0
/* What a captured packet says, if it is one of TCP: over Ethernet with any VLAN tags, Linux' cooked
 * capture (version 1 and 2), raw IP or BSD's loopback; IPv4 and IPv6 with their options and
 * extension headers. Nothing is allocated or kept; any thread. Bytes are hostile: no length is
 * believed. */
#ifndef WEFT_AGENT_TAP_PACKET_H
#define WEFT_AGENT_TAP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tap_address {
    uint8_t ip[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint16_t port;  /* in the host's byte order */
};

enum { TAP_FIN = 1, TAP_SYN = 2, TAP_RST = 4, TAP_ACK = 16 }; /* as TCP's header has them */

struct tap_segment {
    struct tap_address from, to;
    uint32_t sequence, acknowledged;
    uint8_t flags;
    uint32_t length;      /* of the payload on the wire */
    uint32_t captured;    /* of these, what is here; less where the capture cut the packet */
    const uint8_t *bytes; /* within the packet */
};

enum tap_packet {
    TAP_PACKET_SEGMENT,
    TAP_PACKET_OTHER,     /* not TCP, or a link type that is not known */
    TAP_PACKET_FRAGMENT,  /* a part of an IP packet: not put together */
    TAP_PACKET_MALFORMED, /* lengths contradict each other, or too little was captured */
    TAP_PACKETS
};

/* `link_type` as libpcap numbers them (DLT_…). */
enum tap_packet tap_packet_read(int link_type, const uint8_t *bytes, size_t captured,
                                size_t on_wire, struct tap_segment *out);
bool tap_packet_knows(int link_type);

#endif
