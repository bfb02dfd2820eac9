// SPDX-License-Identifier: Apache-2.0
/* Packets from network interfaces, by libpcap (on Linux a ring that the kernel shares, TPACKET_V3),
 * or from a file that was captured before.
 *
 * The kernel hands over TCP on the given ports alone. Reading never blocks: the descriptors are
 * polled, as a blocking read of a quiet interface may never come back. Times are the kernel's, in
 * nanoseconds.
 *
 * One thread. Opening interfaces needs CAP_NET_RAW; reading needs nothing. */
#ifndef WEFT_AGENT_TAP_CAPTURE_H
#define WEFT_AGENT_TAP_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/tap/packet.h"

struct tap_capture;

struct tap_capture_options {
    const char *const *interfaces; /* "lo", "eth0", "any" */
    size_t interface_count;
    const uint16_t *ports;
    size_t port_count;
    size_t buffer_bytes; /* the kernel's, of each interface */
};

/* NULL and a sentence in `why`, which says what to do. */
struct tap_capture *tap_capture_open(const struct tap_capture_options *options, char *why,
                                     size_t why_size);
struct tap_capture *tap_capture_open_file(const char *path, const uint16_t *ports,
                                          size_t port_count, char *why, size_t why_size);
void tap_capture_close(struct tap_capture **c);

struct tap_capture_stats {
    uint64_t packets; /* read here */
    uint64_t dropped; /* by the kernel, since nobody read them in time */
    uint64_t missed;  /* by the interface or its driver */
    uint64_t by_kind[TAP_PACKETS];
};

typedef void tap_take_segment(void *context, const struct tap_segment *segment, uint64_t unix_ns);

/* Waits up to `timeout_ms` for packets, and hands on those that are there. How many; 0: none came;
 * -1: an interface is gone, or the file is at its end: *why tells. */
int tap_capture_read(struct tap_capture *c, int timeout_ms, tap_take_segment *take, void *context,
                     char *why, size_t why_size);
/* All packets that the kernel captured before this moment were handed on; 0: that cannot be said
 * yet. Lags behind the clock by what the kernel gathers, and by `timeout_ms` where all is quiet. */
uint64_t tap_capture_seen_unix_ns(const struct tap_capture *c);
void tap_capture_stats(struct tap_capture *c, struct tap_capture_stats *out);

#endif
