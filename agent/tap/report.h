// SPDX-License-Identifier: Apache-2.0
/* What the tap tells the agent each second: a batch of series (docs/tap.md lists them), whose
 * values grow from the tap's start, so that a batch that comes twice or never changes nothing
 * later. */
#ifndef WEFT_AGENT_TAP_REPORT_H
#define WEFT_AGENT_TAP_REPORT_H

#include "agent/tap/caches.h"
#include "agent/tap/capture.h"
#include "agent/tap/courier.h"
#include "lib/base/buffer.h"

struct report;

struct report_parts {
    const char *host; /* label of all series; kept as it is */
    struct caches *caches;
    struct tap_connections *connections;
    struct tap_capture *capture;
    struct courier *courier;
    struct courier *windows_courier; /* what it drops is told, too */
};

/* NULL: no memory. The parts must outlive it. */
struct report *report_create(const struct report_parts *parts);
void report_destroy(struct report **r);

/* Makes the batch and gives it to the courier. */
void report_tell(struct report *r, uint64_t now_unix_ns);

/* "10.0.0.5:6379", "[2001:db8::1]:6379". `out` of TAP_ADDRESS_TEXT bytes. */
enum { TAP_ADDRESS_TEXT = 64 };
void tap_address_text(const struct tap_address *address, char *out);
/* Without the port. */
void tap_ip_text(const uint8_t ip[16], char *out);

#endif
