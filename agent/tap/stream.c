// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/stream.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_SEGMENTS_MOST = 1024 };
/* No window is so large: a sequence number that is further away is of another connection. */
#define FAR_AWAY    (1 << 30)
#define PATIENCE_NS (UINT64_C(1000000) * TAP_HOLE_PATIENCE_MS)

struct tap_held {
    struct tap_held *next;
    uint64_t captured_ns;
    uint32_t sequence, length;
    uint8_t bytes[];
};

/* From a to b, where the numbers go round. */
static int32_t distance(uint32_t a, uint32_t b)
{
    return (int32_t)(b - a);
}

void tap_stream_begin(struct tap_stream *s, uint32_t syn_sequence)
{
    s->known = true;
    s->next = s->acknowledged = syn_sequence + 1;
}

static void drop_first(struct tap_stream *s, struct tap_budget *budget)
{
    struct tap_held *h = s->held;
    s->held = h->next;
    s->held_bytes -= h->length;
    s->held_segments--;
    budget->bytes -= sizeof *h + h->length;
    free(h);
}

void tap_stream_fini(struct tap_stream *s, struct tap_budget *budget)
{
    while (s->held)
        drop_first(s, budget);
    *s = (struct tap_stream){0};
}

/* ---- giving on --------------------------------------------------------------------------- */

/* A FIN takes a number of its own, behind the last byte. */
static void go_to(struct tap_stream *s, uint32_t sequence)
{
    s->next = sequence;
    s->hole_since_ns = 0;
    if (s->ends && s->next == s->end) {
        s->next++;
        s->ends = false;
        s->ended = true;
    }
}

static void give(struct tap_stream *s, const uint8_t *bytes, uint32_t length, uint64_t captured_ns,
                 const struct tap_stream_out *out)
{
    if (length == 0)
        return;
    go_to(s, s->next + length);
    s->given_ns = captured_ns;
    out->bytes(out->context, bytes, length, captured_ns);
}

static void leave_out(struct tap_stream *s, uint32_t length, const struct tap_stream_out *out)
{
    if (length == 0)
        return;
    go_to(s, s->next + length);
    out->counts->gaps++;
    out->counts->gap_bytes += length;
    out->gap(out->context, length);
}

/* What was held became known when it was captured, or when that before it was. */
static void give_held(struct tap_stream *s, const struct tap_stream_out *out)
{
    while (s->held && !s->paused && distance(s->next, s->held->sequence) <= 0) {
        struct tap_held *h = s->held;
        uint32_t old = s->next - h->sequence;
        if (old < h->length)
            give(s, h->bytes + old, h->length - old,
                 h->captured_ns > s->given_ns ? h->captured_ns : s->given_ns, out);
        drop_first(s, out->budget);
    }
}

/* What is missing before `end` does not come any more. */
static void go_over_hole(struct tap_stream *s, uint32_t end, const struct tap_stream_out *out)
{
    s->paused = false;
    if (s->held && distance(s->held->sequence, end) > 0)
        end = s->held->sequence;
    if (s->ends && distance(s->end, end) > 0)
        end = s->end;
    if (distance(s->next, end) > 0)
        leave_out(s, end - s->next, out);
    give_held(s, out);
}

static void look_for_hole(struct tap_stream *s, uint64_t now_ns, const struct tap_stream_out *out)
{
    if (distance(s->next, s->acknowledged) <= 0)
        s->hole_since_ns = 0;
    else if (s->hole_since_ns == 0)
        s->hole_since_ns = now_ns;
    else if (now_ns >= s->hole_since_ns + PATIENCE_NS)
        go_over_hole(s, s->acknowledged, out);
}

/* ---- holding ----------------------------------------------------------------------------- */

static struct tap_held **insert(struct tap_stream *s, struct tap_held **place, uint32_t sequence,
                                const uint8_t *bytes, uint32_t length, uint64_t now_ns,
                                struct tap_budget *budget)
{
    size_t size = sizeof(struct tap_held) + length;
    struct tap_held *h = budget->bytes + size <= budget->limit_bytes ? malloc(size) : NULL;
    if (!h) {
        budget->refused++;
        return NULL;
    }
    *h = (struct tap_held){
        .next = *place, .captured_ns = now_ns, .sequence = sequence, .length = length};
    memcpy(h->bytes, bytes, length);
    *place = h;
    budget->bytes += size;
    s->held_bytes += length;
    s->held_segments++;
    return &h->next;
}

/* False: there is no room. What is held already is not held twice. */
static bool hold(struct tap_stream *s, uint32_t sequence, const uint8_t *bytes, uint32_t length,
                 uint64_t now_ns, const struct tap_stream_out *out)
{
    struct tap_held **place = &s->held;
    while (length > 0) {
        for (; *place && distance((*place)->sequence, sequence) >= 0; place = &(*place)->next) {
            int32_t covered = distance(sequence, (*place)->sequence + (*place)->length);
            uint32_t twice = covered <= 0                 ? 0
                             : (uint32_t)covered < length ? (uint32_t)covered
                                                          : length;
            sequence += twice;
            bytes += twice;
            length -= twice;
            out->counts->repeated_bytes += twice;
        }
        uint32_t piece = length;
        if (*place && (uint32_t)distance(sequence, (*place)->sequence) < piece)
            piece = (uint32_t)distance(sequence, (*place)->sequence);
        if (piece == 0)
            continue;
        if (s->held_bytes + piece > TAP_HELD_BYTES_MOST || s->held_segments >= HELD_SEGMENTS_MOST ||
            !(place = insert(s, place, sequence, bytes, piece, now_ns, out->budget)))
            return false;
        sequence += piece;
        bytes += piece;
        length -= piece;
    }
    return true;
}

/* ---- pausing ----------------------------------------------------------------------------- */

void tap_stream_pause(struct tap_stream *s)
{
    s->paused = true;
}

void tap_stream_go_on(struct tap_stream *s, const struct tap_stream_out *out)
{
    s->paused = false;
    give_held(s, out);
}

bool tap_stream_lacks(const struct tap_stream *s, uint32_t acknowledged)
{
    return s->known && distance(s->next, acknowledged) > 0;
}

/* ---- segments ---------------------------------------------------------------------------- */

static void add_early(struct tap_stream *s, uint32_t sequence, const uint8_t *bytes,
                      uint32_t length, uint64_t now_ns, const struct tap_stream_out *out)
{
    out->counts->early_segments++;
    while (!hold(s, sequence, bytes, length, now_ns, out)) {
        if (s->held)
            go_over_hole(s, s->held->sequence, out);
        else /* no memory for a single one */
            leave_out(s, sequence - s->next, out);
        int32_t old = distance(sequence, s->next);
        if (old < 0)
            continue;
        s->paused = false;
        if ((uint32_t)old < length)
            give(s, bytes + old, length - (uint32_t)old, now_ns, out);
        give_held(s, out);
        return;
    }
    look_for_hole(s, now_ns, out);
}

/* It is another connection's, as far as numbers tell. */
static void begin_elsewhere(struct tap_stream *s, uint32_t sequence,
                            const struct tap_stream_out *out)
{
    while (s->held)
        drop_first(s, out->budget);
    s->ends = s->ended = s->paused = false;
    s->acknowledged = sequence;
    go_to(s, sequence);
    out->counts->gaps++;
    out->gap(out->context, UINT32_MAX);
}

static void note_end(struct tap_stream *s, uint32_t end)
{
    if (distance(s->next, end) < 0)
        return;
    s->ends = true;
    s->end = end;
    if (s->next == end)
        go_to(s, end);
}

void tap_stream_add(struct tap_stream *s, const struct tap_segment *segment, uint64_t now_ns,
                    const struct tap_stream_out *out)
{
    uint32_t sequence = segment->sequence + (segment->flags & TAP_SYN ? 1 : 0);
    const uint8_t *bytes = segment->bytes;
    uint32_t length = segment->length, captured = segment->captured;
    if (!s->known) {
        s->known = true;
        s->next = s->acknowledged = sequence;
    }
    int32_t ahead = distance(s->next, sequence);
    if (ahead > FAR_AWAY || ahead < -FAR_AWAY) {
        if (length == 0)
            return;
        begin_elsewhere(s, sequence, out);
        ahead = 0;
    }
    if (segment->flags & TAP_FIN)
        note_end(s, sequence + length);
    if (ahead < 0) {
        uint32_t old = (uint32_t)-ahead < length ? (uint32_t)-ahead : length;
        out->counts->repeated_bytes += old;
        bytes += old < captured ? old : captured;
        captured -= old < captured ? old : captured;
        length -= old;
        sequence += old;
    }
    if ((ahead > 0 || s->paused) && captured > 0) {
        add_early(s, sequence, bytes, captured, now_ns, out);
    } else if (ahead <= 0 && length > 0) {
        give(s, bytes, captured, now_ns, out);
        leave_out(s, length - captured, out); /* which the capture cut off */
        give_held(s, out);
    }
}

void tap_stream_acknowledge(struct tap_stream *s, uint32_t acknowledged, uint64_t now_ns,
                            const struct tap_stream_out *out)
{
    if (!s->known) {
        s->known = true;
        s->next = s->acknowledged = acknowledged;
        return;
    }
    int32_t more = distance(s->acknowledged, acknowledged);
    if (more > 0 && more <= FAR_AWAY)
        s->acknowledged = acknowledged;
    look_for_hole(s, now_ns, out);
}
