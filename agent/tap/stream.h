// SPDX-License-Identifier: Apache-2.0
/* One direction of a TCP connection as the tap sees it: segments in the order in which they were
 * captured become bytes in the order in which they were sent. What comes again is dropped, what
 * comes early is held (bounded, by a budget that all connections share), what does not come is a
 * gap.
 *
 * A gap is told when the other side has acknowledged bytes that were not seen, and they do not come
 * within some milliseconds; or when more is held than a stream may. Bytes that are in order are
 * given on as they lie in the packet: nothing is copied but what is held.
 *
 * One thread. */
#ifndef WEFT_AGENT_TAP_STREAM_H
#define WEFT_AGENT_TAP_STREAM_H

#include "agent/tap/packet.h"
#include "agent/tap/pending.h"

enum {
    TAP_HELD_BYTES_MOST = 1 << 20, /* of a stream */
    TAP_HOLE_PATIENCE_MS = 20
};

struct tap_held;

struct tap_stream {
    bool paused;
    bool known;            /* `next` is */
    uint32_t next;         /* the sequence number of the byte that is due */
    uint32_t acknowledged; /* by the other side, as far as was seen */
    bool ends;             /* a FIN was seen, which stands at `end` ... */
    uint32_t end;
    bool ended;             /* ... and all before it was given on */
    uint64_t given_ns;      /* when the bytes that were given on last were captured */
    uint64_t hole_since_ns; /* acknowledged bytes are missing since; 0: none are */
    struct tap_held *held;  /* by sequence number; they do not overlap */
    size_t held_bytes;
    unsigned held_segments;
};

struct tap_stream_counts {
    uint64_t repeated_bytes; /* sent again */
    uint64_t early_segments; /* held for a while */
    uint64_t gaps, gap_bytes;
};

/* What a stream gives on: bytes, and when they were captured, or the one before them if that was
 * later; and gaps. A gap of UINT32_MAX bytes: numbers go on far away, nobody knows what was
 * between (its bytes are not counted). */
struct tap_stream_out {
    void (*bytes)(void *context, const uint8_t *bytes, uint32_t length, uint64_t captured_ns);
    void (*gap)(void *context, uint32_t length);
    void *context;
    struct tap_budget *budget; /* of what is held */
    struct tap_stream_counts *counts;
};

/* The first byte to come is the one behind the SYN. */
void tap_stream_begin(struct tap_stream *s, uint32_t syn_sequence);
void tap_stream_fini(struct tap_stream *s, struct tap_budget *budget);

/* A paused stream holds what comes in order as well. Where it may hold no more it goes on. */
void tap_stream_pause(struct tap_stream *s);
void tap_stream_go_on(struct tap_stream *s, const struct tap_stream_out *out);
/* Whether bytes that the other side has acknowledged are still missing. */
bool tap_stream_lacks(const struct tap_stream *s, uint32_t acknowledged);

/* A segment of this direction. */
void tap_stream_add(struct tap_stream *s, const struct tap_segment *segment, uint64_t now_ns,
                    const struct tap_stream_out *out);
/* A segment of the other direction acknowledges. */
void tap_stream_acknowledge(struct tap_stream *s, uint32_t acknowledged, uint64_t now_ns,
                            const struct tap_stream_out *out);

#endif
