// SPDX-License-Identifier: Apache-2.0
/* Packets of TCP as a capture has them, made byte by byte for the tests of the tap. */
#ifndef WEFT_TESTS_TAP_WIRE_H
#define WEFT_TESTS_TAP_WIRE_H

#include <stdint.h>
#include <string.h>

#include "agent/tap/packet.h"

enum { WIRE_MOST = 4096 };

struct wire {
    size_t length;
    uint8_t bytes[WIRE_MOST];
};

static inline void wire_bytes(struct wire *w, const void *bytes, size_t length)
{
    memcpy(w->bytes + w->length, bytes, length);
    w->length += length;
}

static inline void wire_zeros(struct wire *w, size_t length)
{
    memset(w->bytes + w->length, 0, length);
    w->length += length;
}

static inline void wire_8(struct wire *w, unsigned value)
{
    w->bytes[w->length++] = (uint8_t)value;
}

static inline void wire_16(struct wire *w, unsigned value)
{
    wire_8(w, value >> 8);
    wire_8(w, value & 255);
}

static inline void wire_32(struct wire *w, uint32_t value)
{
    wire_16(w, value >> 16);
    wire_16(w, value & 0xffff);
}

static inline void wire_ethernet(struct wire *w, unsigned type)
{
    wire_zeros(w, 12);
    wire_16(w, type);
}

/* 10.0.0.`from` to 10.0.0.`to`; `length` of what is behind the header. */
static inline void wire_ipv4(struct wire *w, unsigned from, unsigned to, unsigned options,
                             size_t length)
{
    wire_8(w, 0x40 + 5 + options / 4);
    wire_8(w, 0);
    wire_16(w, (unsigned)(20 + options + length));
    wire_32(w, 0);
    wire_8(w, 64);
    wire_8(w, 6);
    wire_16(w, 0);
    wire_32(w, 0x0a000000 + from);
    wire_32(w, 0x0a000000 + to);
    for (unsigned i = 0; i < options; i++)
        wire_8(w, 1);
}

/* 2001:db8::`from` to 2001:db8::`to`. */
static inline void wire_ipv6(struct wire *w, unsigned from, unsigned to, unsigned next,
                             size_t length)
{
    wire_32(w, 0x60000000);
    wire_16(w, (unsigned)length);
    wire_8(w, next);
    wire_8(w, 64);
    for (int i = 0; i < 2; i++) {
        wire_32(w, 0x20010db8);
        wire_zeros(w, 8);
        wire_32(w, i ? to : from);
    }
}

static inline void wire_tcp(struct wire *w, unsigned from_port, unsigned to_port, uint32_t sequence,
                            uint32_t acknowledged, unsigned flags, unsigned options)
{
    wire_16(w, from_port);
    wire_16(w, to_port);
    wire_32(w, sequence);
    wire_32(w, acknowledged);
    wire_8(w, (5 + options / 4) << 4);
    wire_8(w, flags);
    wire_16(w, 1024);
    wire_32(w, 0);
    for (unsigned i = 0; i < options; i++)
        wire_8(w, 1);
}

#endif
