// SPDX-License-Identifier: Apache-2.0
/* What the tap tells at the end of each window: the heaviest keys, patterns and clients of each
 * cache, and how many different keys there were (lib/codec/batch_windows.h). A window is told once,
 * by its cache and beginning; one that comes twice, as an answer was lost, is the same.
 *
 * One thread. */
#ifndef WEFT_AGENT_TAP_WINDOWS_H
#define WEFT_AGENT_TAP_WINDOWS_H

#include "agent/tap/caches.h"
#include "agent/tap/courier.h"

struct windows;

struct windows_parts {
    const char *host; /* kept as it is, as all of these */
    struct caches *caches;
    struct tap_connections *connections;
    struct courier *courier;
    struct courier *to_show; /* for those that are being counted */
    uint32_t tell;           /* how many of each kind */
};

/* NULL: no memory. The parts must outlive it. */
struct windows *windows_create(const struct windows_parts *parts);
void windows_destroy(struct windows **w);

/* Gives the courier all windows in which anything was seen, and begins the next ones. */
void windows_turn(struct windows *w, uint64_t now_unix_ns);
/* Gives the other courier windows as they are by now, and counts on: those of all caches, or where
 * there are many of a part of them, so that each is shown within WINDOWS_SHOWN_WITHIN calls. */
enum { WINDOWS_SHOWN_WITHIN = 4, WINDOWS_SHOWN_AT_ONCE = 32 };
void windows_show(struct windows *w, uint64_t now_unix_ns);

#endif
